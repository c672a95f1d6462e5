"""The fully connected network of the sleep paper, feed-forward and recurrent."""

from __future__ import annotations

from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.networks._parts import Parts

__all__ = ["SGSNN"]


class SGSNN(nn.Module):
    """Input → hidden spiking layer → classes: the surrogate-gradient network beside which the paper sets its own.

    Parameters
    ----------
    inputs, classes : int
    parts : Parts
        The paper's is ``Parts("lif", 25, {"decay": 0.95})``; "recurrentlif" makes the hidden layer recurrent.
    hidden : int
        Neurons of the hidden layer. Default 1000.
    spiking_output : bool
        Whether a layer of spiking neurons votes, as in the paper, whose sleep lets the weights onto them learn by STDP.
        Default False: their input currents vote; :class:`Sleep` with STDP then takes recurrent networks alone.

    Notes
    -----
    ``forward`` takes (T, B, inputs), or images (T, B, C, H, W), and gives (T, B, classes): a step's vote, to be
    averaged over time.

    References
    ----------
    Massey et al. 2026, arXiv 2601.08447.
    """

    #: Layers run in the order of registration: deployment and export may treat them as a chain.
    in_order = True

    def __init__(
        self, inputs: int, classes: int, parts: Parts, *, hidden: int = 1000, spiking_output: bool = False
    ) -> None:
        super().__init__()
        parts.refuse_attention("sg_snn")
        if parts.weights != "float":
            raise InputError(
                f"weights = {parts.weights!r}: net = 'sg_snn' has a first and a last weight layer alone, which stay in "
                "floating point; leave weights = 'float', or choose another net"
            )
        self.flatten = nn.Flatten(2)
        self.encode = parts.linear(inputs, hidden, first=True)
        self.neuron = parts.spiking(hidden)
        self.classify = parts.linear(hidden, classes, last=True)
        self.output = parts.spiking(classes) if spiking_output else nn.Identity()
        #: Whether votes are spikes: the loss then takes their number over time, and not their mean.
        self.counts_votes = spiking_output

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.classify(self.neuron(self.encode(self.flatten(x)))))

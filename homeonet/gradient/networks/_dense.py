"""The fully connected network of the sleep paper, feed-forward and recurrent."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm as normalised

from homeonet.errors import InputError
from homeonet.gradient.networks._parts import Parts

__all__ = ["SGSNN", "LeaveOut"]


class SGSNN(nn.Module):
    """Input → hidden spiking layers → classes: the surrogate-gradient network beside which the paper sets its own.

    Parameters
    ----------
    inputs, classes : int
    parts : Parts
        The paper's is ``Parts("lif", 25, {"decay": 0.95})``; "recurrentlif" makes the hidden layers recurrent.
    hidden : int
        Neurons of a hidden layer. Default 1000.
    layers : int
        Hidden layers, at least 1. Default 1.
    dropout : float
        Share of each hidden layer's neurons that is left out of an image, at all its steps, in training. In [0, 1),
        default 0.
    weight_norm : bool
        Whether direction and length of each unit's weights are parameters of their own (Salimans & Kingma 2016).
        Default False. Sleep changes no such weights.
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
        self,
        inputs: int,
        classes: int,
        parts: Parts,
        *,
        hidden: int = 1000,
        layers: int = 1,
        dropout: float = 0.0,
        weight_norm: bool = False,
        spiking_output: bool = False,
    ) -> None:
        super().__init__()
        if not (isinstance(layers, int) and 1 <= layers <= 100):
            raise InputError(f"net_options.layers = {layers!r}; give a whole number from 1 to 100")
        if not 0 <= dropout < 1:
            raise InputError(f"net_options.dropout = {dropout!r}; give a share from 0 to below 1")
        parts.refuse_attention("sg_snn")
        if parts.weights != "float":
            raise InputError(
                f"weights = {parts.weights!r}: net = 'sg_snn' has a first and a last weight layer alone, which stay in "
                "floating point; leave weights = 'float', or choose another net"
            )
        self.flatten = nn.Flatten(2)
        self.encode = parts.linear(inputs, hidden, first=True)
        self.neuron = parts.spiking(hidden)
        if dropout:
            self.leave_out = LeaveOut(dropout)
        if layers > 1:
            deeper: list[nn.Module] = []
            for _ in range(1, layers):
                deeper += [parts.linear(hidden, hidden), parts.spiking(hidden)]
                deeper += [LeaveOut(dropout)] if dropout else []
            self.deeper = nn.Sequential(*deeper)
        self.classify = parts.linear(hidden, classes, last=True)
        self.output = parts.spiking(classes) if spiking_output else nn.Identity()
        #: Whether votes are spikes: the loss then takes their number over time, and not their mean.
        self.counts_votes = spiking_output
        if weight_norm:
            for module in [m for m in self.modules() if isinstance(m, nn.Linear)]:
                normalised(module)

    def forward(self, x: Tensor) -> Tensor:
        for part in self.children():
            x = part(x)
        return x


class LeaveOut(nn.Module):
    """Dropout of neurons: those of an image that are left out are so at all its steps.

    Parameters
    ----------
    share : float
        In (0, 1); what is left is scaled by 1 / (1 − share), in training alone.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        return x * nn.functional.dropout(torch.ones_like(x[0]), self.share) if self.training else x

    def extra_repr(self) -> str:
        """Its share."""
        return f"share={self.share:g}"

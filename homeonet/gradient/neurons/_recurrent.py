"""A LIF layer whose spikes come back to it a step later."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from homeonet.gradient.neurons._lif import LIF
from homeonet.gradient.neurons._neuron import SpikingNeuron

__all__ = ["RecurrentLIF", "RecurrentState"]


@dataclass(frozen=True)
class RecurrentState:
    """Membrane and last spikes, both (B, units)."""

    membrane: Tensor
    spikes: Tensor


class RecurrentLIF(LIF):
    """LIF with ``x_t + W_rec S_{t-1}`` as its input; units are fully connected.

    Parameters
    ----------
    units : int
    spread : float
        Initial standard deviation of W_rec is ``spread / sqrt(units)``. Default 0.5.
    **constants
        Parameters of :class:`LIF`.

    Notes
    -----
    A step needs the spikes of the last one through a learnt matrix: it runs one step at a time.
    """

    def __init__(self, units: int, *, spread: float = 0.5, **constants: object) -> None:
        super().__init__(**constants)
        self.recurrent = nn.Linear(units, units, bias=False)
        nn.init.normal_(self.recurrent.weight, std=spread * units**-0.5)

    def membrane_of(self, state: RecurrentState) -> Tensor:
        return state.membrane

    def sequence(self, x: Tensor, state: RecurrentState | None) -> tuple[Tensor, RecurrentState]:
        return SpikingNeuron.sequence(self, x, state)  # LIF's own would know nothing of what comes back

    def single_step(self, x_t: Tensor, state: RecurrentState | None) -> tuple[Tensor, RecurrentState]:
        if state is None:  # the matrix has a gradient from the first step on, as data-parallel training asks
            spikes, membrane = torch.zeros_like(x_t), None
        else:
            spikes, membrane = state.spikes, state.membrane
        if not self.through_time:
            spikes = spikes.detach()
        back = self.recurrent(
            spikes.to(self.recurrent.weight.dtype)
        )  # membranes stay in float32, weights may not
        spikes, membrane = super().single_step(x_t + back.to(x_t.dtype), membrane)
        return spikes, RecurrentState(membrane, spikes)

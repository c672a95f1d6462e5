"""Parallel spiking neurons, the baselines that DSN is measured against: PSN and sliding PSN."""

from __future__ import annotations

import math
from typing import NoReturn

import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.kernels._surrogate import Surrogate, heaviside, surrogate_named
from homeonet.gradient.neurons._forward_pass import without_autocast
from homeonet.gradient.neurons._neuron import SpikingNeuron

__all__ = ["PSN", "SlidingPSN"]


class PSN(SpikingNeuron):
    """``S = H(W X + b)``: every step sees every other through a learnt T × T matrix.

    Parameters
    ----------
    steps : int
        T, the only length it can process; positive.
    surrogate : str or Surrogate
        Derivative that stands for a spike's. Default "arctan".

    Notes
    -----
    It has neither a membrane nor a past, so it cannot be run step by step. The threshold is ``-b``; homeostasis
    multiplies it.

    References
    ----------
    Fang et al. 2023, arXiv 2304.12760.
    """

    def __init__(self, steps: int, *, surrogate: str | Surrogate = "arctan") -> None:
        super().__init__()
        if steps < 1:
            raise InputError(f"PSN: steps = {steps}: it needs at least one time step")
        self.steps = steps
        self.surrogate = surrogate_named(surrogate)
        self.weight = nn.Parameter(torch.empty(steps, steps))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        self.bias = nn.Parameter(torch.full((steps, 1), -1.0))

    def sequence(self, x: Tensor, state: None) -> tuple[Tensor, None]:
        if self._streaming:
            self._refuse_pieces()
        if len(x) != self.steps:
            raise InputError(
                f"PSN: the input has {len(x)} time steps, but steps = {self.steps}; give it as many"
            )
        bias = self.bias.view(self.steps, *(1,) * (x.dim() - 1)) * self.threshold_scale
        with without_autocast(x):
            charged = (self.weight.to(x.dtype) @ x.flatten(1)).view(x.shape)
        return heaviside(charged + bias, self.surrogate), None

    def single_step(self, x_t: Tensor, state: None) -> tuple[Tensor, None]:
        self._refuse_pieces()

    def _refuse_pieces(self) -> NoReturn:
        raise InputError(
            "PSN sees the future and cannot run step by step; use SlidingPSN, DSN or LIF for that"
        )

    def extra_repr(self) -> str:
        return f"steps={self.steps}"


class SlidingPSN(SpikingNeuron):
    """``S_t = H(Σ_j w_j X_{t-k+j} + b)``: a causal filter over the last k inputs, the same for all neurons.

    Parameters
    ----------
    kernel : int
        k, at least 1. Default 32.
    surrogate : str or Surrogate
        Derivative that stands for a spike's. Default "arctan".

    Notes
    -----
    Weights start as powers of two, the last one 1. The threshold is ``-b``; homeostasis multiplies it.

    References
    ----------
    Fang et al. 2023, arXiv 2304.12760.
    """

    #: Steps computed by one row of blocks of the banded matrix.
    _BLOCK = 64

    def __init__(self, kernel: int = 32, *, surrogate: str | Surrogate = "arctan") -> None:
        super().__init__()
        if kernel < 1:
            raise InputError(f"SlidingPSN: kernel = {kernel}: it needs at least the present input")
        self.kernel = kernel
        self.surrogate = surrogate_named(surrogate)
        self.weight = nn.Parameter(2.0 ** torch.arange(1 - kernel, 1))
        self.bias = nn.Parameter(torch.tensor(-1.0))

    def sequence(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        inputs = torch.cat([self._window(x[0], state), x])
        if self.through_time:
            charged = self._filtered(inputs.flatten(1)).view(x.shape)
        else:  # only the present input gets a gradient; what is added is zero
            charged = self._filtered(inputs.detach().flatten(1)).view(x.shape)
            charged = charged + self.weight[-1].detach().to(x.dtype) * (x - x.detach())
        return heaviside(charged + self.bias * self.threshold_scale, self.surrogate), inputs[len(x) :]

    def single_step(self, x_t: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        inputs = torch.cat([self._window(x_t, state), x_t[None]])
        with without_autocast(x_t):
            charged = torch.tensordot(self.weight.to(inputs.dtype), inputs, 1)
        return heaviside(charged + self.bias * self.threshold_scale, self.surrogate), inputs[1:]

    def _window(self, x_t: Tensor, state: Tensor | None) -> Tensor:
        """The last k - 1 inputs, (k - 1, B, *); none at rest."""
        if state is None:
            return x_t.new_zeros(self.kernel - 1, *x_t.shape)
        return state if self.through_time else state.detach()

    def _filtered(self, inputs: Tensor) -> Tensor:
        """The causal filter of (T + k - 1, lanes), as products with one banded matrix, a block of steps each."""
        n_steps = len(inputs) - self.kernel + 1
        block = min(self._BLOCK, n_steps)
        n_blocks = -(-n_steps // block)
        missing = n_blocks * block - n_steps
        if missing:
            inputs = torch.cat([inputs, inputs.new_zeros(missing, inputs.shape[1])])
        width = block + self.kernel - 1
        row = torch.arange(block, device=inputs.device)[:, None]
        tap = torch.arange(width, device=inputs.device)[None] - row
        inside = (tap >= 0) & (tap < self.kernel)
        band = torch.where(inside, self.weight[tap.clamp(0, self.kernel - 1)], 0).to(inputs.dtype)
        pieces = inputs.unfold(0, width, block).transpose(1, 2)  # (blocks, width, lanes)
        with without_autocast(inputs):
            return (band @ pieces).flatten(0, 1)[:n_steps]

    def extra_repr(self) -> str:
        return f"kernel={self.kernel}"

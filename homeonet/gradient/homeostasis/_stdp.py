"""Spike-timing dependent plasticity by traces, of the weights between layers of a batch of networks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from homeonet.gradient.homeostasis._plugin import check_range

__all__ = ["TraceSTDP", "Traces"]


@dataclass(frozen=True)
class Traces:
    """Traces of the presynaptic (B, in) and postsynaptic (B, out) spikes, and the last postsynaptic spikes (B, out)."""

    pre: Tensor
    post: Tensor
    last: Tensor


class TraceSTDP:
    """``Δw = learning_rate (a_plus post_t x_t - a_minus y_t pre_t)``, summed over steps, averaged over the batch.

    ::

        x_t = exp(-1/tau) x_{t-1} + pre_t          y_t = exp(-1/tau) (y_{t-1} + post_{t-1})

    A presynaptic spike reaches its target in the step it is sent, so at equal steps it counts as having come first.

    Parameters
    ----------
    a_plus, a_minus : float
        Amplitudes of potentiation and depression, at least 0. Defaults 0.01 and 0.012.
    tau : float
        Time constant of both traces in steps, positive. Default 20.
    learning_rate : float
        At least 0. Default 1e-3.

    References
    ----------
    Massey et al. 2026, arXiv 2601.08447, for the constants (its surrogate-gradient network asleep).
    """

    def __init__(
        self, a_plus: float = 0.01, a_minus: float = 0.012, tau: float = 20.0, learning_rate: float = 1e-3
    ) -> None:
        self.a_plus = check_range("Sleep", "a_plus", a_plus, 0, math.inf, below=True)
        self.a_minus = check_range("Sleep", "a_minus", a_minus, 0, math.inf, below=True)
        self.decay = math.exp(-1 / check_range("Sleep", "tau", tau, 0, math.inf, above=True, below=True))
        self.learning_rate = check_range("Sleep", "learning_rate", learning_rate, 0, math.inf, below=True)

    def change(self, pre: Tensor | None, post: Tensor, traces: Traces | None = None) -> tuple[Tensor, Traces]:
        """Δw of some steps.

        Parameters
        ----------
        pre : Tensor, shape (T, B, in), or None
            Spikes, 0 or 1; None for weights of a layer onto itself, which carry `post` of the step before.
        post : Tensor, shape (T, B, out)
        traces : Traces, optional
            What the steps before have left; nothing without it.

        Returns
        -------
        change : Tensor, shape (out, in)
        traces : Traces
            To be handed over with the next steps.
        """
        post = post.flatten(1, -2)
        if traces is None:
            nothing = torch.zeros_like(post[0])
            n_in = post.shape[-1] if pre is None else pre.shape[-1]
            traces = Traces(post.new_zeros(post.shape[1], n_in), nothing, nothing)
        pre = torch.cat([traces.last[None], post[:-1]]) if pre is None else pre.flatten(1, -2)
        x, y = traces.pre, traces.post
        before, after = [], []
        for pre_t, post_t in zip(pre, post, strict=True):
            x, y = self.decay * x + pre_t, self.decay * y
            before.append(x)
            after.append(y)
            y = y + post_t
        up = torch.tensordot(post, torch.stack(before), ([0, 1], [0, 1]))
        down = torch.tensordot(torch.stack(after), pre, ([0, 1], [0, 1]))
        change = (self.a_plus * up - self.a_minus * down) * (self.learning_rate / post.shape[1])
        return change, Traces(x, y, post[-1])

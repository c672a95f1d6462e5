"""Batch normalisation of a membrane potential, a time step at a time, and its folding into membrane constants."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from homeonet.errors import InputError
from homeonet.gradient.kernels._p2_reset import per_step
from homeonet.gradient.neurons._forward_pass import recomputing

__all__ = ["MembraneNorm"]


class MembraneNorm(nn.Module):
    """``m̂_t = α_t m_t + β_t BN_t(m_t)``, with statistics, gain and bias of its own for every time step.

    Parameters
    ----------
    steps : int
        Time steps, at least 1.
    channels : int
        Axis 1 of a membrane of shape (B, C, *), at least 1.
    momentum : float
        The share of a batch in the running statistics, in [0, 1]. Default 0.1.
    eps : float
        Added to the variance. Default 1e-5.
    bounded : bool
        Do as the code released with HD-LIF: ``α_t = sigmoid(a_t)`` and ``β_t = sigmoid(b_t)`` with a and b zero at
        first, so both begin at 1/2 and stay in (0, 1). Default False.

    Notes
    -----
    α_t is 1 and β_t is 0 at first, so that training starts from the plain neuron (the paper gives neither start nor
    bounds, the released code bounds them); both are scalars. Without training
    (``eval()``) the running statistics serve, and the norm is linear in m: ``m̂ = α* m - β*``, see :meth:`folded`.

    References
    ----------
    HD-LIF, arXiv 2410.07547, Mem-BN.
    """

    def __init__(
        self, steps: int, channels: int, momentum: float = 0.1, eps: float = 1e-5, *, bounded: bool = False
    ) -> None:
        super().__init__()
        self.channels, self.momentum, self.eps = channels, momentum, eps
        self.bounded = bounded
        if bounded:
            self.raw_alpha, self.raw_beta = (nn.Parameter(torch.zeros(steps)) for _ in range(2))
        else:
            self.alpha = nn.Parameter(torch.ones(steps))
            self.beta = nn.Parameter(torch.zeros(steps))
        self.weight = nn.Parameter(torch.ones(steps, channels))
        self.bias = nn.Parameter(torch.zeros(steps, channels))
        self.register_buffer("running_mean", torch.zeros(steps, channels))
        self.register_buffer("running_var", torch.ones(steps, channels))

    def forward(self, m: Tensor, t: int) -> Tensor:
        """The normalised membrane of step `t`, counted from 0; `m` has shape (B, C, *).

        Raises
        ------
        InputError
            If axis 1 is not `channels` long, or a channel has a single value in training.
        """
        self.check(m)
        mean, variance = self.running_mean[t], self.running_var[t]
        if self.training and recomputing():  # they have this batch already
            mean, variance = mean.clone(), variance.clone()
        normed = batch_norm(
            m,
            mean,
            variance,
            self.weight[t],
            self.bias[t],
            self.training,
            self.momentum,
            self.eps,
        )
        alpha, beta = self._mixture()
        return alpha[t] * m + beta[t] * normed

    def _mixture(self) -> tuple[Tensor, Tensor]:
        """α and β, each shape (steps,)."""
        if self.bounded:
            return torch.sigmoid(self.raw_alpha), torch.sigmoid(self.raw_beta)
        return self.alpha, self.beta

    def check(self, m: Tensor) -> None:
        """InputError unless `m`, shape (B, C, *), can be normalised."""
        if m.dim() < 2 or m.shape[1] != self.channels:
            raise InputError(
                f"HDLIF: the input has shape (T, {', '.join(map(str, m.shape))}), but channels = {self.channels} "
                f"of variant 'mem_bn' needs (T, B, {self.channels}, ...)"
            )
        if self.training and m.numel() // self.channels < 2:
            raise InputError(
                "HDLIF: variant 'mem_bn' cannot normalise a single value per channel in training; use a batch of at "
                "least 2, or eval()"
            )

    def folded(self, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """α* and β* of steps `start` to `stop`, each (stop - start, C), with the running statistics.

        ``α* = α + β γ / √(σ² + ε)``, ``β* = β (γ μ / √(σ² + ε) - b)``.
        """
        steps = slice(start, stop)
        slope = self.weight[steps] * torch.rsqrt(self.running_var[steps] + self.eps)
        alpha, beta = (per_step(p[steps], self.weight[0]) for p in self._mixture())
        return alpha + beta * slope, beta * (slope * self.running_mean[steps] - self.bias[steps])

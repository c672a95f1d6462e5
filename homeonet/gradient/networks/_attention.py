"""Channel attention that a spiking network can afford."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from homeonet.errors import InputError

__all__ = ["SECA"]


class SECA(nn.Module):
    """Spike-efficient channel attention: mean over space → Conv1d over channels → sigmoid → channel weights.

    Parameters
    ----------
    kernel_size : int
        Neighbouring channels that decide on a channel's weight; odd. Default 5.
    shared_over_time : bool
        One weight per channel for all steps, from the mean over time and space. Default False: one per step, from the
        step's own mean over space.

    bias : bool
        Whether the Conv1d has one, as in the code released with HD-LIF. Default False, as in ECA-Net.

    Raises
    ------
    InputError
        If `kernel_size` is not odd and positive, or an input does not have 4 or 5 axes (shared over time: 5).

    Notes
    -----
    Stands after convolution and batch norm: ``PerStep(conv, bn, SECA())`` or on (T, B, C, H, W) itself, which is the
    same, or shared over time ``PerStep(conv, bn), SECA(shared_over_time=True)``. Either way the steps share the
    convolution's kernel.

    The paper's "spike sequences share the same weights" is `shared_over_time`. It is not the default, and networks by
    name do not have it, because the mean over all steps looks into the future: a stream or online training cannot know
    it, and pieces of a sequence, each with its own mean, would not add up to the whole.

    The released code leaves shortcuts of residual blocks without attention: ``Parts(attention="released")`` builds
    networks with neither, and with `bias`.

    References
    ----------
    HD-LIF, arXiv 2410.07547 (SECA); Wang et al. 2020 (ECA-Net).
    """

    def __init__(self, kernel_size: int = 5, *, shared_over_time: bool = False, bias: bool = False) -> None:
        super().__init__()
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise InputError(
                f"SECA: kernel_size = {kernel_size}: it must be odd and positive; the paper has 5"
            )
        self.shared_over_time = shared_over_time
        self.conv = nn.Conv1d(1, 1, kernel_size, padding=kernel_size // 2, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """`x`, shape (N, C, H, W) or (T, B, C, H, W), each channel weighted by a number in (0, 1)."""
        if self.shared_over_time and x.dim() != 5:
            raise InputError(
                f"SECA: the input has shape {tuple(x.shape)}; shared_over_time = True needs (T, B, C, H, W): put it "
                "after PerStep, not into it"
            )
        if x.dim() not in (4, 5):
            raise InputError(
                f"SECA: the input has shape {tuple(x.shape)}; (N, C, H, W) or (T, B, C, H, W) is needed"
            )
        pooled = x.mean((0, -2, -1) if self.shared_over_time else (-2, -1))
        weights = torch.sigmoid(self.conv(pooled.reshape(-1, 1, pooled.shape[-1])))
        return x * weights.view(*pooled.shape, 1, 1)

    def extra_repr(self) -> str:
        return f"shared_over_time={self.shared_over_time}"

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

    Raises
    ------
    InputError
        If `kernel_size` is not odd and positive, or an input does not have 4 or 5 axes.

    Notes
    -----
    Stands after convolution and batch norm: ``PerStep(conv, bn, SECA())`` or on (T, B, C, H, W) itself, which is the
    same. What time steps share is the convolution's kernel. The channel weights themselves are read from each step's
    own map: a mean over all steps would look into the future and could be computed neither online nor streaming.
    Where a paper's sentence ("spike sequences share the same weights") allows both readings, this is the one taken.

    References
    ----------
    HD-LIF, arXiv 2410.07547 (SECA); Wang et al. 2020 (ECA-Net).
    """

    def __init__(self, kernel_size: int = 5) -> None:
        super().__init__()
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise InputError(
                f"SECA: kernel_size = {kernel_size}: it must be odd and positive; the paper has 5"
            )
        self.conv = nn.Conv1d(1, 1, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """`x`, shape (N, C, H, W) or (T, B, C, H, W), each channel weighted by a number in (0, 1)."""
        if x.dim() not in (4, 5):
            raise InputError(
                f"SECA: the input has shape {tuple(x.shape)}; (N, C, H, W) or (T, B, C, H, W) is needed"
            )
        pooled = x.mean((-2, -1))
        weights = torch.sigmoid(self.conv(pooled.reshape(-1, 1, pooled.shape[-1])))
        return x * weights.view(*pooled.shape, 1, 1)

"""The linear recurrence on a GPU, by Triton: tiles of time and lanes, read once or twice at memory bandwidth.

Each program takes a stretch of steps for some lanes and goes through it tile by tile; within a tile an associative
scan finds all states, and the last one is carried to the next. Where there are too few lanes to fill a GPU, time is
cut into stretches that run side by side: one pass finds what each hands on, a second finds the states. Both passes
read the decays and inputs, five transfers an element instead of three.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

__all__ = ["triton_available", "triton_scan"]

#: Steps and lanes of a tile: lanes are contiguous in memory.
_TILE_STEPS, _TILE_LANES = 64, 32
#: Programs that fill a GPU of any size, and the shortest stretch worth a program.
_PROGRAMS, _SHORTEST = 1024, 256


@lru_cache(maxsize=1)
def triton_available() -> bool:
    """Whether Triton can be imported; it comes with PyTorch's builds for CUDA."""
    try:
        import triton  # noqa: F401
    except ImportError:
        return False
    return True


def triton_scan(
    out: Tensor, decay: Tensor, x: Tensor, initial: Tensor | None, *, reverse: bool = False
) -> None:
    """All states of ``h_t = decay_t h_{t-1} + x_t`` into `out`, from the last step to the first if `reverse`.

    Parameters
    ----------
    out, decay, x : Tensor, shape (T, ...)
        In float32, contiguous, on one GPU.
    initial : Tensor, shape (...), optional
        The state before the first step; zero without it.
    """
    n_steps, n_lanes = x.shape[0], x[0].numel()
    from homeonet.gradient._triton_kernels import ends, states

    n_lane_blocks = math.ceil(n_lanes / _TILE_LANES)
    stretch = _stretch(n_steps, n_lane_blocks)
    n_stretches = math.ceil(n_steps / stretch)
    sizes = {"REVERSE": reverse, "STEPS": _TILE_STEPS, "LANES": _TILE_LANES}
    before = torch.zeros((n_stretches, n_lanes), dtype=torch.float32, device=x.device)
    if initial is not None:
        before[0] = initial.reshape(-1)
    grid = (n_lane_blocks, n_stretches)
    if n_stretches > 1:
        product, state = torch.empty_like(before), torch.empty_like(before)
        ends[grid](decay, x, product, state, n_steps, n_lanes, stretch, **sizes)
        for k in range(1, n_stretches):
            torch.addcmul(state[k - 1], product[k - 1], before[k - 1], out=before[k])
    states[grid](decay, x, before, out, n_steps, n_lanes, stretch, **sizes)


def _stretch(n_steps: int, n_lane_blocks: int) -> int:
    """Steps of a stretch: all, unless there are too few lanes to fill a GPU."""
    wanted = max(1, min(_PROGRAMS // n_lane_blocks, n_steps // _SHORTEST))
    return math.ceil(math.ceil(n_steps / wanted) / _TILE_STEPS) * _TILE_STEPS

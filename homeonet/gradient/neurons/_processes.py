"""What processes that train data-parallel share: sums over all of them."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["process_count", "sum_over_processes"]


def process_count() -> int:
    """How many processes train together; 1 without torch's distributed package under way."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


@torch.no_grad()
def sum_over_processes(values: Tensor) -> Tensor:
    """`values`, which becomes their sum over the processes; each must call this equally often."""
    if process_count() > 1:
        dist.all_reduce(values)
    return values

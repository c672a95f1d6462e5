"""What a forward pass runs under, which the layers must know: recomputation, export, mixed precision."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch
from torch import Tensor

__all__ = ["exporting", "full_precision", "recomputing", "without_autocast"]


def recomputing() -> bool:
    """Whether this forward pass runs within a backward pass: activation checkpointing computes it once more."""
    return torch._C._current_graph_task_id() != -1


def exporting() -> bool:
    """Whether ``torch.export`` follows this call; torch 2.6 can tell so only where it does not compile."""
    known = getattr(torch.compiler, "is_exporting", None)
    if known is not None:
        return known()
    return torch.compiler.is_compiling() and not torch.compiler.is_dynamo_compiling()


def without_autocast(x: Tensor) -> AbstractContextManager[None]:
    """Products of matrices within stay in the precision of their factors, on the device of `x`."""
    return torch.autocast(x.device.type, enabled=False)


def full_precision(x: Tensor) -> Tensor:
    """Membranes are kept in float32 at least, also under automatic mixed precision."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x

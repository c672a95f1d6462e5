"""Inputs of a model remembered by their shapes alone, and made again as zeros."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

__all__ = ["shapes_of", "zeros_like_shapes"]


def shapes_of(inputs: Any) -> Any:
    """`inputs` with a shape, type and device in place of each tensor in its tuples, lists and dictionaries."""
    return _mapped(inputs, Tensor, _Shape.of)


def zeros_like_shapes(shapes: Any) -> Any:
    """Inputs as those that :func:`shapes_of` was given, all tensors zero."""
    return _mapped(shapes, _Shape, _Shape.zeros)


@dataclass(frozen=True)
class _Shape:
    """What is known of an input without keeping it."""

    shape: torch.Size
    dtype: torch.dtype
    device: torch.device

    @classmethod
    def of(cls, x: Tensor) -> Self:
        return cls(x.shape, x.dtype, x.device)

    def zeros(self) -> Tensor:
        return torch.zeros(self.shape, dtype=self.dtype, device=self.device)


def _mapped(value: Any, kind: type, change: Callable[[Any], Any]) -> Any:
    """`value` with everything of a kind in its tuples, lists and dictionaries changed."""
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):  # a namedtuple takes its items one by one
        return type(value)(*(_mapped(item, kind, change) for item in value))
    if isinstance(value, tuple | list):
        return type(value)(_mapped(item, kind, change) for item in value)
    if isinstance(value, dict):
        return {key: _mapped(item, kind, change) for key, item in value.items()}
    return value

"""Surrogate gradients: what stands for the derivative of the Heaviside step where a spike is decided.

A surrogate is a frozen description; ``surrogate(x)`` is its value f'(x) at the distance `x` from threshold. The
formulas are those of Kook et al. 2025 (arXiv 2511.08708), all of unit area for every `width`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from homeonet.errors import InputError

__all__ = ["Arctan", "Rectangle", "Sigmoid", "Surrogate", "Triangle", "heaviside", "surrogate_named"]


@dataclass(frozen=True)
class Surrogate:
    """A bump around zero that replaces the derivative of the step.

    Parameters
    ----------
    width : float
        The γ of the formulas, in units of `x`; positive. Default 1.
    """

    width: float = 1.0

    def __post_init__(self) -> None:
        if not self.width > 0:
            raise InputError(f"surrogate width = {self.width}: it must be positive; 1 is the usual value")

    def __call__(self, x: Tensor) -> Tensor:
        """f'(x), elementwise."""
        raise NotImplementedError


@dataclass(frozen=True)
class Rectangle(Surrogate):
    """``1/γ`` where ``|x| < γ/2`` (Wu et al. 2018)."""

    def __call__(self, x: Tensor) -> Tensor:
        return (x.abs() < self.width / 2).to(x.dtype).div_(self.width)


@dataclass(frozen=True)
class Triangle(Surrogate):
    """``max(0, γ − |x|) / γ²`` (Bellec et al. 2018)."""

    def __call__(self, x: Tensor) -> Tensor:
        return x.abs().neg_().add_(self.width).clamp_min_(0).div_(self.width**2)


@dataclass(frozen=True)
class Arctan(Surrogate):
    """``γ / (2 (1 + (π γ x / 2)²))`` (Fang et al. 2021): the larger γ, the narrower."""

    def __call__(self, x: Tensor) -> Tensor:
        return (x * (math.pi * self.width / 2)).square_().add_(1).reciprocal_().mul_(self.width / 2)


@dataclass(frozen=True)
class Sigmoid(Surrogate):
    """``(1/γ) e^{x/γ} / (1 + e^{x/γ})²``."""

    def __call__(self, x: Tensor) -> Tensor:
        p = torch.sigmoid(x / self.width)
        return p.mul_(1 - p).div_(self.width)


_NAMED = {"rectangle": Rectangle, "triangle": Triangle, "arctan": Arctan, "sigmoid": Sigmoid}


def surrogate_named(surrogate: str | Surrogate) -> Surrogate:
    """A surrogate by its name, at unit width (arctan: 2, the usual value); a Surrogate is passed through."""
    if isinstance(surrogate, Surrogate):
        return surrogate
    if surrogate not in _NAMED:
        raise InputError(f"surrogate = {surrogate!r} is unknown; choose one of {', '.join(_NAMED)}")
    return Arctan(2.0) if surrogate == "arctan" else _NAMED[surrogate]()


class _Heaviside(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, surrogate: Surrogate) -> Tensor:
        ctx.save_for_backward(x)
        ctx.surrogate = surrogate
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return gradient * ctx.surrogate(x), None


def heaviside(x: Tensor, surrogate: Surrogate) -> Tensor:
    """1 where ``x >= 0``, else 0; its derivative is taken to be `surrogate`."""
    return _Heaviside.apply(x, surrogate)

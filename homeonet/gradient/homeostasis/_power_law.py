"""The power law of sleep, on weights with a sign, and which weights it acts on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["power_law", "total_weight", "trained_weights"]

_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def power_law(weight: Tensor, target: float, exponent: float) -> Tensor:
    """``sign(w) target (|w| / target)**exponent``, elementwise: k times it with λ is once it with λ**k.

    Parameters
    ----------
    weight : Tensor
    target : float
        The magnitude that stays as it is; positive.
    exponent : float
        In (0, 1]: what is left of ``log(|w| / target)``.

    References
    ----------
    Massey et al. 2026, arXiv 2601.08447, section 2.2.4, for weights that are magnitudes.
    """
    return (weight.abs() / target).pow_(exponent).mul_(target).copysign_(weight)


def trained_weights(model: nn.Module) -> list[nn.Parameter]:
    """Weights of linear and convolutional layers that are trained, each once."""
    found = [m._parameters.get("weight") for m in model.modules() if isinstance(m, _WEIGHTED)]
    return list(
        {id(weight): weight for weight in found if weight is not None and weight.requires_grad}.values()
    )


@torch.no_grad()
def total_weight(weights: list[nn.Parameter]) -> float:
    """W, the sum of the magnitudes."""
    return sum(float(weight.abs().sum(dtype=torch.float64)) for weight in weights)

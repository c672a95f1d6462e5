"""Layers whose weights are one bit (±s) or ternary (0, ±s), trained through real-valued weights kept behind them.

A layer here is its plain counterpart with another ``quantised_weight``; :func:`deploy` packs the weights.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

__all__ = [
    "BinaryConv1d",
    "BinaryConv2d",
    "BinaryLinear",
    "TernaryConv1d",
    "TernaryConv2d",
    "TernaryLinear",
    "binary_codes",
    "released_binary_codes",
    "released_ternary_codes",
    "ternary_codes",
]


@torch.no_grad()
def binary_codes(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Signs ±1 of `weight`, shape (out, *), and a scale for each output, shape (out,): the mean of |W|.

    Zero counts as positive, so that one bit is enough.
    """
    signs = torch.where(weight >= 0, 1.0, -1.0).to(weight.dtype)
    return signs, weight.abs().flatten(1).mean(1)


@torch.no_grad()
def released_binary_codes(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Codes of :func:`binary_codes`, but the sign of zero is zero."""
    return weight.sign(), weight.abs().flatten(1).mean(1)


@torch.no_grad()
def released_ternary_codes(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Codes of :func:`ternary_codes` for W clipped to [-1, 1], with one Δ and one scale for the whole layer."""
    codes, scale = ternary_codes(weight.clamp(-1, 1).reshape(1, -1))
    return codes.view_as(weight), scale.expand(len(weight)).clone()


@torch.no_grad()
def ternary_codes(weight: Tensor) -> tuple[Tensor, Tensor]:
    """0 where ``|W| <= Δ``, else ±1, shape (out, *); and the mean of |W| above Δ for each output, shape (out,).

    Δ is 0.7 times the output's mean of |W|.
    """
    size = weight.abs().flatten(1)
    kept = size > 0.7 * size.mean(1, keepdim=True)
    scale = (size * kept).sum(1) / kept.sum(1).clamp_min(1)
    return weight.sign() * kept.view_as(weight), scale


class _Compressed:
    """Straight-through training of a layer by its ``codes`` function.

    Forward the weights are ``scale * codes``; backward the gradient reaches the real-valued weight W unchanged where
    ``|W| <= 1`` and is 0 elsewhere: the derivative of clip(W, -1, 1). The scale carries no gradient.
    """

    #: Bits that a weight is stored in, and bits at which the paper's tables bill it.
    stored_bits: int
    billed_bits: int
    codes = staticmethod(binary_codes)
    released_codes = staticmethod(released_binary_codes)
    weight: Tensor

    def __init__(self, *args: Any, released: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.released = released
        if released:  # a third code, zero, needs a second bit
            self.codes, self.stored_bits = self.released_codes, 2

    def extra_repr(self) -> str:
        return super().extra_repr() + (", released=True" if self.released else "")

    @property
    def quantised_weight(self) -> Tensor:
        """What the layer multiplies with, shaped as ``weight``."""
        codes, scale = self.codes(self.weight)
        clipped = self.weight.clamp(-1, 1)
        value = codes * scale.view(-1, *[1] * (self.weight.dim() - 1))
        # the bracket is zero exactly, so the forward value is not rounded
        return value + (clipped - clipped.detach())


class BinaryConv2d(_Compressed, nn.Conv2d):
    """A 2-d convolution with one-bit weights ``mean|W| · sign(W)``, the mean over each output channel.

    Parameters are those of ``nn.Conv2d`` and `released`; input and output have shape (N, C, H, W).

    Parameters
    ----------
    released : bool
        Do as the code released with HD-LIF: a weight of exactly zero has the sign 0, which takes two bits to store.
        Default False: zero counts as positive, and one bit is enough.

    References
    ----------
    HD-LIF, arXiv 2410.07547 (1 bit); Rastegari et al. 2016 (XNOR-Net) for the scale.
    """

    stored_bits, billed_bits = 1, 2

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.quantised_weight, self.bias)


class BinaryConv1d(_Compressed, nn.Conv1d):
    """A 1-d convolution with one-bit weights; as :class:`BinaryConv2d`, parameters as for ``nn.Conv1d``."""

    stored_bits, billed_bits = 1, 2

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.quantised_weight, self.bias)


class BinaryLinear(_Compressed, nn.Linear):
    """A linear layer with one-bit weights; as :class:`BinaryConv2d`, parameters as for ``nn.Linear``."""

    stored_bits, billed_bits = 1, 2

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.quantised_weight, self.bias)


class TernaryConv2d(BinaryConv2d):
    """A 2-d convolution with weights 0 or ±s: ``Δ = 0.7 mean|W|``, ``s = mean|W| over |W| > Δ``.

    Both are taken over each output channel, as the one-bit scale is; the paper does not say. Parameters are those of
    ``nn.Conv2d`` and `released`.

    Parameters
    ----------
    released : bool
        Do as the code released with HD-LIF: Δ and scale are taken over the whole layer, of weights clipped to [-1, 1].
        Default False.

    References
    ----------
    HD-LIF, arXiv 2410.07547 (1.5 bit); Li et al. 2016 (ternary weight networks) for Δ and s.
    """

    stored_bits, billed_bits = 2, 3
    codes = staticmethod(ternary_codes)
    released_codes = staticmethod(released_ternary_codes)


class TernaryConv1d(BinaryConv1d):
    """A 1-d convolution with ternary weights; as :class:`TernaryConv2d`, parameters as for ``nn.Conv1d``."""

    stored_bits, billed_bits = 2, 3
    codes = staticmethod(ternary_codes)
    released_codes = staticmethod(released_ternary_codes)


class TernaryLinear(BinaryLinear):
    """A linear layer with ternary weights; as :class:`TernaryConv2d`, parameters as for ``nn.Linear``."""

    stored_bits, billed_bits = 2, 3
    codes = staticmethod(ternary_codes)
    released_codes = staticmethod(released_ternary_codes)

"""One-bit and ternary weights in whole bytes, and the layers that compute with them. For inference only."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, conv2d, linear, pad

from homeonet.errors import InputError
from homeonet.gradient.networks._compression import BinaryConv1d, BinaryConv2d, BinaryLinear

__all__ = ["PackedConv1d", "PackedConv2d", "PackedLinear", "pack", "unpack"]


def pack(codes: Tensor, bits: int) -> Tensor:
    """`codes` in as few bytes as hold them, the first code in the lowest bits.

    Parameters
    ----------
    codes : Tensor
        -1 and 1 (1 bit: 0 stands for -1), or -1, 0 and 1 (2 bits: the code plus 1).
    bits : {1, 2}

    Returns
    -------
    Tensor, shape (ceil(bits * codes.numel() / 8),), uint8
    """
    if bits not in (1, 2):
        raise InputError(f"pack: bits = {bits}: 1 (signs) or 2 (ternary) can be packed")
    fields = (codes.flatten() > 0) if bits == 1 else codes.flatten() + 1
    per_byte = 8 // bits
    missing = -fields.numel() % per_byte
    fields = torch.cat([fields.to(torch.uint8), fields.new_zeros(missing, dtype=torch.uint8)])
    return (fields.view(-1, per_byte) << _shifts(bits, codes.device)).sum(1, dtype=torch.uint8)


def unpack(packed: Tensor, bits: int, n: int) -> Tensor:
    """The first `n` codes in `packed`, shape (n,), int8: the inverse of :func:`pack`."""
    fields = (packed[:, None] >> _shifts(bits, packed.device)) & (2**bits - 1)
    fields = fields.flatten()[:n].to(torch.int8)
    return fields * 2 - 1 if bits == 1 else fields - 1


def _shifts(bits: int, device: torch.device) -> Tensor:
    return torch.arange(0, 8, bits, dtype=torch.uint8, device=device)


class _Packed(nn.Module):
    """What packed layers share; `codes` is uint8, `scale` float32, one number per output."""

    codes: Tensor
    scale: Tensor
    bias: Tensor | None

    def _store(self, codes: Tensor, scale: Tensor, bias: Tensor | None, bits: int, billed_bits: int) -> None:
        self.weight_shape, self.stored_bits, self.billed_bits = codes.shape, bits, billed_bits
        self.register_buffer("codes", pack(codes, bits))
        self.register_buffer("scale", scale.detach().clone().float())
        self.register_buffer("bias", None if bias is None else bias.detach().clone().float())

    @property
    def weight(self) -> Tensor:
        """The weights as the layer uses them, unpacked."""
        codes = unpack(self.codes, self.stored_bits, self.weight_shape.numel()).view(self.weight_shape)
        return codes * self.scale.view(-1, *[1] * (codes.dim() - 1))

    def _operands(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        return self.weight.to(x.dtype), None if self.bias is None else self.bias.to(x.dtype)

    def extra_repr(self) -> str:
        return f"weight={tuple(self.weight_shape)}, stored_bits={self.stored_bits}"


class PackedConv2d(_Packed):
    """A :class:`BinaryConv2d` or :class:`TernaryConv2d` with packed weights; make it with ``of``."""

    convolve = staticmethod(conv2d)

    @classmethod
    def of(cls, layer: BinaryConv1d | BinaryConv2d) -> PackedConv2d:
        """The packed form of `layer`."""
        packed = cls()
        packed.stride, packed.padding, packed.dilation = layer.stride, layer.padding, layer.dilation
        packed.groups, packed.padding_mode = layer.groups, layer.padding_mode
        packed.edges = layer._reversed_padding_repeated_twice
        packed._store(*layer.codes(layer.weight), layer.bias, layer.stored_bits, layer.billed_bits)
        return packed

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self._operands(x)
        padding = self.padding
        if self.padding_mode != "zeros":
            x, padding = pad(x, self.edges, self.padding_mode), 0
        return self.convolve(x, weight, bias, self.stride, padding, self.dilation, self.groups)


class PackedConv1d(PackedConv2d):
    """A :class:`BinaryConv1d` or :class:`TernaryConv1d` with packed weights; make it with ``of``."""

    convolve = staticmethod(conv1d)


class PackedLinear(_Packed):
    """A :class:`BinaryLinear` or :class:`TernaryLinear` with packed weights; make it with ``of``."""

    @classmethod
    def of(cls, layer: BinaryLinear) -> PackedLinear:
        """The packed form of `layer`."""
        packed = cls()
        packed._store(*layer.codes(layer.weight), layer.bias, layer.stored_bits, layer.billed_bits)
        return packed

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, *self._operands(x))

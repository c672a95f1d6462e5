"""Compressed weights, their straight-through gradients and packing; channel attention."""

import pytest
import torch
from torch.nn.functional import conv1d, conv2d

from homeonet.errors import InputError
from homeonet.gradient.deployment._packing import PackedConv1d, PackedConv2d, PackedLinear, pack, unpack
from homeonet.gradient.networks._attention import SECA
from homeonet.gradient.networks._compression import (
    BinaryConv1d,
    BinaryConv2d,
    BinaryLinear,
    TernaryConv1d,
    TernaryConv2d,
    TernaryLinear,
)
from homeonet.gradient.networks._layers import PerStep

torch.set_num_threads(1)
LAYERS = {
    "binary conv": lambda: BinaryConv2d(4, 6, 3, padding=1, groups=2),
    "ternary conv": lambda: TernaryConv2d(4, 6, 3, 2, padding=1, bias=False, padding_mode="circular"),
    "binary conv1d": lambda: BinaryConv1d(4, 6, 3, padding=1, padding_mode="circular"),
    "ternary conv1d": lambda: TernaryConv1d(4, 6, 3, 2, padding=1, bias=False),
    "binary linear": lambda: BinaryLinear(7, 5),
    "ternary linear": lambda: TernaryLinear(7, 5, bias=False),
}


def inputs_of(layer, **options):
    axes = layer.weight.dim() - 2
    return torch.randn((2, 4, *[6] * axes) if axes else (2, 7), **options)


def test_binary_weights_by_hand():
    layer = BinaryLinear(3, 2, bias=False)
    layer.weight.data = torch.tensor([[0.5, -0.1, 0.0], [2.0, -2.0, -5.0]])
    torch.testing.assert_close(
        layer.quantised_weight, torch.tensor([[0.2, -0.2, 0.2], [3.0, -3.0, -3.0]]), rtol=1e-6, atol=0
    )


def test_ternary_weights_by_hand():
    layer = TernaryLinear(4, 2, bias=False)
    layer.weight.data = torch.tensor([[1.0, -0.6, 0.3, 0.1], [0.0, 0.0, 0.0, 0.0]])
    # mean 0.5, Δ = 0.35: the first two stay, s = 0.8; an output without weights stays without
    torch.testing.assert_close(
        layer.quantised_weight, torch.tensor([[0.8, -0.8, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    )


@pytest.mark.parametrize("kind", LAYERS)
def test_forward_uses_at_most_three_values_an_output_and_the_gradient_is_that_of_the_clip(kind):
    torch.manual_seed(0)
    layer = LAYERS[kind]()
    layer.weight.data.mul_(20)
    levels = [len(row.unique()) for row in layer.quantised_weight.flatten(1)]
    assert max(levels) == (2 if "binary" in kind else 3)
    used = layer.quantised_weight.detach().requires_grad_()
    x = inputs_of(layer)
    out = layer(x)
    weighting = torch.randn_like(out)
    (out * weighting).sum().backward()
    if "conv" in kind:
        convolve = conv1d if used.dim() == 3 else conv2d
        padded = torch.nn.functional.pad(x, layer._reversed_padding_repeated_twice, "circular")
        same = (
            convolve(x, used, layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups)
            if layer.padding_mode == "zeros"
            else convolve(padded, used, layer.bias, layer.stride)
        )
    else:
        same = torch.nn.functional.linear(x, used, layer.bias)
    (same * weighting).sum().backward()
    torch.testing.assert_close(out, same)
    assert (layer.weight.abs() > 1).any()
    torch.testing.assert_close(layer.weight.grad, used.grad * (layer.weight.abs() <= 1))


@pytest.mark.parametrize("n", [1, 3, 4, 7, 8, 9, 64, 1001])
@pytest.mark.parametrize("bits", [1, 2])
def test_packing_is_exact_and_as_small_as_it_says(n, bits):
    generator = torch.Generator().manual_seed(n)
    codes = torch.randint(0, 2, (n,), generator=generator) * 2 - 1
    if bits == 2:
        codes = torch.randint(-1, 2, (n,), generator=generator)
    packed = pack(codes, bits)
    assert packed.dtype == torch.uint8
    assert packed.nbytes == -(-n * bits // 8)
    torch.testing.assert_close(unpack(packed, bits, n), codes.to(torch.int8))


def test_packed_codes_lie_in_bytes_as_files_have_them():
    # one bit per sign, the first in the lowest; two bits per ternary code plus one: files in use are read so
    signs = torch.tensor([1, -1, -1, 1, 1, -1, 1, 1, -1, 1])
    assert pack(signs, 1).tolist() == [0b11011001, 0b10]
    ternary = torch.tensor([-1, 0, 1, 1, 0, -1])
    assert pack(ternary, 2).tolist() == [0b10_10_01_00, 0b00_01]
    assert unpack(torch.tensor([0b11011001, 0b10], dtype=torch.uint8), 1, 10).tolist() == signs.tolist()
    assert (
        unpack(torch.tensor([0b10_10_01_00, 0b00_01], dtype=torch.uint8), 2, 6).tolist() == ternary.tolist()
    )


@pytest.mark.parametrize("make", [BinaryConv2d, TernaryConv2d])
def test_a_decoder_of_its_own_reads_the_state_of_a_packed_layer(make):
    torch.manual_seed(4)
    layer = make(3, 5, 3)
    state = PackedConv2d.of(layer).state_dict()
    assert list(state) == ["codes", "scale", "bias"]
    bits = make.stored_bits
    whole = int.from_bytes(bytes(state["codes"].tolist()), "little")  # the first code in the lowest bits
    fields = [whole >> bits * i & (1 << bits) - 1 for i in range(layer.weight.numel())]
    values = {1: {0: -1, 1: 1}, 2: {0: -1, 1: 0, 2: 1}}[bits]
    decoded = [[[[0.0] * 3 for _ in range(3)] for _ in range(3)] for _ in range(5)]
    for place, field in enumerate(fields):  # output, input, row, column: the last one fastest
        (o, rest), scale = divmod(place, 27), state["scale"]
        decoded[o][rest // 9][rest // 3 % 3][rest % 3] = values[field] * scale[o].item()
    size = layer.weight.detach().abs().flatten(1)
    delta = 0.7 * size.mean(1, keepdim=True) if bits == 2 else torch.zeros(5, 1)
    by_hand = torch.stack([row[row > d].mean() for row, d in zip(size, delta, strict=True)])
    sign = torch.where(layer.weight >= 0, 1.0, -1.0) * (size > delta).view_as(layer.weight)
    torch.testing.assert_close(torch.tensor(decoded), (sign * by_hand.view(-1, 1, 1, 1)).detach())


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_packed_layers_compute_the_same(kind, dtype):
    layer = LAYERS[kind]()
    packed = {2: PackedLinear, 3: PackedConv1d, 4: PackedConv2d}[layer.weight.dim()].of(layer).to(dtype)
    x = inputs_of(layer, dtype=dtype)
    torch.testing.assert_close(packed(x), layer.to(dtype)(x), rtol=1e-5, atol=1e-6)
    assert packed.codes.dtype == torch.uint8


def test_attention_is_its_formula_and_the_same_over_steps():
    torch.manual_seed(0)
    seca = SECA(3)
    x = torch.randn(4, 2, 5, 3, 3)
    out = seca(x)
    pooled = x.mean((3, 4))
    left, middle, right = seca.conv.weight.flatten()
    around = torch.nn.functional.pad(pooled, (1, 1))
    weights = torch.sigmoid(left * around[..., :-2] + middle * pooled + right * around[..., 2:])
    torch.testing.assert_close(out, x * weights[..., None, None])
    torch.testing.assert_close(PerStep(seca)(x), out)
    assert sum(p.numel() for p in SECA().parameters()) == 5


def test_attention_shared_over_time_is_its_formula():
    torch.manual_seed(0)
    seca, a_step = SECA(3, shared_over_time=True), SECA(3)
    a_step.load_state_dict(seca.state_dict())
    x = torch.randn(4, 2, 5, 3, 3)
    around = torch.nn.functional.pad(x.mean((0, 3, 4)), (1, 1))
    left, middle, right = seca.conv.weight.flatten()
    weights = torch.sigmoid(left * around[:, :-2] + middle * around[:, 1:-1] + right * around[:, 2:])
    torch.testing.assert_close(seca(x), x * weights[None, :, :, None, None])
    torch.testing.assert_close(seca(x[:1]), a_step(x[:1]))
    constant = x[:1].expand_as(x)
    torch.testing.assert_close(seca(constant), a_step(constant))
    with pytest.raises(InputError, match="after PerStep"):
        PerStep(seca)(x)


def test_attention_refuses_bad_shapes():
    with pytest.raises(InputError, match="kernel_size = 4"):
        SECA(4)
    with pytest.raises(InputError, match="shape"):
        SECA()(torch.zeros(2, 3, 4))

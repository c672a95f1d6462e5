"""Compressed weights, their straight-through gradients and packing; channel attention."""

import pytest
import torch
from torch.nn.functional import conv1d, conv2d

from homeonet.errors import InputError
from homeonet.gradient._attention import SECA
from homeonet.gradient._compression import (
    BinaryConv1d,
    BinaryConv2d,
    BinaryLinear,
    TernaryConv1d,
    TernaryConv2d,
    TernaryLinear,
)
from homeonet.gradient._layers import PerStep
from homeonet.gradient._packing import PackedConv1d, PackedConv2d, PackedLinear, pack, unpack

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

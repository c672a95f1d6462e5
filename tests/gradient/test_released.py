"""Named variants compute what the papers' released code computes, written here a second time from its description."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import batch_norm, conv1d, conv2d, linear

from homeonet.errors import InputError
from homeonet.gradient import HDLIF, LIF, SECA, PerStep, TrLIF, deploy
from homeonet.gradient.homeostasis import MPInit
from homeonet.gradient.networks import Parts, network
from homeonet.gradient.networks._compression import BinaryConv2d, BinaryLinear, TernaryConv2d, TernaryLinear


def ternary(weight: torch.Tensor) -> torch.Tensor:
    clipped = weight.clamp(-1, 1)
    kept = clipped.abs() > 0.7 * clipped.abs().mean()
    return clipped.sign() * kept * clipped.abs()[kept].mean()


@pytest.mark.parametrize("packed", [False, True])
def test_ternary_weights_with_one_scale_a_layer(packed: bool) -> None:
    conv, dense = TernaryConv2d(3, 5, 3, released=True), TernaryLinear(7, 4, released=True)
    with torch.no_grad():
        conv.weight.mul_(
            torch.linspace(0.2, 12, 5).view(-1, 1, 1, 1)
        )  # channels of unequal size, some clipped
    x, y = torch.randn(2, 3, 6, 6), torch.randn(2, 7)
    expected = conv2d(x, ternary(conv.weight), conv.bias), linear(y, ternary(dense.weight), dense.bias)
    layers = [deploy(nn.Sequential(layer))[0] for layer in (conv, dense)] if packed else [conv, dense]
    torch.testing.assert_close((layers[0](x), layers[1](y)), expected)
    plain = TernaryConv2d(3, 5, 3)
    plain.load_state_dict(conv.state_dict())
    assert not torch.allclose(plain(x), expected[0], atol=0.1)


@pytest.mark.parametrize("packed", [False, True])
def test_the_sign_of_zero(packed: bool) -> None:
    released, plain = BinaryLinear(4, 2, bias=False, released=True), BinaryLinear(4, 2, bias=False)
    weight = torch.tensor([[0.0, 0.5, -0.25, 0.0], [1.0, 0.0, -1.0, -0.5]])
    for layer in (released, plain):
        layer.weight.data = weight.clone()
    if packed:
        released, plain = (deploy(nn.Sequential(layer))[0] for layer in (released, plain))
    scale = torch.tensor([0.1875, 0.625])
    expected = torch.tensor([[0.0, 1, -1, 0], [1, 0, -1, -1]]) * scale[:, None]
    torch.testing.assert_close(released(torch.eye(4)).t(), expected)
    torch.testing.assert_close(plain(torch.eye(4)).t(), torch.where(expected == 0, scale[:, None], expected))


def test_mem_bn_with_bounded_mixture() -> None:
    torch.manual_seed(2)
    neuron = HDLIF(3, "mem_bn", channels=4, bounded_norm=True)
    norm = neuron.norm
    with torch.no_grad():
        norm.raw_alpha.copy_(torch.tensor([0.0, 3.0, -2.0]))
        norm.raw_beta.copy_(torch.tensor([0.0, -1.0, 4.0]))
    x, v, outputs = 2 * torch.rand(3, 8, 4), torch.zeros(8, 4), []
    for t, x_t in enumerate(x):
        m = 0.5 * v + x_t
        alpha, beta = 1 / (1 + torch.exp(-norm.raw_alpha[t])), 1 / (1 + torch.exp(-norm.raw_beta[t]))
        m = alpha * m + beta * batch_norm(m, None, None, training=True)
        outputs.append((m - 0.5).clamp_min(0))
        v = m.clamp_max(0.5)
    torch.testing.assert_close(neuron(x), torch.stack(outputs))
    model = nn.Sequential(neuron).eval()
    torch.testing.assert_close(deploy(model)(x), model(x))
    assert HDLIF(3, "mem_bn", channels=4, bounded_norm=True).norm.folded(0, 3)[0][
        0, 0
    ].item() == pytest.approx(1, abs=1e-4)
    with pytest.raises(InputError, match="bounded_norm = True goes with"):
        HDLIF(3, bounded_norm=True)


def test_seca_with_a_bias_and_without_shortcuts() -> None:
    layer, x = SECA(3, bias=True), torch.randn(2, 6, 4, 4)
    weights = torch.sigmoid(conv1d(x.mean((2, 3))[:, None], layer.conv.weight, layer.conv.bias, padding=1))
    torch.testing.assert_close(layer(x), x * weights.view(2, 6, 1, 1))
    found = {}
    for attention in (True, "released"):
        model = network("resnet18", (1, 8, 8), 10, Parts("lif", 2, attention=attention), width=0.125)
        found[attention] = {name for name, m in model.named_modules() if isinstance(m, SECA)}
        assert all(
            (m.conv.bias is not None) == (attention == "released")
            for m in model.modules()
            if isinstance(m, SECA)
        )
    gone = found[True] - found["released"]
    assert gone == {name for name in found[True] if "shortcut" in name} != set()
    with pytest.raises(InputError, match="attention = 'no'"):
        Parts(attention="no")


@pytest.mark.parametrize("make", [LIF, TrLIF])
def test_the_start_of_membranes_decays_where_nothing_spikes(make) -> None:
    silent = torch.full((4, 3, 5), -1.0)
    for mp_init, expected in ((True, 0.4), ("released", 0.36)):
        neuron = make(mp_init=mp_init)
        neuron.initial_membrane.fill_(0.4)
        neuron(silent)
        assert neuron.initial_membrane.item() == pytest.approx(expected)
    model = nn.Sequential(PerStep(nn.Identity()), LIF())
    MPInit(0.5, released=True).attach(model)
    model[1].initial_membrane.fill_(0.4)
    model(silent)
    assert model[1].initial_membrane.item() == pytest.approx(0.2)
    with pytest.raises(InputError, match="choose False, True or 'released'"):
        make(mp_init="theirs")


@pytest.mark.parametrize("weights", ["binary_released", "ternary_released"])
def test_networks_of_released_weights(weights: str) -> None:
    model = network("resnet18", (1, 8, 8), 10, Parts("lif", 2, weights=weights), width=0.125)
    found = [m for m in model.modules() if isinstance(m, BinaryConv2d)]
    assert found and all(m.released for m in found)
    x = torch.rand(2, 3, 1, 8, 8)
    model(x).square().mean().backward()
    assert all(m.weight.grad.any() for m in found)
    torch.testing.assert_close(deploy(model)(x), model.eval()(x), atol=1e-4, rtol=1e-4)

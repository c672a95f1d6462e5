"""Networks by name: their weights and parameters, published and counted by hand, and what a width makes of them."""

from __future__ import annotations

import pytest
from torch import nn

from homeonet.gradient.networks import CharacterModel, Parts, network

IMAGES = ("conv", "vgg", "resnet18", "resnet19", "resnet34", "sew18")


def n_weights(model: nn.Module) -> int:
    return sum(m.weight.numel() for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear))


def test_sizes_are_the_published_ones() -> None:
    lif = Parts("lif")
    # 44.84 MB at 4 bytes per weight, Table of arXiv 2410.07547
    assert n_weights(network("resnet18", (3, 32, 32), 100, lif)) == 11_210_432
    # 225 -> 1000 -> 10 with biases, arXiv 2601.08447
    assert sum(p.numel() for p in network("sg_snn", (1, 15, 15), 10, lif).parameters()) == 236_010
    # tdBN's ResNet-19: 12.63 M in the literature; the 1x1 shortcuts of two stages are counted or not
    blocks = 9 * (3 * 128 + 6 * 128**2 + 128 * 256 + 5 * 256**2 + 256 * 512 + 3 * 512**2)
    resnet19 = n_weights(network("resnet19", (3, 32, 32), 10, lif))
    assert resnet19 == blocks + 128 * 256 + 256 * 512 + 512 * 256 + 256 * 10
    assert resnet19 == pytest.approx(12.63e6, rel=0.01)
    # torchvision's resnet34: 21 797 672 in all, less batch norms, biases, its 7x7 stem and its classifier
    resnet34 = n_weights(network("resnet34", (3, 32, 32), 10, lif))
    assert resnet34 == 21_797_672 - 17_024 - 1000 - 64 * 3 * 49 - 512_000 + 64 * 3 * 9 + 5120


def n_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("net", "shape", "classes", "published"),
    [
        # with batch norms: the usual ResNet-18 of basic blocks for CIFAR-100 and CIFAR-10
        ("resnet18", (3, 32, 32), 100, 11_220_132),
        ("resnet18", (3, 32, 32), 10, 11_173_962),
        ("sew18", (3, 32, 32), 10, 11_173_962),
        # VGG-SNN for DVS-CIFAR10: 9.27 M
        ("vgg", (2, 48, 48), 10, 9 * 1_024_128 + 2 * 2752 + 512 * 9 * 10 + 10),
        # Fang et al. 2023, sequential CIFAR-10: 0.51 M
        ("columns", (3, 32), 10, 3 * 128 * (3 + 5 * 128) + 6 * 256 + 1024 * 256 + 256 + 2570),
        ("sequence", (1,), 10, 128 + 2 * (128 + 64 * 128 + 128 + 128 * 64 + 64) + 128 + 650),
        ("conv", (1, 28, 28), 10, 9 * 32 * (1 + 64 + 128) + 2 * 160 + 64 * 49 * 10 + 10),
    ],
)
def test_parameters_are_those_counted_by_hand(
    net: str, shape: tuple[int, ...], classes: int, published: int
) -> None:
    assert n_parameters(network(net, shape, classes, Parts("lif"))) == published


def test_a_character_model_s_parameters_are_those_counted_by_hand() -> None:
    symbols, width, inner = 65, 128, 256
    block = 2 * width + (width * inner + inner) + (inner * width + width)
    expected = symbols * width + 3 * block + 2 * width + width * symbols + symbols
    assert n_parameters(CharacterModel(symbols, Parts("lif"))) == expected


def test_width_multiplies_channels() -> None:
    halves = n_weights(network("conv", (1, 8, 8), 10, Parts("lif"), width=0.5))
    assert halves == 9 * (1 * 16 + 16 * 32 + 32 * 32) + 10 * 32 * 4


@pytest.mark.parametrize("net", IMAGES)
def test_width_multiplies_the_channels_of_every_convolution(net: str) -> None:
    def shapes(width: float) -> list[tuple[int, int]]:
        model = network(net, (3, 16, 16), 10, Parts("lif"), width=width)
        return [m.weight.shape[:2] for m in model.modules() if isinstance(m, nn.Conv2d)]

    whole, half, least = shapes(1.0), shapes(0.5), shapes(1e-3)
    assert all(2 * n == n_whole for (n, _), (n_whole, _) in zip(half, whole, strict=True))
    assert all(2 * n == n_whole for (_, n), (_, n_whole) in zip(half[1:], whole[1:], strict=True))
    assert {n for n, _ in least} == {4} and whole[0][1] == half[0][1] == least[0][1] == 3

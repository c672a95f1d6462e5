"""Plain convolutional stacks: VGG-SNN, and a small one that trains on a CPU."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.networks._layers import PerStep
from homeonet.gradient.networks._parts import NORMS, Parts

__all__ = ["VGG", "scaled"]


def scaled(channels: int, width: float) -> int:
    """`channels` times the width multiplier, at least 4 and a multiple of 4."""
    if not width > 0:
        raise InputError(f"width = {width}: the multiplier of channels must be positive")
    return max(4, round(channels * width / 4) * 4)


class VGG(nn.Module):
    """[convolution, batch norm, neuron] repeated, with average pooling, and a linear classifier.

    Parameters
    ----------
    channels, size, classes : int
        Channels and side of the input images (T, B, channels, size, size), and classes of the output (T, B, classes).
    parts : Parts
    plan : sequence of int or "pool"
        Channels of the convolutions; by default VGG-SNN's eight layers. Pooling halves the image.
    width : float
        Multiplier of all channels. Default 1.
    norm : {"batch", "layer", "none"}
        What follows a convolution: batch normalisation over time and batch together, layer normalisation of each image
        and step, or a bias alone. Default "batch".

    Notes
    -----
    ``parallel_second`` of HD-LIF takes every second layer of neurons here, as there are no blocks.

    References
    ----------
    Deng et al. 2022 (VGG-SNN), as arXiv 2511.08708 and 2410.07547 use it for DVS-CIFAR10.
    """

    #: Layers run in the order of registration: deployment and export may treat them as a chain.
    in_order = True
    PLAN = (64, 128, "pool", 256, 256, "pool", 512, 512, "pool", 512, 512, "pool")

    def __init__(
        self,
        channels: int,
        size: int,
        classes: int,
        parts: Parts,
        *,
        plan: Sequence[int | str] = PLAN,
        width: float = 1.0,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        if norm not in NORMS:
            raise InputError(f"norm = {norm!r}: choose one of {', '.join(NORMS)}")
        layers: list[nn.Module] = []
        n_neurons = 0
        for item in plan:
            if item == "pool":
                if size < 2:
                    raise InputError(
                        f"the images are too small for {plan.count('pool')} poolings; give larger ones"
                    )
                layers.append(PerStep(nn.AvgPool2d(2)))
                size //= 2
                continue
            n_out = scaled(int(item), width)
            layers += [
                parts.conv(channels, n_out, first=not n_neurons, norm=norm),
                parts.spiking(n_out, second=n_neurons % 2 == 1),
            ]
            channels, n_neurons = n_out, n_neurons + 1
        self.features = nn.Sequential(*layers)
        self.flatten = nn.Flatten(2)
        self.classify = parts.linear(channels * size * size, classes, last=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.classify(self.flatten(self.features(x)))

"""Plain convolutional stacks: VGG-SNN, and a small one that trains on a CPU."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient._layers import PerStep
from homeonet.gradient.networks._parts import Parts

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
        Of the input images (T, B, channels, size, size), and of the output (T, B, classes).
    parts : Parts
    plan : sequence of int or "pool"
        Channels of the convolutions; by default VGG-SNN's eight layers. Pooling halves the image.
    width : float
        Multiplier of all channels. Default 1.

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
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        first = True
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
            layers += [parts.conv(channels, n_out, first=first), parts.spiking(n_out)]
            channels, first = n_out, False
        self.features = nn.Sequential(*layers)
        self.flatten = nn.Flatten(2)
        self.classify = parts.linear(channels * size * size, classes, last=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.classify(self.flatten(self.features(x)))

"""Spiking residual networks in three layouts: ResNet-18, -19, -34 and SEW."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient._layers import PerStep
from homeonet.gradient.networks._parts import Parts
from homeonet.gradient.networks._vgg import scaled

__all__ = ["ResNet"]


class _Block(nn.Module):
    """Two convolutions and a shortcut; where the neurons stand is the layout."""

    def __init__(self, n_in: int, n_out: int, stride: int, parts: Parts, layout: str) -> None:
        super().__init__()
        self.layout = layout
        self.conv1 = parts.conv(n_in, n_out, stride=stride)
        self.conv2 = parts.conv(n_out, n_out)
        self.neuron1 = parts.spiking(n_in if layout == "pre" else n_out)
        self.neuron2 = parts.spiking(n_out, second=True)
        changes = stride != 1 or n_in != n_out
        self.shortcut = parts.conv(n_in, n_out, 1, stride=stride) if changes else nn.Identity()
        self.shortcut_neuron = parts.spiking(n_out) if changes and layout == "sew" else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        if self.layout == "pre":
            out = self.conv2(self.neuron2(self.conv1(self.neuron1(x))))
            return out + self.shortcut(x)
        out = self.conv2(self.neuron1(self.conv1(x)))
        if self.layout == "post":
            return self.neuron2(out + self.shortcut(x))
        return self.neuron2(out) + self.shortcut_neuron(self.shortcut(x))


class ResNet(nn.Module):
    """A spiking residual network of basic blocks.

    Parameters
    ----------
    channels, classes : int
        Of the input images (T, B, channels, H, W), and of the output (T, B, classes).
    parts : Parts
    depths, widths : sequence of int
        Blocks of each stage and their channels; every stage but the first halves the image.
    layout : {"pre", "post", "sew"}
        "pre": membrane shortcut, [neuron, convolution] twice, as HD-LIF counts them; "post": the neuron after the sum,
        as tdBN's ResNet-19; "sew": the sum of spikes.
    hidden : int, optional
        Units of a spiking layer before the classifier (ResNet-19: 256).
    width : float
        Multiplier of all channels. Default 1.

    References
    ----------
    Hu et al. 2021 (membrane shortcut); Zheng et al. 2021 (tdBN, ResNet-19); Fang et al. 2021 (SEW).
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        parts: Parts,
        *,
        depths: Sequence[int] = (2, 2, 2, 2),
        widths: Sequence[int] = (64, 128, 256, 512),
        layout: str = "pre",
        hidden: int | None = None,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        if layout not in ("pre", "post", "sew"):
            raise InputError(f"layout = {layout!r}: choose 'pre', 'post' or 'sew'")
        n_in = scaled(widths[0], width)
        stem: list[nn.Module] = [parts.conv(channels, n_in, first=True)]
        if layout != "pre":
            stem.append(parts.spiking(n_in))
        self.stem = nn.Sequential(*stem)
        blocks: list[nn.Module] = []
        for stage, (depth, n_stage) in enumerate(zip(depths, widths, strict=True)):
            n_out = scaled(n_stage, width)
            for k in range(depth):
                blocks.append(_Block(n_in, n_out, 2 if stage and not k else 1, parts, layout))
                n_in = n_out
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.Sequential(PerStep(nn.AdaptiveAvgPool2d(1)), nn.Flatten(2))
        self.hidden = nn.Identity()
        if hidden is not None:
            n_hidden = scaled(hidden, width)
            self.hidden = nn.Sequential(parts.linear(n_in, n_hidden), parts.spiking(n_hidden))
            n_in = n_hidden
        self.classify = parts.linear(n_in, classes, last=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.classify(self.hidden(self.pool(self.blocks(self.stem(x)))))

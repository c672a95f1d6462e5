"""Spiking residual networks in three layouts: ResNet-18, -19, -34 and SEW."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.networks._layers import PerStep
from homeonet.gradient.networks._parts import Parts
from homeonet.gradient.networks._residual import Residual
from homeonet.gradient.networks._vgg import scaled

__all__ = ["ResNet"]


def _block(n_in: int, n_out: int, stride: int, parts: Parts, layout: str) -> nn.Module:
    """Two convolutions and a shortcut; where the neurons stand is the layout."""
    conv1, conv2 = parts.conv(n_in, n_out, stride=stride), parts.conv(n_out, n_out)
    neuron1 = parts.spiking(n_in if layout == "pre" else n_out)
    neuron2 = parts.spiking(n_out, second=True)
    shortcut: nn.Module = nn.Identity()
    if stride != 1 or n_in != n_out:
        shortcut = parts.conv(n_in, n_out, 1, stride=stride, shortcut=True)
        if layout == "sew":
            shortcut = nn.Sequential(shortcut, parts.spiking(n_out))
    if layout == "pre":
        return Residual(_named(neuron1=neuron1, conv1=conv1, neuron2=neuron2, conv2=conv2), shortcut)
    if layout == "sew":
        return Residual(_named(conv1=conv1, neuron1=neuron1, conv2=conv2, neuron2=neuron2), shortcut)
    return _named(sum=Residual(_named(conv1=conv1, neuron1=neuron1, conv2=conv2), shortcut), neuron2=neuron2)


def _named(**layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(layers))


class ResNet(nn.Module):
    """A spiking residual network of basic blocks.

    Parameters
    ----------
    channels, classes : int
        Channels of the input images (T, B, channels, H, W), and classes of the output (T, B, classes).
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

    #: Layers run in the order of registration: deployment and export may treat them as a chain.
    in_order = True

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
                blocks.append(_block(n_in, n_out, 2 if stage and not k else 1, parts, layout))
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

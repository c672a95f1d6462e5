"""Networks of the papers, built from any of the neurons: ``network("resnet18", (1, 28, 28), 10, Parts("trlif"))``.

All take a sequence (T, B, ...) and give a vote per step (T, B, classes); the mean over time decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.networks._dense import SGSNN
from homeonet.gradient.networks._parts import NEURONS, Parts
from homeonet.gradient.networks._resnet import ResNet
from homeonet.gradient.networks._sequential import CharacterModel, ColumnNet, SequenceNet
from homeonet.gradient.networks._vgg import VGG

__all__ = [
    "NETWORKS",
    "NEURONS",
    "SGSNN",
    "VGG",
    "CharacterModel",
    "ColumnNet",
    "Parts",
    "ResNet",
    "SequenceNet",
    "network",
]

Shape = tuple[int, ...]
_IMAGES = ("conv", "vgg", "resnet18", "resnet19", "resnet34", "sew18")


def _resnet(**fixed: Any) -> Callable[..., nn.Module]:
    return lambda shape, classes, parts, **options: ResNet(shape[0], classes, parts, **fixed | options)


def _vgg(**fixed: Any) -> Callable[..., nn.Module]:
    return lambda shape, classes, parts, **options: VGG(shape[0], shape[1], classes, parts, **fixed | options)


#: Makers by name: (shape of one step of one example, classes, parts, **options).
NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "sg_snn": lambda shape, classes, parts, **options: SGSNN(_size(shape), classes, parts, **options),
    "conv": _vgg(plan=(32, "pool", 64, "pool", 64)),
    "vgg": _vgg(),
    "resnet18": _resnet(),
    "resnet19": _resnet(depths=(3, 3, 2), widths=(128, 256, 512), layout="post", hidden=256),
    "resnet34": _resnet(depths=(3, 4, 6, 3)),
    "sew18": _resnet(layout="sew"),
    "columns": lambda shape, classes, parts, **options: ColumnNet(
        shape[0], shape[-1], classes, parts, **options
    ),
    "sequence": lambda shape, classes, parts, **options: SequenceNet(_size(shape), classes, parts, **options),
}


def network(name: str, shape: Shape, classes: int, parts: Parts, /, **options: Any) -> nn.Module:
    """A network by its name.

    Parameters
    ----------
    name : str
        One of ``NETWORKS``: "sg_snn" (225 → 1000 → 10 in the paper; recurrent with ``Parts("recurrentlif")``), "conv"
        (three small convolutions), "vgg", "resnet18", "resnet19", "resnet34", "sew18", "columns" (sequential
        images), "sequence" (long sequences).
    shape : tuple of int
        Shape of one step of one example: (channels, height, width), (channels, height) for "columns", (features,).
    classes : int
    parts : Parts
        Neuron and weight layers.
    **options
        Parameters of the network's class, such as ``width``.

    Raises
    ------
    InputError
        If the name is unknown, or an option does not exist or has no sensible value.
    """
    if name not in NETWORKS:
        raise InputError(f"net = {name!r} is unknown; choose one of {', '.join(NETWORKS)}")
    if name in _IMAGES and len(shape) != 3:
        raise InputError(
            f"net = {name!r} needs images (channels, height, width), not steps of shape {shape}; "
            "net = 'sequence' takes features"
        )
    if name == "columns" and len(shape) != 2:
        raise InputError(f"net = 'columns' needs columns (channels, height), not steps of shape {shape}")
    if parts.neuron == "recurrentlif" and name in (*_IMAGES, "columns"):
        raise InputError(
            f"neuron = 'recurrentlif' connects units, not channels of net = {name!r}; use it with sg_snn or sequence"
        )
    if name in ("conv", "vgg") and shape[1] != shape[2]:
        raise InputError(f"net = {name!r} needs square images, not {shape[1]} × {shape[2]}; crop or pad them")
    if min(shape) < 1 or classes < 1:
        raise InputError(f"shape = {shape}, classes = {classes}: sizes and classes must be at least 1")
    try:
        model = NETWORKS[name](shape, classes, parts, **options)
    except InputError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split("() ")[-1].split())
        raise InputError(f"net = {name!r} cannot be built with {options} ({reason}); correct them") from error
    # residual networks end in a global pooling, and take images of any size
    model.register_forward_pre_hook(_StepShape(shape[:1] if name in _IMAGES[2:] else shape, len(shape)))
    return model


class _StepShape:
    """Refuses inputs whose steps are not of the shape that a network was built for."""

    def __init__(self, shape: Shape, rank: int) -> None:
        self.shape, self.rank = shape, rank

    def __call__(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        given = tuple(inputs[0].shape)
        if len(given) != 2 + self.rank or given[2 : 2 + len(self.shape)] != self.shape:
            steps = ", ".join(map(str, self.shape)) + (", …" if len(self.shape) < self.rank else "")
            raise InputError(f"the input has shape {given}; the network was built for (T, B, {steps})")


def _size(shape: Shape) -> int:
    n = 1
    for side in shape:
        n *= side
    return n

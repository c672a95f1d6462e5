"""What `study.py` crosses: ways to train, homeostasis with and without its parts, and shapes of the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import xarray as xr

from homeonet.study.options import Scale

__all__ = ["PARADIGMS", "PARTS", "SHAPES", "AHSARScale", "crossed", "shaped", "unfolded"]

PARADIGMS: dict[str, dict[str, Any]] = {
    "LIF, BPTT": {"neuron": "lif"},
    "HD-LIF, online": {"neuron": "hdlif", "paradigm": "online"},
    "HD-LIF, BPTT": {"neuron": "hdlif"},
    "DSN, parallel": {"neuron": "dsn", "paradigm": "parallel"},
    "TrLIF, BPTT": {"neuron": "trlif"},
}
#: With and without AHSAR, without two of its parts, and the simplest homeostasis of thresholds.
PARTS = ("none", "AHSAR", "no diffusion", "no gain", "adaptation")
#: LIF through time in other networks; "3 layers" is the one above.
SHAPES: dict[str, dict[str, Any]] = {
    "1 layer": {"net": "sg_snn", "net_options.hidden": 200},
    "8 layers": {"net": "vgg", "net_options.width": 0.0625},
    "half the width": {},
    "twice the width": {},
    "T = 2": {"steps": 2},
    "T = 8": {"steps": 8},
}
_WIDTHS = {"half the width": 0.5, "twice the width": 2.0}


@dataclass(frozen=True)
class AHSARScale(Scale):
    """The scale of the study, with the network's size and what is tested beside accuracy."""

    size: int = field(default=16, metadata={"help": "side of the images in pixels, at least 16"})
    steps: int = field(default=4, metadata={"help": "time steps"})
    width: float = field(
        default=0.25, metadata={"help": "width of the three convolutions; 1 is 32, 64, 64 channels"}
    )
    batch: int = field(default=32, metadata={"help": "images per batch"})
    corrupted: int = field(default=1000, metadata={"help": "test images that are corrupted"})
    severities: tuple[int, ...] = field(default=(1, 3, 5), metadata={"help": "how severely, 1 to 5"})
    rounds: int = field(default=600, metadata={"help": "rounds of timing a training step"})


def _homeostasis(passes: int) -> dict[str, dict[str, Any]]:
    """Parameters of each part, for training that makes so many passes per batch: each weighs as much less."""
    constants = {"strength": 0.05, "relaxation": 0.01, "diffusion": 0.1}
    full = {f"homeostasis.ahsar.{name}": value / passes for name, value in constants.items()}
    return {
        "none": {},
        "AHSAR": full,
        "no diffusion": full | {"homeostasis.ahsar.diffusion": 0.0},
        "no gain": full | {"homeostasis.ahsar.gain": False},
        "adaptation": {"homeostasis.threshold_adaptation.rate": 0.01 / passes},
    }


def crossed(options: Any) -> dict[str, dict[str, Any]]:
    """Cases of a grid by the names "paradigm, part"."""
    net = {"net": "conv", "net_options.width": options.width, "steps": options.steps}
    found = {}
    for name, paradigm in PARADIGMS.items():
        parts = _homeostasis(options.steps if paradigm.get("paradigm") == "online" else 1)
        found |= {f"{name}, {part}": net | paradigm | parts[part] for part in PARTS}
    return found


def shaped(options: Any) -> dict[str, dict[str, Any]]:
    """Cases "shape, part", with AHSAR and without."""
    net, parts = {"neuron": "lif", "net": "conv", "steps": options.steps}, _homeostasis(1)
    found = {}
    for name, shape in SHAPES.items():
        width = {} if "net" in shape else {"net_options.width": options.width * _WIDTHS.get(name, 1.0)}
        found |= {f"{name}, {part}": net | width | shape | parts[part] for part in PARTS[:2]}
    return found


def unfolded(values: xr.DataArray, cases: Sequence[str], parts: Sequence[str]) -> xr.DataArray:
    """From cases "case, part" to the dimensions case and homeostasis."""
    lines = [
        xr.concat([values.sel(case=f"{case}, {part}", drop=True) for part in parts], "homeostasis")
        for case in cases
    ]
    return xr.concat(lines, "case").assign_coords(case=list(cases), homeostasis=list(parts))

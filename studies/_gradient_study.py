"""What the studies of gradient-trained networks share: options, differences over seeds, trained models, results."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from _figure_data import write_figure_data
from _sweeping import difference, write
from matplotlib.figure import Figure
from torch import Tensor

from homeonet.analysis import bootstrap_interval, compare_conditions
from homeonet.claims import Measured, measured_over_seeds, write_measured
from homeonet.data import load
from homeonet.gradient.training import TrainConfig, encoded
from homeonet.plotting import use_style
from homeonet.runs.gradient import TrainResult, load_trained
from homeonet.sweep import SweepResult

__all__ = [
    "Scale",
    "accuracies",
    "compared",
    "exact",
    "finish",
    "gain",
    "interval_text",
    "scale_of",
    "study_options",
    "test_images",
    "trained",
    "training",
]


@dataclass(frozen=True)
class Scale:
    """How much a study trains: images, epochs and seeds. Every field is an option of the command line.

    A study with more options has a subclass, whose fields say in their metadata what "help" is printed.
    """

    data: str = "fashion"
    train: int = 4000
    val: int = 0
    test: int = 10000
    epochs: int = 3
    seeds: tuple[int, ...] = (1, 2, 3)


#: A minute on two cores, from embedded images.
QUICK = Scale("mnist5k", train=400, val=100, test=300, epochs=1, seeds=(1, 2))
_HELP = {
    "data": "images",
    "train": "training images",
    "val": "of them kept for validation",
    "test": "test images",
    "epochs": "epochs",
    "seeds": "seeds",
}


def study_options(description: str, name: str, full: Scale, quick: Scale = QUICK) -> argparse.Namespace:
    """The command line of a study: ``--quick`` or ``--full``, each of whose numbers can be set by itself."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quick", action="store_true", help="embedded images, few of them: a minute")
    which.add_argument("--full", action="store_true", help="the committed scale (default); resumes")
    for item in fields(full):
        value = getattr(full, item.name)
        several = isinstance(value, tuple)
        kind = type(value[0] if several else value)
        given = {"nargs": "*" if kind is str else "+", "metavar": "S"} if several else {"metavar": "N"}
        text = f"{item.metadata.get('help') or _HELP[item.name]}; default: " + (
            " ".join(map(str, value)) if several else str(value)
        )
        parser.add_argument(f"--{item.name}", type=kind, help=text, **given)
    parser.add_argument("--workers", type=int, metavar="N", help="processes; default: all usable cores")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a running Dask scheduler")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: results/ and the study's name")
    options = parser.parse_args()
    for field, value in asdict(quick if options.quick else full).items():
        if getattr(options, field) is None:
            setattr(options, field, list(value) if isinstance(value, tuple) else value)
    options.name, options.out = name, options.out or Path("results", f"{name}{'_quick' * options.quick}")
    return options


def training(options: argparse.Namespace) -> dict[str, Any]:
    """Data, sizes and epochs as fixed parameters of a grid."""
    return {name: getattr(options, name) for name in ("data", "train", "val", "test", "epochs")}


def scale_of(options: argparse.Namespace) -> str:
    """The scale in words, for notes and claims."""
    seeds, n = " ".join(map(str, options.seeds)), options.epochs
    sizes = f"{options.data}, {options.train} training and {options.test} test images"
    return f"{sizes}, {n} epoch{'s' * (n > 1)}, seeds {seeds}"


def accuracies(results: xr.Dataset, name: str = "accuracy.test") -> xr.DataArray:
    """A metric that is a share, in per cent."""
    return 100 * results[name]


def gain(case: str, values: xr.DataArray, first: Mapping[str, Any], second: Mapping[str, Any]) -> Measured:
    """Paired difference over seeds, `first` − `second`, two places in `values`; in the unit of `values`, points."""
    return measured_over_seeds(case, values.sel(first).values - values.sel(second).values, "points")


def exact(case: str, value: float, unit: str = "") -> Measured:
    """What no seed changes."""
    return Measured(case, float(value), float(value), float(value), 1, unit)


def interval_text(values: Sequence[float] | np.ndarray | xr.DataArray, form: str = ".1f") -> str:
    """Mean with its bootstrap interval; missing values are left out, and counted."""
    found = np.asarray(values, dtype=float).ravel()
    present = found[np.isfinite(found)]
    failed = f" ({len(found) - len(present)} failed)" if len(present) < len(found) else ""
    if len(present) < 2 or np.ptp(present) == 0:
        return (f"{present[0]:{form}}{failed}" if len(present) else failed).strip()
    ends = bootstrap_interval(present)
    return f"{ends.estimate:{form}} [{ends.low:{form}}, {ends.high:{form}}]{failed}"


def compared(values: xr.DataArray, dim: str, reference: Any) -> list[list[str]]:
    """A line a condition along `dim`: its name, mean with interval, and paired difference from `reference`."""
    tests = compare_conditions(values, dim, reference=reference)
    return [
        [
            str(place) if isinstance(place, str) else f"{place:g}",
            interval_text(values.sel({dim: place})),
            difference(tests.sel({dim: place})),
        ]
        for place in values[dim].values
    ]


def trained(found: SweepResult, **place: Any) -> Iterator[tuple[int, TrainResult]]:
    """Seed and trained network of each finished run at a place of a sweep, such as ``case="LIF"``."""
    at = found.results.sel(place)
    for seed in at["seed"].values:
        run = at.sel(seed=seed)
        if str(run["state"].item()) == "done":
            yield int(seed), load_trained(found.folder / "cells" / str(run["cell"].item()))


def test_images(config: TrainConfig, n: int) -> tuple[Tensor, Tensor]:
    """The first `n` test images as a configuration has networks see them, (T, n, ...), and their labels."""
    data = load(config.data, size=config.size, train=config.train, val=config.val, test=n, seed=config.seed)
    images = torch.from_numpy(data.x_test).view(-1, 1, *data.image_shape)
    sequences = encoded(images, config, torch.Generator().manual_seed(config.seed))
    return sequences, torch.from_numpy(data.y_test)


def finish(
    options: argparse.Namespace,
    rows: list[list[str]],
    note: str,
    data: xr.Dataset,
    draw: Callable[[xr.Dataset], Figure],
    measured: Mapping[str, Sequence[Measured]],
    scale: str = "",
) -> None:
    """Write ``table.md``, ``figure.nc``, the figure drawn from its contents alone, and ``claims.json``.

    `scale` says in words what was trained; by default `scale_of`.
    """
    scale = scale or scale_of(options)
    write_figure_data(options.out, data, study=options.name, scale=scale)
    with use_style():
        figure = draw(data)
    write(options.out, rows, f"{scale}; {note}", figure)
    write_measured(options.out, study=options.name, scale=scale, measured=measured)

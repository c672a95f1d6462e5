"""What `study.py` measures of its runs: learning curves, epochs to a target, rates of layers, robustness, overhead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from homeonet.claims import Measured
from homeonet.data import CORRUPTIONS, corrupt, load
from homeonet.gradient.homeostasis import AHSAR
from homeonet.gradient.training import encoded
from homeonet.runs.gradient import TrainResult
from homeonet.store import load_records, write_records
from homeonet.study.layers import TrainingStep
from homeonet.study.timing import compare
from homeonet.study.trained import trained
from homeonet.sweep import SweepResult

__all__ = [
    "TARGET",
    "accuracy_of",
    "cost_of",
    "epochs_to_target",
    "over_epochs",
    "overhead",
    "robustness",
    "spread_of",
]

#: Of the best validation accuracy of the run without homeostasis: what is to be reached.
TARGET = 0.95
_BATCH = 200


def over_epochs(found: SweepResult, of: Callable[[xr.Dataset], xr.DataArray]) -> xr.DataArray:
    """A value per epoch from the records of each run (case, seed, epoch); of runs that failed it is missing."""

    def curve(cell: str, state: str) -> np.ndarray:
        if state != "done":
            return np.full(n_epochs, np.nan)
        return of(load_records(found.folder / "cells" / cell)).to_numpy()

    done = found.results["cell"].values[found.results["state"].values == "done"]
    n_epochs = load_records(found.folder / "cells" / done[0]).sizes["epoch"]
    values = xr.apply_ufunc(
        np.vectorize(curve, signature="(),()->(e)", otypes=[float]),
        found.results["cell"],
        found.results["state"],
        output_core_dims=[["epoch"]],
    )
    return values.assign_coords(epoch=np.arange(1.0, n_epochs + 1))


def accuracy_of(records: xr.Dataset) -> xr.DataArray:
    """Accuracy on the validation images, in per cent, epoch by epoch."""
    return 100 * records["val_accuracy"]


def spread_of(records: xr.Dataset) -> xr.DataArray:
    """Standard deviation over layers of their rates on the validation images, an epoch."""
    return records["layer_rate"].std("layer")


def epochs_to_target(curves: xr.DataArray, chance: float) -> xr.DataArray:
    """Epochs until validation accuracy is `TARGET` times the best of the same seed without homeostasis.

    Between the ends of epochs it is interpolated, from chance before the first; a run that does not get there counts
    as one epoch more than it has.
    """

    def reached(curve: np.ndarray, target: float) -> float:
        if not np.isfinite(curve).all() or not np.isfinite(target):
            return np.nan
        there = np.flatnonzero(curve >= target)
        if not len(there):
            return len(curve) + 1.0
        k = int(there[0])
        before = curve[k - 1] if k else min(chance, target)
        return k + (target - before) / (curve[k] - before)

    target = TARGET * curves.sel(homeostasis="none", drop=True).max("epoch", skipna=False)
    return xr.apply_ufunc(
        np.vectorize(reached, signature="(e),()->()", otypes=[float]),
        curves,
        target,
        input_core_dims=[["epoch"], []],
    )


def robustness(
    found: SweepResult, cases: Sequence[str], parts: Sequence[str], options: Any, path: Path
) -> xr.DataArray:
    """Accuracy in per cent (case, homeostasis, corruption, severity, seed) of trained networks; kept in a file."""
    severities = [0, *options.severities]
    coordinates = {
        "case": list(cases),
        "homeostasis": list(parts),
        "corruption": list(CORRUPTIONS),
        "severity": severities,
        "seed": list(options.seeds),
    }
    used = [str(found.results["cell"].sel(case=f"{c}, {p}").values) for c in cases for p in parts]
    about = {"cells": " ".join(used), "images": options.corrupted}
    if path.exists():
        with xr.open_dataset(path, engine="h5netcdf") as kept:
            same = [list(kept[name].values) == values for name, values in coordinates.items() if name in kept]
            if all(same) and {name: kept.attrs.get(name) for name in about} == about:
                return kept["accuracy"].load()
    values = xr.DataArray(np.nan, coordinates, list(coordinates), name="accuracy")
    sizes = {name: getattr(options, name) for name in ("size", "train", "val", "test")}
    for seed in options.seeds:
        dataset = load(options.data, **sizes, seed=seed)
        clean, labels = dataset.x_test[: options.corrupted], dataset.y_test[: options.corrupted]
        changed = {
            (kind, severity): corrupt(clean, kind, severity, seed=seed)
            for kind in CORRUPTIONS
            for severity in options.severities
        }
        for case, part in product(cases, parts):
            for _, run in trained(found, case=f"{case}, {part}", seed=[seed]):
                at = {"case": case, "homeostasis": part, "seed": seed}
                values.loc[at | {"severity": 0}] = _accuracy(run, clean, labels)
                for (kind, severity), images in changed.items():
                    place = at | {"corruption": kind, "severity": severity}
                    values.loc[place] = _accuracy(run, images, labels)
    write_records(path, values.to_dataset().assign_attrs(about))
    return values


@torch.no_grad()
def _accuracy(run: TrainResult, pixels: np.ndarray, labels: np.ndarray) -> float:
    """Accuracy in per cent."""
    side, correct = run.config.size, 0
    for start in range(0, len(pixels), _BATCH):
        piece = torch.from_numpy(np.ascontiguousarray(pixels[start : start + _BATCH])).float()
        x = encoded(piece.view(-1, 1, side, side), run.config, torch.Generator().manual_seed(start))
        correct += int((run.model(x).mean(0).argmax(1).numpy() == labels[start : start + _BATCH]).sum())
    return 100 * correct / len(pixels)


def overhead(rounds: int) -> xr.Dataset:
    """Time of a training step with AHSAR ÷ without, in turns: medians with their 95 % intervals over rounds."""
    neurons, found = {"LIF, BPTT": "lif", "DSN, parallel": "dsn"}, []
    for neuron in neurons.values():
        steps = {"without": TrainingStep(neuron), "with": TrainingStep(neuron, AHSAR())}
        ratio = compare(steps, rounds)["with"]
        found.append([ratio.ratio, ratio.low, ratio.high])
    at = {"timed": list(neurons), "of": ["ratio", "low", "high"]}
    return xr.Dataset({"overhead": (("timed", "of"), found), "overhead_rounds": rounds}, at)


def cost_of(data: xr.Dataset) -> list[Measured]:
    """What `overhead` found, as the cases of its claim."""
    rounds = int(data["overhead_rounds"])
    about = f"{TrainingStep.IMAGES} images, T = {TrainingStep.STEPS}, {rounds} rounds"
    return [
        Measured(f"{name}, {about}", *map(float, data["overhead"].sel(timed=name).values), rounds)
        for name in map(str, data["timed"].values)
    ]

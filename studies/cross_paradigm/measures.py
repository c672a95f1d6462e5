"""What `study.py` measures of every run: accuracies, drift, the code, operations, one small file per run.

Both kinds of networks go through the same readouts, fitted on the clean training images.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from grids import place_of
from readings import Reading, read_gradient, read_plastic

from homeonet import store
from homeonet.analysis import dead_and_saturated, drift, effective_rank, embed, evaluate_readout
from homeonet.data import CORRUPTIONS, Dataset, corrupt, load
from homeonet.sweep import Cell

__all__ = ["Task", "measured", "tasks_of"]

_READOUTS = ("logistic", "qda")
#: Energy of a synaptic operation, an addition of 32 bits, in nJ (Horowitz 2014, 45 nm).
_ADDITION = 0.9e-3
_PICTURED = 300
#: The code of these is drawn in the plane, of the first seed.
_DRAWN = ("none", "sleep", "AHSAR")


@dataclass(frozen=True)
class Task:
    """A run to measure, or raw pixels.

    Attributes
    ----------
    place : dict
        Where it lies: paradigm, homeostasis, data, side, seed.
    images : dict
        Arguments of :func:`homeonet.data.load`.
    folder : Path or None
        The run's folder; None for raw pixels.
    file : Path
        Where the measurement is kept.
    severity, corrupted : int
        Severity of the corruptions, and number of test images that get them.
    pictured : bool
        Whether the code is drawn in the plane.
    """

    place: dict[str, Any]
    images: dict[str, Any]
    folder: Path | None
    file: Path
    severity: int
    corrupted: int
    pictured: bool = False


def tasks_of(cells: Mapping[str, list[Cell]], options: argparse.Namespace) -> Iterator[Task]:
    """The finished cells of each grid (by the folder of its sweep), and the raw pixels of each set of images."""
    seen = set()
    for kind, listed in cells.items():
        for cell in listed:
            c = cell.config
            side = c.input.side if kind == "plastic" else c.size
            images = {"name": c.data, "size": side, "train": c.train, "test": c.test, "seed": c.seed}
            paradigm, homeostasis = place_of(cell.values["case"])
            place = {"data": c.data, "side": side, "seed": c.seed}
            file = f"{options.severity}_{options.corrupted}.json"
            common = {"images": images, "severity": options.severity, "corrupted": options.corrupted}
            pixels = "_".join(map(str, images.values()))
            if pixels not in seen:
                seen.add(pixels)
                path = options.out / "measured" / f"{pixels}_{file}"
                yield Task(
                    {"paradigm": "raw pixels", "homeostasis": "none", **place},
                    folder=None,
                    file=path,
                    **common,
                )
            folder = options.out / kind / "cells" / cell.id
            if folder.exists():
                path = options.out / "measured" / f"{cell.id}_{file}"
                pictured = homeostasis in _DRAWN and c.seed == options.seeds[0]
                place |= {"paradigm": paradigm, "homeostasis": homeostasis}
                yield Task(place, folder=folder, file=path, pictured=pictured, **common)


def measured(tasks: list[Task], workers: int | None) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Measure what is not measured yet, several runs at a time: a row per run of numbers, and all else beside it."""
    from joblib import Parallel, delayed

    missing = [task for task in tasks if not task.file.exists()]
    for folder in {task.file.parent for task in missing}:
        store.require_writable(folder)
    Parallel(n_jobs=workers or -1)(delayed(_measure)(task) for task in missing)
    found = [task.place | json.loads(task.file.read_text()) for task in tasks]
    rows = [{k: v for k, v in one.items() if not isinstance(v, list | dict)} for one in found]
    return pd.DataFrame(rows), found


def _measure(task: Task) -> None:
    dataset = load(**task.images, val=0)
    few = dataset.x_test[: task.corrupted]
    changed = {kind: corrupt(few, kind, task.severity, seed=task.images["seed"]) for kind in CORRUPTIONS}
    if task.folder is None:
        content: dict[str, Any] = _scores(dataset, dataset.x_train, dataset.x_test, changed)
    else:
        read = read_plastic if task.folder.parent.parent.name == "plastic" else read_gradient
        untrained = task.place["homeostasis"] == "none"
        content = _numbers(read(task.folder, dataset, changed, untrained=untrained), dataset, task.pictured)
    store.write_json(task.file, content)


def _numbers(reading: Reading, dataset: Dataset, pictured: bool) -> dict[str, Any]:
    """Everything that is measured of one run; accuracies and shares in %."""
    found: dict[str, Any] = _scores(dataset, reading.train, reading.test, reading.corrupted)
    if reading.classes is not None:
        right = {k: np.mean(c == dataset.y_test[: len(c)]) for k, c in reading.classes.items()}
        found |= _named("own", {k: 100 * float(share) for k, share in right.items()})
    if reading.start_train is not None:
        frozen = _scores(dataset, reading.start_train, reading.start, {})
        found |= {f"frozen.{name}": frozen[name] for name in _READOUTS}
    dead, saturated = dead_and_saturated(reading.rates, reading.saturation)
    found |= {"dead": 100 * dead, "saturated": 100 * saturated}
    found |= {"rate": float(reading.rates.mean()), "rate.start": float(reading.start_rates.mean())}
    found |= {"rate.drift": drift(reading.start_rates, reading.rates).relative_change}
    found |= {"weight.drift": drift(*reading.weights).relative_change, "norm": reading.norm}
    found |= {"rank": effective_rank(reading.test).participation_ratio, "seconds": reading.seconds}
    found |= {"sops": reading.sops, "sop.nj": reading.sops * _ADDITION, "honest.nj": reading.honest_nj}
    if pictured and np.isfinite(found["rank"]):  # a silent code has no picture
        labels = dataset.y_test[:_PICTURED]
        shown = embed(reading.test[:_PICTURED], labels)
        numbers = {name: getattr(shown, name) for name in ("trustworthiness", "neighbour_accuracy", "phi")}
        found["picture"] = {
            "code": shown.coordinates.to_numpy().tolist(),
            "label": labels.tolist(),
            **numbers,
        }
    return found


def _scores(
    dataset: Dataset, train: np.ndarray, test: np.ndarray, changed: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Accuracies of both readouts on clean and on corrupted test images."""
    parts = {"clean": test, **changed}
    ends = np.cumsum([len(part) for part in parts.values()])[:-1]
    labels = [dataset.y_test[: len(part)] for part in parts.values()]
    tune = bool(np.bincount(dataset.y_train).min() >= 10)
    found: dict[str, float] = {}
    for name in _READOUTS:
        tests = np.concatenate(list(parts.values())), np.concatenate(labels)
        result = evaluate_readout(name, train, dataset.y_train, *tests, tune=tune and name == "logistic")
        predicted = zip(parts, np.split(result.predictions, ends), labels, strict=True)
        found |= _named(name, {kind: 100 * float(np.mean(p == y)) for kind, p, y in predicted})
    return found


def _named(readout: str, accuracy: Mapping[str, float]) -> dict[str, float]:
    """Accuracies under their names: clean, each corruption, and the mean over all corruptions."""
    changed = {f"{readout}.{kind}": value for kind, value in accuracy.items() if kind != "clean"}
    mean = {f"{readout}.ood": float(np.mean(list(changed.values())))} if changed else {}
    return {readout: accuracy["clean"]} | mean | changed

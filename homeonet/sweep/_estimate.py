"""How long a sweep will take: a cell is measured on a few images, the rest is arithmetic."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homeonet._evaluation import worker_count
from homeonet.sweep._grid import Grid
from homeonet.sweep._state import split
from homeonet.sweep._tasks import Task, tasks_of

__all__ = ["Estimate", "estimate"]

#: Images of the measured cell.
_TRAIN, _TEST = 100, 50


@dataclass(frozen=True)
class Estimate:
    """What a sweep will cost.

    Attributes
    ----------
    cells, to_do : int
        Cells of the grid, and those that are neither done nor failed in its folder.
    seconds_a_cell : float
        Of the first cell to do, on one core, extrapolated from a short run of it.
    seconds : float
        Wall time of all that is to do with the given workers, compilation left out.
    """

    cells: int
    to_do: int
    seconds_a_cell: float
    seconds: float


def estimate(
    grid: Grid,
    out: str | Path,
    *,
    workers: int | None = None,
    device: str = "auto",
    baselines: bool = True,
    data_folder: str | Path | None = None,
) -> Estimate:
    """Measure a short version of the first cell to do, and extrapolate by the number of images.

    Parameters
    ----------
    grid, out, workers, device, baselines, data_folder
        As of :func:`sweep`; nothing is written to `out`.

    Returns
    -------
    Estimate
    """
    workers = worker_count(workers)
    tasks = tasks_of(grid.cells(), grid.kind, baselines=baselines)
    to_do = split(Path(out), tasks)[2]
    cells = [task for task in to_do if task.part == "cells"]
    if not cells:
        return Estimate(len(grid), 0, 0.0, 0.0)
    train, test = _seconds_an_image(cells[0], device, data_folder)

    def seconds(task: Task) -> float:
        config = task.config
        trained = config.train * config.epochs if task.part == "cells" else 0
        # the plastic network is read out on the training images too; raw pixels alone take no time
        read = config.train + config.test + config.val if task.kind == "plastic" else config.test
        return trained * train + (0 if task.part == "baselines" and task.kind == "gradient" else read * test)

    return Estimate(
        len(grid), len(cells), seconds(cells[0]), sum(map(seconds, to_do)) / min(workers, len(to_do))
    )


def _seconds_an_image(task: Task, device: str, data_folder: str | Path | None) -> tuple[float, float]:
    """Seconds of training an image and of reading one out."""
    config = task.config
    fewer: dict[str, Any] = {
        "train": min(config.train, _TRAIN),
        "val": 0,
        "test": min(config.test, _TEST),
        "epochs": 1,
    }
    start = time.perf_counter()
    if task.kind == "gradient":
        from homeonet.gradient.training import train

        config = config.model_copy(update=fewer)
        metrics = train(
            config, accelerator=device, baselines=False, figures=False, data_folder=data_folder
        ).metrics
        trained, compiled, read = metrics["train_seconds"], 0.0, fewer["test"]
    else:
        from homeonet.runs import run

        config = config.model_copy(update=fewer)
        metrics = run(
            config, device=device, workers=1, figures=False, baselines=False, data_folder=data_folder
        ).metrics
        trained, compiled, read = (
            metrics["train_wall_seconds"],
            metrics["compile_seconds"],
            fewer["train"] + fewer["test"],
        )
    rest = max(0.0, time.perf_counter() - start - trained - compiled)
    return trained / fewer["train"], rest / read

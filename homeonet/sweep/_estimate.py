"""How long a sweep will take: a cell is measured on a few images, the rest is arithmetic."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homeonet.data import Dataset
from homeonet.machine.cores import worker_count
from homeonet.runs.kinds import KINDS
from homeonet.sweep._checks import check_data, check_device, check_networks, check_size, with_code
from homeonet.sweep._grid import Grid
from homeonet.sweep._state import check_folder, split
from homeonet.sweep._tasks import Task, tasks_of

__all__ = ["Estimate", "estimate"]

#: Training and test images of the longer one of two short runs, and the fewest of the shorter one.
_MORE, _FEWEST = (150, 75), 10


@dataclass(frozen=True)
class Estimate:
    """What a sweep will cost.

    Attributes
    ----------
    cells, to_do : int
        Cells of the grid, and those that a sweep would run now.
    seconds_a_cell : float
        Time of the cell in the middle of those to do, on one core, extrapolated from two short runs of it.
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
    dataset: Dataset | None = None,
    retry_failed: bool = False,
    allow_many: bool = False,
) -> Estimate:
    """Measure a short version of a cell in the middle, and extrapolate by the number of images.

    Parameters
    ----------
    grid, out, workers, device, baselines, data_folder, dataset, retry_failed, allow_many
        See :func:`sweep`; nothing is written to `out`.

    Returns
    -------
    Estimate
    """
    check_size(grid, allow_many)
    check_folder(Path(out))
    check_device(grid.kind, device, workers)
    grid = with_code(grid.with_data(data_folder, dataset))
    tasks = tasks_of(grid.cells(), grid.kind, baselines=baselines)
    check_networks(
        tasks, device, check_data(tasks, None if data_folder is None else str(data_folder), dataset)
    )
    _, failed, to_do = split(Path(out), tasks)
    to_do += failed * retry_failed
    cells = [task for task in to_do if task.part == "cells"]
    if not cells:
        return Estimate(len(grid), 0, 0.0, 0.0)
    middle = cells[len(cells) // 2]
    options = {"device": device, "data_folder": data_folder, "dataset": dataset}
    fixed, trained, read = _costs(middle, options)

    def seconds(task: Task) -> float:
        config, baselines = task.config, task.part == "baselines"
        shown = KINDS[task.kind].images_read(config, baselines=baselines)
        return fixed + (0 if baselines else trained * config.train * config.epochs) + read * shown

    total = sum(map(seconds, to_do)) / min(worker_count(workers), len(to_do))
    return Estimate(len(grid), len(cells), seconds(middle), total)


def _costs(task: Task, options: dict[str, Any]) -> tuple[float, float, float]:
    """Seconds of a cell whatever its size, of training an image, and of reading one out."""
    there = task.config.train, task.config.test  # a data set of one's own may have no more
    more = min(_MORE[0], there[0]), min(_MORE[1], there[1])
    few = min(more[0], max(_FEWEST, more[0] // 3)), min(more[1], max(_FEWEST, more[1] // 3))
    _measured(task, options, few)  # imports, and compiles
    (trained_few, rest_few), (trained_more, rest_more) = (
        _measured(task, options, sizes) for sizes in (few, more)
    )
    kind = KINDS[task.kind]
    shown = [kind.images_read(_shortened(task, sizes), baselines=False) for sizes in (few, more)]
    read = max(0.0, rest_more - rest_few) / max(1, shown[1] - shown[0])
    trained = max(0.0, trained_more - trained_few) / max(1, more[0] - few[0]) or trained_more / more[0]
    return max(0.0, rest_few - read * shown[0]), trained, read


def _measured(task: Task, options: dict[str, Any], sizes: tuple[int, int]) -> tuple[float, float]:
    """Seconds of training so many images, and of all else in a run."""
    kind, config = KINDS[task.kind], _shortened(task, sizes)
    start = time.perf_counter()
    metrics = kind.run(config, None, figures=False, **options)
    trained = kind.seconds_of_training(metrics)
    return trained, max(0.0, time.perf_counter() - start - trained)


def _shortened(task: Task, sizes: tuple[int, int]) -> Any:
    """The task's configuration for so many training and test images."""
    fewer: dict[str, Any] = {"train": sizes[0], "val": 0, "test": sizes[1], "epochs": 1}
    return task.config.model_copy(update=fewer)

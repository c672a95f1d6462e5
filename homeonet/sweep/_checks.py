"""What can be known to go wrong before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from homeonet.data import Dataset
from homeonet.errors import InputError
from homeonet.machine.cores import worker_count
from homeonet.runs.kinds import KINDS
from homeonet.sweep._grid import MOST_CELLS, Grid
from homeonet.sweep._tasks import Task

__all__ = ["check_data", "check_device", "check_networks", "check_size", "with_code"]


def check_size(grid: Grid, allow_many: bool) -> None:
    """Raise InputError for a grid that is probably a mistake."""
    if len(grid) > MOST_CELLS and not allow_many:
        raise InputError(
            f"the grid has {len(grid):,} cells, more than {MOST_CELLS:,}; shorten its lists, or confirm with --yes "
            "(allow_many=True)"
        )


def check_device(
    kind: str, device: str, workers: int | None, replicas: int | None = None, *, here: bool = True
) -> None:
    """Raise InputError for a device that is unknown or, `here`, missing, no workers, or replicas that cannot be."""
    worker_count(workers)
    if replicas is not None and replicas < 1:
        raise InputError(
            f"replicas = {replicas}: must be at least 1; leave it out for the device's own number"
        )
    KINDS[kind].check_device(device, replicas, here=here)


def with_code(grid: Grid) -> Grid:
    """The grid with hashes of the files of the user's own classes, as a single run has them; each is checked."""
    sources = KINDS[grid.kind].sources(_configs(grid))
    if not sources:
        return grid
    return Grid(
        {**grid.fixed, **{f"sources.{name}": digest for name, digest in sources.items()}},
        grid.axes,
        grid.cases,
        grid.models,
    )


def _configs(grid: Grid) -> Iterator[Any]:
    for cell in grid.cells():
        yield cell.config


def check_data(
    tasks: Iterable[Task], data_folder: str | None, dataset: Dataset | None
) -> dict[str, tuple[int, ...]]:
    """The features of the data of all tasks, by their names; InputError if they cannot be had, or are too few."""
    seen, features = set(), {}
    for task in tasks:
        kind = KINDS[task.kind]
        wanted = kind.data_key(task.config)
        if wanted not in seen:
            seen.add(wanted)
            features[task.config.data] = kind.load_data(task.config, data_folder, dataset).features
    return features


def check_networks(tasks: Iterable[Task], device: str, features: Mapping[str, tuple[int, ...]]) -> None:
    """Raise InputError if a network cannot be built, or not in the precision that it asks for."""
    cells: dict[str, list[Any]] = {}
    for task in tasks:
        if task.part == "cells":
            cells.setdefault(task.kind, []).append(task.config)
    for kind, configs in cells.items():
        KINDS[kind].check_networks(configs, device, features)

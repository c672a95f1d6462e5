"""What can be known to go wrong before anything runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from homeonet.errors import InputError
from homeonet.machine.cores import worker_count
from homeonet.runs.images import load_images
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
    if kind == "plastic":
        from homeonet.plastic import GPU_DEVICES, known_device, require_gpu, toolchain_for

        if known_device(device) in GPU_DEVICES and here:
            require_gpu(device)
            toolchain_for(device)  # the compiler too, before any cell fails for it
    elif replicas not in (None, 1):
        raise InputError(
            f"replicas = {replicas}: only cells of the plastic network can be replicas; leave it out"
        )


def with_code(grid: Grid) -> Grid:
    """The grid with hashes of the files of the user's own classes, as a single run has them; each is checked."""
    if grid.kind != "gradient":
        return grid
    from homeonet.gradient.training import checked_own

    sources: dict[str, str] = {}
    seen = set()
    for cell in grid.cells():
        parts = cell.config.model_dump(include={"neuron", "neuron_options", "homeostasis", "net", "paradigm"})
        if repr(parts) not in seen:
            seen.add(repr(parts))
            sources |= checked_own(cell.config).sources
    if not sources:
        return grid
    return Grid(
        {**grid.fixed, **{f"sources.{name}": digest for name, digest in sources.items()}},
        grid.axes,
        grid.cases,
        grid.models,
    )


def check_data(tasks: Iterable[Task], data_folder: str | None) -> dict[str, tuple[int, ...]]:
    """The features of the data of all tasks, by their names; InputError if they cannot be had, or are too few."""
    from homeonet.data import EVENTS, load

    seen, features = set(), {}
    for task in tasks:
        config = task.config
        size = config.size if task.kind == "gradient" else config.input.side
        counts = {"train": config.train, "val": config.val, "test": config.test}
        steps = config.steps if task.kind == "gradient" and config.data.startswith(EVENTS) else None
        wanted = (config.data, size, steps, *counts.values())
        if wanted in seen:
            continue
        seen.add(wanted)
        if task.kind == "plastic":
            dataset = load_images(config, data_folder)
        else:
            dataset = load(
                config.data, size=size, seed=config.seed, folder=data_folder, steps=config.steps, **counts
            )
        features[config.data] = dataset.features
    return features


def check_networks(tasks: Iterable[Task], device: str, features: Mapping[str, tuple[int, ...]]) -> None:
    """Raise InputError if a network cannot be built, or not in the precision that it asks for."""
    seen = set()
    for task in tasks:
        if task.kind == "plastic":
            from homeonet.plastic import require_precision

            require_precision(task.config.simulation.precision, device)
        if task.kind != "gradient" or task.part != "cells":
            continue
        from homeonet.gradient.training import build

        of_data = ("seed", "data", "train", "val", "test", "epochs", "lr")
        described = task.config.model_dump(mode="json", exclude=set(of_data))
        network = json.dumps([described, features[task.config.data]], sort_keys=True)
        if network not in seen:
            seen.add(network)
            build(task.config, 10, features[task.config.data])

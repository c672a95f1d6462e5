"""Several runs as replicas of one network: one program trains them all, and each gets a folder as of ``run``.

A GPU is as good as idle with one small network, and takes hundreds in the time of one. On a CPU replicas save
nothing, but work too. Each replica has its own images, seed, sleep and noise, and the spikes of a run alone; what
its records hold of weights at the ends of segments is taken at other moments, since segments are common to all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from homeonet.config import Config
from homeonet.data import Dataset
from homeonet.errors import BusyError, DiskFullError, InputError, RunawayError
from homeonet.plastic import Recorder, Structure, Training
from homeonet.runs.folder import RunFolder
from homeonet.runs.images import load_images, presentation_order
from homeonet.runs.plastic import write_run

__all__ = ["groups_of", "run_together"]

#: Parameters in which replicas may differ: all others are one value in a network.
_OWN = ("preset", "seed", "data", "sleep", "noise", "guard", "pathway")


def groups_of(configs: Sequence[Config], most: int) -> list[list[Config]]:
    """Configurations that can be replicas of one network, at most `most` at a time, in their order."""
    groups: dict[Any, list[Config]] = {}
    for config in configs:
        groups.setdefault(_common(config), []).append(config)
    return [same[k : k + most] for same in groups.values() for k in range(0, len(same), most)]


def _common(config: Config) -> tuple[Any, ...]:
    """What replicas of one network have in common."""
    tables = config.to_dict()
    sleep = {name: tables["sleep"][name] for name in ("renormalisation", "every", "plastic")}
    rest = {name: value for name, value in tables.items() if name not in _OWN}
    return Structure.of(config), repr(sleep), repr(sorted(rest.items()))


def _records_nothing(config: Config) -> None:
    for name in config.record:
        raise InputError(f"record.{name}: runs that share a network record nothing; use --replicas 1")


def run_together(
    configs: Sequence[Config],
    folders: Sequence[Path],
    *,
    device: str = "auto",
    workers: int = 1,
    figures: bool = False,
    data_folder: str | Path | None = None,
    dataset: Dataset | None = None,
    ended: Callable[[int, Exception | None], None] = lambda *_: None,
) -> None:
    """Train configurations as replicas of one network; evaluate each and write its folder, without baselines.

    Parameters
    ----------
    configs : sequence of Config
        One group of those that `groups_of` makes.
    folders : sequence of Path
        The folder of each run; those that exist are left as they are.
    device, workers, figures, data_folder, dataset
        See :func:`homeonet.run`.
    ended : callable
        Told the position of each run as it ends: with None if its folder is complete, else with the reason.

    Raises
    ------
    DiskFullError
        If there is no space left; no other run could do better.
    """
    with ExitStack() as stack:
        mine = []
        for k, (config, folder) in enumerate(zip(configs, folders, strict=True)):
            if folder.exists():
                ended(k, None)
                continue
            try:
                _records_nothing(config)
                stack.enter_context(RunFolder(folder).locked())
            except (BusyError, InputError) as error:
                ended(k, error)
                continue
            mine.append((k, config, folder))
        if not mine:
            return
        configs = [config for _, config, _ in mine]
        # replicas with the same images share them
        shown: dict[tuple[Any, ...], tuple[Dataset, np.ndarray]] = {}
        keys = [(config.data, config.seed, config.input) for config in configs]
        for key, config in zip(keys, configs, strict=True):
            if key not in shown:
                images = load_images(config, data_folder, dataset)
                shown[key] = images, images.x_train[presentation_order(images.y_train, config)]
        data, orders = zip(*(shown[key] for key in keys), strict=True)
        training = Training(configs, orders, device)
        recorders = [Recorder(config, r) for r, config in enumerate(configs)]
        start = time.perf_counter()
        while not training.done:
            active, before = training.active, training.state()
            try:
                segment = training.advance()
            except RunawayError as error:  # the others do this segment again, without it
                training.restore(before)
                training.abandon(error.replica)
                ended(mine[error.replica][0], error)
                continue
            for r in active:
                recorders[r].add(segment)
        seconds = time.perf_counter() - start
        steps = sum(recorder.total_seconds for recorder in recorders) / training.dt
        for r, (k, _, folder) in enumerate(mine):
            if r in training.abandoned:
                continue
            own = recorders[r].total_seconds
            timing = {
                "simulated_seconds": own,
                "train_wall_seconds": seconds / len(mine),
                "steps_per_second": steps / training.loop_seconds,
                "realtime_factor": steps * training.dt / training.loop_seconds,
                "compile_seconds": training.engine.compile_seconds,
                "device": training.engine.device,
            }
            try:
                write_run(
                    RunFolder(folder),
                    training.finished[r],
                    recorders[r],
                    timing,
                    data[r],
                    workers=workers,
                    figures=figures,
                )
            except DiskFullError:
                raise
            except Exception as error:  # its own: the others go on
                ended(k, error)
            else:
                ended(k, None)

"""Several runs as replicas of one network: one program trains them all, and each gets a folder as of ``run``.

A GPU is as good as idle with one small network, and takes hundreds in the time of one. On a CPU replicas save
nothing, but work too. Each replica has its own images, seed, sleep and noise, and the spikes of a run alone; what
its records hold of weights at the ends of segments is taken at other moments, since segments are common to all.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from homeonet import store
from homeonet.config import PATHWAYS, Config
from homeonet.errors import BusyError, HomeonetError, RunawayError
from homeonet.plastic import Recorder, Structure, Training
from homeonet.runs import finish_run, load_images, presentation_order

__all__ = ["groups_of", "run_together"]

#: Parameters in which replicas may differ: all others are one value in a network.
_OWN = ("preset", "seed", "data", "sleep", "noise", "guard", *PATHWAYS)


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


def run_together(
    configs: Sequence[Config],
    folders: Sequence[Path],
    *,
    device: str = "auto",
    workers: int = 1,
    figures: bool = False,
    data_folder: str | Path | None = None,
    ended: Callable[[int, HomeonetError | None], None] = lambda *_: None,
) -> None:
    """Train configurations as replicas of one network; evaluate each and write its folder, without baselines.

    Parameters
    ----------
    configs : sequence of Config
        Of one group, as `groups_of` makes them.
    folders : sequence of Path
        Of each run; those that exist are left as they are.
    device, workers, figures, data_folder
        As of :func:`homeonet.run`.
    ended : callable
        Told the position of a run whose folder is complete, or that has run away and why.
    """
    with ExitStack() as stack, threadpool_limits(workers):
        mine = []
        for k, (config, folder) in enumerate(zip(configs, folders, strict=True)):
            if folder.exists():
                ended(k, None)
                continue
            try:
                stack.enter_context(store.locked(folder.parent / f".{folder.name}.lock"))
            except BusyError as error:
                ended(k, error)
                continue
            mine.append((k, config, folder))
        if not mine:
            return
        data = {k: load_images(config, data_folder) for k, config, _ in mine}
        orders: dict[tuple[str, int], Any] = {}  # replicas with the same images share them
        for k, config, _ in mine:
            orders.setdefault((config.data, config.seed), presentation_order(data[k].x_train, config))
        training = Training(
            [config for _, config, _ in mine], [orders[c.data, c.seed] for _, c, _ in mine], device
        )
        recorders = [Recorder(config, r) for r, (_, config, _) in enumerate(mine)]
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
        for r, (k, config, folder) in enumerate(mine):
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
            work = folder.parent / f".{folder.name}.partial"
            shutil.rmtree(work, ignore_errors=True)
            store.require_writable(work)
            store.write_atomically(work / "config.toml", lambda f, c=config: f.write(c.to_toml().encode()))
            finish_run(
                training.finished[r], recorders[r], timing, data[k], work, workers, figures, baselines=False
            )
            parts = ["config.toml", "metrics.json", "records.nc", *(["figures"] if figures else [])]
            store.publish_folder(work, folder, parts)
            ended(k, None)

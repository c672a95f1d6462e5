"""Runs a sweep: hands out what is to do, keeps what comes back, and can be stopped and started at any time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from homeonet import store
from homeonet.errors import DiskFullError, HomeonetError, InputError
from homeonet.sweep._cluster import connected, reaches
from homeonet.sweep._collect import open_sweep, write_tables
from homeonet.sweep._grid import MOST_CELLS, Grid
from homeonet.sweep._state import record, retry, split, sweep_status, write_grid
from homeonet.sweep._tasks import Outcome, Place, Task, perform, tasks_of

if TYPE_CHECKING:
    import xarray as xr
    from distributed import Client

__all__ = ["SweepResult", "Watcher", "sweep"]


class Watcher(Protocol):
    """Is told how a sweep goes."""

    def __call__(self, *, ended: int, running: int, failed: int) -> Any:
        """Pieces of work that have ended since the sweep began, that run now, and that failed."""


#: Called with the number of pieces to do and the dashboard's address, gives a context whose value is a watcher.
SweepMeter = Callable[[int, str], AbstractContextManager[Watcher]]


@dataclass(frozen=True)
class SweepResult:
    """A finished sweep.

    Attributes
    ----------
    folder : Path
    results : xarray.Dataset
        As :func:`open_sweep` gives it; failed cells are NaN.
    failed : dict of str to str
        The reason of each failed cell or baseline, by the path of its log.
    """

    folder: Path
    results: xr.Dataset
    failed: dict[str, str]


def sweep(
    grid: Grid,
    out: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    device: str = "auto",
    baselines: bool = True,
    figures: bool = False,
    data_folder: str | Path | None = None,
    retry_failed: bool = False,
    allow_many: bool = False,
    progress: SweepMeter | None = None,
) -> SweepResult:
    """Run every cell of a grid that is not done yet, and write the tables of results.

    Parameters
    ----------
    grid : Grid
    out : path
        The sweep's folder. Each cell is a folder ``cells/<hash of its configuration>``, exactly as :func:`run` or
        :func:`~homeonet.gradient.training.train` writes it. The same call continues an interrupted sweep; with a
        larger grid, it adds the cells that are new.
    workers : int, optional
        Processes on this machine, one thread each; all usable cores by default. No result depends on it.
    scheduler : str, optional
        Address of a running Dask scheduler to use instead, such as "tcp://host:8786". Its workers write to `out` if
        they can reach it, else they send their files.
    device : str
        As of :func:`run` (or, for gradient training, Lightning's accelerator).
    baselines : bool, default True
        Whether raw pixels and untrained networks are scored too, once for all cells that share them.
    figures : bool, default False
        Whether each cell's figures are drawn.
    data_folder : path, optional
        Where to look for images first.
    retry_failed : bool, default False
        Whether cells that failed before are run again.
    allow_many : bool, default False
        Whether a grid of more than 100 000 cells is meant.
    progress : callable, optional
        ``progress(total, dashboard)`` gives a context manager whose value is called as a :class:`Watcher`.

    Returns
    -------
    SweepResult

    Raises
    ------
    InputError
        Before anything runs: for an unknown parameter, an empty grid, a folder that holds something else or is
        being written by another sweep, data that cannot be had, a scheduler that cannot be reached.
    DiskFullError
        If there is no space left; nothing is lost.
    """
    if workers is not None and workers < 1:
        raise InputError(f"workers = {workers}: must be at least 1; leave it out to use all cores")
    check_size(grid, allow_many)
    cells = grid.cells()
    tasks = tasks_of(cells, grid.kind, baselines=baselines)
    folder = Path(out).resolve()
    data_folder = str(Path(data_folder).resolve()) if data_folder is not None else None
    check_data(tasks, data_folder)
    with store.disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with store.locked(folder.parent / f".{folder.name}.lock"):
        write_grid(folder, grid)
        if retry_failed:
            retry(folder)
        to_do = split(folder, tasks)[2]
        if to_do:
            with connected(scheduler, min(_cores(workers), len(to_do))) as client:
                place = Place(folder if reaches(client, folder) else None, device, data_folder, figures)
                _work(client, to_do, place, folder, progress)
        write_tables(folder)
    return SweepResult(folder, open_sweep(folder), sweep_status(folder).failed)


def check_size(grid: Grid, allow_many: bool) -> None:
    """Raise InputError for a grid that is probably a mistake."""
    if len(grid) > MOST_CELLS and not allow_many:
        raise InputError(
            f"the grid has {len(grid):,} cells, more than {MOST_CELLS:,}; shorten its lists, or confirm with --yes "
            "(allow_many=True)"
        )


def check_data(tasks: list[Task], data_folder: str | None) -> None:
    """Raise InputError if the images of a task cannot be had."""
    from homeonet.data import load

    seen = set()
    for task in tasks:
        config = task.config
        size = config.size if task.kind == "gradient" else config.input.side
        wanted = (config.data, size, config.train, config.val, config.test)
        if wanted not in seen:
            seen.add(wanted)
            load(
                wanted[0],
                size=size,
                train=wanted[2],
                val=wanted[3],
                test=wanted[4],
                seed=config.seed,
                folder=data_folder,
            )


def _work(client: Client, tasks: list[Task], place: Place, folder: Path, progress: SweepMeter | None) -> None:
    from distributed import as_completed

    # the configurations are small, and the cells are the work: all are queued at the scheduler
    futures = {
        client.submit(perform, task, place, key=f"{task.part}-{task.id}", pure=False, priority=-k): task
        for k, task in enumerate(tasks)
    }
    failed = 0
    with _meter(progress, len(tasks), client.dashboard_link) as watch:
        try:
            for ended, future in enumerate(as_completed(futures), start=1):
                outcome = _outcome(future, futures[future])
                if outcome.status == "stop":
                    raise DiskFullError(outcome.reason)
                record(folder, outcome)
                failed += outcome.status == "failed"
                slots = sum(client.nthreads().values())
                watch(ended=ended, running=min(slots, len(tasks) - ended), failed=failed)
                future.release()
        finally:
            client.cancel(list(futures))


def _outcome(future: Any, task: Task) -> Outcome:
    error = future.exception()
    if error is None:
        return future.result()
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        reason = "its worker died each time (killed, or out of memory)"
        return Outcome(task, "failed", reason, f"{reason}: {error}", host=str(error.last_worker.address))
    raise HomeonetError(f"the cluster stopped: {type(error).__name__}: {error}; run the same command again")


def _cores(workers: int | None) -> int:
    from homeonet._evaluation import worker_count

    return worker_count(workers)


@contextlib.contextmanager
def _meter(progress: SweepMeter | None, total: int, dashboard: str) -> Iterator[Watcher]:
    if progress is None:
        yield lambda **_: None
    else:
        with progress(total, dashboard) as watch:
            yield watch

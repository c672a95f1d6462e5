"""Runs a sweep: hands out what is to do, keeps what comes back, and can be stopped and started at any time."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from homeonet import store
from homeonet.data import Dataset
from homeonet.errors import HomeonetError
from homeonet.runs.kinds import KINDS
from homeonet.sweep._checks import check_data, check_device, check_networks, check_size, with_code
from homeonet.sweep._cluster import connected, in_order_of_end, on_one_thread, refuse_in_spawned_child
from homeonet.sweep._collect import results_table, write_tables
from homeonet.sweep._grid import Grid
from homeonet.sweep._state import record, retry, split, sweep_status, write_data, write_grid
from homeonet.sweep._tasks import Outcome, Task, Workplace, batches_of, perform, tasks_of

if TYPE_CHECKING:
    import xarray as xr
    from distributed import Client, Future

__all__ = ["SweepMeter", "SweepResult", "Watcher", "sweep"]

#: How the file begins by which a process knows the sweep's folder.
_SEEN = ".seen-"


class Watcher(Protocol):
    """Is told how a sweep goes, as pieces of work end and every few seconds between."""

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
        What :func:`open_sweep` gives; failed cells are NaN.
    failed : dict of str to str
        The reason of each failed cell or baseline, by the path of its log.
    """

    folder: Path
    results: xr.Dataset
    failed: dict[str, str]

    def _repr_html_(self) -> str:
        return sweep_status(self.folder)._repr_html_() + results_table(self.results)


def sweep(
    grid: Grid,
    out: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    patience: float = 300.0,
    device: str = "auto",
    replicas: int | None = None,
    baselines: bool = True,
    figures: bool = False,
    data_folder: str | Path | None = None,
    dataset: Dataset | None = None,
    retry_failed: bool = False,
    allow_many: bool = False,
    progress: SweepMeter | None = None,
) -> SweepResult:
    """Run every cell of a grid that is not done yet, and write the tables of results.

    A script that calls this needs ``if __name__ == "__main__":``, since workers on this machine import it.

    Parameters
    ----------
    grid : Grid
    out : path
        The sweep's folder. Each cell is a folder ``cells/<hash of its configuration>``, exactly as :func:`run` or
        :func:`homeonet.train` writes it. The same call continues an interrupted sweep; with a
        larger grid, it adds the cells that are new.
    workers : int, optional
        Processes on this machine, one thread each; all usable cores by default. No result depends on it.
    scheduler : str, optional
        Address of a running Dask scheduler to use instead, such as "tcp://host:8786". Its workers write to `out` if
        they can reach it, else they send their files.
    patience : float, default 300
        Seconds to wait for a worker of such a scheduler, at the start and whenever all are gone.
    device : str
        Device of :func:`run`, or Lightning's accelerator for gradient training.
    replicas : int, optional
        Cells of the plastic network that a process runs as one program, where they differ in nothing else than data,
        seed, sleep, noise and the parameters of pathways. Default: 256 on a GPU, else 1. An interrupted batch begins
        anew; no other result depends on it.
    baselines : bool, default True
        Whether raw pixels and untrained networks are scored too, once for all cells that share them.
    figures : bool, default False
        Whether each cell's figures are drawn.
    data_folder : path, optional
        Where to look for images first.
    dataset : Dataset, optional
        Data of one's own for all cells, in place of those that the grid names; see :func:`run` and
        :func:`homeonet.train`. They are written into the sweep's folder, which all workers must reach then.
    retry_failed : bool, default False
        Whether cells that failed before are run again.
    allow_many : bool, default False
        Whether a grid of more than 100 000 cells is meant.
    progress : callable, optional
        ``progress(total, dashboard)`` gives a context manager whose value is called as a :class:`Watcher`;
        ``live_table(out)`` is one for notebooks.

    Returns
    -------
    SweepResult

    Raises
    ------
    InputError
        Before anything runs: for an unknown parameter, an empty grid, a folder that holds something else or is
        being written by another sweep, data that cannot be had, a scheduler that cannot be reached, or one whose
        workers have several threads.
    HomeonetError
        If such a scheduler ends, or has no worker for `patience` seconds; the same call continues.
    DiskFullError
        If there is no space left; nothing is lost.
    KeyboardInterrupt
        By Ctrl-C, or when a notebook's kernel is interrupted: says that the same call continues.
    """
    refuse_in_spawned_child()
    check_size(grid, allow_many)
    check_device(grid.kind, device, workers, replicas, here=scheduler is None)
    grid = with_code(grid.with_models().with_data(data_folder, dataset))
    cells = grid.cells()
    tasks = tasks_of(cells, grid.kind, baselines=baselines)
    folder = Path(out).resolve()
    data_folder = str(Path(data_folder).resolve()) if data_folder is not None else None
    check_networks(tasks, device, check_data(tasks, data_folder, dataset))
    with store.disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with store.locked(folder.parent / f".{folder.name}.lock"):
        write_grid(folder, grid)
        if retry_failed:
            retry(folder)
        to_do = split(folder, tasks)[2]
        if to_do:
            data = None if dataset is None else write_data(folder, dataset)
            batches = batches_of(to_do, replicas or KINDS[grid.kind].replicas_on(device))
            with (
                _interruption_named(folder),
                connected(scheduler, min(_cores(workers), len(batches)), patience) as client,
                _seen(folder) as token,
            ):
                place = Workplace(folder, token, device, data_folder, data, figures, str(Path.cwd()))
                _work(client, batches, place, progress, None if scheduler is None else patience)
        return SweepResult(folder, write_tables(folder), sweep_status(folder).failed)


@contextlib.contextmanager
def _seen(folder: Path) -> Iterator[str]:
    """The name of a file by which a process knows the sweep's folder, while the sweep runs."""
    with store.disk_errors(folder):
        for left in folder.glob(f"{_SEEN}*"):  # by a sweep that was killed
            left.unlink()
        token = Path(tempfile.mkstemp(prefix=_SEEN, dir=folder)[1])
    try:
        yield token.name
    finally:
        token.unlink(missing_ok=True)


@contextlib.contextmanager
def _interruption_named(folder: Path) -> Iterator[None]:
    """Below the traceback of an interruption stands that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt as interruption:
        interruption.add_note(
            f"homeonet: {folder} is not complete; what is done is kept, and the same call continues"
        )
        raise


def _work(
    client: Client,
    batches: list[list[Task]],
    place: Workplace,
    progress: SweepMeter | None,
    patience: float | None,
) -> None:
    ended, failed, total = 0, 0, sum(map(len, batches))

    with _meter(progress, total, client.dashboard_link) as watch:

        def tell() -> None:
            slots = sum(client.nthreads().values())  # workers come and go
            running = min(sum(map(len, batches[:slots])), total - ended)
            watch(ended=ended, running=running, failed=failed)

        tell()
        for outcome in _outcomes(client, batches, place, patience, tell):
            if outcome.error is not None:
                raise outcome.error
            ended += 1
            failed += record(place.folder, outcome).status == "failed"
            tell()


def _outcomes(
    client: Client,
    batches: list[list[Task]],
    place: Workplace,
    patience: float | None,
    tell: Callable[[], None],
) -> Iterator[Outcome]:
    """How each task ended, in the order in which they do; `tell` is called every few seconds between."""
    from dask.tokenize import tokenize

    # two sweeps that share a scheduler must not share a task, and a sweep that is resumed should take up its own
    token = tokenize(str(replace(place, token="")))

    def submit(batch: list[Task], order: int, name: str = "") -> Future:
        identity = batch[0].id if len(batch) == 1 else tokenize([task.id for task in batch])
        key = f"{batch[0].part}-{identity}-{token}{name}"
        return client.submit(on_one_thread, perform, batch, place, key=key, priority=-order)

    # the configurations are small, and the cells are the work: all are queued at the scheduler
    futures = {submit(batch, k): batch for k, batch in enumerate(batches)}
    suspects: list[Task] = []
    try:
        for future in in_order_of_end(client, futures, patience, tell):
            outcomes = _result(future)
            if outcomes is None:
                suspects += futures[future]
            else:
                yield from outcomes
            future.release()
    finally:
        _cancel(client, list(futures))
    for task in suspects:  # who waits in the queue of a worker that dies is blamed with the one it worked on
        future = submit([task], 0, "-alone")
        try:
            (future,) = in_order_of_end(client, [future], patience, tell)
            outcomes = _result(future)
        finally:
            _cancel(client, [future])
        reason = "its worker died each time (killed, or out of memory)"
        yield from outcomes or [Outcome(task, "failed", reason, reason)]


def _cancel(client: Client, futures: list[Future]) -> None:
    """Take work back, where there still is somebody who has it."""
    if client.status == "running":
        with contextlib.suppress(OSError):
            client.cancel(futures)


def _result(future: Future) -> list[Outcome] | None:
    """How a batch ended; None if workers died of it, or beside it. CancelledError if its scheduler is gone."""
    from distributed import KilledWorker

    if future.cancelled():
        raise CancelledError
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, KilledWorker):
        return None
    if isinstance(error, HomeonetError):
        raise error
    raise HomeonetError(f"the cluster stopped: {type(error).__name__}: {error}; run the same command again")


def _cores(workers: int | None) -> int:
    from homeonet.machine.cores import worker_count

    return worker_count(workers)


@contextlib.contextmanager
def _meter(progress: SweepMeter | None, total: int, dashboard: str) -> Iterator[Watcher]:
    if progress is None:
        yield lambda **_: None
    else:
        with progress(total, dashboard) as watch:
            yield watch

"""The processes that work: a local Dask cluster, or any other that is running."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeonet._version import __version__
from homeonet.errors import HomeonetError, InputError
from homeonet.machine.scratch import scratch_folder

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

__all__ = ["connected", "in_order_of_end", "on_one_thread", "refuse_in_spawned_child"]

_ANSWER_SECONDS = 15
_LOOK_SECONDS = 5
#: Between two calls of who watches, where nothing ends.
_TELL_SECONDS = 2
_NOTICE_SECONDS = 3
#: Where a process that is started here says that it has come to start processes itself.
_UNGUARDED = "HOMEONET_UNGUARDED"
_GUARD = 'if __name__ == "__main__":'


@contextlib.contextmanager
def connected(scheduler: str | None, workers: int, patience: float) -> Iterator[Client]:
    """A client of the cluster at address `scheduler`, or of `workers` processes here that end with the block.

    `patience` is how many seconds to wait for a worker of such a cluster.

    Raises
    ------
    InputError
        If nothing answers at the address, workers there have another version of this package or several threads, or
        the calling script has no guard against being run again by the processes that it starts.
    HomeonetError
        If no worker joins, or the scheduler ends before the block does.
    """
    import dask
    from distributed import Client, LocalCluster

    # a task whose workers die three times is a failed cell; its reruns are not worth a line each
    options = {
        "distributed.scheduler.allowed-failures": 2,
        "distributed.comm.timeouts.connect": f"{_ANSWER_SECONDS}s",
    }
    # clients are not the default: one of two sweeps in a process would stay the scheduler of all of dask
    with dask.config.set(options), _quiet_logs:
        if scheduler is None:
            with scratch_folder() as scratch:
                with _deaf_to_interrupts(), _guard_named(scratch):
                    cluster = LocalCluster(
                        n_workers=workers,
                        threads_per_worker=1,
                        processes=True,
                        host="127.0.0.1",  # nobody else's business
                        dashboard_address="127.0.0.1:0",
                        memory_limit=0,
                        local_directory=str(scratch),
                        silence_logs=logging.CRITICAL,
                    )
                with cluster, Client(cluster, set_as_default=False) as client, _kept_up(cluster, workers):
                    yield client
            return
        try:
            client = Client(scheduler, timeout=f"{_ANSWER_SECONDS}s", set_as_default=False)
        except (OSError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise InputError(
                f"scheduler = {scheduler!r} cannot be reached ({reason}); start one with `dask scheduler`, and give "
                "its address as tcp://HOST:8786"
            ) from None
        with client, _end_named(client, client.scheduler.address):
            _check_workers(client, patience)
            yield client


@contextlib.contextmanager
def _end_named(client: Client, address: str) -> Iterator[None]:
    """What goes wrong because the scheduler is gone, as one line that says so."""
    try:
        yield
    except (OSError, CancelledError):
        end = time.monotonic() + _NOTICE_SECONDS
        while client.status == "running":  # a call that fails may know before the client does
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        raise HomeonetError(
            f"the scheduler at {address} is gone; start it and its workers, and run the same command again: what was "
            "done is kept"
        ) from None


class _QuietLogs:
    """No lines of Dask about what is said here in one, while any sweep of this process runs."""

    def __init__(self) -> None:
        self._lock, self._sweeps, self._levels = threading.Lock(), 0, dict[str, int]()

    def __enter__(self) -> None:
        with self._lock:
            self._sweeps += 1
            for name in ("distributed", "tornado", *logging.root.manager.loggerDict):
                if name.partition(".")[0] in ("distributed", "tornado"):
                    logger = logging.getLogger(name)
                    self._levels.setdefault(name, logger.level)
                    logger.setLevel(logging.CRITICAL + 1)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._sweeps -= 1
            while self._levels and not self._sweeps:
                name, level = self._levels.popitem()
                logging.getLogger(name).setLevel(level)


_quiet_logs = _QuietLogs()


def in_order_of_end(
    client: Client, futures: Iterable[Future], patience: float | None, tell: Callable[[], Any]
) -> Iterator[Future]:
    """Futures as they end; HomeonetError where there has been no worker for `patience` seconds (None: for ever).

    `tell` is called every few seconds in which none ends.
    """
    waiting, ended = 0, queue.SimpleQueue[Any]()
    for future in futures:
        future.add_done_callback(ended.put)
        waiting += 1
    last_seen = time.monotonic()
    look = _TELL_SECONDS if patience is None else min(_TELL_SECONDS, max(patience / 4, 0.05))
    while waiting:
        try:
            future = ended.get(timeout=look)
        except queue.Empty:
            if patience is None or client.nthreads():
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > patience:
                address = client.scheduler.address
                raise HomeonetError(
                    f"the scheduler {address} has had no worker for {patience:g} s; start some with `dask worker "
                    f"{address} --nthreads 1`, and run the same command again: it continues where this one stopped"
                ) from None
            tell()
            continue
        last_seen = time.monotonic()
        waiting -= 1
        yield future


def on_one_thread(work: Callable[..., Any], *arguments: Any) -> Any:
    """Call `work` in a worker; InputError if it has several threads, as one that has joined late may have.

    Random numbers and the settings of libraries belong to a whole process: what cells compute beside each other in
    one would not be what they compute alone.
    """
    from distributed import get_worker

    worker = get_worker()
    _check_threads({worker.address: worker.state.nthreads})
    return work(*arguments)


def _check_threads(found: dict[str, int]) -> None:
    for address, threads in found.items():
        if threads != 1:
            raise InputError(
                f"the worker at {address} has {threads} threads, and a sweep needs workers of one thread each; start "
                "it with --nthreads 1 (and --nworkers for several)"
            )


def refuse_in_spawned_child() -> None:
    """End a process that a sweep has started, and that comes to start the sweep again as it imports the script."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        with contextlib.suppress(KeyError, OSError):
            Path(os.environ[_UNGUARDED]).touch()
        os._exit(1)


@contextlib.contextmanager
def _guard_named(scratch: Path) -> Iterator[None]:
    """One line where processes cannot be started, as they run a script again that does not expect it."""
    sign = scratch / "unguarded"
    os.environ[_UNGUARDED] = str(sign)
    try:
        yield
    except RuntimeError as error:
        if sign.exists():
            raise InputError(
                "sweep() is called when the script is imported, which its worker processes do; put the call below "
                f"`{_GUARD}`"
            ) from None
        raise HomeonetError(
            f"the worker processes could not be started ({error}); if a script calls sweep(), it must be able to be "
            f"imported: put what it does below `{_GUARD}`"
        ) from None
    finally:
        os.environ.pop(_UNGUARDED, None)


@contextlib.contextmanager
def _kept_up(cluster: LocalCluster, workers: int) -> Iterator[None]:
    """Starts workers again that nobody else would: one that dies while it starts is given up by who restarts it."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_LOOK_SECONDS):
            cluster.scale(workers)  # as many as before: only those that are gone are started

    thread = threading.Thread(target=watch, name="homeonet-workers", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes that are started meanwhile never hear Ctrl-C, which is for us; for these seconds neither do we."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _check_workers(client: Client, patience: float) -> None:
    try:
        client.wait_for_workers(1, timeout=patience)
    except TimeoutError:
        raise HomeonetError(
            f"no worker joined the scheduler {client.scheduler.address} in {patience:g} s; start some with "
            f"`dask worker {client.scheduler.address} --nthreads 1`, or wait longer with --patience"
        ) from None
    found = client.run(_version, on_error="return")
    for address, version in found.items():
        if version != __version__:
            what = (
                f"has homeonet {version}"
                if isinstance(version, str)
                else f"cannot import homeonet ({version})"
            )
            raise InputError(f"the worker at {address} {what}; install homeonet {__version__} there")
    _check_threads(client.nthreads())


def _version() -> str:
    from homeonet._version import __version__ as version

    return version

"""The processes that work: a local Dask cluster, or any other that is running."""

from __future__ import annotations

import contextlib
import logging
import signal
import tempfile
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from homeonet._version import __version__
from homeonet.errors import HomeonetError, InputError

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

__all__ = ["connected"]

_ANSWER_SECONDS = 15
_LOOK_SECONDS = 5


@contextlib.contextmanager
def connected(scheduler: str | None, workers: int, patience: float) -> Iterator[Client]:
    """A client of the cluster at address `scheduler`, or of `workers` processes here that end with the block.

    `patience` is how many seconds to wait for a worker of such a cluster.

    Raises
    ------
    InputError
        If nothing answers at the address, or workers there have another version of this package.
    HomeonetError
        If no worker joins.
    """
    import dask
    from distributed import Client, LocalCluster

    # a task whose workers die three times is a failed cell; its reruns are not worth a line each
    options = {
        "distributed.scheduler.allowed-failures": 2,
        "distributed.comm.timeouts.connect": f"{_ANSWER_SECONDS}s",
    }
    # clients are not the default: one of two sweeps in a process would stay the scheduler of all of dask
    with dask.config.set(options):
        if scheduler is None:
            with tempfile.TemporaryDirectory(prefix="homeonet-") as scratch:
                with _deaf_to_interrupts():
                    cluster = LocalCluster(
                        n_workers=workers,
                        threads_per_worker=1,
                        processes=True,
                        host="127.0.0.1",  # nobody else's business
                        dashboard_address="127.0.0.1:0",
                        memory_limit=0,
                        local_directory=scratch,
                        silence_logs=logging.CRITICAL,
                    )
                with cluster, Client(cluster, set_as_default=False) as client, _kept_up(cluster, workers):
                    yield client
            return
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            client = Client(scheduler, timeout=f"{_ANSWER_SECONDS}s", set_as_default=False)
        except (OSError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise InputError(
                f"scheduler = {scheduler!r} cannot be reached ({reason}); start one with `dask scheduler`, and give "
                "its address as tcp://HOST:8786"
            ) from None
        with client:
            _check_workers(client, patience)
            yield client


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


def _version() -> str:
    from homeonet._version import __version__ as version

    return version

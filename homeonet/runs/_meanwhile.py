"""Work that goes on in a thread while this one waits for something else, and ends with the block that it belongs to."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Any

__all__ = ["Meanwhile", "import_late_modules", "timed"]

#: What readouts and figures need, which takes seconds to import.
_FOR_READOUTS = ("linear_model", "model_selection", "decomposition", "metrics", "neighbors")
_FOR_FIGURES = ("sklearn.manifold", "homeonet.plotting")


class _StoppedError(Exception):
    """Nobody waits for the result any more."""


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Note in `seconds` how long the block takes, as ``seconds.<name>``."""
    began = time.perf_counter()
    yield
    seconds[f"seconds.{name}"] = time.perf_counter() - began


def import_late_modules(check: Callable[[Any], None], figures: bool) -> None:
    """Import what the end of a run needs, for figures too if they are wanted."""
    for name in (*(f"sklearn.{part}" for part in _FOR_READOUTS), *(_FOR_FIGURES if figures else ())):
        importlib.import_module(name)
        check(name)


class Meanwhile:
    """At most one piece of work beside a block.

    Attributes
    ----------
    seconds : float
        What the work has taken, once its result is there.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="homeonet-meanwhile")
        self._future: Future | None = None
        self._stopped = threading.Event()

    def __enter__(self) -> Meanwhile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)

    def start(self, work: Callable[[Callable[[Any], None]], Any]) -> None:
        """Begin ``work(check)``; it calls `check` often, with anything, and lets what that raises pass."""

        def timed() -> Any:
            began = time.perf_counter()
            try:
                return work(self._check)
            finally:
                self.seconds = time.perf_counter() - began

        self._future = self._pool.submit(timed)

    def result(self) -> Any:
        """What the work gave, waited for; None if none was begun. An exception of the work is raised here."""
        return None if self._future is None else self._future.result()

    def _check(self, _: Any) -> None:
        if self._stopped.is_set():
            raise _StoppedError

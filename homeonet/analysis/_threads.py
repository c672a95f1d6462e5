"""One thread for the linear algebra of readouts and embeddings.

Their matrices are small: a second thread costs more than it brings, many times more where another process uses its
core, and the last bits of sums depend on how many there are.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

__all__ = ["one_thread"]

_LOCK = threading.RLock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Within the block BLAS and OpenMP take one thread; the limit is the process's, so blocks exclude each other."""
    import sklearn.linear_model  # noqa: F401  loads all libraries there are to limit

    with _LOCK, threadpool_limits(1):
        yield

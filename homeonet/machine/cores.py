"""The cores that a process may use."""

from __future__ import annotations

import os

from homeonet.errors import InputError

__all__ = ["usable_cores", "worker_count"]


def usable_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worker_count(workers: int | None) -> int:
    """A number of workers, all usable cores for None; raises InputError for one that is too low."""
    if workers is not None and workers < 1:
        raise InputError(f"workers = {workers}: must be at least 1; leave it out to use all cores")
    return workers or usable_cores()

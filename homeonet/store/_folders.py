"""Folders of results: written by one process at a time, and there only when they are complete."""

from __future__ import annotations

import contextlib
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from homeonet.errors import BusyError
from homeonet.store._atomic import disk_errors
from homeonet.store.checksums import SUMS, sums_of

__all__ = ["locked", "publish_folder", "whole_folder"]


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock file `path`, as only one process at a time can; it is gone when the block ends.

    A process that dies frees its lock with it; the file it leaves behind stops nobody.

    Parameters
    ----------
    wait : bool, default False
        Whether to wait for another process that holds it.

    Raises
    ------
    BusyError
        If another process holds it, unless `wait`.
    """
    import fcntl  # not on Windows

    while True:
        with disk_errors(path):
            file = path.open("w", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.close()
            raise BusyError(
                f"{path} is held by another process that writes this folder; wait for it or choose another folder"
            ) from None
        except OSError:
            warnings.warn(
                f"the file system of {path.parent} has no locks: see to it that no other process writes there",
                stacklevel=3,
            )
            break
        # the process before us may have deleted the file after we had opened it
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                break
        file.close()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        file.close()


def whole_folder(final: Path, fill: Callable[[Path], Any]) -> None:
    """Have `fill` write the files of a folder that appears under `final` when all are on disk; once only."""
    with disk_errors(final):
        if final.exists():
            return
        final.parent.mkdir(parents=True, exist_ok=True)
    work = final.parent / f".{final.name}.partial"
    with locked(final.parent / f".{final.name}.lock"):
        with disk_errors(final):
            if final.exists():  # the process that had the lock before us has written it
                return
            shutil.rmtree(work, ignore_errors=True)  # of an attempt that was killed
            work.mkdir()
        try:
            fill(work)
            publish_folder(work, final, [path.name for path in work.iterdir()])
        finally:
            shutil.rmtree(work, ignore_errors=True)


def publish_folder(temporary: Path, final: Path, parts: Sequence[str]) -> None:
    """Give a folder its final name once its `parts` are on disk, with their checksums; all else in it is deleted.

    `final` must not exist. Checksums that are a part already, since all comes from elsewhere, are kept.
    """
    with disk_errors(final):
        if SUMS not in parts:
            files = sorted(name for name in parts if (temporary / name).is_file())
            (temporary / SUMS).write_bytes(sums_of(temporary, files))
            parts = [*parts, SUMS]
        for path in temporary.rglob("*"):
            if path.is_file() and path.relative_to(temporary).parts[0] in parts:
                _sync(path)
        for path in temporary.iterdir():
            if path.name not in parts:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        temporary.rename(final)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())

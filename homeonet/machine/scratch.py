"""Folders for what is needed only while a process works, in the temporary folder; what a killed one left is removed.

A folder belongs to who holds the lock of a file in it, and the system frees the lock of a process that dies.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

__all__ = ["scratch_folder"]

_PREFIX = "homeonet-"
_OWNER = ".owner"
#: A folder without a lock is that of a process killed as it made the folder, unless it is as young as this.
_ABANDONED_SECONDS = 3600.0


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder that is gone with the block, or with the next one's start if this process is killed."""
    _remove_leftovers(Path(tempfile.gettempdir()))
    folder, lock = _made()
    try:
        yield folder
    finally:
        _remove(folder)
        lock.close()


def _made() -> tuple[Path, IO[bytes]]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        lock = _locked(folder / _OWNER, create=True)
        if lock is not None:
            return folder, lock


def _locked(path: Path, *, create: bool = False) -> IO[bytes] | None:
    """The file `path`, open and locked; None where it is gone or another process has it.

    Where a file system has no locks, a file that is created counts as locked, and no other ever does.
    """
    import fcntl  # not on Windows

    try:
        file = path.open("xb" if create else "rb")
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if create else fcntl.LOCK_NB))
    except OSError:
        if create:
            return file
        file.close()
        return None
    # between opening and locking, who removes leftovers may have taken a new folder for one
    with contextlib.suppress(OSError):
        if os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return file
    file.close()
    return None


def _remove_leftovers(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                continue
            lock = _locked(folder / _OWNER)
            if lock is not None:
                with lock:
                    _remove(folder)
            elif time.time() - status.st_mtime > _ABANDONED_SECONDS:
                folder.rmdir()  # only an empty one: any other may be a running process's, or no scratch at all


def _remove(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != _OWNER:  # the last to go: without it, nobody would know what the rest is
            shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True) if not path.is_dir() else None
    if {path.name for path in folder.iterdir()} <= {_OWNER}:
        shutil.rmtree(folder, ignore_errors=True)

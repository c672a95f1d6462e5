"""Writes files whole or not at all: under a temporary name, synced to disk, then renamed."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from homeonet.errors import DiskFullError, InputError

__all__ = ["disk_errors", "require_writable", "write_atomically", "write_bytes", "write_json", "write_text"]

_UMASK = os.umask(0)  # it can only be read by changing it, which is nothing for later, beside other threads
os.umask(_UMASK)


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the system's errors about `path` into one line with a remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFullError(
                f"no space left to write {path}; free some and run the same command again"
            ) from None
        reason = error.strerror or str(error)
        raise InputError(f"{path} cannot be written ({reason}); choose another folder") from None


def require_writable(folder: Path) -> None:
    """Create `folder` and check that files can be written there, before any long work."""
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())


def write_atomically(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Have `write` fill a file that appears under `path` only when it is complete and on disk."""
    with disk_errors(path):
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            os.chmod(temporary, 0o666 & ~_UMASK)  # mkstemp makes private files
            with os.fdopen(handle, "wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def write_bytes(path: Path, contents: bytes) -> None:
    """Write a whole file."""
    write_atomically(path, lambda file: file.write(contents))


def write_text(path: Path, text: str) -> None:
    """Write a whole file of text."""
    write_bytes(path, text.encode())


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a flat mapping as JSON; numbers that are not finite become null."""
    clean = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}
    write_text(path, json.dumps(clean, indent=1) + "\n")

"""Writes results whole or not at all: under a temporary name, synced to disk, then renamed.

Nothing here knows what the results mean.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import math
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from homeonet.errors import BusyError, DiskFullError, InputError
from homeonet.store.checksums import SUMS, read_verified, sums_of

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "disk_errors",
    "load_records",
    "locked",
    "publish_folder",
    "require_writable",
    "whole_folder",
    "write_atomically",
    "write_json",
    "write_records",
]


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


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a flat mapping as JSON; numbers that are not finite become null."""
    clean = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}
    write_atomically(path, lambda file: file.write((json.dumps(clean, indent=1) + "\n").encode()))


def write_records(path: Path, records: xr.Dataset) -> None:
    """Write an xarray Dataset as compressed NetCDF 4, in one piece.

    The file is made in memory: HDF5 crashes the process where a disk fills up under it.
    """
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    contents = io.BytesIO()
    written = records.copy()
    for variable in written.variables.values():
        variable.encoding = {"zlib": True, "complevel": 4} if variable.ndim else {}
    with h5netcdf.File(contents, "w") as file:
        written.dump_to_store(H5NetCDFStore(file))
    write_atomically(path, lambda file: file.write(contents.getbuffer()))


def load_records(folder: str | Path) -> xr.Dataset:
    """Open the records of a run's folder.

    Raises
    ------
    InputError
        If the folder holds no readable records, or they are not those that were written.
    """
    import xarray as xr

    path = Path(folder) / "records.nc"
    try:
        # from memory: HDF5 locks the files that it opens, which some file systems cannot
        return xr.load_dataset(io.BytesIO(read_verified(path)), engine="h5netcdf")
    except InputError:
        raise
    except Exception as error:  # what HDF5 makes of damaged bytes is open-ended
        reason = " ".join(str(error).split())
        raise InputError(f"{path} cannot be read ({reason}); give the folder of a finished run") from None


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

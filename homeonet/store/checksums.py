"""Checksums of results: written beside them in `SHA256SUMS`, as `sha256sum -c` reads it, and verified by every reader.

A folder without that file, of an older version, is read as it is; figures are not covered, they can be redrawn.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from homeonet.errors import InputError
from homeonet.store._atomic import disk_errors, write_bytes
from homeonet.store.pointers import refuse_pointer

__all__ = ["SUMS", "read_verified", "sealed", "sums_of", "verify"]

#: The file's name.
SUMS = "SHA256SUMS"
#: More than any pointer of Git LFS has.
_POINTER_BYTES = 4096
_LINE = re.compile(r"([0-9a-f]{64})  ([^/\n]+)\n")


def sums_of(folder: Path, names: Iterable[str]) -> bytes:
    """The contents of `SHA256SUMS` for some files of a folder."""
    return _text({name: _digest(folder / name) for name in names})


@contextlib.contextmanager
def sealed(folder: Path, names: Iterable[str]) -> Iterator[None]:
    """Files `names` of a folder may be written in this block, and have their checksums when it ends."""
    path, names = folder / SUMS, list(names)
    with disk_errors(path):
        try:
            known = dict(_known(path) or {})
        except InputError:  # of other files nothing can be said any more
            known = {}
        for name in names:
            known.pop(name, None)
        # while a file is written, no checksum of the one before it may stand
        if known:
            write_bytes(path, _text(known))
        else:
            path.unlink(missing_ok=True)
    yield
    there = [name for name in names if (folder / name).is_file()]
    write_bytes(path, _text(known) + sums_of(folder, there))


def read_verified(path: str | Path) -> bytes:
    """The contents of a result's file, if they are those that were written.

    Raises
    ------
    InputError
        If they are not.
    OSError
        If the file cannot be read.
    """
    path = Path(path)
    contents = path.read_bytes()
    refuse_pointer(path, contents)
    _compare(path, hashlib.sha256(contents).hexdigest())
    return contents


def verify(path: str | Path) -> None:
    """Raise InputError if the file of a result is there, and is not what was written; of any size."""
    path = Path(path)
    with contextlib.suppress(OSError):  # who reads it says so better
        with path.open("rb") as file:
            refuse_pointer(path, file.read(_POINTER_BYTES))
        _compare(path, _digest(path))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _compare(path: Path, digest: str) -> None:
    known = _known(path.parent / SUMS)
    if known is not None and known.get(path.name) != digest:
        what = "is not what was written" if path.name in known else "is not listed"
        raise InputError(
            f"{path} is damaged or was changed: by {SUMS} beside it, it {what}; restore it from a copy, or "
            "delete its folder and run again"
        )


def _text(known: Mapping[str, str]) -> bytes:
    return "".join(f"{digest}  {name}\n" for name, digest in known.items()).encode()


def _known(path: Path) -> dict[str, str] | None:
    """The checksums in a file, by name; None if there is none."""
    try:
        contents = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); restore it from a copy") from None
    refuse_pointer(path, contents)
    lines = contents.decode("utf-8", "replace").splitlines(keepends=True)
    found = [_LINE.fullmatch(line) for line in lines]
    if not lines or not all(found):
        raise InputError(
            f"{path} is damaged: it is no list of checksums; restore it from a copy, or delete it to read the "
            "results beside it unverified"
        )
    return {match[2]: match[1] for match in found if match}

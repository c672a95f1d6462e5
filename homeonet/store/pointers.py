"""Files that are not there, only what Git LFS puts in their place until it is asked for them."""

from __future__ import annotations

import os

from homeonet.errors import InputError

__all__ = ["POINTER", "is_pointer", "refuse_pointer"]

#: How such a file begins.
POINTER = b"version https://git-lfs"


def is_pointer(contents: bytes) -> bool:
    """Whether a file of such contents, of which the beginning is enough, is a pointer of Git LFS."""
    return contents.startswith(POINTER)


def refuse_pointer(
    path: str | os.PathLike[str], contents: bytes, remedy: str = "run `git lfs pull` where it lies"
) -> None:
    """Raise InputError if a file of such contents is a pointer of Git LFS."""
    if is_pointer(contents):
        raise InputError(f"{path} is a Git LFS pointer and not the file itself; {remedy}")

"""Files that are not there, only what Git LFS puts in their place until it is asked for them."""

from __future__ import annotations

import os

from homeonet.errors import InputError

__all__ = ["refuse_pointer"]

_POINTER = b"version https://git-lfs.github.com/"


def refuse_pointer(
    path: str | os.PathLike[str], contents: bytes, remedy: str = "run `git lfs pull` where it lies"
) -> None:
    """Raise InputError if a file of such contents is a pointer of Git LFS."""
    if contents[: len(_POINTER)] == _POINTER:
        raise InputError(f"{path} is a Git LFS pointer and not the file itself; {remedy}")

"""Where data of one's own lie: ``images:FOLDER``, ``array:FILE.npz``, ``events:…``, found, made absolute and hashed.

A configuration names them by an absolute path and a hash of their content, ``images:/home/me/pictures#3f2a9b51c07d``,
so that a run's identity changes with the data. Opening a finished run looks at none of this.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from homeonet.errors import InputError
from homeonet.store.pointers import POINTER, is_pointer

__all__ = [
    "ARRAY",
    "EVENTS",
    "IMAGES",
    "check_digest",
    "file_digest",
    "find",
    "is_own",
    "refuse_pointer",
    "short",
    "split_digest",
]

#: ``data = "images:FOLDER"``, ``data = "array:FILE.npz"``, ``data = "events:NAME"``.
IMAGES, ARRAY, EVENTS = "images:", "array:", "events:"
_DIGITS = 12
_DIGEST = re.compile(rf"#[0-9a-f]{{{_DIGITS}}}")
_EXAMPLES = {"images": "FOLDER", "array": "FILE.npz", "events": "nmnist"}


def is_own(name: object) -> bool:
    """Whether `name` is the name of data of the user's own."""
    return isinstance(name, str) and name.startswith((IMAGES, ARRAY, EVENTS))


def split_digest(name: str) -> tuple[str, str | None]:
    """A name without its hash, and the hash."""
    found = _DIGEST.fullmatch(name[-_DIGITS - 1 :])
    return (name[: -_DIGITS - 1], name[-_DIGITS:]) if found else (name, None)


def short(digest: str) -> str:
    """The part of a hash that a configuration holds."""
    return digest[:_DIGITS]


def check_digest(name: str, wanted: str | None, digest: str) -> None:
    """Raise InputError if data are not what they were when their hash was taken."""
    if wanted is not None and wanted != short(digest):
        plain = split_digest(name)[0]
        raise InputError(
            f"data = {name!r}: what lies there has changed, its hash is {short(digest)} now; restore it, or give "
            f"data = {plain!r} and another output folder"
        )


def find(name: str, folder: str | os.PathLike[str] | None) -> Path:
    """The absolute path in `name`, which lies below `folder`, the current folder or ``$HOMEONET_DATA`` if relative.

    Raises
    ------
    InputError
        If there is nothing: says where it was looked for.
    """
    prefix, _, text = name.partition(":")
    given = split_digest(text)[0] or "."
    if not text:
        raise InputError(f"data = {name!r}: no path; write {prefix}:{_EXAMPLES[prefix]}")
    if prefix == "array" and re.fullmatch(r"[0-9a-f]{16}", text) and not Path(text).exists():
        raise InputError(
            f"data = {name!r} stands for a data set given from Python; pass it again as dataset=…"
        )
    try:
        path = Path(given).expanduser()
    except RuntimeError:
        raise InputError(f"data = {name!r}: there is no such user's home; give an absolute path") from None
    environment = os.environ.get("HOMEONET_DATA")
    roots = [Path(root).expanduser() for root in (folder, Path.cwd(), environment) if root]
    places = [path] if path.is_absolute() else [root / path for root in roots]
    try:
        for place in places:
            if place.exists():
                return Path(os.path.abspath(place))
    except (OSError, ValueError) as error:
        raise InputError(f"data = {name!r}: the path cannot be used ({error}); correct it") from None
    looked = (
        "" if path.is_absolute() else f" (looked for in {', '.join(str(root.absolute()) for root in roots)})"
    )
    raise InputError(
        f"data = {name!r}: {given} does not exist{looked}; correct the path, or give an absolute one"
    )


def refuse_pointer(path: Path, name: str, head: bytes | None = None) -> None:
    """Raise InputError if a file is what Git leaves in place of a large one."""
    if head is None:
        try:
            with path.open("rb") as file:
                head = file.read(len(POINTER))
        except OSError as error:
            raise InputError(
                f"data = {name!r}: {path} cannot be read ({error.strerror}); give a readable file"
            ) from None
    if is_pointer(head):
        raise InputError(
            f"data = {name!r}: {path} is a Git-LFS pointer, not the file itself; fetch it with `git lfs pull`"
        )


def file_digest(path: Path, name: str) -> str:
    """SHA-256 of a file in hexadecimal digits."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"data = {name!r}: {path} cannot be read ({error.strerror}); give a readable file"
        ) from None

"""Where what this package compiles is kept, and how far that is believed.

A program from the cache is run with the user's rights, and its numbers are published: it is taken only from a folder
of the user's own, and only as it was when it was built. Checksums of all files are written beside them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from homeonet.errors import InputError

__all__ = ["cache_root", "is_sound", "private_folder", "remove", "seal"]

#: In the format of the command ``sha256sum``.
_SEAL = "SHA256SUMS"


def cache_root() -> Path:
    """``$HOMEONET_CACHE``, or the user's cache folder; for a user without a home, one in the temporary folder."""
    given = os.environ.get("HOMEONET_CACHE")
    try:
        path = Path(given).expanduser() if given else Path(platformdirs.user_cache_dir("homeonet"))
    except RuntimeError:  # no home
        if given:
            raise InputError(
                f"HOMEONET_CACHE = {given!r}: this user has no home folder; give an absolute path"
            ) from None
        path = Path("~")
    if not given and str(path).startswith("~"):
        return Path(tempfile.gettempdir(), f"homeonet-{os.geteuid()}")
    return Path(os.path.abspath(path))  # other processes may work in other folders


def private_folder(path: Path) -> None:
    """Create a folder that nobody else can write to; InputError if it is there and somebody else's."""
    path.mkdir(parents=True, exist_ok=True)
    if not _is_own(path):
        raise InputError(
            f"the cache folder {path} belongs to another user (number {path.stat().st_uid}), whose programs are not "
            "run; set HOMEONET_CACHE to a folder of your own"
        )
    if path.stat().st_uid == os.geteuid():
        os.chmod(path, stat.S_IMODE(path.stat().st_mode) & ~0o022)


def seal(folder: Path, names: Sequence[str]) -> None:
    """Write the checksums of the files `names` of a folder into it, and let only its owner change them."""
    lines = [f"{_checksum(folder / name)}  {name}\n" for name in sorted(names)]
    (folder / _SEAL).write_text("".join(lines), encoding="utf-8")
    for path in (folder, *folder.iterdir()):
        os.chmod(path, stat.S_IMODE(path.stat().st_mode) & ~0o022)


def is_sound(folder: Path, names: Sequence[str]) -> bool:
    """Whether a folder is the user's own and holds the files `names` as they were when it was sealed."""
    try:
        sealed = (folder / _SEAL).read_text(encoding="utf-8").splitlines()
        return all(_is_own(path) for path in (folder, *(folder / name for name in names))) and sealed == [
            f"{_checksum(folder / name)}  {name}" for name in sorted(names)
        ]
    except (OSError, UnicodeDecodeError):  # missing, unreadable, of another kind
        return False


def remove(path: Path) -> None:
    """Move a file or folder out of the way in one step, then delete it as far as this user may."""
    aside = Path(tempfile.mkdtemp(prefix=".removed-", dir=path.parent))
    path.rename(aside / path.name)
    shutil.rmtree(aside, ignore_errors=True)


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_own(path: Path) -> bool:
    status = path.stat()
    foreign = status.st_uid not in (os.geteuid(), 0)
    return not foreign and (path.is_dir() or not status.st_mode & 0o022)

"""Data of one's own by name: a folder of images, a file of arrays, recordings of events. Draws on their readers."""

from __future__ import annotations

import os

from homeonet.data._arrays import read_arrays
from homeonet.data._dataset import Dataset
from homeonet.data._folder import image_tree, read_images
from homeonet.data._paths import (
    EVENTS,
    IMAGES,
    check_digest,
    file_digest,
    find,
    is_own,
    short,
    split_digest,
)
from homeonet.data._recordings import load_recording, pinned_recording
from homeonet.data._select import chosen_images
from homeonet.data._series import SERIES, series_file
from homeonet.errors import InputError

__all__ = ["load_own", "pinned"]


def pinned(name: str, folder: str | os.PathLike[str] | None = None) -> str:
    """The name of data of one's own with an absolute path and a hash of what lies there; other names as they are.

    Parameters
    ----------
    name : str
        ``data`` of a configuration.
    folder : path or None
        Where a relative path is looked for first.

    Raises
    ------
    InputError
        If there is nothing, or it cannot be read.

    Examples
    --------
    >>> pinned("mnist5k")
    'mnist5k'
    """
    if not isinstance(name, str) or split_digest(name)[1] is not None:
        return name
    if name.startswith(SERIES) and name.endswith(".npz"):
        path = series_file(name, folder).absolute()
        return f"{SERIES}{path}#{short(file_digest(path, name))}"
    if not is_own(name):
        return name
    if name.startswith(EVENTS):
        return pinned_recording(name, folder)
    path = find(name, folder)
    prefix = name.partition(":")[0]
    digest = image_tree(path, name).digest() if name.startswith(IMAGES) else file_digest(path, name)
    return f"{prefix}:{path}#{short(digest)}"


def load_own(
    name: str,
    size: int | None,
    train: int | None,
    val: int | None,
    test: int | None,
    seed: int,
    folder: str | os.PathLike[str] | None,
    colour: bool,
    steps: int | None,
) -> Dataset:
    """What :func:`homeonet.data.load` gives for ``images:``, ``array:`` and ``events:``."""
    if name.startswith(EVENTS):
        return load_recording(name, size, steps, train, val, test, seed, folder)
    path, digest = find(name, folder), split_digest(name)[1]
    if name.startswith(IMAGES):
        tree = image_tree(path, name)
        check_digest(name, digest, tree.digest() if digest else "")
        raw = read_images(tree, size)
    else:
        if path.is_dir():
            raise InputError(
                f"data = {name!r}: {path} is a folder; give a file .npz, or data = 'images:{path}'"
            )
        check_digest(name, digest, file_digest(path, name) if digest else "")
        raw = read_arrays(path, name)
    return chosen_images(raw, name, size, train, val, test, seed, colour=colour, own=True)

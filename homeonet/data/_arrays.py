"""A user's arrays, checked and made a data set; a file of NumPy that holds them. Only refuses: repairs nothing."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from homeonet.data._checks import check_seed
from homeonet.data._paths import refuse_pointer
from homeonet.data._resize import resize_images
from homeonet.data._sources import RawImages
from homeonet.data._splits import stratified_order
from homeonet.errors import InputError
from homeonet.machine.text import shown

__all__ = [
    "Made",
    "checked_labels",
    "divided",
    "images_from_arrays",
    "numbered",
    "parts_of",
    "read_arrays",
    "series_from_arrays",
]

Made = TypeVar("Made")
_WHITE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535, np.dtype(bool): 1}
_PARTS = ("train", "val", "test")
#: What a file of arrays may hold.
_KEYS = ("x", "y", *(f"{what}_{part}" for part in _PARTS for what in "xy"), "class_names")
_IMAGES = "images must be (n, h, w), or (n, h, w, 3) in colour"


def images_from_arrays(
    make: Callable[..., Made],
    given: Mapping[str, Any],
    class_names: Sequence[str] | None,
    full_scale: float | None,
    test_share: float,
    split_seed: int,
    name: str,
) -> Made:
    """What :meth:`Dataset.from_arrays` gives; `make` is the class."""
    raw = _raw_images(parts_of(given), "array_like", class_names, full_scale)
    parts: dict[str, np.ndarray] = {}
    train, test = divided(raw.y, raw.y_test is None, test_share, split_seed)
    none = raw.x[:0], raw.y[:0]
    given_parts: dict[str, tuple[Any, Any]] = {
        "train": (raw.x[train], raw.y[train]),
        "val": none if raw.x_val is None else (raw.x_val, raw.y_val),
        "test": (raw.x[test], raw.y[test]) if raw.x_test is None else (raw.x_test, raw.y_test),
    }
    for part, (x, y) in given_parts.items():
        parts[f"x_{part}"], parts[f"y_{part}"] = resize_images(x, None, raw.full_scale), y
    channels = 1 if raw.x.ndim == 3 else raw.x.shape[3]
    shape = raw.x.shape[1:3]
    return make(
        name, "arrays", shape, len(raw.class_names), class_names=raw.class_names, channels=channels, **parts
    )


def series_from_arrays(
    make: Callable[..., Made],
    given: Mapping[str, Any],
    class_names: Sequence[str] | None,
    test_share: float,
    split_seed: int,
    name: str,
) -> Made:
    """What :meth:`Dataset.from_series` gives; `make` is the class."""
    arrays = parts_of(given)
    x, y = {}, {}
    for part in arrays:
        key = _name(part, given)
        series = _finite(f"x{key}", _plain_array(f"x{key}", arrays[part][0]))
        if series.ndim not in (2, 3) or not series.size:
            raise InputError(
                f"x{key} has shape {series.shape}: series must be (n, T) or (n, T, channels), at least one; reshape it"
            )
        x[part] = series.reshape(*series.shape[:2], -1).astype(np.float64)
        y[part] = checked_labels(f"y{key}", arrays[part][1], len(series), "a series")
        _same_shape(f"x{key}", x[part].shape[1:], x["train"].shape[1:])
    names, y = numbered(y, class_names)
    train, test = divided(y["train"], "test" not in y, test_share, split_seed)
    if "test" not in y:
        x["test"], y["test"] = x["train"][test], y["train"][test]
    x["train"], y["train"] = x["train"][train], y["train"][train]
    low, high = np.percentile(x["train"], [1, 99], axis=(0, 1))
    span = np.where(high > low, high - low, 1)
    parts: dict[str, np.ndarray] = {}
    _, n_steps, channels = x["train"].shape
    for part in _PARTS:
        series = np.clip((x.get(part, x["train"][:0]) - low) / span, 0, 1).astype(np.float32)
        parts[f"x_{part}"] = np.ascontiguousarray(series.transpose(0, 2, 1)).reshape(-1, channels * n_steps)
        parts[f"y_{part}"] = y.get(part, y["train"][:0])
    return make(
        name, "arrays", (1, n_steps), len(names), class_names=names, channels=channels, kind="series", **parts
    )


def read_arrays(path: Path, name: str) -> RawImages:
    """The images of a file ``.npz``: ``x``, ``y``, or ``x_train``, ``y_train``, ``x_test``, ``y_test``, and ``*_val``.

    Raises
    ------
    InputError
        If it cannot be read, or an array is not as :meth:`Dataset.from_arrays` takes it: names file and key.
    """
    refuse_pointer(path, name)
    try:
        with np.load(path, allow_pickle=False) as file:
            names = list(file.files)
            given = {key: _read_array(file, key, path) for key in _KEYS if key in names}
    except InputError:
        raise
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        AttributeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise InputError(
            f"data = {name!r}: {path} cannot be read ({error}); write it with numpy.savez(file, x=…, y=…)"
        ) from None
    class_names = given.pop("class_names", None)
    split = "x_train" in given
    wanted = ("x_train", "y_train", "x_test", "y_test") if split else ("x", "y")
    for key in wanted:
        if key not in given:
            held = ", ".join(names[:8]) or "nothing"
            raise InputError(
                f"data = {name!r}: {path} has no array {key!r} (it holds {held}); it must hold x and y, or x_train, "
                "y_train, x_test and y_test"
            )
    if split:
        given = {key.replace("_train", ""): value for key, value in given.items() if key not in ("x", "y")}
    else:
        given = {key: given[key] for key in wanted}
    try:
        whole = {key: given.get(key) for key in ("x", "y", "x_test", "y_test", "x_val", "y_val")}
        named = None if class_names is None else [str(label) for label in np.atleast_1d(class_names)]
        raw = _raw_images(
            parts_of(whole, "_train" if split else ""), "file", named, None, "_train" if split else ""
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return RawImages(
        str(path), raw.class_names, raw.x, raw.y, raw.x_test, raw.y_test, raw.full_scale, raw.x_val, raw.y_val
    )


def _read_array(file: Any, key: str, path: Path) -> np.ndarray:
    try:
        return file[key]
    except ValueError as error:
        if "Object arrays" not in str(error):
            raise
        raise InputError(
            f"{path}: {key} is an array of Python objects; save one array of numbers, numpy.stack(list_of_images)"
        ) from None


def _raw_images(
    arrays: Mapping[str, tuple[Any, Any]],
    source: str,
    class_names: Sequence[str] | None,
    full_scale: float | None,
    suffix: str = "",
) -> RawImages:
    """Checked images with numbered labels; `suffix` is what the training arrays are called after x and y."""
    x, y = {}, {}
    white = 1.0
    for part, (images, labels) in arrays.items():
        key = suffix if part == "train" else f"_{part}"
        x[part], scale = _checked_images(f"x{key}", images, full_scale)
        y[part] = checked_labels(f"y{key}", labels, len(x[part]), "an image")
        if part == "train":
            white = scale
        elif scale != white:
            raise InputError(
                f"x{key} is {x[part].dtype}, x{suffix} {x['train'].dtype}; give both in one type"
            )
        _same_shape(f"x{key}", x[part].shape[1:], x["train"].shape[1:])
    names, y = numbered(y, class_names, suffix)
    return RawImages(
        source, names, x["train"], y["train"], x.get("test"), y.get("test"), white, x.get("val"), y.get("val")
    )


def parts_of(given: Mapping[str, Any], suffix: str = "") -> dict[str, tuple[Any, Any]]:
    """Pairs of examples and labels, of the parts that are given."""
    parts = {"train": (given["x"], given["y"])}
    if given["x"] is None or given["y"] is None:
        raise InputError(f"x{suffix} and y{suffix} are both needed: examples and a label each")
    for part in ("test", "val"):
        x, y = given[f"x_{part}"], given[f"y_{part}"]
        if (x is None) != (y is None):
            there, missing = (f"y_{part}", f"x_{part}") if x is None else (f"x_{part}", f"y_{part}")
            raise InputError(f"{there} is given without {missing}; give both or neither")
        if x is not None:
            parts[part] = x, y
    return parts


def _name(part: str, given: Mapping[str, Any]) -> str:
    return "" if part == "train" else f"_{part}"


def _plain_array(key: str, value: Any) -> np.ndarray:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise InputError(f"{key} is no array ({error}); give arrays of one shape, numpy.stack(…)") from None
    if array.dtype.kind not in "biuf":
        raise InputError(f"{key} is of type {array.dtype}: must be numbers; give uint8, or floats in [0, 1]")
    return array


def _finite(key: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        first = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        raise InputError(
            f"{key}{list(first)} = {array[first]}: must be finite; drop or repair example {first[0]}"
        )
    return array


def _checked_images(key: str, value: Any, full_scale: float | None) -> tuple[np.ndarray, float]:
    images = _plain_array(key, value)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] != 3):
        remedy = "reshape it"
        if images.ndim == 4 and images.shape[1] in (1, 3):
            remedy = f"use {key}.transpose(0, 2, 3, 1)"
        elif images.ndim == 2:
            remedy = f"use {key}.reshape(n, h, w)"
        raise InputError(f"{key} has shape {images.shape}: {_IMAGES}; {remedy}")
    if not images.size:
        raise InputError(f"{key} has shape {images.shape}: it is empty; give at least one image of one pixel")
    _finite(key, images)
    if full_scale is not None:
        if not (np.isfinite(full_scale) and full_scale > 0):
            raise InputError(f"full_scale = {full_scale!r}: must be a positive number, the value of white")
        white = float(full_scale)
    elif images.dtype in _WHITE:
        white = float(_WHITE[images.dtype])
    elif images.dtype.kind == "f":
        white = 1.0
    else:
        raise InputError(
            f"{key} is of type {images.dtype}, whose value of white is not known; use {key}.astype('uint8') for 0 to "
            "255, floats in [0, 1], or full_scale"
        )
    low, high = float(images.min()), float(images.max())
    if low < 0 or high > white:
        raise InputError(
            f"{key} runs from {low:g} to {high:g}: must lie in 0 to {white:g}; divide it by the value of white, or "
            "name that with full_scale"
        )
    return images.astype(np.float32) if images.dtype.kind in "fb" else images, white


def checked_labels(key: str, value: Any, n: int, what: str) -> np.ndarray:
    """Labels ``(n,)``: int64 from 0 on, or text.

    Raises
    ------
    InputError
        If they are of another shape or type, negative, or no whole numbers.
    """
    try:
        labels = np.asarray(value)
    except (ValueError, TypeError):
        labels = np.zeros(0, dtype=object)
    if labels.dtype == object and labels.size and all(isinstance(label, str) for label in labels.ravel()):
        labels = labels.astype(str)
    if labels.dtype.kind not in "biufUS":
        raise InputError(
            f"{key} is of type {labels.dtype}: must be whole numbers from 0 on, or names of classes"
        )
    if labels.shape != (n,):
        one_hot = labels.ndim == 2 and len(labels) == n
        remedy = f"use {key}.argmax(1)" if one_hot and labels.shape[1] > 1 else "flatten or correct it"
        raise InputError(f"{key} has shape {labels.shape}, must be ({n},): one label for {what}; {remedy}")
    if labels.dtype.kind in "US":
        return np.array([label.decode() if isinstance(label, bytes) else str(label) for label in labels])
    if labels.dtype.kind == "f":
        odd = np.flatnonzero(~np.isfinite(labels) | (labels != np.trunc(labels)))
        if len(odd):
            raise InputError(
                f"{key}[{odd[0]}] = {labels[odd[0]]}: must be a whole number from 0 on; correct it"
            )
    if n and labels.min() < 0:
        first = int(np.argmin(labels >= 0))
        raise InputError(f"{key}[{first}] = {labels[first]}: must be at least 0; number the classes 0, 1, …")
    return labels.astype(np.int64)


def numbered(
    labels: Mapping[str, np.ndarray], class_names: Sequence[str] | None, suffix: str = ""
) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """Names of the classes, and the labels of each part as positions in them.

    Raises
    ------
    InputError
        If there are fewer than two classes, labels and names do not fit, or a class has no training example.
    """
    train = labels["train"]
    if len({array.dtype.kind == "U" for array in labels.values()}) > 1:
        raise InputError(f"y{suffix} and the other labels are numbers here and names there; give all alike")
    if class_names is not None:
        names = tuple(str(name) for name in class_names)
        if len(set(names)) < len(names):
            raise InputError(f"class_names = {shown(list(names))}: a name occurs twice; name each class once")
        classes = np.array(names) if train.dtype.kind == "U" else np.arange(len(names))
    else:
        classes = np.unique(train)
        names = tuple(str(label) for label in classes)
    if len(names) < 2:
        raise InputError(
            f"y{suffix}: one class, {names[0] if names else 'none'!r}; classification needs at least two"
        )
    for part, array in labels.items():
        strange = np.setdiff1d(array, classes)
        if len(strange):
            key = f"y_{part}" if part != "train" else f"y{suffix}"
            why = "is not among class_names" if class_names is not None else "does not occur in training"
            raise InputError(
                f"{key}: the label {shown(strange[0].item())} {why}; correct the labels or drop these"
            )
    order = np.argsort(classes, kind="stable")
    numbers = {part: order[np.searchsorted(classes, array, sorter=order)] for part, array in labels.items()}
    missing = np.setdiff1d(np.arange(len(names)), numbers["train"])
    if len(missing):
        raise InputError(
            f"y{suffix}: no training example of class {names[missing[0]]!r}; add one or drop its name"
        )
    return names, {part: np.asarray(array, dtype=np.int64) for part, array in numbers.items()}


def divided(labels: np.ndarray, wanted: bool, share: float, seed: int) -> tuple[Any, np.ndarray]:
    """Positions that train and that test: all and none unless a test part is `wanted`."""
    if not wanted:
        return slice(None), np.zeros(0, dtype=np.int64)
    n_test = round(share * len(labels)) if 0 < share < 1 else 0
    if not 0 < n_test < len(labels):
        raise InputError(
            f"test_share = {share!r}: must leave at least one of {len(labels)} examples to train on and one to test on"
        )
    order = stratified_order(labels, check_seed(seed))
    return np.sort(order[n_test:]), np.sort(order[:n_test])


def _same_shape(key: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if shape != wanted:
        raise InputError(f"{key} has examples of shape {shape}, the training ones {wanted}; give all alike")

"""Published recordings of events from the user's files: N-MNIST, SHD, DVS-Gesture, read as they are published.

Nothing is downloaded, and only the samples that a run takes are read.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from homeonet.data._checks import check_seed, check_whole
from homeonet.data._dataset import Dataset
from homeonet.data._events import Binning, binned_dataset
from homeonet.data._paths import check_digest, refuse_pointer, short, split_digest
from homeonet.data._select import check_counts
from homeonet.data._sources import data_folders
from homeonet.data._splits import stratified_subset, train_val
from homeonet.errors import InputError

__all__ = ["RECORDINGS", "load_recording", "pinned_recording"]

_GESTURES = (
    "hand clap", "right hand wave", "left hand wave", "right arm clockwise", "right arm counter clockwise",
    "left arm clockwise", "left arm counter clockwise", "arm roll", "air drums", "air guitar", "other gestures",
)  # fmt: skip
_Sample = Callable[[], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class _Recording:
    """What is known of a set.

    Attributes
    ----------
    folders : tuple of str
        Where below a data folder it may lie.
    parts : tuple of str
        What train and test are called there: files or folders.
    duration : float
        Length of a sample in s; later events are left out.
    n_units, sensor
        See `Binning`.
    read : callable
        ``read(name, path)`` gives samples, labels and perhaps names of the classes.
    """

    folders: tuple[str, ...]
    parts: tuple[str, str]
    duration: float
    n_units: int
    sensor: tuple[int, int, int] | None
    class_names: tuple[str, ...]
    read: Callable[[str, Path], tuple[list[_Sample], np.ndarray]]


def load_recording(
    name: str,
    size: int | None,
    steps: int | None,
    train: int | None,
    val: int | None,
    test: int | None,
    seed: int,
    folder: str | os.PathLike[str] | None,
) -> Dataset:
    """What :func:`homeonet.data.load` gives for ``events:``."""
    plain, wanted = split_digest(name)
    recording, root = _find(plain, folder)
    check_digest(name, wanted, _digest(recording, root) if wanted else "")
    steps = check_whole("steps", 20 if steps is None else steps, 1, 100_000)
    side = None if size is None or recording.sensor is None else check_whole("size", size, 1, 512)
    binning = Binning(steps, recording.duration, recording.n_units, recording.sensor, side)
    of_train, y = recording.read(name, root / recording.parts[0])
    of_test, y_test = recording.read(name, root / recording.parts[1])
    check_counts(train, val, test, (len(y), 0, len(y_test)))
    chosen_train, chosen_val = train_val(y, train, val, check_seed(seed))
    chosen_test = stratified_subset(y_test, test)
    samples = {
        "train": [of_train[k] for k in chosen_train],
        "val": [of_train[k] for k in chosen_val],
        "test": [of_test[k] for k in chosen_test],
    }
    labels = {"train": y[chosen_train], "val": y[chosen_val], "test": y_test[chosen_test]}
    return binned_dataset(Dataset, name, str(root), binning, samples, labels, recording.class_names)


def pinned_recording(name: str, folder: str | os.PathLike[str] | None) -> str:
    """The name with a hash of the names and sizes of its files: they are too many to be read each time."""
    return f"{name}#{short(_digest(*_find(name, folder)))}"


def _find(name: str, folder: str | os.PathLike[str] | None) -> tuple[_Recording, Path]:
    key = name.partition(":")[2]
    if key not in RECORDINGS:
        hint = (
            "stands for a data set given from Python; pass it again as dataset=…"
            if len(key) == 16
            else "is unknown"
        )
        raise InputError(
            f"data = {name!r} {hint}; choose one of {', '.join(f'events:{k}' for k in RECORDINGS)}"
        )
    recording = RECORDINGS[key]
    roots = data_folders(key, folder)
    for root in roots:
        for below in (*recording.folders, ""):
            place = root / below
            there = [(place / part).exists() for part in recording.parts]
            if all(there):
                return recording, place
            if any(there):
                missing = recording.parts[there.index(False)]
                raise InputError(
                    f"data = {name!r}: {place} has no {missing}; add it beside the other part, "
                    f"{recording.parts[there.index(True)]}"
                )
    raise InputError(
        f"data = {name!r}: {recording.parts[0]} and {recording.parts[1]} are not found in "
        f"{', '.join(map(str, roots))}; put them into {recording.folders[0]} below folder=… or $HOMEONET_DATA"
    )


def _digest(recording: _Recording, root: Path) -> str:
    hashed = hashlib.sha256()
    for part in recording.parts:
        path = root / part
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for file in files:
            hashed.update(
                f"{file.relative_to(root).as_posix()}\0{file.stat().st_size}\n".encode(
                    "utf-8", "surrogatepass"
                )
            )
    return hashed.hexdigest()


def _nmnist(name: str, path: Path) -> tuple[list[_Sample], np.ndarray]:
    """``Train/0/00002.bin``: a folder per digit."""
    files = sorted(path.glob("[0-9]/*.bin"))
    _require(files, name, path, "0/*.bin to 9/*.bin")
    return [partial(_nmnist_events, name, file) for file in files], np.array(
        [int(f.parent.name) for f in files]
    )


def _nmnist_events(name: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Events of 40 bits: x, y, polarity and 23 bits of microseconds, which begin anew where y is 240."""
    content = _bytes(name, path)
    raw = np.frombuffer(content[: len(content) // 5 * 5], dtype=np.uint8).reshape(-1, 5).astype(np.int64)
    x, y, p = raw[:, 0], raw[:, 1], raw[:, 2] >> 7
    overflow = y == 240
    t = ((raw[:, 2] & 127) << 16 | raw[:, 3] << 8 | raw[:, 4]) + 2**13 * np.cumsum(overflow)
    x, y, p, t = (values[~overflow] for values in (x, y, p, t))
    if len(content) % 5 or not len(content) or (x >= 34).any() or (y >= 34).any():
        raise InputError(
            f"data = {name!r}: {path} holds no events of N-MNIST ({len(content)} bytes, 5 each, x and y below 34); "
            "fetch it again"
        )
    return t * 1e-6, (p * 34 + y) * 34 + x


def _shd(name: str, path: Path) -> tuple[list[_Sample], np.ndarray]:
    """``shd_train.h5``: spikes/times in seconds, spikes/units, labels."""
    import h5py

    refuse_pointer(path, name)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"data = {name!r}: {path} cannot be read ({error}); fetch it again") from None
    for key in ("spikes/times", "spikes/units", "labels"):
        if key not in file:
            raise InputError(f"data = {name!r}: {path} has no {key!r}; give a file of SHD as it is published")
    labels = file["labels"][()].astype(np.int64)
    if not len(labels) or labels.min() < 0 or labels.max() >= 20:
        raise InputError(f"data = {name!r}: labels of {path} are none or not 0 to 19; fetch it again")

    def sample(k: int) -> tuple[np.ndarray, np.ndarray]:
        t, unit = file["spikes/times"][k].astype(np.float64), file["spikes/units"][k].astype(np.int64)
        if t.shape != unit.shape or (unit.size and not 0 <= unit.min() <= unit.max() < 700):
            raise InputError(
                f"data = {name!r}: spikes {k} of {path} are damaged (units are 0 to 699); fetch it again"
            )
        return t, unit

    return [partial(sample, k) for k in range(len(labels))], labels


def _dvs_gesture(name: str, path: Path) -> tuple[list[_Sample], np.ndarray]:
    """``ibmGestureTrain/user01_led/0.npy``: as tonic unpacks them, rows (x, y, polarity, milliseconds)."""
    files = sorted(file for file in path.glob("*/*.npy") if file.stem.isascii() and file.stem.isdigit())
    _require(files, name, path, "user01_led/0.npy and so on, as tonic unpacks them (not .aedat)")
    labels = np.array([int(file.stem) for file in files])
    if labels.max() > 10:
        odd = files[int(labels.argmax())]
        raise InputError(f"data = {name!r}: {odd} names no gesture, which are 0.npy to 10.npy; remove it")
    return [partial(_gesture_events, name, file) for file in files], labels


def _gesture_events(name: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    refuse_pointer(path, name)
    try:
        rows: Any = np.load(path, allow_pickle=False)
        fields = rows.dtype.names
        x, y, p, t = (rows[f] for f in "xypt") if fields else rows.T
        x, y, p = (np.asarray(values).astype(np.int64) for values in (x, y, p))
        t = np.asarray(t, dtype=np.float64) * (1e-6 if fields else 1e-3)
        unit = np.ravel_multi_index((p, y, x), (2, 128, 128))
    except (OSError, ValueError, EOFError, TypeError) as error:
        raise InputError(
            f"data = {name!r}: {path} holds no events of DVS-Gesture ({error}): rows (x, y, polarity, ms) with x and y "
            "below 128; fetch it again"
        ) from None
    return (t - t.min() if t.size else t), unit


def _bytes(name: str, path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"data = {name!r}: {path} cannot be read ({error.strerror}); fetch it again"
        ) from None
    refuse_pointer(path, name, content[:64])
    return content


def _require(files: list[Path], name: str, path: Path, wanted: str) -> None:
    if not files:
        raise InputError(f"data = {name!r}: {path} holds no recordings; it must hold {wanted}")


_DIGITS = tuple("0123456789")
_SPOKEN = tuple(f"{language} {digit}" for language in ("english", "german") for digit in _DIGITS)
RECORDINGS: dict[str, _Recording] = {
    "nmnist": _Recording(
        ("NMNIST", "N-MNIST", "nmnist"), ("Train", "Test"), 0.32, 2 * 34 * 34, (2, 34, 34), _DIGITS, _nmnist
    ),
    "shd": _Recording(
        ("SHD", "HSD", "hsd", "shd"), ("shd_train.h5", "shd_test.h5"), 1.4, 700, None, _SPOKEN, _shd
    ),
    "dvsgesture": _Recording(
        ("DVSGesture", "DvsGesture", "dvsgesture"), ("ibmGestureTrain", "ibmGestureTest"), 6.0, 2 * 128 * 128,
        (2, 128, 128), _GESTURES, _dvs_gesture,
    ),
}  # fmt: skip

"""A data set in a file of NumPy, as it is: its arrays, and what else it is made of."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from homeonet import store
from homeonet.errors import InputError

if TYPE_CHECKING:
    from homeonet.data._dataset import Dataset

__all__ = ["read_dataset", "write_dataset"]

Made = TypeVar("Made")
_ARRAYS = tuple(f"{what}_{split}" for split in ("train", "val", "test") for what in "xy")
_ABOUT = ("name", "source", "image_shape", "n_classes", "class_names", "channels", "kind", "sensor")


def write_dataset(dataset: Dataset, path: str | os.PathLike[str]) -> None:
    """What :meth:`Dataset.to_npz` does."""
    about = json.dumps({name: getattr(dataset, name) for name in _ABOUT})
    arrays: dict[str, Any] = {name: getattr(dataset, name) for name in _ARRAYS}
    store.write_atomically(Path(path), lambda file: np.savez(file, about=np.array(about), **arrays))


def read_dataset(make: Callable[..., Made], path: str | os.PathLike[str]) -> Made:
    """What :meth:`Dataset.from_npz` gives; `make` is the class."""
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            lists = {
                name: about[name] and tuple(about[name]) for name in ("image_shape", "class_names", "sensor")
            }
            return make(**about | lists, **{name: file[name] for name in _ARRAYS})
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"{path} is no file that Dataset.to_npz has written ({error}); write it anew"
        ) from None

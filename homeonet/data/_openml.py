"""Downloads a set from OpenML through scikit-learn and keeps it as idx files.

Never keeps content whose checksum is not the published one, and is never called unasked.
"""

from __future__ import annotations

import hashlib
import struct
from http.client import HTTPException
from pathlib import Path

import numpy as np

from homeonet.data._catalogue import IDX_SETS, file_names
from homeonet.data._idx import verify, write_idx
from homeonet.errors import InputError
from homeonet.machine.scratch import scratch_folder

__all__ = ["download_idx"]

_N_TRAIN, _N_TEST, _SIDE = 60_000, 10_000, 28


def _md5(values: np.ndarray) -> str:
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return hashlib.md5(header + values.tobytes(), usedforsecurity=False).hexdigest()


def download_idx(name: str, root: Path) -> list[Path]:
    """Fetch a set and write its four gzipped idx files in torchvision's layout.

    Parameters
    ----------
    name : {'mnist', 'fashion'}
        The set to download.
    root : Path
        Folder of the layout.

    Returns
    -------
    list of Path
        Training images and labels, test images and labels.

    Raises
    ------
    InputError
        If OpenML cannot be reached, or what it sent is not the published set.

    References
    ----------
    Vanschoren et al. (2014), OpenML: networked science in machine learning.
    """
    from sklearn.datasets import fetch_openml

    spec = IDX_SETS[name]
    origin = f"OpenML {spec.openml!r}"
    # OpenMLError and parse errors are ValueErrors; every failure of the connection is an OSError.
    try:
        # The raw answer is dropped once it is parsed: the idx files are a tenth of its size.
        with scratch_folder() as scratch:
            bunch = fetch_openml(spec.openml, version=1, as_frame=False, data_home=str(scratch))
    except (OSError, HTTPException, ValueError) as error:
        raise InputError(
            f"download = True: {origin} could not be fetched ({type(error).__name__}: {error}): "
            f"check the network, or put the idx files in {spec.folders[0]} below $HOMEONET_DATA"
        ) from error
    if bunch.data.shape != (_N_TRAIN + _N_TEST, _SIDE * _SIDE):
        raise InputError(
            f"download = True: {origin} has shape {bunch.data.shape}, must be "
            f"{(_N_TRAIN + _N_TEST, _SIDE * _SIDE)}: get the idx files from {spec.origin}"
        )
    x = bunch.data.astype(np.uint8).reshape(-1, _SIDE, _SIDE)
    y = bunch.target.astype(np.uint8)
    parts = [x[:_N_TRAIN], y[:_N_TRAIN], x[_N_TRAIN:], y[_N_TRAIN:]]
    # The checksum also proves that the rows are in the official order, training images first.
    for part, values in enumerate(parts):
        verify(name, part, _md5(values), origin)
    place = root / spec.folders[0]
    files = [place / f"{file_names(spec, part)[0]}.gz" for part in range(4)]
    try:
        for path, values in zip(files, parts, strict=True):
            write_idx(path, values)
    except OSError as error:
        raise InputError(
            f"{place}: downloaded files cannot be kept ({error.strerror or error}): "
            "make room or set XDG_CACHE_HOME"
        ) from error
    return files

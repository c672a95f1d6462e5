"""Reads and writes idx files, plain or gzipped, and checks them against published checksums.

Never looks for files, never resizes or splits images, and never repairs a damaged file.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import struct
import zlib
from pathlib import Path

import numpy as np

from homeonet.errors import InputError
from homeonet.store.pointers import refuse_pointer

__all__ = ["CHECKSUMS", "other_set", "read_idx", "read_shape", "verify", "write_idx"]

# MD5 of the uncompressed files, in the order: training images and labels, test images and labels.
CHECKSUMS: dict[str, tuple[str, str, str, str]] = {
    "mnist": (
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    ),
    "fashion": (
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a",
        "15d484375f8d13e6eb1aabb0c3f46965",
    ),
}

_GZIP_MAGIC = b"\x1f\x8b"
_UNSIGNED_BYTE = 0x08
#: Enough of a file to see its dimensions, or what else it is.
_LONGEST_HEAD = 64
_REMEDY = "delete it and fetch it again"


def _parse_header(path: Path, head: bytes, n_dims: int) -> tuple[int, ...]:
    size = 4 + 4 * n_dims
    if len(head) < size:
        raise InputError(
            f"{path}: idx file ends inside its header after {len(head)} bytes, need {size}: {_REMEDY}"
        )
    if head[:2] != b"\0\0" or head[2] != _UNSIGNED_BYTE or head[3] != n_dims:
        raise InputError(
            f"{path}: idx magic is 0x{head[:4].hex()}, must be 0x0000{_UNSIGNED_BYTE:02x}{n_dims:02x} "
            f"(unsigned bytes in {n_dims} dimension{'s' if n_dims > 1 else ''}): {_REMEDY}"
        )
    shape = struct.unpack(f">{n_dims}I", head[4:size])
    if 0 in shape:
        raise InputError(f"{path}: idx dimensions are {shape}, each must be at least 1: {_REMEDY}")
    return shape


def _read_bytes(path: Path, limit: int = -1) -> bytes:
    """The first `limit` uncompressed bytes (all by default)."""
    try:
        with path.open("rb") as plain:
            magic = plain.read(2)
            plain.seek(0)
            # The content decides, not the suffix: browsers unpack .gz files and keep the name.
            if magic != _GZIP_MAGIC:
                content = plain.read(limit)
            else:
                with gzip.GzipFile(fileobj=plain) as packed:
                    content = packed.read(limit)
    except EOFError:
        raise _cut_short(path) from None
    except (zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: gzip stream is broken ({error}): {_REMEDY}") from error
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be read ({reason}): check the path and its permissions") from error
    if not content:
        raise InputError(f"{path}: file is empty, must be an idx file: {_REMEDY}")
    refuse_pointer(path, content)
    return content


def _cut_short(path: Path) -> InputError:
    """What to say of a gzipped file that ends too early: how much of it there is."""
    found = zlib.decompressobj(wbits=31).decompress(path.read_bytes())
    of = ""
    if len(found) >= 4 and len(found) >= (offset := 4 + 4 * found[3]):
        of = f" of {offset + math.prod(struct.unpack(f'>{found[3]}I', found[4:offset]))}"
    return InputError(
        f"{path} is cut short: its gzip stream is broken off after {len(found)}{of} bytes: {_REMEDY}"
    )


def read_shape(path: Path, n_dims: int) -> tuple[int, ...]:
    """Dimensions an idx file declares, read from its header alone.

    Parameters
    ----------
    path : Path
        Plain or gzipped idx file.
    n_dims : int
        Dimensions it must have: 3 for images, 1 for labels.

    Returns
    -------
    tuple of int
        The shape, e.g. ``(60000, 28, 28)``.

    Raises
    ------
    InputError
        If the file cannot be read, is empty or has another header.
    """
    return _parse_header(path, _read_bytes(path, _LONGEST_HEAD), n_dims)


def read_idx(path: Path, n_dims: int) -> tuple[np.ndarray, str]:
    """Read an idx file of unsigned bytes.

    Parameters
    ----------
    path : Path
        Plain or gzipped idx file; told apart by content, not by name.
    n_dims : int
        Dimensions it must have: 3 for images, 1 for labels.

    Returns
    -------
    values : ndarray of uint8
        Shape as the header declares; read-only.
    md5 : str
        Checksum of the uncompressed content, hexadecimal.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, truncated or too long, or has another header.

    References
    ----------
    LeCun, Cortes, Burges: The MNIST database of handwritten digits (the idx format).
    """
    content = _read_bytes(path)
    shape = _parse_header(path, content, n_dims)
    offset = 4 + 4 * n_dims
    expected = offset + int(np.prod(shape, dtype=object))
    if len(content) != expected:
        what = "is cut short" if len(content) < expected else "is too long"
        raise InputError(
            f"{path} {what}: {len(content)} of {expected} bytes by its header {shape}: {_REMEDY}"
        )
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return np.frombuffer(content, dtype=np.uint8, offset=offset).reshape(shape), md5


def other_set(name: str, md5: str) -> str | None:
    """Name of the set, other than `name`, that a checksum belongs to."""
    return next((other for other, known in CHECKSUMS.items() if other != name and md5 in known), None)


def verify(name: str, part: int, md5: str, origin: object) -> None:
    """Check content against the published checksum of a set, where there is one.

    Parameters
    ----------
    name : str
        Name of the data set.
    part : {0, 1, 2, 3}
        Training images, training labels, test images, test labels.
    md5 : str
        Checksum of the uncompressed content, hexadecimal.
    origin : object
        Path or address the error names.

    Raises
    ------
    InputError
        If the content is not the published one, or is known to be another set's.
    """
    other = other_set(name, md5)
    if other is not None:
        raise InputError(
            f"{origin}: this is a file of {other!r}, not of {name!r}: load({other!r}) or move it"
        )
    if name in CHECKSUMS and md5 != CHECKSUMS[name][part]:
        raise InputError(
            f"{origin}: MD5 of the uncompressed content is {md5}, must be {CHECKSUMS[name][part]} "
            f"for {name!r}: {_REMEDY}"
        )


def write_idx(path: Path, values: np.ndarray) -> None:
    """Write unsigned bytes as a gzipped idx file, atomically.

    Parameters
    ----------
    path : Path
        Target; its folder is created.
    values : ndarray of uint8
        Values to write, of any shape.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with gzip.open(partial, "wb", compresslevel=1) as packed:
        packed.write(struct.pack(f">BBBB{values.ndim}I", 0, 0, _UNSIGNED_BYTE, values.ndim, *values.shape))
        packed.write(np.ascontiguousarray(values, dtype=np.uint8).tobytes())
    partial.replace(path)

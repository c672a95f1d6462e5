"""Tests for paired seeds, and the correction for a family of them.

For comparing conditions that share their seeds. Never decides what is significant: it returns p-values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from homeonet.analysis._checks import as_vector
from homeonet.errors import InputError

__all__ = ["PermutationResult", "holm_correction", "paired_permutation_test"]


@dataclass(frozen=True)
class PermutationResult:
    """A paired comparison: mean of `first − second`, its two-sided p-value and the number of pairs."""

    difference: float
    p_value: float
    n_pairs: int


def paired_permutation_test(
    first: Sequence[float] | np.ndarray,
    second: Sequence[float] | np.ndarray,
    *,
    n_resamples: int = 9999,
    seed: int = 0,
) -> PermutationResult:
    """Two-sided sign-flip test of a zero mean difference between paired observations.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        The same seeds under two conditions, in the same order; n ≥ 2.
    n_resamples : int, default 9999
        Number of random sign patterns; every pattern is used where there are no more than these, so
        up to 13 pairs the p-value is exact. The smallest p-value of n pairs is 2/2ⁿ.
    seed : int, default 0
        Seed of the random patterns.

    Returns
    -------
    PermutationResult

    Raises
    ------
    InputError
        Unequal lengths, fewer than two pairs, or a value that is not finite.
    """
    from scipy.stats import permutation_test

    if n_resamples < 1:
        raise InputError(f"n_resamples is {n_resamples}; give at least 1")
    a = as_vector("first", first, min_size=2)
    b = as_vector("second", second, min_size=2)
    if a.size != b.size:
        raise InputError(f"first has {a.size} values and second {b.size}; give pairs in the same order")
    test = permutation_test(
        (a, b),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=n_resamples,
        alternative="two-sided",
        rng=np.random.default_rng(seed),
    )
    return PermutationResult(float(test.statistic), float(test.pvalue), a.size)


def holm_correction(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values: compare each with the level of the whole family.

    Parameters
    ----------
    p_values : array_like, shape (m,)
        p-values of one family of tests, within [0, 1].

    Returns
    -------
    ndarray, shape (m,)
        Adjusted p-values in the order given, within [0, 1].

    Raises
    ------
    InputError
        Empty, not finite, or outside [0, 1].

    References
    ----------
    Holm, S. (1979). Scand. J. Stat. 6, 65–70.
    """
    p = as_vector("p_values", p_values)
    if p.min() < 0 or p.max() > 1:
        raise InputError(f"p_values range from {p.min()} to {p.max()}; give values within [0, 1]")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)))
    return adjusted

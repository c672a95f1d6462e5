"""Confidence intervals for a handful of seeds or a count of correct answers.

For the numbers that stand beside every result. Never pools observations that the caller did not hand over
as independent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from homeonet.analysis._checks import as_vector, in_range
from homeonet.errors import InputError

__all__ = [
    "Interval",
    "bootstrap_interval",
    "mean_interval",
    "t_quantile",
    "wilson_interval",
]


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval, all in the unit of the values it came from.

    Attributes
    ----------
    estimate, low, high : float
        Point estimate and both ends.
    level : float
        Confidence level, between 0 and 1.
    n : int
        Number of observations.
    """

    estimate: float
    low: float
    high: float
    level: float
    n: int


def wilson_interval(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson score interval of a proportion.

    Parameters
    ----------
    successes : int
        Number of correct answers, 0 to `n`.
    n : int
        Number of answers, at least 1.
    level : float, default 0.95
        Confidence level, between 0 and 1.

    Returns
    -------
    Interval
        Proportion and its interval, within [0, 1].

    Raises
    ------
    InputError
        `n` below 1, `successes` outside 0…n, or `level` outside (0, 1).

    References
    ----------
    Wilson, E. B. (1927). J. Am. Stat. Assoc. 22, 209–212.
    """
    from scipy.stats import binomtest

    in_range("level", level, 0, 1)
    if n < 1 or not 0 <= successes <= n:
        raise InputError(f"successes is {successes} of n = {n}; give 0 ≤ successes ≤ n and n ≥ 1")
    ends = binomtest(int(successes), int(n)).proportion_ci(confidence_level=level, method="wilson")
    return Interval(successes / n, float(ends.low), float(ends.high), level, int(n))


def mean_interval(values: Sequence[float] | np.ndarray, level: float = 0.95) -> Interval:
    """Mean with its Student-t interval.

    Parameters
    ----------
    values : array_like, shape (n,)
        Independent observations, one per seed; n ≥ 2.
    level : float, default 0.95
        Confidence level, between 0 and 1.

    Returns
    -------
    Interval
        In the unit of `values`.

    Raises
    ------
    InputError
        Fewer than two values, a value that is not finite, or `level` outside (0, 1).
    """
    in_range("level", level, 0, 1)
    sample = as_vector("values", values, min_size=2)
    mean = float(sample.mean())
    half = float(t_quantile(0.5 + level / 2, sample.size - 1) * sample.std(ddof=1) / np.sqrt(sample.size))
    return Interval(mean, mean - half, mean + half, level, sample.size)


def t_quantile(probability: float, freedom: int) -> float:
    """Quantile of Student's t distribution; without `scipy.stats`, whose import takes longer than a table."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def bootstrap_interval(
    values: Sequence[float] | np.ndarray,
    statistic: Callable[..., np.ndarray] = np.mean,
    *,
    level: float = 0.95,
    n_resamples: int = 9999,
    method: Literal["BCa", "percentile", "basic"] = "BCa",
    seed: int = 0,
) -> Interval:
    """Bootstrap interval of a statistic of one sample.

    Parameters
    ----------
    values : array_like, shape (n,)
        Independent observations; n ≥ 2.
    statistic : callable, default numpy.mean
        Takes an array and `axis`, as NumPy's reductions do.
    level : float, default 0.95
        Confidence level, between 0 and 1.
    n_resamples : int, default 9999
        Number of resamples, at least 1.
    method : {"BCa", "percentile", "basic"}
        Kind of interval; BCa corrects bias and skew.
    seed : int, default 0
        Seed of the resampling.

    Returns
    -------
    Interval
        Both ends equal the estimate when all values are equal.

    Raises
    ------
    InputError
        Fewer than two values, a value that is not finite, or an option out of range.

    References
    ----------
    Efron, B. (1987). J. Am. Stat. Assoc. 82, 171–185.
    """
    from scipy.stats import bootstrap

    in_range("level", level, 0, 1)
    if n_resamples < 1:
        raise InputError(f"n_resamples is {n_resamples}; give at least 1")
    if method not in ("BCa", "percentile", "basic"):
        raise InputError(f"method is {method!r}; give BCa, percentile or basic")
    sample = as_vector("values", values, min_size=2)
    estimate = float(statistic(sample, axis=-1))
    if np.ptp(sample) == 0:  # BCa divides by the spread of the jackknife, which is zero here
        return Interval(estimate, estimate, estimate, level, sample.size)
    ends = bootstrap(
        (sample,),
        statistic,
        n_resamples=n_resamples,
        confidence_level=level,
        method=method,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(estimate, float(ends.low), float(ends.high), level, sample.size)

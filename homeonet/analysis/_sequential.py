"""Intervals that may be looked at again while seeds are added, and how many seeds a decision would take.

For results whose number of seeds was not fixed before. Never decides anything: it returns intervals and numbers.

The intervals are repeated confidence intervals (Jennison & Turnbull 1989): at each of a few numbers of values, fixed
for all studies, Student's interval at one level (Pocock 1977), chosen so that the intervals of all looks hold the mean
at once as often as said. So whatever is decided by whichever of them, and for whatever reason one stops, goes wrong no
more often. For normally distributed values the joint law of the t statistics has no parameter, and the level of a look
is a constant, found by simulation (2 million sequences; exact calculations: Jennison & Turnbull 1991).

References
----------
Pocock, S. J. (1977). Biometrika 64, 191–199.
Jennison, C. & Turnbull, B. W. (1989). J. R. Stat. Soc. B 51, 305–361.
Jennison, C. & Turnbull, B. W. (1991). Biometrika 78, 133–141.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from homeonet.analysis._checks import as_vector
from homeonet.analysis._statistics import Interval, mean_interval, t_quantile
from homeonet.errors import InputError

__all__ = ["LOOKS", "last_look", "repeated_interval", "values_to_decide"]

#: Numbers of values at which results are looked at; with the last of them, adding values ends.
LOOKS = (3, 5, 10, 20, 40)
#: By the level that all looks have together, how often the interval of a single look misses the mean.
_MISSES = {0.95: 0.0119, 0.90: 0.0256}
#: No number of values is given beyond this one.
_MOST = 10**6


def last_look(n: int) -> int:
    """The last of `LOOKS` that `n` values have reached; 0 before the first."""
    return max((look for look in LOOKS if look <= n), default=0)


def repeated_interval(values: Sequence[float] | np.ndarray, level: float = 0.95) -> Interval:
    """Interval of the mean at the last look, by the values up to there.

    Parameters
    ----------
    values : array_like, shape (n,)
        Independent observations in the order in which they were made; at least as many as the first of `LOOKS`.
    level : {0.95, 0.90}, default 0.95
        How often the intervals of all looks hold the mean at once; that of a single look is wider than Student's
        interval of this level.

    Returns
    -------
    Interval
        `n` is the number of values at the look; `level` that of all looks.

    Raises
    ------
    InputError
        Too few values, one that is not finite, or another level.

    Examples
    --------
    >>> interval = repeated_interval([1.0, 2.0, 3.0, 2.0, 2.0, 9.0])
    >>> interval.n, round(interval.low, 2), round(interval.high, 2)
    (5, 0.62, 3.38)
    """
    sample = as_vector("values", values, min_size=LOOKS[0])
    n = last_look(len(sample))
    found = mean_interval(sample[:n], 1 - _misses(level))
    return Interval(found.estimate, found.low, found.high, level, n)


def values_to_decide(
    spread: float, distance: float, level: float = 0.95, *, single: bool = False
) -> int | None:
    """How many values make an interval that ends before a bound, if mean and spread stay as they are.

    Parameters
    ----------
    spread : float
        Standard deviation of the values.
    distance : float
        From the mean to the bound, in the same unit.
    level : {0.95, 0.90}, default 0.95
        Of the intervals.
    single : bool, default False
        Whether the values are looked at once, at a number fixed before, and not at `LOOKS`.

    Returns
    -------
    int or None
        The first of `LOOKS` that suffices, or beyond the last the number that would. None where the mean lies on the
        bound, or as good as.
    """
    if not (math.isfinite(spread) and math.isfinite(distance)):
        return None
    misses = 1 - level if single else _misses(level)

    def suffices(n: int) -> bool:
        return t_quantile(1 - misses / 2, n - 1) * spread <= distance * math.sqrt(n)

    if not single:
        for n in LOOKS:
            if suffices(n):
                return n
    low, high = (2 if single else LOOKS[-1]), _MOST
    if not suffices(high):
        return None
    if suffices(low):
        return low
    while high - low > 1:  # the first number that suffices: the interval only shrinks
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high


def _misses(level: float) -> float:
    if level not in _MISSES:
        raise InputError(f"level is {level}; give one of {', '.join(map(str, _MISSES))}")
    return _MISSES[level]

"""How much of the population takes part: rates, dead and saturated units, effective rank of the code.

For telling a healthy code from a silent or an exploded one. Never fits a readout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from homeonet.analysis._checks import as_features
from homeonet.errors import InputError

__all__ = [
    "ActivitySummary",
    "EffectiveRank",
    "activity_summary",
    "dead_and_saturated",
    "effective_rank",
    "unit_rates",
]


@dataclass(frozen=True)
class EffectiveRank:
    """Number of dimensions a code uses, counted in two ways; each from 1 to the number of units.

    Attributes
    ----------
    participation_ratio : float
        (Σλ)²/Σλ² of the eigenvalues λ of the covariance.
    entropy : float
        exp(−Σ p log p) with p = λ/Σλ; at least the participation ratio.
    """

    participation_ratio: float
    entropy: float


@dataclass(frozen=True)
class ActivitySummary:
    """The state of a population over a set of images.

    Attributes
    ----------
    mean_rate, median_rate, max_rate : float
        Over the units, in Hz.
    dead_fraction : float
        Share of units that never fire.
    saturated_fraction : float
        Share of units whose mean rate reaches the saturation rate.
    rank : EffectiveRank
        Dimensions used by the code.
    """

    mean_rate: float
    median_rate: float
    max_rate: float
    dead_fraction: float
    saturated_fraction: float
    rank: EffectiveRank


def unit_rates(counts: np.ndarray, duration: float) -> xr.DataArray:
    """Mean firing rate of each unit over the images.

    Parameters
    ----------
    counts : array_like, shape (image, unit)
        Spike counts, ≥ 0.
    duration : float
        Time over which one image's spikes were counted, in seconds, > 0.

    Returns
    -------
    DataArray, shape (unit,)
        In Hz.

    Raises
    ------
    InputError
        Counts negative or not finite, or a duration that is not positive.
    """
    x = as_features("counts", counts)
    if x.min() < 0:
        raise InputError(f"counts has values down to {x.min()}; give spike counts ≥ 0")
    if not 0 < duration < np.inf:
        raise InputError(f"duration is {duration} s; give the seconds over which each image is counted, > 0")
    rates = x.mean(axis=0) / duration
    return xr.DataArray(rates, dims="unit", coords={"unit": np.arange(rates.size)}, attrs={"units": "Hz"})


def dead_and_saturated(rates: np.ndarray, saturation_rate: float) -> tuple[float, float]:
    """Shares of units that never fire, and of units whose rate reaches the saturation rate.

    Parameters
    ----------
    rates : array_like
        One rate per unit, in any unit of measure, such as Hz or spikes per step.
    saturation_rate : float
        In the same unit.

    Returns
    -------
    dead, saturated : float
        Shares, within [0, 1].
    """
    found = np.asarray(rates)
    return float(np.mean(found == 0)), float(np.mean(found >= saturation_rate))


def effective_rank(features: np.ndarray) -> EffectiveRank:
    """Number of dimensions over which a code spreads its variance.

    Parameters
    ----------
    features : array_like, shape (image, unit)
        Any code; at least two images.

    Returns
    -------
    EffectiveRank
        NaN in both where the code does not vary.

    Raises
    ------
    InputError
        Fewer than two images, or values that are not finite.

    References
    ----------
    Roy & Vetterli (2007). EUSIPCO, 606–610; Gao et al. (2017). bioRxiv 214262.
    """
    x = as_features("features", features, min_rows=2)
    if np.all(x == x[0]):
        return EffectiveRank(float("nan"), float("nan"))
    x = x - x.mean(axis=0)
    variance = np.linalg.svd(x / np.abs(x).max(), compute_uv=False) ** 2
    share = variance / variance.sum()
    used = share[share > 0]
    return EffectiveRank(float(1 / np.sum(share**2)), float(np.exp(-np.sum(used * np.log(used)))))


def activity_summary(
    counts: np.ndarray, duration: float, *, saturation_rate: float = 100.0
) -> ActivitySummary:
    """Rates, dead and saturated shares and effective rank of one population.

    Parameters
    ----------
    counts : array_like, shape (image, unit)
        Spike counts, ≥ 0; at least two images.
    duration : float
        Time over which one image's spikes were counted, in seconds, > 0.
    saturation_rate : float, default 100
        Mean rate from which a unit counts as saturated, in Hz, > 0.

    Returns
    -------
    ActivitySummary

    Raises
    ------
    InputError
        Counts negative or not finite, fewer than two images, or a duration or rate that is not positive.
    """
    if not saturation_rate > 0:
        raise InputError(f"saturation_rate is {saturation_rate} Hz; give a rate > 0")
    rates = unit_rates(counts, duration).to_numpy()
    dead, saturated = dead_and_saturated(rates, saturation_rate)
    return ActivitySummary(
        mean_rate=float(rates.mean()),
        median_rate=float(np.median(rates)),
        max_rate=float(rates.max()),
        dead_fraction=dead,
        saturated_fraction=saturated,
        rank=effective_rank(counts),
    )

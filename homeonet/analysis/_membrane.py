"""How far membrane potentials are from their stationary law at each time step.

For whether a network's start wastes its first steps. Arrays in, labelled arrays out; never runs a network.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from homeonet.errors import InputError

__all__ = ["membrane_distance", "total_variation"]


def total_variation(first: np.ndarray, second: np.ndarray) -> float:
    """Total-variation distance of two histograms, each normalised to one: ``½ Σ |p - q|``, from 0 to 1.

    Raises
    ------
    InputError
        Histograms of unequal shape, with negative entries, or empty.
    """
    p, q = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if p.shape != q.shape:
        raise InputError(f"histograms have shapes {p.shape} and {q.shape}; make them on the same bins")
    if p.size == 0 or p.min() < 0 or q.min() < 0 or p.sum() == 0 or q.sum() == 0:
        raise InputError("a histogram is empty or has negative entries; give counts")
    return float(0.5 * np.abs(p / p.sum() - q / q.sum()).sum())


def membrane_distance(membranes: np.ndarray, *, stationary_steps: int = 1, bins: int = 40) -> xr.DataArray:
    """Total-variation distance of the membrane's distribution at each step to that of the last steps.

    Parameters
    ----------
    membranes : array_like, shape (time, ...)
        Potentials of all units and examples after each step.
    stationary_steps : int, default 1
        Steps at the end whose pooled distribution stands for the stationary law.
    bins : int, default 40
        Bins of equal width, from the 0.1th to the 99.9th percentile of all values; what lies outside counts to the
        ends. Fewer samples than some hundred a bin bias the distance upwards.

    Returns
    -------
    DataArray, shape (time,)
        From 0 (the same) to 1 (disjoint); time from 1.

    Raises
    ------
    InputError
        Values that are not finite, or fewer time steps than `stationary_steps`.

    References
    ----------
    Kook et al. 2025, arXiv 2511.08708 (distance above 0.3 at the first step, below 0.1 by the third).
    """
    values = np.asarray(membranes, dtype=float)
    if values.ndim < 2 or not 1 <= stationary_steps <= len(values):
        raise InputError(
            f"membranes have shape {values.shape}, stationary_steps = {stationary_steps}; give (time, ...) with at "
            "least as many steps"
        )
    if not np.isfinite(values).all():
        raise InputError("membranes hold values that are not finite")
    values = values.reshape(len(values), -1)
    low, high = np.percentile(values, (0.1, 99.9))
    edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    counts = np.stack([np.histogram(np.clip(step, edges[0], edges[-1]), edges)[0] for step in values])
    stationary = counts[-stationary_steps:].sum(0)
    return xr.DataArray(
        [total_variation(step, stationary) for step in counts],
        dims="time",
        coords={"time": np.arange(1, len(values) + 1)},
        name="total_variation",
    )

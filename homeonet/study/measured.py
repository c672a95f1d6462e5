"""What studies measure of claims: paired differences over seeds, and what no seed changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from homeonet.claims import Measured, measured_over_seeds

__all__ = ["accuracies", "exact", "gain", "gains", "over_seeds", "paired_gain"]


def accuracies(results: xr.Dataset, name: str = "accuracy.test") -> xr.DataArray:
    """A metric that is a share, in per cent."""
    return 100 * results[name]


def gain(case: str, values: xr.DataArray, first: Mapping[str, Any], second: Mapping[str, Any]) -> Measured:
    """Paired difference over seeds, `first` − `second`, two places in `values`; in the unit of `values`, points."""
    return measured_over_seeds(case, values.sel(first).values - values.sel(second).values, "points")


def exact(case: str, value: float, unit: str = "") -> Measured:
    """What no seed changes."""
    return Measured(case, float(value), float(value), float(value), 1, unit)


def paired_gain(case: str, values: xr.DataArray, reference: xr.DataArray) -> list[Measured]:
    """The paired difference of two shares over seeds, in points; empty where no seed has both."""
    return over_seeds(case, 100 * (values - reference), "points")


def gains(pairs: Mapping[str, tuple[xr.DataArray, xr.DataArray]]) -> list[Measured]:
    """The `paired_gain` of several cases: of each the values and their reference."""
    return [found for case, pair in pairs.items() for found in paired_gain(case, *pair)]


def over_seeds(case: str, values: xr.DataArray, unit: str) -> list[Measured]:
    """The mean over the seeds that are there; empty where none is, for all its runs failed."""
    return [measured_over_seeds(case, values.to_numpy(), unit)] if np.isfinite(values).any() else []

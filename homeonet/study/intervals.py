"""Means over seeds with their intervals, and paired differences, as text and as rows of tables."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from homeonet.analysis import compare_conditions, mean_interval

__all__ = ["cell", "compared", "difference", "interval_text", "table_of"]

#: With as many pairs a sign-flip test can reach p < 0.05: 2/2⁶ = 0.03.
_TESTED = 6


def table_of(
    results: xr.Dataset, columns: Mapping[str, str], dims: Mapping[str, str], *, counted: bool = False
) -> list[list[str]]:
    """One line per condition: mean over seeds of each column with its 95 % interval (Student's t), in per cent.

    `columns` and `dims` give titles to metrics and dimensions. If `counted`, the last column says how many seeds each
    condition has, for studies that add seeds to some alone.
    """
    rows = [[*dims.values(), *columns.values(), *(["seeds"] if counted else [])]]
    for place in itertools.product(*(results[name].values for name in dims)):
        here = results.sel(dict(zip(dims, place, strict=True)))
        values = {name: 100 * here[name].to_numpy().ravel() for name in columns}
        if counted:
            there = np.isfinite(list(values.values())).any(axis=0)
            values = {name: found[there] for name, found in values.items()}
        labels = [value if isinstance(value, str) else f"{value:g}" for value in place]
        rows.append([*labels, *map(cell, values.values()), *([str(there.sum())] if counted else [])])
    return rows


def cell(values: np.ndarray, form: str = "{:.1f}") -> str:
    """Mean over seeds with its 95 % interval (Student's t); where seeds are missing, it says how many are there."""
    present, of = _present(values)
    if len(present) < 2:
        return (f"{form.format(present[0])}{of}" if len(present) else of).strip()
    found = mean_interval(present)
    mean, low, high = (form.format(value) for value in (found.estimate, found.low, found.high))
    return f"{mean} [{low}, {high}]{of}"


def difference(at: xr.Dataset) -> str:
    """A condition's paired difference from the reference of `compare_conditions`, with interval and corrected p.

    Of five seeds or fewer the p of a permutation test is above 0.05 whatever they are; it is left out.
    """
    if not np.isfinite(at["difference"]):
        return ""
    mean, low, high, p = (
        float(at[name]) for name in ("difference", "difference_low", "difference_high", "p_holm")
    )
    said = f", p = {p:.2f}" if p >= 0.01 else ", p < 0.01"
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]{said if at['n'] >= _TESTED else ''}"


def interval_text(values: Sequence[float] | np.ndarray | xr.DataArray, form: str = ".1f") -> str:
    """Mean with its 95 % interval (Student's t); where values are missing, it says how many are there."""
    present, of = _present(np.asarray(values, dtype=float).ravel())
    if len(present) < 2 or np.ptp(present) == 0:
        return (f"{present[0]:{form}}{of}" if len(present) else of).strip()
    ends = mean_interval(present)
    return f"{ends.estimate:{form}} [{ends.low:{form}}, {ends.high:{form}}]{of}"


def _present(values: np.ndarray) -> tuple[np.ndarray, str]:
    """The values of seeds that were run and did not fail, and how many of all these are, if not all."""
    present = values[np.isfinite(values)]
    of = "" if len(present) == len(values) else f" ({len(present)} of {len(values)} seeds)"
    return present, of


def compared(values: xr.DataArray, dim: str, reference: Any) -> list[list[str]]:
    """One line per condition along `dim`: its name, mean with interval, and paired difference from `reference`."""
    tests = compare_conditions(values, dim, reference=reference)
    return [
        [
            str(place) if isinstance(place, str) else f"{place:g}",
            interval_text(values.sel({dim: place})),
            difference(tests.sel({dim: place})),
        ]
        for place in values[dim].values
    ]

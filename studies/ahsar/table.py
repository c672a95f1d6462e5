"""The claims and tables of `study.py`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from cases import PARTS

from homeonet.analysis import compare_conditions
from homeonet.claims import Measured, measured_over_seeds
from homeonet.study.intervals import difference, interval_text

__all__ = ["differences", "rows_of", "shape_rows"]


def differences(values: xr.DataArray, first: str, second: str, *, ratio: bool = False) -> list[Measured]:
    """One case per paradigm or shape: `first` − `second` of each seed, or their ratio where there is one."""
    found = []
    for case in values["case"].values:
        a, b = (values.sel(case=case, homeostasis=part).values for part in (first, second))
        with np.errstate(divide="ignore", invalid="ignore"):  # a silent network has rates without a spread
            compared = a / b if ratio else a - b
        if np.isfinite(compared).any():
            found.append(measured_over_seeds(str(case), compared, "" if ratio else "points"))
    return found


def rows_of(
    values: xr.DataArray, epochs: xr.DataArray, spread: xr.DataArray, corrupted: xr.DataArray
) -> list[list[str]]:
    """One line per paradigm and part of AHSAR."""
    head = ["accuracy, %", "− none", "epochs to target", "SD of layer rates", "corrupted, %"]
    rows = [["training", "homeostasis", *head]]
    for name in values["case"].values:
        tests = compare_conditions(values.sel(case=name, drop=True), "homeostasis", reference="none")
        for part in PARTS:
            at = {"case": name, "homeostasis": part}
            line = [str(name), part, interval_text(values.sel(at)), difference(tests.sel(homeostasis=part))]
            line += [interval_text(epochs.sel(at), ".2f"), interval_text(spread.sel(at), ".3f")]
            tested = part in corrupted["homeostasis"].values
            rows.append([*line, interval_text(corrupted.sel(at)) if tested else ""])
    return rows


def shape_rows(values: xr.DataArray, gained: Sequence[Measured]) -> list[list[str]]:
    """A line per network: accuracy without and with AHSAR, and their paired difference."""
    rows = [["LIF, other networks", *map(str, values["homeostasis"].values), "AHSAR − none [Student's t]"]]
    for gain in gained:
        both = [interval_text(line) for line in values.sel(case=gain.case).transpose("homeostasis", "seed")]
        rows.append([gain.case, *both, f"{gain.mean:+.1f} [{gain.low:+.1f}, {gain.high:+.1f}]"])
    return rows

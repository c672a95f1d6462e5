"""The claims and tables of `study.py`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from cases import PARTS
from measures import epochs_to_target

from homeonet.analysis import compare_conditions
from homeonet.claims import Measured, measured_over_seeds
from homeonet.study.checks import above_chance, checked
from homeonet.study.intervals import difference, interval_text

__all__ = ["claims_of", "tables_of"]


def claims_of(data: xr.Dataset) -> dict[str, list[Measured]]:
    """The cases of every claim but that on the cost; void where the network without had not learnt."""
    values, spread, shapes = data["accuracy"], data["spread"].isel(epoch=-1, drop=True), _shapes(data)
    fit = {
        str(case): above_chance(f"{case}, without", accuracy.sel(case=case, homeostasis="none"))
        for accuracy in (values, shapes)
        for case in accuracy["case"].values
    }
    found = {
        "ahsar-accuracy": _differences(values, "AHSAR", "none"),
        "ahsar-convergence": _differences(_epochs(data), "AHSAR", "none", ratio=True),
        "ahsar-robust": _differences(_corrupted(data), "AHSAR", "none"),
        "ahsar-diffusion": _differences(values, "AHSAR", "no diffusion"),
        "ahsar-gain": _differences(values, "AHSAR", "no gain"),
        "ahsar-rates": _differences(spread, "AHSAR", "none", ratio=True),
        "ahsar-depth": _differences(shapes, "AHSAR", "none"),
        "ahsar-against-adaptation": _differences(values, "AHSAR", "adaptation"),
    }
    return {
        name: [kept for case in cases for kept in checked([case], fit[case.case])]
        for name, cases in found.items()
    }


def tables_of(data: xr.Dataset) -> tuple[list[list[str]], list[list[str]]]:
    """One line per paradigm and part of AHSAR; and one per network of another shape."""
    spread, shapes = data["spread"].isel(epoch=-1, drop=True), _shapes(data)
    rows = _rows(data["accuracy"], _epochs(data), spread, _corrupted(data))
    return rows, _shape_rows(shapes, _differences(shapes, "AHSAR", "none"))


def _shapes(data: xr.Dataset) -> xr.DataArray:
    return data["shape_accuracy"].sel(homeostasis=["none", "AHSAR"]).rename(shape="case")


def _epochs(data: xr.Dataset) -> xr.DataArray:
    return epochs_to_target(data["learning"], 10.0)


def _corrupted(data: xr.Dataset) -> xr.DataArray:
    """Mean accuracy over kinds of corruption and severities, of the homeostases that were tested on them."""
    harmed = data["robustness"].where(data["severity"] > 0).mean(("corruption", "severity"), skipna=True)
    return harmed.dropna("homeostasis", how="all")


def _differences(values: xr.DataArray, first: str, second: str, *, ratio: bool = False) -> list[Measured]:
    """One case per paradigm or shape: `first` − `second` of each seed, or their ratio where there is one."""
    found = []
    for case in values["case"].values:
        a, b = (values.sel(case=case, homeostasis=part).values for part in (first, second))
        with np.errstate(divide="ignore", invalid="ignore"):  # a silent network has rates without a spread
            compared = a / b if ratio else a - b
        if np.isfinite(compared).any():
            found.append(measured_over_seeds(str(case), compared, "" if ratio else "points"))
    return found


def _rows(
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


def _shape_rows(values: xr.DataArray, gained: Sequence[Measured]) -> list[list[str]]:
    """A line per network: accuracy without and with AHSAR, and their paired difference."""
    rows = [["LIF, other networks", *map(str, values["homeostasis"].values), "AHSAR − none [Student's t]"]]
    for gain in gained:
        both = [interval_text(line) for line in values.sel(case=gain.case).transpose("homeostasis", "seed")]
        rows.append([gain.case, *both, f"{gain.mean:+.1f} [{gain.low:+.1f}, {gain.high:+.1f}]"])
    return rows

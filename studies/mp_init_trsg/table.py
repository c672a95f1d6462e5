"""The claims and tables of `study.py`, all from what its figure is drawn from."""

from __future__ import annotations

import itertools

import xarray as xr

from homeonet.claims import Measured, measured_over_seeds
from homeonet.study.checks import above_chance, checked
from homeonet.study.intervals import compared, interval_text
from homeonet.study.measured import gain
from homeonet.study.tables import markdown_table

__all__ = ["claims_of", "rows_of", "tables_of"]

#: What guessing one of ten classes scores, in per cent: a run that diverged.
CHANCE = 10.0
CLAIMS = {"mp-init-accuracy": "MP-Init", "trsg-accuracy": "TrSG", "mp-init-trsg-accuracy": "MP-Init + TrSG"}


def claims_of(data: xr.Dataset) -> dict[str, list[Measured]]:
    """Every claim's cases; a frozen threshold that was not run has none."""
    learnt = _ran(data["ablation"])
    fit = {t: above_chance("none", learnt.sel(case="none", steps=t)) for t in data["steps"].values}
    measured = {
        claim: [
            found
            for t in data["steps"].values
            for found in checked(
                [gain(f"T = {t}", learnt, {"case": case, "steps": t}, {"case": "none", "steps": t})], fit[t]
            )
        ]
        for claim, case in CLAIMS.items()
    }
    shift, resets = data["shift"], [str(reset) for reset in data["reset"].values]
    at = {t: shift.sel(init="zero", time=t) for t in (1, 3)}
    ratio = shift.sel(init="MP-Init", time=1) / at[1]
    for claim, values in (("shift", ratio), ("transient", at[1]), ("settled", at[3])):
        measured[f"mp-init-{claim}"] = [
            measured_over_seeds(
                f"{reset} reset, {elements} elements", values.sel(reset=reset, elements=elements)
            )
            for reset in resets
            for elements in map(str, data["elements"].values)
        ]
    for reset in resets:
        share = data["start"].sel(reset=reset)
        measured[f"mp-init-constant-{reset}"] = [measured_over_seeds(f"{reset} reset, T = 4", share)]
    sizes = data["gradient_of_seeds"].sel(rule="TrSG").dropna("threshold")
    spread = sizes.max("threshold") / sizes.min("threshold")
    measured["trsg-invariance"] = [measured_over_seeds("one layer, normal membranes", spread)]
    measured["trsg-as-starves"] = _frozen(data["accuracy_sgd"], "SGD", "AS", 2.0)
    measured["trsg-as-starves"] += _frozen(data["accuracy"], "Adam", "AS", 2.0)
    measured["trsg-rs-diverges"] = _frozen(data["accuracy_sgd"], "SGD", "RS", 0.1)
    return measured


def _ran(values: xr.DataArray) -> xr.DataArray:
    """The seeds that were run; one that diverged there counts as guessing."""
    return values.dropna("seed", how="all").fillna(CHANCE)


def _frozen(accuracy: xr.DataArray, optimizer: str, rule: str, theta: float) -> list[Measured]:
    """TrSG against another rule at a frozen threshold; void where the network does not learn at a threshold of 1."""
    there = _ran(accuracy.dropna("threshold", how="all"))
    if theta not in there["threshold"]:
        return []
    places = ({"rule": name, "threshold": theta} for name in ("TrSG", rule))
    found = gain(f"V_thr = {theta:g}, T = 4, {optimizer}", there, *places)
    fit = above_chance(f"TrSG at a threshold of 1 by {optimizer}", there.sel(rule="TrSG", threshold=1.0))
    return checked([found], fit)


def rows_of(data: xr.Dataset) -> list[list[str]]:
    """The ablation: a line per case and T."""
    rows = [["learnt threshold", "T", "test accuracy, %", "− none"]]
    for t in data["steps"].values:
        for case, accuracy, gained in compared(data["ablation"].sel(steps=t, drop=True), "case", "none"):
            rows.append([case, f"{t:g}", accuracy, gained])
    return [*rows, ["raw pixels, logistic", "", f"{data.attrs['baseline']:.1f}", ""]]


def tables_of(data: xr.Dataset) -> str:
    """Frozen thresholds, MP-Init elsewhere, membranes, and sizes of gradients."""
    rules = [str(rule) for rule in data["rule"].values]
    accuracy, sizes = (
        data[name].dropna("threshold", how="all") for name in ("accuracy", "gradient_of_seeds")
    )
    frozen = [["frozen threshold, T = 4", *(f"{rule}, %" for rule in rules)]]
    for optimizer, values in (
        ("Adam", accuracy),
        ("SGD", data["accuracy_sgd"].dropna("threshold", how="all")),
    ):
        for theta in values["threshold"].values:
            here = (values.sel(rule=rule, threshold=theta) for rule in rules)
            frozen.append([f"{theta:g}, {optimizer}", *map(interval_text, here)])
    elsewhere = [["MP-Init on, T = 4", "without, %", "with, %", "difference"]]
    for network in data["network"].values:
        values = data["elsewhere"].sel(network=network, drop=True)
        (_, without, _), (_, with_it, gained) = compared(values, "init", "zero")
        elsewhere.append([str(network), without, with_it, gained])
    times = [t for t in (1, 2, 3, 4, 8) if t in data["time"]]
    places = itertools.product(*(data[name].values for name in ("reset", "elements", "init")))
    distance = [
        ["total variation to the stationary law", *(f"t = {t}" for t in times), "μ / V_thr"],
        *(
            [
                f"{reset} reset, {elements} elements, start: {init}",
                *(interval_text(course.sel(time=t), ".2f") for t in times),
                interval_text(data["start"].sel(reset=reset), ".2f") if init == "MP-Init" else "0",
            ]
            for reset, elements, init in places
            for course in [data["shift"].sel(reset=reset, elements=elements, init=init)]
        ),
    ]
    gradient = [["mean size of ∂O/∂m, threshold", *rules]] + [
        [f"{theta:g}", *(interval_text(sizes.sel(rule=rule, threshold=theta), ".3f") for rule in rules)]
        for theta in sizes["threshold"].values
    ]
    return "\n\n".join(map(markdown_table, (frozen, elsewhere, distance, gradient)))

"""Does sleep help networks trained by gradients, and if not: for want of local learning, or of recurrence?

The paper's sleep (noise, STDP between spiking layers, the power law) in its feed-forward surrogate-gradient network
of one and three hidden layers and in recurrent ones of one and two, beside weight decay, dropout, weight normalisation
and nothing; and in networks of HD-LIF (whose weights STDP cannot reach) and DSN neurons. All learn awake by
backpropagation, so a recurrent one that gains nothing lacks the local learning of the plastic network, and not its
recurrence. Every network is to reach the published accuracy without sleep, or its cases say nothing.

    HOMEONET_DATA=… python studies/sleep_gradient/study.py --full --data fashion     # an hour on two cores; resumes
    python studies/sleep_gradient/study.py --quick                    # embedded images, a minute
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

import xarray as xr
from cases import PAPER, PUBLISHED, RATIOS, TREATMENTS, GradientScale, cases, growth, split

from homeonet.analysis import compare_conditions
from homeonet.claims import Measured
from homeonet.cli.study import finish, run_grid
from homeonet.cli.terminal import run_main
from homeonet.study.checks import checked, reaches
from homeonet.study.figure_data import gallery_figure, gathered
from homeonet.study.intervals import difference, interval_text
from homeonet.study.measured import accuracies, gain
from homeonet.study.options import QUICK, scale_of, study_options, training
from homeonet.sweep import Grid

_CLAIMS = {
    "SG-SNN": "sleep-flat-gradient",
    "recurrent SG-SNN": "sleep-recurrent-gradient",
    "recurrent SG-SNN, 2 layers": "sleep-recurrent-gradient",
    "HD-LIF": "sleep-hdlif-dsn",
    "DSN": "sleep-hdlif-dsn",
}


def _measured(values: xr.DataArray) -> dict[str, list[Measured]]:
    """Sleep against nothing, by network, ratio and data; void where the network is below the published accuracy."""
    measured: dict[str, list[Measured]] = {}
    for data in map(str, values["data"].values):
        here = values.sel(data=data)
        for network, claim in _CLAIMS.items():
            plain = f"{network}: none"
            if plain not in here["case"].values:
                continue
            able = reaches(f"{network} without sleep", here.sel(case=plain), PUBLISHED.get(data, 20.0))
            for ratio in RATIOS:
                case = f"{network}: sleep {100 * ratio:g} %"
                found = gain(f"{network}, {data}, {100 * ratio:g} %", here, {"case": case}, {"case": plain})
                measured.setdefault(claim, []).extend(checked([found], able))
    return measured


def main() -> None:
    """Run what is missing, then print and write the table, the claims and the figure."""
    full = GradientScale(train=10000, test=10000, epochs=3, seeds=(1, 2, 3))
    small = {"data": (QUICK.data,), "hidden": 50, "epochs": 2, "networks": ("SG-SNN", "recurrent SG-SNN")}
    quick = GradientScale(**vars(QUICK) | small)
    options = study_options(__doc__ or "", "sleep_gradient", full, quick, earlier=True)
    data = gathered(_run, options)
    raw = data["raw_pixels"].mean("seed")
    said = ", ".join(f"{name} {float(raw.sel(data=name)):.1f} %" for name in map(str, data["data"].values))
    note = f"95 % t intervals; raw pixels {said}; p of a paired permutation test after Holm."
    drawn, measured = partial(gallery_figure, "sleep_gradient"), _measured(data["accuracy"])
    finish(options, _rows(data), note, data, drawn, measured, scale_of(options, data))


def _run(options: argparse.Namespace) -> xr.Dataset:
    """Run what is missing; all that is kept of it."""
    fixed = PAPER | training(options) | {"net_options.hidden": options.hidden}
    del fixed["data"]
    grid = Grid(fixed, {"data": options.data, "seed": options.seeds}, cases(options))
    found = run_grid(grid, options.out / "sweep", options)
    return xr.Dataset(
        {
            "accuracy": accuracies(found.results).rename(None),
            "growth": growth(found.results, options.out / "sweep" / "cells").rename(None),
            "raw_pixels": accuracies(found.results, "accuracy.raw_pixels")
            .rename(None)
            .isel(case=0, drop=True),
        }
    )


def _rows(found: xr.Dataset) -> list[list[str]]:
    rows = [["data", "network", "treatment", "seeds", "accuracy, %", "− none", "weights, end / first epoch"]]
    cases = list(map(str, found["case"].values))
    for data in map(str, found["data"].values):
        for network in dict.fromkeys(split(case)[0] for case in cases):
            names = [f"{network}: {t}" for t in TREATMENTS if f"{network}: {t}" in cases]
            here = found.sel(data=data, case=names)
            tests = compare_conditions(here["accuracy"], "case", reference=f"{network}: none")
            for name in names:
                at = here.sel(case=name).dropna("seed", subset=["accuracy"])
                if not at.sizes["seed"]:
                    continue
                end = f"{float(at['growth'].mean()):.3f}".replace("nan", "")
                line = [data, network, split(name)[1], str(at.sizes["seed"]), interval_text(at["accuracy"])]
                rows.append([*line, difference(tests.sel(case=name)), end])
    return rows


if __name__ == "__main__":
    sys.exit(run_main(main))

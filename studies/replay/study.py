"""Does sleep replay? What neurons do asleep beside what they did awake, against chance and against before learning.

The sleep paper's network by the clock, its weights shrinking towards their start, so that recurrence outlives sleep;
noise of 0.1 to 10 mV, two shares of the time asleep. After training, a minute of sleep is looked at in bins of 100 ms:
the largest correlation of a bin with the mean answer to a class, beyond that with shuffled neurons; and the correlation
between the correlations of pairs of neurons awake and asleep. The same before learning. Beside them the accuracy, and
the accuracy with plasticity off asleep: does it depend on replay?

    HOMEONET_DATA=… python studies/replay/study.py --full       # resumes
    HOMEONET_DATA=… python studies/replay/study.py --full --sigmas 3 10 --seeds 6 7 --out results/replay_6_7 \\
        --earlier figures/data/replay.nc                        # adds seeds where a case is open
    python studies/replay/study.py --quick                      # embedded images, minutes
"""

from __future__ import annotations

import argparse
import itertools
import sys
from typing import Any

import numpy as np
import xarray as xr
from probe import MEASURES, probed

from homeonet.cli.study import finish, run_grid
from homeonet.cli.terminal import run_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_against
from homeonet.study.figure_data import gathered
from homeonet.study.intervals import interval_text
from homeonet.study.measured import over_seeds
from homeonet.study.options import UNGUARDED, options_of, scale_of
from homeonet.study.sleep import BY_THE_CLOCK, TARGETS_AT_START, ratio_of
from homeonet.sweep import Grid

SIGMAS = (0.1, 1.0, 3.0, 10.0)
SHARES = (0.05, 0.15)
#: Images whose answers are compared.
IMAGES = 300
_TITLES = {
    "patterns": "patterns beyond chance",
    "pairs": "pairs of neurons",
    "active": "active bins",
    "rate": "Hz",
}


def main() -> None:
    """Run what is missing, then print and write the table, the claims and the figure."""
    options = options_of(
        __doc__ or "",
        "replay",
        presets=["massey2026"],
        data=["mnist"],
        seeds=[1, 2, 3],
        train=1000,
        test=1000,
        single=("--data", "--presets"),
        among={"sigmas": SIGMAS, "shares": SHARES},
        earlier=True,
    )
    found = gathered(_run, options)
    head = ["σ, mV", "asleep, %", "seeds", *(f"{title}: before → after" for title in _TITLES.values())]
    rows = [[*head, "QDA, %", "− not plastic asleep"]]
    for sigma, share in itertools.product(found["sigma"].values, found["share"].values):
        at = found.sel(sigma=sigma, share=share).dropna("seed", subset=["qda"])
        changes = [
            " → ".join(_text(at[f"{when}.{name}"]) for when in ("before", "after")) for name in MEASURES
        ]
        rows.append(
            [
                f"{sigma:g}",
                f"{100 * share:g}",
                str(at.sizes["seed"]),
                *changes,
                interval_text(at["qda"]),
                interval_text(at["gain"]),
            ]
        )
    note = "mean and 95 % t interval over seeds; a minute of sleep after training, in bins of 100 ms."
    finish(options, rows, note, found, draw, _measured(found), scale_of(options, found))


def _run(options: argparse.Namespace) -> xr.Dataset:
    """Run what is missing; all that is kept of it."""
    sigmas = options.sigmas or ((0.1, 3.0) if options.quick else SIGMAS)
    shares = options.shares or (SHARES[:1] if options.quick else SHARES)
    fixed: dict[str, Any] = {"preset": options.presets[0], "data": options.data[0], **UNGUARDED}
    fixed |= {"train": options.train, "test": options.test, **BY_THE_CLOCK, **TARGETS_AT_START}
    axes = {
        "noise.sigma": [f"{sigma:g} mV" for sigma in sigmas],
        "sleep.ratio": [ratio_of(share) for share in shares],
        "seed": options.seeds,
    }
    cases = {"plastic asleep": {}, "not plastic asleep": {"sleep.plastic": False}}
    results = run_grid(Grid(fixed, axes, cases), options.out / "sweep", options).results
    cells = options.out / "sweep" / "cells"
    results = results.assign_coords({"noise.sigma": list(sigmas), "sleep.ratio": list(shares)})
    results = results.rename({"noise.sigma": "sigma", "sleep.ratio": "share"})
    found = _probes(results, cells, min(IMAGES, options.train))
    plastic = results.sel(case="plastic asleep")
    found["qda"] = 100 * plastic["accuracy.qda"]
    found["gain"] = 100 * (plastic["accuracy.qda"] - results["accuracy.qda"].sel(case="not plastic asleep"))
    return found.reset_coords(drop=True)


def _text(values: xr.DataArray) -> str:
    """Mean with its interval; of neurons that say nothing there is no correlation."""
    return interval_text(values, ".2f") if values.notnull().any() else "silent"


def _probes(results: xr.Dataset, cells: Any, n_images: int) -> xr.Dataset:
    names = [f"{when}.{name}" for when in ("before", "after") for name in MEASURES]
    shape = {name: results[name] for name in ("sigma", "share", "seed")}
    empty = xr.DataArray(np.nan, coords=shape, dims=tuple(shape))
    found = xr.Dataset({name: empty.copy() for name in names})
    for place in itertools.product(*(values.values for values in shape.values())):
        at = dict(zip(shape, place, strict=True))
        here = results.sel(case="plastic asleep", **at)
        if here["state"].item() == "done":
            for name, value in probed(cells / here["cell"].item(), 1e-3 * at["sigma"], n_images).items():
                found[name].loc[at] = value
    return found


def _measured(found: xr.Dataset) -> dict[str, list]:
    """Beyond chance and beyond before learning, by noise and share; silent networks have no case."""
    measured: dict[str, list] = {"sleep-replay-patterns": [], "sleep-replay-learnt": []}
    for sigma, share in itertools.product(found["sigma"].values, found["share"].values):
        at = found.sel(sigma=sigma, share=share)
        case = f"{sigma:g} mV, {100 * share:g} % asleep"
        measured["sleep-replay-patterns"] += over_seeds(case, at["after.patterns"], "")
        measured["sleep-replay-learnt"] += over_seeds(case, at["after.pairs"] - at["before.pairs"], "")
    return measured


def draw(data: xr.Dataset) -> Any:
    """Both measures against the noise, before and after learning, at the first share."""
    figure, axes = new_figure(1, 3, width=DOUBLE_WIDTH, height=2.5)
    here = data.isel(share=0)
    for ax, name in zip(axes[0], ("patterns", "pairs", "rate"), strict=True):
        lines = {"before learning": here[f"before.{name}"], "after": here[f"after.{name}"]}
        plot_against(lines, ax, "sigma")
        ax.set(xscale="log", xlabel="noise asleep σ (mV)")
    labels = ("pattern correlation\n− shuffled", "correlation of pairs'\ncorrelations", "rate asleep (Hz)")
    for ax, label in zip(axes[0], labels, strict=True):
        ax.set_ylabel(label)
    axes[0, 2].set_yscale("symlog")
    axes[0, 2].margins(y=0.15)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    sys.exit(run_main(main))

"""Does sleep protect from forgetting? Classes that come one pair after another, beside classes that are mixed.

The sleep paper's network, its weights shrinking towards their start, and this project's own, with and without sleep by
the clock. After training a readout is fitted on what the network answers to training images of all classes, and scored
on test images: of all classes, and of the pair that was learnt first. What a network lost by the order of its images is
the difference from the same images mixed; what sleep saved of it is the difference of that with and without sleep.

    HOMEONET_DATA=… python studies/forgetting/study.py --full       # resumes
    python studies/forgetting/study.py --quick                      # embedded images, minutes
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from homeonet.cli.study import finish, run_grid
from homeonet.cli.terminal import run_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_against
from homeonet.store import load_records
from homeonet.study.checks import above_chance, checked, slept
from homeonet.study.figure_data import gathered
from homeonet.study.intervals import interval_text
from homeonet.study.measured import over_seeds
from homeonet.study.options import UNGUARDED, options_of, scale_of
from homeonet.study.sleep import BY_THE_CLOCK, TARGETS_AT_START, ratio_of
from homeonet.sweep import Grid

NETWORKS: dict[str, dict[str, Any]] = {
    "paper": {"preset": "massey2026", **BY_THE_CLOCK, **TARGETS_AT_START},
    "homeonet": {"preset": "homeonet", **BY_THE_CLOCK},
}
SHARES = (0.0, 0.05, 0.1)
#: Classes at a time: all mixed, and two by two.
ORDERS = {"mixed": 0, "pairs": 2}
READOUTS = {"qda": "QDA", "logistic": "logistic"}
TITLES = {"mnist": "MNIST", "fashion": "Fashion-MNIST"}


def main() -> None:
    """Run what is missing, then print and write the table, the claims and the figure."""
    options = options_of(
        __doc__ or "",
        "forgetting",
        presets=list(NETWORKS),
        data=["mnist", "fashion"],
        seeds=[1, 2, 3],
        train=1000,
        test=1000,
        earlier=True,
    )
    found = gathered(_run, options)
    finish(options, _rows(found), NOTE, found, draw, _measured(found), scale_of(options, found))


def _run(options: argparse.Namespace) -> xr.Dataset:
    """Run what is missing; all that is kept of it."""
    shares = SHARES[::2] if options.quick else SHARES
    fixed = {"train": options.train, "test": options.test, **UNGUARDED}
    axes = {
        "data": options.data,
        "input.classes_at_a_time": list(ORDERS.values()),
        "sleep.ratio": [ratio_of(share) for share in shares],
        "seed": options.seeds,
    }
    grid = Grid(fixed, axes, {name: NETWORKS[name] for name in options.presets})
    results = run_grid(grid, options.out / "sweep", options).results
    results = results.assign_coords({"input.classes_at_a_time": list(ORDERS), "sleep.ratio": list(shares)})
    names = {"case": "network", "input.classes_at_a_time": "order", "sleep.ratio": "share"}
    return _scored(results.rename(names), options.out / "sweep" / "cells")


NOTE = (
    "mean and 95 % t interval over seeds. First pair: test images of the two classes that came first, by the "
    "readout of all classes."
)


def _scored(results: xr.Dataset, cells: Path) -> xr.Dataset:
    """Accuracies in per cent, of all classes and of the first pair, by readout."""
    found = xr.Dataset({name: 100 * results[f"accuracy.{name}"] for name in READOUTS})
    for name in READOUTS:
        found[f"{name}_first"] = xr.full_like(found[name], np.nan)
    found["slept"] = results["sleep_fraction"]
    dims = ("network", "data", "order", "share", "seed")
    for place in itertools.product(*(results[name].values for name in dims)):
        at = dict(zip(dims, place, strict=True))
        if results["state"].sel(at).item() != "done":
            continue
        records = load_records(cells / results["cell"].sel(at).item())
        truth = records["labels_test"].values
        first = truth < ORDERS["pairs"]
        for name in READOUTS:
            right = records["prediction"].sel(readout=name).values == truth
            found[f"{name}_first"].loc[at] = 100 * right[first].mean()
    return found.reset_coords(drop=True)


def _lost(found: xr.Dataset, name: str) -> xr.DataArray:
    """What coming in pairs costs, in points."""
    return found[name].sel(order="mixed") - found[name].sel(order="pairs")


def _rows(found: xr.Dataset) -> list[list[str]]:
    head = ["network", "data", "asleep, %"]
    for title in READOUTS.values():
        head += [f"{title}: mixed, %", "in pairs, %", "lost, points", "first pair, mixed → in pairs, %"]
    rows = [head]
    for network, data, share in itertools.product(*(found[n].values for n in ("network", "data", "share"))):
        at = found.sel(network=network, data=data, share=share)
        line = [str(network), str(data), f"{100 * share:g}"]
        for name in READOUTS:
            mixed, pairs = (at.sel(order=order) for order in ORDERS)
            first = " → ".join(f"{float(part[f'{name}_first'].mean()):.1f}" for part in (mixed, pairs))
            line += [
                interval_text(mixed[name]),
                interval_text(pairs[name]),
                interval_text(_lost(at, name)),
                first,
            ]
        rows.append(line)
    return rows


def _measured(found: xr.Dataset) -> dict[str, list]:
    """What sleep saves of what coming in pairs costs, by network, data, share and readout."""
    cases = []
    for network, data in itertools.product(found["network"].values, found["data"].values):
        here = found.sel(network=network, data=data)
        able = above_chance("QDA, mixed, without sleep", here["qda"].sel(order="mixed", share=0.0))
        for share, (name, title) in itertools.product(here["share"].values[1:], READOUTS.items()):
            lost = _lost(here, name)
            saved = lost.sel(share=0.0) - lost.sel(share=share)
            case = f"{network}, {data}, {100 * share:g} % asleep, {title}"
            applied = slept(here["slept"].sel(order="pairs", share=share), ratio_of(float(share)), share=0.85)
            cases += checked(over_seeds(case, saved, "points"), able, applied)
    return {"sleep-forgetting": cases}


def draw(data: xr.Dataset) -> Any:
    """Points lost by coming in pairs against the share asleep, by network and data."""
    networks, sets = data["network"].values, data["data"].values
    figure, axes = new_figure(1, len(sets), width=DOUBLE_WIDTH, height=2.6, sharey=True)
    for ax, chosen in zip(axes[0], sets, strict=True):
        lines = {
            f"{network}, {title}": _lost(data.sel(network=network, data=chosen), name)
            for network in networks
            for name, title in READOUTS.items()
        }
        lines = {name: line.assign_coords(share=100 * line["share"]) for name, line in lines.items()}
        plot_against(lines, ax, "share")
        ax.axhline(0, color="#666666", linewidth=0.6)
        ax.set(title=TITLES.get(str(chosen), str(chosen)), xlabel="time asleep (%)")
    axes[0, 0].set_ylabel("accuracy lost by classes\nin pairs (points)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    sys.exit(run_main(main))

"""Does sleep protect from forgetting? Classes that come one pair after another, beside classes that are mixed.

The sleep paper's network, its weights shrinking towards their start, and this project's own, with and without sleep by
the clock. What is forgotten is measured twice. By a readout that is *kept*: fitted to what the network answers to the
first pair when it has learnt no other, and scored on test images of that pair then and after all pairs. And by one that
is *fitted anew* to what the finished network answers to all classes: what the order costs is then the difference from
the same images mixed. What sleep saves is the difference of what is lost with and without it.

    HOMEONET_DATA=… python studies/forgetting/study.py --full       # resumes
    python studies/forgetting/study.py --quick                      # embedded images, minutes
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from sklearn.preprocessing import normalize

from homeonet.analysis import evaluate_readout
from homeonet.claims import Check
from homeonet.cli.study import finish, run_grid
from homeonet.cli.terminal import run_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_against
from homeonet.store import load_records
from homeonet.study.checks import above_chance, checked, slept
from homeonet.study.figure_data import gathered
from homeonet.study.intervals import interval_text
from homeonet.study.measured import over_seeds
from homeonet.study.options import UNGUARDED, options_of, scale_of
from homeonet.study.sleep import BY_THE_CLOCK, NETWORKS, ratio_of
from homeonet.study.tables import markdown_table
from homeonet.sweep import Grid

COMPARED = ("paper", "homeonet")
SHARES = (0.0, 0.05, 0.1)
#: Classes at a time: all mixed, and two by two.
ORDERS = {"mixed": 0, "pairs": 2}
READOUTS = {"qda": "QDA", "logistic": "logistic"}
#: Of the first pair; the last knows no rate but only which neurons answer: a change of all rates loses it nothing.
KEPT = READOUTS | {"nearest_mean": "nearest mean"}
#: Points that must be forgotten, with sleep or without, for sleep to have something to protect or to lose.
FORGOTTEN = 5.0
TITLES = {"mnist": "MNIST", "fashion": "Fashion-MNIST"}


def main() -> None:
    """Run what is missing, then print and write the table, the claims and the figure."""
    options = options_of(
        __doc__ or "",
        "forgetting",
        presets=list(COMPARED),
        data=["mnist", "fashion"],
        seeds=[1, 2, 3],
        train=1000,
        test=1000,
        earlier=True,
        among={"orders": tuple(ORDERS)},
    )
    found = gathered(_run, options)
    note = NOTE + markdown_table(_anew(found))
    finish(options, _rows(found), note, found, draw, _measured(found), scale_of(options, found))


def _run(options: argparse.Namespace) -> xr.Dataset:
    """Run what is missing; all that is kept of it."""
    shares = SHARES[::2] if options.quick else SHARES
    orders = [order for order in ORDERS if order in {"pairs", *(options.orders or ORDERS)}]
    fixed = {"train": options.train, "test": options.test, **UNGUARDED, **BY_THE_CLOCK}
    axes = {
        "data": options.data,
        "input.classes_at_a_time": [ORDERS[order] for order in orders],
        "sleep.ratio": [ratio_of(share) for share in shares],
        "seed": options.seeds,
    }
    grid = Grid(fixed, axes, {name: NETWORKS[name] for name in options.presets})
    results = run_grid(grid, options.out / "sweep", options).results
    results = results.assign_coords({"input.classes_at_a_time": orders, "sleep.ratio": list(shares)})
    names = {"case": "network", "sleep.ratio": "share"}
    every = results.rename(names | {"input.classes_at_a_time": "order"})
    first = fixed | {"input.classes_at_a_time": ORDERS["pairs"], "input.tasks": 1}
    short = {name: values for name, values in axes.items() if name != "input.classes_at_a_time"}
    early = run_grid(Grid(first, short, grid.cases), options.out / "first", options, baselines=False).results
    early = early.assign_coords({"sleep.ratio": list(shares)}).rename(names)
    found = _scored(every, options.out / "sweep" / "cells").reindex(order=list(ORDERS))
    return found.merge(
        _kept(early, options.out / "first", every.sel(order="pairs", drop=True), options.out / "sweep")
    )


NOTE = (
    "mean and 95 % t interval over seeds. First pair: the two classes that came first. Kept: the readout was fitted "
    "when the network had learnt no other classes; accuracy then → after all pairs, and what is lost. Nearest mean: "
    "the class whose mean answer has the smaller angle.\n\nFitted anew, to what the finished network answers to all "
    "classes:\n\n"
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


def _kept(early: xr.Dataset, before: Path, late: xr.Dataset, after: Path) -> xr.Dataset:
    """Accuracies in per cent on the first pair, by its own readout: just learnt, and after all pairs."""
    dims = ("network", "data", "share", "seed")
    shape = xr.full_like(early["accuracy.qda"].transpose(*dims), np.nan).expand_dims(readout=list(KEPT))
    found = {name: shape.copy() for name in ("learnt", "kept")}
    for place in itertools.product(*(early[name].values for name in dims)):
        at = dict(zip(dims, place, strict=True))
        if any(results["state"].sel(at).item() != "done" for results in (early, late)):
            continue
        then, now = (
            load_records(folder / "cells" / results["cell"].sel(at).item())
            for folder, results in ((before, early), (after, late))
        )
        seen, tested = (then[f"labels_{part}"].values < ORDERS["pairs"] for part in ("train", "test"))
        fitted = then["features_train"].values[seen], then["labels_train"].values[seen]
        for readout in KEPT:
            for name, records in (("learnt", then), ("kept", now)):
                shown = records["features_test"].values[tested], records["labels_test"].values[tested]
                found[name].loc[at | {"readout": readout}] = 100 * _right(readout, *fitted, *shown)
    return xr.Dataset(found).reset_coords(drop=True)


def _right(readout: str, *fitted_and_shown: np.ndarray) -> float:
    """Share of the images shown that the readout, fitted to the others, reads correctly."""
    if readout != "nearest_mean":
        return evaluate_readout(readout, *fitted_and_shown).accuracy
    x_train, y_train, x_test, y_test = fitted_and_shown
    classes = np.unique(y_train)
    directions = normalize(x_train.astype(float))
    means = normalize(np.stack([directions[y_train == k].mean(axis=0) for k in classes]))
    return float((classes[(x_test @ means.T).argmax(axis=1)] == y_test).mean())


def _lost(found: xr.Dataset, name: str) -> xr.DataArray:
    """What coming in pairs costs where the readout is fitted anew, in points."""
    return found[name].sel(order="mixed") - found[name].sel(order="pairs")


def _forgotten(found: xr.Dataset, readout: str) -> xr.DataArray:
    """What a readout of the first pair that is kept has lost of it after all pairs, in points."""
    return (found["learnt"] - found["kept"]).sel(readout=readout)


def _rows(found: xr.Dataset) -> list[list[str]]:
    """What a readout of the first pair that is kept loses."""
    rows = [["network", "data", "asleep, %", *(f"{title} kept, %: lost, points" for title in KEPT.values())]]
    for name, at in _places(found):
        line = []
        for readout in KEPT:
            then, now = (float(at[when].sel(readout=readout).mean()) for when in ("learnt", "kept"))
            line.append(f"{then:.1f} → {now:.1f}: {interval_text(_forgotten(at, readout))}")
        rows.append(name + line)
    return rows


def _anew(found: xr.Dataset) -> list[list[str]]:
    """What the order of classes costs a readout that is fitted anew, of seeds that were run in both orders."""
    found = found.where(found["qda"].sel(order="mixed", drop=True).notnull())
    head = ["network", "data", "asleep, %"]
    for title in READOUTS.values():
        head += [f"{title}: mixed, %", "in pairs, %", "lost, points", "first pair, mixed → in pairs, %"]
    rows = [head]
    for place, at in _places(found):
        line = []
        for name in READOUTS:
            mixed, pairs = (at.sel(order=order) for order in ORDERS)
            first = " → ".join(f"{float(part[f'{name}_first'].mean()):.1f}" for part in (mixed, pairs))
            line += [
                interval_text(mixed[name]),
                interval_text(pairs[name]),
                interval_text(_lost(at, name)),
                first,
            ]
        rows.append(place + line)
    return rows


def _places(found: xr.Dataset) -> Iterator[tuple[list[str], xr.Dataset]]:
    """Network, data and share asleep as a table names them, and what was found there."""
    for network, data, share in itertools.product(*(found[n].values for n in ("network", "data", "share"))):
        here = found.sel(network=network, data=data, share=share)
        yield [str(network), str(data), f"{100 * share:g}"], here


def _measured(found: xr.Dataset) -> dict[str, list]:
    """What sleep saves of what a kept readout of the first pair loses, by network, data, share and readout."""
    cases = []
    for network, data in itertools.product(found["network"].values, found["data"].values):
        here = found.sel(network=network, data=data)
        able = above_chance("QDA, mixed, without sleep", here["qda"].sel(order="mixed", share=0.0))
        for share, (name, title) in itertools.product(here["share"].values[1:], KEPT.items()):
            awake, asleep = (_forgotten(here, name).sel(share=at) for at in (0.0, share))
            most = max(float(awake.mean()), float(asleep.mean()))
            forgets = Check("points forgotten without sleep or with it, the more", most, at_least=FORGOTTEN)
            applied = slept(here["slept"].sel(order="pairs", share=share), ratio_of(float(share)), share=0.85)
            case = f"{network}, {data}, {100 * share:g} % asleep, {title}"
            cases += checked(over_seeds(case, awake - asleep, "points"), able, applied, forgets)
    return {"sleep-forgetting": cases}


def draw(data: xr.Dataset) -> Any:
    """Points lost of the first pair, and by the order of classes, against the share asleep, by network and data."""
    networks, sets = data["network"].values, data["data"].values
    figure, axes = new_figure(
        len(networks), len(sets), width=DOUBLE_WIDTH, height=4.2, sharex=True, sharey=True
    )
    for (row, network), (column, chosen) in itertools.product(enumerate(networks), enumerate(sets)):
        here, ax = data.sel(network=network, data=chosen), axes[row, column]
        here = here.assign_coords(share=100 * here["share"])
        lines = {f"first pair, {title} kept": _forgotten(here, name) for name, title in KEPT.items()}
        lines["all classes, QDA fitted anew"] = _lost(here, "qda")
        plot_against(lines, ax, "share")
        ax.axhline(0, color="#666666", linewidth=0.6)
        if row == 0:
            ax.set_title(TITLES.get(str(chosen), str(chosen)))
        if row == len(networks) - 1:
            ax.set_xlabel("time asleep (%)")
        if column == 0:
            ax.set_ylabel(f"{network}: accuracy\nlost (points)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    sys.exit(run_main(main))

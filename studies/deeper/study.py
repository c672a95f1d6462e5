"""Does sleep help deeper networks? One to three recurrent E/I layers in one network, and other images.

The sleep paper's network, its weights shrinking towards their start, and this project's own; each further layer takes
the excitatory neurons of the layer below for its input. Sleep comes by the clock, for its full length, to all layers at
once. A readout sees one layer alone; rates say whether it lives. CIFAR-10 is read in grey, beside the raw pixels.

    HOMEONET_DATA=… python studies/deeper/study.py --full     # CIFAR10 as a folder of images; resumes
    python studies/deeper/study.py --quick                    # embedded images, minutes
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from layers import BASES, layered, populations

from homeonet import read_out
from homeonet.cli.study import finish, run_grid
from homeonet.cli.terminal import run_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_against
from homeonet.study.checks import above_chance, alive, checked, slept
from homeonet.study.figure_data import gathered
from homeonet.study.intervals import interval_text
from homeonet.study.measured import over_seeds
from homeonet.study.options import UNGUARDED, options_of, scale_of
from homeonet.study.sleep import ratio_of
from homeonet.sweep import Grid

SHARES, DEPTH = (0.0, 0.1), 3
READOUTS = {"qda": "QDA", "logistic": "logistic"}
NOTE = (
    "mean and 95 % t interval over seeds; a readout sees the excitatory and inhibitory neurons of one layer."
)


def main() -> None:
    """Run what is missing, then print and write the table, the claims and the figure."""
    options = options_of(
        __doc__ or "",
        "deeper",
        presets=list(BASES),
        data=["mnist", "images:CIFAR10"],
        seeds=[1, 2, 3],
        train=1500,
        test=1000,
        earlier=True,
    )
    found = gathered(_run, options)
    finish(options, _rows(found), NOTE, found, draw, _measured(found), scale_of(options, found))


def _run(options: argparse.Namespace) -> xr.Dataset:
    """Run what is missing; all that is kept of it."""
    depths = range(1, (2 if options.quick else DEPTH) + 1)
    models = {_title(name, depth): layered(name, depth) for name in options.presets for depth in depths}
    axes = {
        "preset": list(models),
        "data": options.data,
        "sleep.ratio": [ratio_of(share) for share in SHARES],
        "seed": options.seeds,
    }
    fixed = {"train": options.train, "test": options.test, **UNGUARDED}
    grid = Grid(fixed, axes, models={name: config.to_dict() for name, config in models.items()})
    results = run_grid(grid, options.out / "sweep", options).results
    # a folder of images has a name with a path and a hash
    sets = [
        str(name).partition("#")[0].rpartition("/")[2].removeprefix("images:")
        for name in results["data"].values
    ]
    results = results.assign_coords({"data": sets, "sleep.ratio": list(SHARES)}).rename(
        {"sleep.ratio": "share"}
    )
    return _by_layer(results, options.presets, list(depths), options.out / "sweep" / "cells")


def _title(name: str, depth: int) -> str:
    return f"{name}, {depth} layer{'' if depth == 1 else 's'}"


def _by_layer(results: xr.Dataset, networks: list[str], depths: list[int], cells: Path) -> xr.Dataset:
    """Accuracies in per cent and rates in Hz of each layer of each network."""
    coords: dict[str, Any] = {"network": networks, "depth": depths, "layer": depths}
    coords |= {name: results[name].values for name in ("data", "share", "seed")}
    shape = tuple(len(values) for values in coords.values())
    names = [*READOUTS, "exc", "inh", "slept", *(f"raw_pixels_{name}" for name in READOUTS)]
    found = xr.Dataset({name: (tuple(coords), np.full(shape, np.nan)) for name in names}, coords)
    for network, depth, data, share, seed in itertools.product(
        networks, depths, coords["data"], coords["share"], coords["seed"]
    ):
        at = results.sel(preset=_title(network, depth), data=data, share=share, seed=seed)
        if at["state"].item() != "done":
            continue
        place = {"network": network, "depth": depth, "data": data, "share": share, "seed": seed}
        for layer in range(1, depth + 1):
            exc, inh = populations(layer)
            here = {**place, "layer": layer}
            for name, result in read_out(
                cells / at["cell"].item(), readouts=list(READOUTS), populations=[exc, inh]
            ).items():
                found[name].loc[here] = 100 * result.accuracy
            found["exc"].loc[here] = at[f"rate_test_hz.{exc}"].item()
            found["inh"].loc[here] = at[f"rate_test_hz.{inh}"].item()
            found["slept"].loc[here] = 100 * at["sleep_fraction"].item()
            found["raw_pixels_qda"].loc[here] = 100 * at["accuracy.raw_pixels.qda"].item()
            found["raw_pixels_logistic"].loc[here] = 100 * at["accuracy.raw_pixels"].item()
    return found


def _rows(found: xr.Dataset) -> list[list[str]]:
    head = ["network", "data", "layers", "layer", "asleep, %"]
    rows = [
        [*head, *(f"{title}, %" for title in READOUTS.values()), "raw pixels, QDA / logistic, %", "E / I, Hz"]
    ]
    dims = ("network", "data", "depth", "layer", "share")
    for place in itertools.product(*(found[name].values for name in dims)):
        at = found.sel(dict(zip(dims, place, strict=True)))
        if not at["qda"].notnull().any():
            continue
        raw = " / ".join(f"{float(at[f'raw_pixels_{name}'].mean()):.1f}" for name in READOUTS)
        rates = f"{float(at['exc'].mean()):.3g} / {float(at['inh'].mean()):.3g}"
        words = [str(place[0]), str(place[1]), str(place[2]), str(place[3]), f"{100 * place[4]:g}"]
        rows.append([*words, *(interval_text(at[name]) for name in READOUTS), raw, rates])
    return rows


def _measured(found: xr.Dataset) -> dict[str, list]:
    """The last layer asleep and awake, by network, data and depth."""
    cases = []
    for network, data, depth in itertools.product(*(found[n].values for n in ("network", "data", "depth"))):
        if depth > 1:
            last = found.sel(network=network, data=data, depth=depth, layer=depth)
            awake, asleep = (last.sel(share=share) for share in SHARES)
            checks = [
                alive(f"{name} of the last layer without sleep", awake[name]) for name in ("exc", "inh")
            ]
            checks += [above_chance("the last layer without sleep", awake["qda"])]
            checks += [slept(asleep["slept"] / 100, ratio_of(SHARES[1]), share=0.85)]
            case = f"{_title(network, depth)}, {data}"
            cases += checked(over_seeds(case, asleep["qda"] - awake["qda"], "points"), *checks)
    return {"sleep-deeper": cases}


def draw(data: xr.Dataset) -> Any:
    """Accuracy of the last layer against depth, asleep and awake, by network and data."""
    networks, sets = data["network"].values, data["data"].values
    size = {"width": DOUBLE_WIDTH, "height": 0.7 + 1.9 * len(sets)}
    figure, axes = new_figure(len(sets), len(networks), **size, sharex=True, sharey="row")
    for (row, column), ax in np.ndenumerate(axes):
        here = data.sel(network=networks[column], data=sets[row])
        last = xr.concat(
            [here.sel(depth=d, layer=d).drop_vars("layer") for d in here["depth"].values],
            "depth",
            coords="minimal",
        )
        lines = {
            f"{title}, {'no sleep' if share == 0 else f'{100 * share:g} % asleep'}": last[name].sel(
                share=share
            )
            for name, title in READOUTS.items()
            for share in data["share"].values
        }
        plot_against(lines, ax, "depth", baselines={"raw pixels, QDA": last["raw_pixels_qda"]})
        ax.set_xticks(here["depth"].values)
        if row == 0:
            ax.set_title(
                {"paper": "the paper's network", "homeonet": "this project's network"}[str(networks[column])]
            )
        if column == 0:
            ax.set_ylabel(f"{sets[row]}\naccuracy of the last layer (%)")
    for ax in axes[-1]:
        ax.set_xlabel("layers")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


if __name__ == "__main__":
    sys.exit(run_main(main))

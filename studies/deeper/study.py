"""Does sleep help deeper networks? One to three stacked E/I networks, and larger images (an open question).

Each layer is a whole network that learns and sleeps by itself; its input are the spike counts of the excitatory
neurons of the layer below, for the same images. A readout sees the last layer alone.

    HOMEONET_DATA=… python studies/deeper/study.py --full     # resumes
    python studies/deeper/study.py --quick                    # embedded images, minutes
"""

from __future__ import annotations

import argparse
import ast
import itertools
import sys
from typing import Any

import pandas as pd
import xarray as xr

from homeonet.claims import write_measured
from homeonet.cli.study import run_grid, write
from homeonet.cli.terminal import run_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_against, use_style
from homeonet.study.checks import above_chance, alive, checked, slept
from homeonet.study.intervals import table_of
from homeonet.study.measured import gains
from homeonet.study.options import UNGUARDED, options_of, scale_of
from homeonet.sweep import Grid

SIDES, DEPTH = (15, 28), 3


def stack(side: int, ratios: list[float], options: argparse.Namespace) -> xr.Dataset:
    """Results of all depths for images of one size: each layer is a sweep over the runs of the one below."""
    fixed: dict[str, Any] = {"preset": options.presets[0], "data": options.data[0], "input.side": side}
    fixed |= {"train": options.train, "test": options.test, **UNGUARDED}
    out = options.out / f"side_{side}"
    first = Grid(fixed, {"sleep.ratio": ratios, "seed": options.seeds})
    layers = [run_grid(first, out / "layer_1", options).results]
    for depth in range(2, DEPTH + 1):
        cases = {}
        for place in itertools.product(ratios, options.seeds):
            ratio, seed = place
            at = {"sleep.ratio": ratio, "seed": seed}
            if layers[-1]["state"].sel(at).item() != "done":
                continue
            below = layers[-1]["cell"].sel(at).item()
            images = f"run:{out / f'layer_{depth - 1}' / 'cells' / below}"
            cases[str(place)] = {"sleep.ratio": ratio, "seed": seed, "data": images}
        sizes = {name: value for name, value in fixed.items() if name not in ("data", "input.side")}
        flat = run_grid(Grid(sizes, {}, cases), out / f"layer_{depth}", options).results
        index = pd.MultiIndex.from_tuples(
            map(ast.literal_eval, flat["case"].values), names=["sleep.ratio", "seed"]
        )
        layer = flat.to_dataframe().set_index(index).to_xarray()
        layers.append(layer.reindex({"sleep.ratio": ratios, "seed": options.seeds}))
    return xr.concat(layers, xr.DataArray(range(1, DEPTH + 1), dims="depth", name="depth"), join="outer")


def main() -> None:
    """Run what is missing, then print and write the table and the figure."""
    many = {"presets": ["massey2026"], "data": ["mnist"], "seeds": [1, 2, 3]}
    single = ("--data", "--presets")
    options = options_of(__doc__ or "", "deeper", **many, train=1500, test=1000, single=single)
    options.out = options.out.resolve()  # the runs of a layer are named in the configurations of the next
    ratios = [0.0, 0.15] if options.quick else [0.0, 0.05, 0.15]
    found = xr.concat(
        [stack(side, ratios, options) for side in SIDES], xr.DataArray(list(SIDES), dims="side", name="side")
    )
    columns = {
        "accuracy.qda": "QDA, %",
        "accuracy.logistic": "logistic, %",
        "accuracy.frozen.qda": "frozen layer, QDA, %",
    }
    columns |= {"accuracy.raw_pixels.qda": "its input, QDA, %", "sleep_fraction": "asleep, %"}
    rows = table_of(found, columns, {"side": "side", "sleep.ratio": "ratio", "depth": "layers"})
    with use_style():
        figure, axes = new_figure(1, len(SIDES), width=DOUBLE_WIDTH, height=2.6, sharey=True)
        for ax, side in zip(axes[0], SIDES, strict=True):
            here = found["accuracy.qda"].sel(side=side)
            series = {f"ratio {ratio:g}": here.sel({"sleep.ratio": ratio}) for ratio in ratios}
            raw = {"raw pixels": found["accuracy.raw_pixels.qda"].sel(side=side, depth=1)}
            plot_against(series, ax, "depth", baselines=raw, scale=100)
            ax.set(title=f"images of {side} × {side}", xlabel="layers", xticks=range(1, DEPTH + 1))
        axes[0, 0].set_ylabel("test accuracy, QDA (%)")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    note = f"{options.presets[0]}, {options.data[0]}, {options.train} training, {options.test} test images; "
    note += f"seeds {options.seeds}; mean and 95 % bootstrap interval over seeds."
    write(options.out, rows, note, figure)
    two = {r: found["accuracy.qda"].sel({"depth": 2, "sleep.ratio": r}) for r in (0.15, 0.0)}
    cases = []
    for side in SIDES:
        here = found.sel(side=side)
        awake, asleep = here.sel({"sleep.ratio": 0.0}), here.sel({"sleep.ratio": 0.15})
        both = {"depth": [1, 2]}
        checks = (
            slept(asleep["sleep_fraction"].sel(both), 0.15),
            alive("excitatory neurons without sleep", awake["rate_hz.exc"].sel(both)),
            alive("inhibitory neurons without sleep", awake["rate_hz.inh"].sel(both)),
            above_chance("two networks without sleep", 100 * two[0.0].sel(side=side)),
        )
        cases += checked(gains({f"{side} × {side}": tuple(two[r].sel(side=side) for r in two)}), *checks)
    write_measured(options.out, study="deeper", scale=scale_of(options), measured={"sleep-deeper": cases})


if __name__ == "__main__":
    sys.exit(run_main(main))

"""How much sleep is best? Accuracy against the sleep ratio, as in Massey et al. 2026, with their figures beside.

Each preset on each data set over 11 ratios and 5 seeds: 6000 images of one second, features of all
of them and of 1000 test images, the paper's readout (QDA) and a linear one; raw pixels and frozen weights as
baselines. Beside them a feed-forward network trained by surrogate gradients with the paper's sleep. Prints accuracies
beside the published ones, tests each ratio against none (paired permutation test, Holm), and says which claims hold
here.

    HOMEONET_DATA=… python studies/sleep_ratio.py --full                  # hours on two cores; resumes
    HOMEONET_DATA=… python studies/sleep_ratio.py --full --train 1000     # an hour
    HOMEONET_DATA=… python studies/sleep_ratio.py --full --presets massey2026 --data mnist
    python studies/sleep_ratio.py --quick                                 # embedded images, minutes
"""

from __future__ import annotations

import argparse
import sys

from _figure_data import gallery_figure, write_figure_data
from _sleep_claims import claims
from _sleep_measured import accuracies, of_ratios, scale_of
from _sleep_table import HEAD, rows_of
from _sweeping import UNGUARDED, options_of, run_grid, write

from homeonet.claims import write_measured
from homeonet.cli import run_main
from homeonet.plotting import draw_comparison
from homeonet.store import load_records
from homeonet.sweep import Grid

RATIOS = [0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.7, 0.99]
#: Whose weights are drawn.
SHOWN = (0.0, 0.2, 0.4)
PRESETS = ["massey2026", "massey2026_released", "homeonet"]
# a surrogate with tails: one without leaves an output neuron silent for ever that is silent once
GRADIENT = {
    "neuron": "lif", "neuron_options.decay": 0.95, "neuron_options.surrogate": "arctan", "net": "sg_snn",
    "net_options.spiking_output": True, "size": 15, "steps": 25, "batch": 128, "lr": 5e-4,
    "schedule": "constant",
}  # fmt: skip


def grids(options: argparse.Namespace) -> tuple[Grid, Grid]:
    """The plastic networks, and the paper's surrogate-gradient network with its sleep."""
    images = {"train": options.train, "test": options.test}
    ratios = [0.0, 0.2, 0.4] if options.quick else RATIOS
    axes = {"preset": options.presets, "data": options.data, "sleep.ratio": ratios, "seed": options.seeds}
    budget = {"train": 500, "test": 200, "epochs": 2} if options.quick else {**images, "epochs": 10}
    ratios = [0.0, 0.3] if options.quick else [0.0, 0.1, 0.2, 0.3, 0.5, 0.99]
    flat = {"data": options.data, "homeostasis.sleep.ratio": ratios, "seed": options.seeds}
    return Grid({**images, **UNGUARDED}, axes), Grid({**GRADIENT, **budget, "val": 0}, flat)


def main() -> None:
    """Run what is missing, then print and write the table, the claims and the figure."""
    options = options_of(
        __doc__ or "",
        "sleep_ratio",
        presets=PRESETS,
        data=["mnist", "fashion"],
        seeds=[1, 2, 3, 4, 5],
        train=6000,
        test=1000,
    )
    out, data_sets = options.out, options.data
    plastic, gradient = grids(options)
    flat = run_grid(gradient, out / "sg_snn", options).results.rename(
        {"homeostasis.sleep.ratio": "sleep.ratio"}
    )
    grown = run_grid(plastic, out / "plastic", options).results
    found = {(p, d): grown.sel(preset=p, data=d) for p in options.presets for d in data_sets}
    found |= {("SG-SNN", d): flat.sel(data=d) for d in data_sets}
    rows = [HEAD]
    for (network, data), results in found.items():
        rows += rows_of(network, data, results)
    data = accuracies(found)
    note = f"Accuracy by QDA, in the SG-SNN by its own output. {options.train} and {options.test} images; "
    write(out, rows, f"{note}seeds {options.seeds}.\n\n{claims(found)}", gallery_figure("sleep_ratio", data))
    scale = scale_of(options)
    write_figure_data(out, data, study="sleep_ratio", scale=scale)
    write_measured(out, study="sleep_ratio", scale=scale, measured=of_ratios(found))
    folder = out / "plastic" / "cells"
    cells = found[options.presets[0], data_sets[0]]["cell"].sel(seed=options.seeds[0])
    runs = {f"{100 * r:g} %": folder / cells.sel({"sleep.ratio": r}).item() for r in SHOWN}
    records = {label: load_records(path) for label, path in runs.items() if path.exists()}
    if len(records) > 1:
        draw_comparison(records, out / "weights.png")


if __name__ == "__main__":
    sys.exit(run_main(main))

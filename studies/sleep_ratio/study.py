"""How much sleep is best? Accuracy against the sleep ratio, as in Massey et al. 2026, with their figures beside.

Each preset on each data set over 5 seeds: 6000 images of one second and 11 ratios for the first preset, 1000 images
and 7 ratios for the others, features of all of them and of 1000 test images, the paper's readout (QDA) and a linear
one; raw pixels and frozen weights as baselines. Beside them a feed-forward network trained by surrogate gradients with
the paper's sleep. Prints accuracies beside the published ones, tests each ratio against none (paired permutation test,
Holm), and says which claims hold here.

    HOMEONET_DATA=… python studies/sleep_ratio/study.py --full                  # two hours on two cores; resumes
    HOMEONET_DATA=… python studies/sleep_ratio/study.py --full --presets massey2026 --data mnist
    HOMEONET_DATA=… python studies/sleep_ratio/study.py --full --presets homeonet     # this one with 6000 images
    python studies/sleep_ratio/study.py --quick                                 # embedded images, minutes
"""

from __future__ import annotations

import argparse
import sys

from claims import claims
from measured import accuracies, of_ratios
from table import HEAD, rows_of

from homeonet.claims import write_measured
from homeonet.cli.study import run_grid, write
from homeonet.cli.terminal import run_main
from homeonet.plotting import draw_comparison
from homeonet.store import load_records
from homeonet.study.figure_data import gallery_figure, write_figure_data
from homeonet.study.options import UNGUARDED, options_of, scale_of
from homeonet.sweep import Grid

RATIOS = [0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.7, 0.99]
#: Whose weights are drawn.
SHOWN = (0.0, 0.2, 0.4)
PRESETS = ["massey2026", "massey2026_released", "homeonet"]
#: The training images of all presets but the first, at most, and their ratios: in full they are a night's work.
OTHERS = 1000
FEWER = [0.0, 0.02, 0.1, 0.2, 0.3, 0.4, 0.99]
# a surrogate with tails: one without leaves an output neuron silent for ever that is silent once
GRADIENT = {
    "neuron": "lif", "neuron_options.decay": 0.95, "neuron_options.surrogate": "arctan", "net": "sg_snn",
    "net_options.spiking_output": True, "size": 15, "steps": 25, "batch": 128, "lr": 5e-4,
    "schedule": "constant",
}  # fmt: skip


def plastic(options: argparse.Namespace, presets: list[str], train: int, ratios: list[float]) -> Grid:
    """Plastic networks, asleep for more and more of the time."""
    ratios = [0.0, 0.2, 0.4] if options.quick else ratios
    axes = {"preset": presets, "data": options.data, "sleep.ratio": ratios, "seed": options.seeds}
    return Grid({"train": train, "test": options.test, **UNGUARDED}, axes)


def gradient(options: argparse.Namespace) -> Grid:
    """The paper's surrogate-gradient network with its sleep."""
    images = {"train": options.train, "test": options.test, "epochs": 10}
    budget = {"train": 500, "test": 200, "epochs": 2} if options.quick else images
    ratios = [0.0, 0.3] if options.quick else [0.0, 0.1, 0.2, 0.3, 0.5, 0.99]
    axes = {"data": options.data, "homeostasis.sleep.ratio": ratios, "seed": options.seeds}
    return Grid({**GRADIENT, **budget, "val": 0}, axes)


def main() -> None:
    """Run what is missing, then print and write the table, the claims and the figure."""
    many = {"presets": PRESETS, "data": ["mnist", "fashion"], "seeds": [1, 2, 3, 4, 5]}
    options = options_of(__doc__ or "", "sleep_ratio", **many, train=6000, test=1000)
    out, first, few = options.out, options.presets[0], min(options.train, OTHERS)
    grown = run_grid(plastic(options, [first], options.train, RATIOS), out / "plastic", options).results
    found = {(first, d): grown.sel(preset=first, data=d) for d in options.data}
    if others := options.presets[1:]:
        results = run_grid(plastic(options, others, few, FEWER), out / "others", options).results
        label = "{} ({} images)" if few < options.train else "{}"
        found |= {
            (label.format(p, few), d): results.sel(preset=p, data=d) for p in others for d in options.data
        }
    flat = run_grid(gradient(options), out / "sg_snn", options).results
    flat = flat.rename({"homeostasis.sleep.ratio": "sleep.ratio"})
    found |= {("SG-SNN", d): flat.sel(data=d) for d in options.data}
    rows = [HEAD]
    for (network, data), results in found.items():
        rows += rows_of(network, data, results)
    data = accuracies(found)
    scale = scale_of(options) + f" (other presets than {first}: {few} training images)" * bool(others)
    note = f"Accuracy by QDA, in the SG-SNN by its own output; {scale}."
    write(out, rows, f"{note}\n\n{claims(found)}", gallery_figure("sleep_ratio", data))
    write_figure_data(out, data, study="sleep_ratio", scale=scale)
    write_measured(out, study="sleep_ratio", scale=scale, measured=of_ratios(found))
    folder = out / "plastic" / "cells"
    cells = found[first, options.data[0]]["cell"].sel(seed=options.seeds[0])
    runs = {f"{100 * r:g} %": folder / cells.sel({"sleep.ratio": r}).item() for r in SHOWN}
    records = {label: load_records(path) for label, path in runs.items() if path.exists()}
    if len(records) > 1:
        draw_comparison(records, out / "weights.png")


if __name__ == "__main__":
    sys.exit(run_main(main))

"""Does AHSAR help: accuracy, epochs to a target, rates of layers, robustness, and what it costs?

With and without it in five ways to train a small convolutional network, in other depths, widths and T, and without its
diffusion and its gain; beside it thresholds that adapt layer by layer. The target is fixed before: 95 % of the best
validation accuracy that the run of the same seed without homeostasis reaches.

HOMEONET_DATA=… python studies/ahsar/study.py --full     # three hours; resumes
python studies/ahsar/study.py --quick                    # embedded images, a minute
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

import xarray as xr
from cases import PARADIGMS, PARTS, SHAPES, AHSARScale, crossed, shaped, unfolded
from measures import TARGET, accuracy_of, cost_of, over_epochs, overhead, robustness, spread_of
from table import claims_of, tables_of

from homeonet.cli.study import finish, run_grid
from homeonet.cli.terminal import run_main
from homeonet.study.figure_data import gallery_figure, gathered
from homeonet.study.measured import accuracies
from homeonet.study.options import QUICK, scale_of, study_options, training
from homeonet.study.tables import markdown_table
from homeonet.sweep import Grid

BOTH = PARTS[:2]


def main() -> None:
    """Run what is missing, then print and write the tables, the claims and the figure."""
    full = AHSARScale(train=10_000, val=1000, epochs=4, seeds=tuple(range(1, 11)))
    small = {
        "train": 300,
        "epochs": 2,
        "width": 0.125,
        "steps": 2,
        "corrupted": 100,
        "severities": (3,),
        "rounds": 5,
        "batch": 64,
    }
    options = study_options(__doc__ or "", "ahsar", full, AHSARScale(**vars(QUICK) | small), earlier=True)
    data = gathered(_run, options)
    cost = cost_of(data)
    rows, other = tables_of(data)
    costs = "; ".join(f"{c.case}: {c.mean:.3f} [{c.low:.3f}, {c.high:.3f}]" for c in cost)
    note = (
        f"{options.val} validation images, {options.size} × {options.size} pixels, T = {options.steps}, width "
        f"{options.width:g}, batches of {options.batch}; target: {TARGET:.0%} of the best validation accuracy of the "
        f"same seed without; corrupted: {options.corrupted} images, mean over kinds and severities "
        f"{options.severities}; p of a paired permutation test after Holm; raw pixels "
        f"{float(data['raw_pixels'].mean()):.1f} %.\n\n{markdown_table(other)}\nTime of a training step with AHSAR ÷ "
        f"without: {costs}."
    )
    measured = claims_of(data) | {"ahsar-overhead": cost}
    finish(options, rows, note, data, partial(gallery_figure, "ahsar"), measured, scale_of(options, data))


def _run(options: argparse.Namespace) -> xr.Dataset:
    """Run what is missing; all that is kept of it."""
    fixed = training(options) | {"size": options.size, "batch": options.batch}
    seeds = {"seed": options.seeds}
    found = run_grid(Grid(fixed, seeds, crossed(options)), options.out / "sweep", options)
    shapes = run_grid(Grid(fixed, seeds, shaped(options)), options.out / "shapes", options).results
    names = list(PARADIGMS)
    curves, spreads = (unfolded(over_epochs(found, of), names, PARTS) for of in (accuracy_of, spread_of))
    data = xr.Dataset(
        {
            "accuracy": unfolded(accuracies(found.results), names, PARTS),
            "shape_accuracy": unfolded(accuracies(shapes), list(SHAPES), BOTH).rename(case="shape"),
            "learning": curves,
            "spread": spreads,
            "robustness": robustness(found, names, BOTH, options, options.out / "robustness.nc"),
            "raw_pixels": accuracies(found.results, "accuracy.raw_pixels").isel(case=0, drop=True),
        }
    )
    return data.assign(overhead(options.rounds)).reset_coords(drop=True)


if __name__ == "__main__":
    sys.exit(run_main(main))

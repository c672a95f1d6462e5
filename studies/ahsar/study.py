"""Does AHSAR help: accuracy, epochs to a target, rates of layers, robustness, and what it costs?

With and without it in five ways to train a small convolutional network, in other depths, widths and T, and without its
diffusion and its gain; beside it thresholds that adapt layer by layer. The target is fixed before: 95 % of the best
validation accuracy that the run of the same seed without homeostasis reaches.

HOMEONET_DATA=… python studies/ahsar/study.py --full     # minutes; resumes
python studies/ahsar/study.py --quick                    # embedded images, a minute
"""

from __future__ import annotations

import sys
from functools import partial

import xarray as xr
from cases import PARADIGMS, PARTS, SHAPES, AHSARScale, crossed, shaped, unfolded
from measures import TARGET, accuracy_of, epochs_to_target, over_epochs, overhead, robustness, spread_of
from table import differences, rows_of, shape_rows

from homeonet.cli.study import finish, run_grid
from homeonet.cli.terminal import run_main
from homeonet.study.checks import above_chance, checked
from homeonet.study.figure_data import gallery_figure
from homeonet.study.measured import accuracies
from homeonet.study.options import QUICK, study_options, training
from homeonet.study.tables import markdown_table
from homeonet.sweep import Grid

BOTH = PARTS[:2]


def main() -> None:
    """Run what is missing, then print and write the tables, the claims and the figure."""
    full = AHSARScale(train=2000, val=500, test=2000, epochs=8)
    small = {
        "train": 300,
        "epochs": 2,
        "width": 0.125,
        "steps": 2,
        "corrupted": 100,
        "severities": (3,),
        "rounds": 5,
    }
    options = study_options(__doc__ or "", "ahsar", full, AHSARScale(**vars(QUICK) | small))
    fixed, seeds = training(options) | {"size": options.size}, {"seed": options.seeds}
    found = run_grid(Grid(fixed, seeds, crossed(options)), options.out / "sweep", options)
    shapes = run_grid(Grid(fixed, seeds, shaped(options)), options.out / "shapes", options).results
    results, names = found.results, list(PARADIGMS)
    values = unfolded(accuracies(results), names, PARTS)
    depths = unfolded(accuracies(shapes), list(SHAPES), BOTH)
    curves, spreads = (unfolded(over_epochs(found, of), names, PARTS) for of in (accuracy_of, spread_of))
    epochs, spread = epochs_to_target(curves, 10.0), spreads.isel(epoch=-1, drop=True)
    robust = robustness(found, names, BOTH, options, options.out / "robustness.nc")
    mean = robust.where(robust["severity"] > 0).mean(("corruption", "severity"), skipna=True)
    cost = overhead(options.rounds)
    fit = {
        str(case): above_chance(f"{case}, without", accuracy.sel(case=case, homeostasis="none"))
        for accuracy in (values, depths)
        for case in accuracy["case"].values
    }
    measured = {
        "ahsar-accuracy": differences(values, "AHSAR", "none"),
        "ahsar-convergence": differences(epochs, "AHSAR", "none", ratio=True),
        "ahsar-robust": differences(mean, "AHSAR", "none"),
        "ahsar-overhead": cost,
        "ahsar-diffusion": differences(values, "AHSAR", "no diffusion"),
        "ahsar-gain": differences(values, "AHSAR", "no gain"),
        "ahsar-rates": differences(spread, "AHSAR", "none", ratio=True),
        "ahsar-depth": differences(depths, "AHSAR", "none"),
        "ahsar-against-adaptation": differences(values, "AHSAR", "adaptation"),
    }
    measured = {
        name: [
            found
            for case in cases
            for found in checked([case], *([fit[case.case]] if case.case in fit else []))
        ]
        for name, cases in measured.items()
    }
    rows = rows_of(values, epochs, spread, mean)
    other = shape_rows(depths, measured["ahsar-depth"])
    costs = "; ".join(f"{c.case}: {c.mean:.3f} [{c.low:.3f}, {c.high:.3f}]" for c in cost)
    raw = float(accuracies(results, "accuracy.raw_pixels").mean())
    note = (
        f"{options.val} validation images, {options.size} × {options.size} pixels, T = {options.steps}, width "
        f"{options.width:g}; target: {TARGET:.0%} of the best validation accuracy of the same seed without; corrupted: "
        f"mean over kinds and severities {options.severities}; p of a paired permutation test after Holm; raw pixels "
        f"{raw:.1f} %.\n\n{markdown_table(other)}\nTime of a training step with AHSAR ÷ without: {costs}."
    )
    shown = {"learning": curves, "spread": spreads}
    shown = {name: values.sel(homeostasis=list(BOTH)) for name, values in shown.items()}
    data = xr.Dataset(shown | {"robustness": robust.mean("case")})
    finish(options, rows, note, data, partial(gallery_figure, "ahsar"), measured)


if __name__ == "__main__":
    sys.exit(run_main(main))

"""Does AHSAR help: accuracy, epochs to a target, rates of layers, robustness, and what it costs?

With and without it in five ways to train a small convolutional network, in other depths, widths and T, and without its
diffusion and its gain; beside it thresholds that adapt layer by layer. The target is fixed before: 95 % of the best
validation accuracy that the run of the same seed without homeostasis reaches.

HOMEONET_DATA=… python studies/ahsar.py --full     # minutes; resumes
python studies/ahsar.py --quick                    # embedded images, a minute
"""

from __future__ import annotations

import sys

import xarray as xr
from _ahsar_cases import PARADIGMS, PARTS, SHAPES, AHSARScale, crossed, shaped, unfolded
from _ahsar_measures import TARGET, epochs_to_target, learning, overhead, robustness, spread_of_rates
from _ahsar_tables import differences, rows_of, shape_rows
from _gradient_study import QUICK, accuracies, finish, study_options, training
from _sweeping import run_grid
from matplotlib.figure import Figure

from homeonet._report import markdown_table
from homeonet.cli import run_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_against
from homeonet.sweep import Grid

BOTH = PARTS[:2]


def draw(data: xr.Dataset) -> Figure:
    """Learning curves by paradigm, and accuracy by corruption and severity, with AHSAR and without."""
    names, kinds = data["case"].values, data["corruption"].values
    figure, axes = new_figure(2, max(len(names), len(kinds)), width=DOUBLE_WIDTH, height=3.6, sharey="row")
    for row, dim, where, values in ((0, "epoch", "case", names), (1, "severity", "corruption", kinds)):
        array = data["learning" if row == 0 else "robustness"]
        for ax, name in zip(axes[row], values, strict=False):
            series = {part: array.sel({where: name, "homeostasis": part}) for part in BOTH}
            plot_against(series, ax, dim)
            ax.set(title=name, xlabel=dim)
    for ax, label in zip(axes[:, 0], ("validation accuracy (%)", "test accuracy (%)"), strict=True):
        ax.set_ylabel(label)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


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
    curves = unfolded(learning(found), names, PARTS)
    epochs, spread = epochs_to_target(curves, 10.0), unfolded(spread_of_rates(results), names, PARTS)
    robust = robustness(found, names, BOTH, options, options.out / "robustness.nc")
    mean = robust.where(robust["severity"] > 0).mean(("corruption", "severity"), skipna=True)
    cost = overhead(options.rounds)
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
    data = xr.Dataset({"learning": curves.sel(homeostasis=list(BOTH)), "robustness": robust.mean("case")})
    finish(options, rows, note, data, draw, measured)


if __name__ == "__main__":
    sys.exit(run_main(main))

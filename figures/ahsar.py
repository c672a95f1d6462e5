"""AHSAR: learning curves and robustness.

Left: validation accuracy over epochs with AHSAR (solid) and without homeostasis (dashed), by training paradigm and
neuron; means over seeds with 95 % bootstrap intervals. Right: test accuracy on corrupted images against the
severity, mean over the kinds of corruption and the paradigms; dots are seeds.
"""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from homeonet.analysis import compare_conditions
from homeonet.cli.main import figure_main
from homeonet.plotting import DOUBLE_WIDTH, SERIES, new_figure, plot_against

STUDY = "ahsar"
LINES = ("--", "-", ":", "-.")


def draw(data: xr.Dataset) -> Figure:
    """Learning on the left, robustness on the right."""
    figure, axes = new_figure(1, 2, width=DOUBLE_WIDTH, height=2.8)
    for k, case in enumerate(data["case"].values):
        for style, name in zip(LINES, data["homeostasis"].values, strict=False):
            values = data["learning"].sel(case=case, homeostasis=name).dropna("epoch", how="all")
            if not values.size:
                continue
            found = compare_conditions(values, "epoch", reference=values["epoch"].values[0])
            colour = SERIES[k % len(SERIES)]
            axes[0, 0].plot(found["epoch"], found["mean"], style, color=colour, label=f"{case}, {name}")
            axes[0, 0].fill_between(
                found["epoch"], found["low"], found["high"], color=colour, alpha=0.12, linewidth=0
            )
    axes[0, 0].xaxis.set_major_locator(MaxNLocator(integer=True))
    # the first epoch of the slowest network would take most of the room
    low = float(data["learning"].min("seed").isel(epoch=slice(1, None)).min())
    axes[0, 0].set(xlabel="epoch", ylabel="validation accuracy (%)", ylim=(low - 2, None))
    axes[0, 0].legend(fontsize=6, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    robust = data["robustness"].mean("corruption")
    series = {str(name): robust.sel(homeostasis=name) for name in data["homeostasis"].values}
    plot_against(
        {name: line for name, line in series.items() if line.notnull().any()}, axes[0, 1], "severity"
    )
    axes[0, 1].set(xlabel="severity of the corruption", ylabel="test accuracy (%)")
    axes[0, 1].legend()
    return figure


def main() -> None:
    """Draw it as ``homeonet figure ahsar`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

"""Accuracy against the sleep ratio.

Test accuracy of recurrent STDP networks (QDA on spike counts), a column each, and of a feed-forward network trained by
surrogate gradients (SG-SNN, its own output, first column) that sleep for different shares of the time. Lines are means
with 95 % bootstrap intervals, dots are seeds; grey lines are the network's two baselines under the same readout, with
as many images. The axis is logarithmic above 0.01. A sleep ends early when the weights are back at their start: above
some ratio nothing changes.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from homeonet.cli.main import figure_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_against

STUDY = "sleep_ratio"
#: The axis of ratios is linear up to here and logarithmic beyond; and where it is marked.
_LINEAR, _TICKS = 0.01, (0.0, 0.01, 0.1, 1.0)


def draw(data: xr.Dataset) -> Figure:
    """One row per data set and one column per plastic network; those trained by gradients stand in the first."""
    networks = [str(name) for name in data["network"].values]
    data_sets = [str(name) for name in data["data"].values]
    plastic = [n for n in networks if data["raw_pixels"].sel(network=n).notnull().any()]
    beside = [n for n in networks if n not in plastic]
    size = {"width": DOUBLE_WIDTH, "height": 0.6 + 2.1 * len(data_sets)}
    figure, axes = new_figure(len(data_sets), len(plastic), **size, sharex=True, sharey="row")
    for (row, column), ax in np.ndenumerate(axes):
        name, here = plastic[column], data.sel(data=data_sets[row])
        lines = {n: here["accuracy"].sel(network=n) for n in [name, *(beside if column == 0 else [])]}
        drawn = {n: line.dropna("ratio", how="all") for n, line in lines.items() if line.notnull().any()}
        drawn = {"with STDP" if n == name else n: line for n, line in drawn.items()}
        own = here.sel(network=name)
        baselines = {"frozen weights": own["frozen"], "raw pixels": own["raw_pixels"]}
        plot_against(drawn, ax, "ratio", baselines=baselines)
        ax.set_xscale("symlog", linthresh=_LINEAR)
        ax.set_xticks(_TICKS, [f"{tick:g}" for tick in _TICKS], minor=False)
        ax.set_xticks([], minor=True)
        if row == 0:
            ax.set_title(name.replace(" (", "\n("))
        if row == len(data_sets) - 1:
            ax.set_xlabel("sleep ratio")
    for ax, name in zip(axes[:, 0], data_sets, strict=True):
        ax.set_ylabel(f"{name}: test accuracy (%)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def main() -> None:
    """Draw it as ``homeonet figure sleep_ratio`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

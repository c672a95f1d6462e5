"""Accuracy against the sleep ratio.

Test accuracy of recurrent STDP networks (QDA on spike counts) and of a feed-forward network trained by surrogate
gradients (SG-SNN, its own output) that sleep for different shares of the time. Lines are means with 95 % bootstrap
intervals, dots are seeds; grey lines are the two baselines under the same readout. A sleep ends early when the weights
are back at their start: above some ratio nothing changes.
"""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from homeonet._gallery import figure_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_against

STUDY = "sleep_ratio"


def draw(data: xr.Dataset) -> Figure:
    """A panel a data set, a line a network."""
    figure, axes = new_figure(1, data.sizes["data"], width=DOUBLE_WIDTH, height=3.0, sharey=True)
    networks = [str(name) for name in data["network"].values]
    for ax, name in zip(axes[0], data["data"].values, strict=True):
        here = data.sel(data=name)
        series = {n: here["accuracy"].sel(network=n).dropna("ratio", how="all") for n in networks}
        first = here.sel(network=networks[0])
        baselines = {"raw pixels": first["raw_pixels"], f"frozen weights, {networks[0]}": first["frozen"]}
        plot_against({n: line for n, line in series.items() if line.size}, ax, "ratio", baselines=baselines)
        ax.set(title=str(name), xlabel="sleep ratio")
    axes[0, 0].set_ylabel("test accuracy (%)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def main() -> None:
    """Draw it as ``homeonet figure sleep_ratio`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

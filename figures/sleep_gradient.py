"""Sleep in networks trained by gradients.

Test accuracy against the sleep ratio: the paper's sleep in networks that are trained by surrogate gradients or
online. Lines are means with 95 % bootstrap intervals, dots are seeds; at a ratio of 0 there is no sleep.
"""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from homeonet.cli.main import figure_main
from homeonet.plotting import COLUMN_WIDTH, new_figure, plot_against

STUDY = "sleep_gradient"


def draw(data: xr.Dataset) -> Figure:
    """A line per network."""
    figure, axes = new_figure(width=COLUMN_WIDTH, height=2.8)
    series = {
        str(case): data["accuracy"].sel(case=case).dropna("ratio", how="all") for case in data["case"].values
    }
    raw = {"raw pixels": float(data.attrs["baseline"])} if "baseline" in data.attrs else None
    plot_against(
        {name: line for name, line in series.items() if line.size}, axes[0, 0], "ratio", baselines=raw
    )
    axes[0, 0].set(xlabel="sleep ratio", ylabel="test accuracy (%)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def main() -> None:
    """Draw it as ``homeonet figure sleep_gradient`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

"""MP-Init and TrSG: accuracy against frozen thresholds, and what each part adds.

Left: test accuracy of networks whose threshold is frozen, under the three threshold gradients (TrSG, absolute AS,
relative RS); dots are seeds, bands 95 % bootstrap intervals. Middle: with a learnt threshold, accuracy by the number
of time steps without either, with one and with both. Right: total-variation distance of the membrane to its
stationary law over time (soft reset, mean over layers and seeds), started at zero and by MP-Init.
"""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from homeonet.cli.main import figure_main
from homeonet.plotting import COLOURS, DOUBLE_WIDTH, MARKERS, SERIES, new_figure, plot_against

STUDY = "mp_init_trsg"


def draw(data: xr.Dataset) -> Figure:
    """Frozen thresholds, ablation and, where measured, the temporal shift."""
    panels = 3 if "distance" in data else 2
    figure, axes = new_figure(1, panels, width=DOUBLE_WIDTH, height=2.5)
    raw = {"raw pixels": float(data.attrs["baseline"])} if "baseline" in data.attrs else None
    for ax, name, lines, dim, label in (
        (axes[0, 0], "accuracy", "rule", "threshold", "frozen threshold"),
        (axes[0, 1], "ablation", "case", "steps", "time steps T"),
    ):
        series = {
            str(line): data[name].sel({lines: line}).dropna(dim, how="all") for line in data[lines].values
        }
        plot_against(series, ax, dim, baselines=raw)
        ax.set(xlabel=label, ylabel="test accuracy (%)")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=6)
    axes[0, 1].set_xticks(data["steps"].values)
    if panels == 3:
        for k, start in enumerate(data["init"].values):
            course = data["distance"].sel(init=start, time=slice(1, 12))
            axes[0, 2].plot(
                course["time"],
                course,
                color=SERIES[k],
                marker=MARKERS[k],
                markersize=3,
                label=f"start: {start}",
            )
        axes[0, 2].xaxis.set_major_locator(MaxNLocator(integer=True))
        axes[0, 2].axhline(0.1, color=COLOURS["baseline"], linestyle=":", linewidth=0.8, label="0.1")
        axes[0, 2].set(xlabel="time step t", ylabel="distance to the stationary law", ylim=(0, None))
        axes[0, 2].legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=6)
    return figure


def main() -> None:
    """Draw it as ``homeonet figure mp_init_trsg`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

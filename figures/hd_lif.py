"""HD-LIF: accuracy against energy and size.

Test accuracy (mean and 95 % bootstrap interval over seeds) against the energy of one inference, by the convention
that bills real-valued spikes as what they are, and against the size of the weights. Up and to the left is better;
grey lines join the models that no other beats in both. Small open marks: energy by the paper's convention (pale for
half-filled ones). Right,
where measured: memory kept for the backward pass against the number of time steps.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from _axes import plain_log
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from homeonet.analysis import bootstrap_interval
from homeonet.cli.main import figure_main
from homeonet.plotting import COLOURS, DOUBLE_WIDTH, MARKERS, SERIES, new_figure

STUDY = "hd_lif"


def draw(data: xr.Dataset) -> Figure:
    """Energy, size and, where measured, memory."""
    panels = 3 if "memory_mb" in data else 2
    figure, axes = new_figure(1, panels, width=DOUBLE_WIDTH, height=3.0)
    plane(data, axes[0, 0], "energy_mj", "energy of an inference (mJ)", also="energy_paper_mj")
    plane(data, axes[0, 1], "size_mb", "size of the weights (MB)")
    axes[0, 0].set_ylabel("test accuracy (%)")
    figure.legend(*axes[0, 1].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    if panels == 3:
        ax = axes[0, 2]
        for k, name in enumerate(data["training"].values):
            ax.plot(
                data["steps"],
                data["memory_mb"].sel(training=name),
                color=SERIES[k],
                marker=MARKERS[k],
                label=str(name),
            )
        ax.set(xlabel="time steps T", ylabel="backward memory (MB)", xscale="log", yscale="log")
        ax.set_xticks(data["steps"].values, [f"{t:g}" for t in data["steps"].values])
        ax.minorticks_off()
        plain_log(ax.yaxis)
        ax.legend(title="training")
    return figure


def plane(data: xr.Dataset, ax: Axes, x: str, label: str, *, also: str | None = None) -> None:
    """Accuracy of each model against its cost `x`, with the front of those that are not dominated."""
    points = []
    for k, case in enumerate(data["case"].values):
        accuracy = data["accuracy"].sel(case=case).dropna("seed").to_numpy()
        cost = float(data[x].sel(case=case))
        if not len(accuracy) or not np.isfinite(cost):
            continue
        mean = float(accuracy.mean())
        points.append((cost, mean))
        style = {"color": SERIES[k % len(SERIES)], "marker": MARKERS[k % len(MARKERS)], "linestyle": "none"}
        again = k >= len(MARKERS)  # colours and marks begin anew
        fill = "left" if again else "full"
        spread = None
        if len(accuracy) > 1:
            found = bootstrap_interval(accuracy)
            spread = [[mean - found.low], [found.high - mean]]
        ax.errorbar(
            cost, mean, yerr=spread, markersize=4.5, elinewidth=0.8, fillstyle=fill, label=str(case), **style
        )
        if also is not None and also in data:
            style |= {"fillstyle": "none", "alpha": 0.5} if again else {"fillstyle": "none"}
            ax.plot(float(data[also].sel(case=case)), mean, markersize=3, **style)
    front = [point for point in sorted(points) if not any(c <= point[0] and a > point[1] for c, a in points)]
    ax.plot(*zip(*front, strict=True), color=COLOURS["baseline"], linewidth=0.6, zorder=0, label="_")
    ax.set_xlabel(label)
    left, right = ax.dataLim.intervalx
    if right > 4 * left:
        ax.set_xscale("log")
        plain_log(ax.xaxis)
    else:
        ax.xaxis.set_major_locator(MaxNLocator(4))


def main() -> None:
    """Draw it as ``homeonet figure hd_lif`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

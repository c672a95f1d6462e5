"""Weights over training, relative to their start.

Norm of all weights divided by the norm at the start, over the share of the training that is done, means over seeds;
a panel per kind of network, a line per homeostasis. Grey: no change. Vertical axes are logarithmic and differ
between panels.
"""

from __future__ import annotations

import xarray as xr
from _axes import plain_log
from matplotlib.figure import Figure

from homeonet.cli.main import figure_main
from homeonet.plotting import COLOURS, DOUBLE_WIDTH, SERIES, new_figure

STUDY = "cross_paradigm"
LINES = ("-", "--", "-.", ":")


def draw(data: xr.Dataset) -> Figure:
    """Small multiples with one legend."""
    values = data["weight_norm"].dropna("paradigm", how="all").dropna("homeostasis", how="all")
    networks, kinds = values["paradigm"].values, values["homeostasis"].values
    columns = min(4, len(networks))
    rows = -(-len(networks) // columns)
    figure, axes = new_figure(rows, columns, width=DOUBLE_WIDTH, height=0.6 + 1.6 * rows)
    handles = {}
    for ax, network in zip(axes.flat, networks, strict=False):
        for k, kind in enumerate(kinds):
            course = values.sel(paradigm=network, homeostasis=kind).dropna("progress")
            if not course.size:
                continue
            style = {"color": SERIES[k % len(SERIES)], "linestyle": LINES[k % len(LINES)]}
            (handles[str(kind)],) = ax.plot(100 * course["progress"], course, **style)
        ax.axhline(1, color=COLOURS["baseline"], linewidth=0.5, zorder=0)
        ax.set(title=str(network), xlabel="training done (%)", yscale="log")
        plain_log(ax.yaxis)
    for ax in axes.flat[len(networks) :]:
        ax.set_visible(False)
    for ax in axes[:, 0]:
        ax.set_ylabel("weight norm / start")
    figure.suptitle(data.attrs["images"])
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    return figure


def main() -> None:
    """Draw it as ``homeonet figure weight_norms`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

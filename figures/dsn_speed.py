"""DSN: time of a training step against the length of the sequence.

Median time of a forward and a backward pass of one layer against the number of time steps T, on logarithmic axes, with
the range over rounds; PSN multiplies by a T × T matrix, sliding PSN by a window, DSN scans, LIF steps in a compiled
loop.
"""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from homeonet.cli.main import figure_main
from homeonet.plotting import MARKERS, SERIES, new_figure

STUDY = "dsn_speed"


def draw(data: xr.Dataset) -> Figure:
    """Seconds against T, by neuron."""
    figure, axes = new_figure(1, 1, height=2.6)
    ax = axes[0, 0]
    for k, name in enumerate(data["neuron"].values):
        here = data.sel(neuron=name).dropna("steps", subset=["seconds"])
        style = {"color": SERIES[k], "marker": MARKERS[k], "markersize": 3.5}
        ax.plot(here["steps"], here["seconds"], label=str(name), **style)
        ax.fill_between(here["steps"], here["low"], here["high"], color=SERIES[k], alpha=0.2, linewidth=0)
    ax.set(xscale="log", yscale="log", xlabel="time steps T", ylabel="time of a training step (s)")
    ax.legend()
    return figure


def main() -> None:
    """Draw it as ``homeonet figure dsn_speed`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

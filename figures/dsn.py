"""DSN: time of a training step against the length of the sequence, text beyond the trained length, and accuracy.

Above: median time of a forward and a backward pass against the number of time steps T, with the range over rounds; and
bits per character on sequences longer than those trained on. Below, one panel per task: test accuracy of networks with
as many parameters (but for "PSN, as wide") minus that of DSN with four levels, with the same seed; dots are seeds, bars
95 % intervals (Student's t).
"""

from __future__ import annotations

import xarray as xr
from _names import data_title
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from homeonet.cli.main import figure_main
from homeonet.plotting import COLOURS, DOUBLE_WIDTH, MARKERS, SERIES, new_figure, plot_differences

STUDY = "dsn"
REFERENCE = "DSN"


def draw(data: xr.Dataset) -> Figure:
    """Time and, where measured, length and accuracy."""
    tasks = [] if "accuracy" not in data else list(data["task"].values)
    columns = max(len(tasks), 2)
    height = 2.6 + 2.0 * bool(tasks)
    figure, axes = new_figure(1 + bool(tasks), columns, width=DOUBLE_WIDTH, height=height)
    for ax in axes[0]:
        ax.remove()
    grid, half = axes[0, 0].get_gridspec(), columns // 2
    time = figure.add_subplot(grid[0, :half])
    times(data, time)
    time.legend(loc="upper left", fontsize=6)
    if "bits" in data:
        lengths(data, figure.add_subplot(grid[0, half:]))
    for k, task in enumerate(tasks):
        here = data["accuracy"].sel(task=task)
        others = [name for name in here["neuron"].values if name != REFERENCE]
        gains = (here - here.sel(neuron=REFERENCE, drop=True)).sel(neuron=others)
        plot_differences(gains, axes[1, k], "neuron", labelled=k == 0)
        data_set, *more = str(task).split(", ")
        axes[1, k].set_title("\n".join([data_title(data_set), ", ".join(more)]), fontsize=7)
        axes[1, k].set_xlabel("accuracy − DSN, points" if k == 0 else "points")
    return figure


def times(data: xr.Dataset, ax: Axes) -> None:
    """Training seconds against T."""
    for k, name in enumerate(data["neuron"].values):
        here = data.sel(neuron=name).dropna("steps", subset=["seconds"])
        if not here.sizes["steps"]:
            continue
        style = {"color": SERIES[k], "marker": MARKERS[k], "markersize": 3.5}
        ax.plot(here["steps"], here["seconds"], label=str(name), **style)
        if "low" in data and "high" in data:
            ax.fill_between(here["steps"], here["low"], here["high"], color=SERIES[k], alpha=0.2, linewidth=0)
    ax.set(xscale="log", yscale="log", xlabel="time steps T", ylabel="time of a training step (s)")


def lengths(data: xr.Dataset, ax: Axes) -> None:
    """Bits per character against the length tested."""
    for k, name in enumerate(data["neuron"].values):
        here = data["bits"].sel(neuron=name).dropna("steps_tested")
        if here.size:
            ax.plot(here["steps_tested"], here, color=SERIES[k], marker=MARKERS[k], markersize=3.5)
    if "trained_steps" in data.attrs:
        trained = float(data.attrs["trained_steps"])
        ax.axvline(trained, color=COLOURS["baseline"], linestyle=":")
        ax.annotate("trained at", (trained, 0.5), xycoords=("data", "axes fraction"), rotation=90, ha="right")
    ax.set(xscale="log", xlabel="length tested (time steps)", ylabel="bits per character")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlim(left=0.5 * trained if "trained_steps" in data.attrs else None)
    ax.margins(y=0.1)


def main() -> None:
    """Draw it as ``homeonet figure dsn`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

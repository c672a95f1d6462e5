"""DSN: time of a training step against the length of the sequence.

Median time of a forward and a backward pass against the number of time steps T, on logarithmic axes, where measured
with the range over repeats. Further panels, where measured: test accuracy at equal parameters (mean and seeds, with
raw values under a linear readout as a dotted line), and bits per character on sequences longer than those trained on.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from homeonet.cli.main import figure_main
from homeonet.plotting import COLOURS, DOUBLE_WIDTH, MARKERS, SERIES, new_figure

STUDY = "dsn"


def draw(data: xr.Dataset) -> Figure:
    """Time and, where measured, accuracy and length; one legend below."""
    names = ["seconds", *(name for name in ("accuracy", "bits") if name in data)]
    widths = [1.6 if name == "accuracy" else 1.0 for name in names]
    figure, axes = new_figure(1, len(names), width=DOUBLE_WIDTH, height=2.9, width_ratios=widths)
    for ax, name in zip(axes[0], names, strict=True):
        {"seconds": times, "accuracy": accuracies, "bits": lengths}[name](data, ax)
    handles = [
        Line2D([], [], color=SERIES[k], marker=MARKERS[k], markersize=3.5, label=str(name))
        for k, name in enumerate(data["neuron"].values)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def times(data: xr.Dataset, ax: Axes) -> None:
    """Training seconds against T."""
    for k, name in enumerate(data["neuron"].values):
        here = data.sel(neuron=name).dropna("steps", subset=["seconds"])
        if not here.sizes["steps"]:
            continue
        ax.plot(here["steps"], here["seconds"], color=SERIES[k], marker=MARKERS[k], markersize=3.5)
        if "low" in data and "high" in data:
            ax.fill_between(here["steps"], here["low"], here["high"], color=SERIES[k], alpha=0.2, linewidth=0)
    ax.set(xscale="log", yscale="log", xlabel="time steps T", ylabel="time of a training step (s)")


def accuracies(data: xr.Dataset, ax: Axes) -> None:
    """Each task's neurons side by side: seeds as dots, means as lines."""
    n_neurons = data.sizes["neuron"]
    for j, task in enumerate(data["task"].values):
        here = data.sel(task=task)
        for k, values in enumerate(here["accuracy"].transpose("neuron", "seed").to_numpy()):
            place = j + 0.8 * ((k + 0.5) / n_neurons - 0.5)
            ax.plot(np.full(values.size, place), values, MARKERS[k], color=SERIES[k], markersize=3, alpha=0.6)
            ax.plot([place - 0.06, place + 0.06], [np.nanmean(values)] * 2, color=SERIES[k])
        ax.plot([j - 0.45, j + 0.45], [float(here["raw"])] * 2, color=COLOURS["baseline"], linestyle=":")
    ax.annotate("raw", (j + 0.45, float(here["raw"])), (1, 0), textcoords="offset points", va="center")
    ax.set_xticks(range(data.sizes["task"]), [str(task).replace(", ", "\n") for task in data["task"].values])
    ax.tick_params(axis="x", length=0, labelsize=6.5)
    ax.set(ylabel="test accuracy (%)")


def lengths(data: xr.Dataset, ax: Axes) -> None:
    """Bits a character against the length tested."""
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

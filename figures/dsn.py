"""DSN: time of a training step against the length of the sequence.

Median time of a forward and a backward pass against the number of time steps T, on logarithmic axes, where measured
with the range over repeats. Further panels, where measured: test accuracy at equal parameters (mean and seeds), and
bits a character on sequences longer than those trained on.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from homeonet._gallery import figure_main
from homeonet.plotting import COLOURS, DOUBLE_WIDTH, MARKERS, SERIES, new_figure

STUDY = "dsn"


def draw(data: xr.Dataset) -> Figure:
    """Time and, where measured, accuracy and length."""
    names = ["seconds", *(name for name in ("accuracy", "bits") if name in data)]
    figure, axes = new_figure(1, len(names), width=DOUBLE_WIDTH, height=2.7)
    for ax, name in zip(axes[0], names, strict=True):
        {"seconds": times, "accuracy": accuracies, "bits": lengths}[name](data, ax)
    return figure


def times(data: xr.Dataset, ax: Axes) -> None:
    """Seconds against T."""
    for k, name in enumerate(data["neuron"].values):
        here = data.sel(neuron=name).dropna("steps", subset=["seconds"])
        if not here.sizes["steps"]:
            continue
        style = {"color": SERIES[k], "marker": MARKERS[k], "markersize": 3.5}
        ax.plot(here["steps"], here["seconds"], label=str(name), **style)
        if "low" in data and "high" in data:
            ax.fill_between(here["steps"], here["low"], here["high"], color=SERIES[k], alpha=0.2, linewidth=0)
    ax.set(xscale="log", yscale="log", xlabel="time steps T", ylabel="time of a training step (s)")
    ax.legend(loc="upper left")


def accuracies(data: xr.Dataset, ax: Axes) -> None:
    """Mean and seeds of each neuron."""
    shown = data["accuracy"].dropna("neuron", how="all")
    all_neurons = list(data["neuron"].values)
    for k, name in enumerate(shown["neuron"].values):
        colour = SERIES[all_neurons.index(name)]
        values = shown.sel(neuron=name).to_numpy()
        ax.plot(np.full(values.size, k), values, ".", color=colour, markersize=4)
        ax.plot([k - 0.3, k + 0.3], [np.nanmean(values)] * 2, color=colour)
    ax.set_xticks(
        range(shown.sizes["neuron"]), [str(n) for n in shown["neuron"].values], rotation=30, ha="right"
    )
    ax.set(ylabel="test accuracy (%)")


def lengths(data: xr.Dataset, ax: Axes) -> None:
    """Bits a character against the length tested, each line with its name."""
    for k, name in enumerate(data["neuron"].values):
        here = data["bits"].sel(neuron=name).dropna("steps_tested")
        if here.size:
            ax.plot(here["steps_tested"], here, color=SERIES[k], marker=MARKERS[k], markersize=3.5)
            end = (float(here["steps_tested"][-1]), float(here[-1]))
            ax.annotate(str(name), end, (0, 4), textcoords="offset points", ha="right", color=SERIES[k])
    if "trained_steps" in data.attrs:
        trained = float(data.attrs["trained_steps"])
        ax.axvline(trained, color=COLOURS["baseline"], linestyle=":")
        ax.annotate("trained at", (trained, 0.5), xycoords=("data", "axes fraction"), rotation=90, ha="right")
    ax.set(xscale="log", xlabel="length tested (time steps)", ylabel="bits a character")
    ax.set_xlim(left=0.5 * trained if "trained_steps" in data.attrs else None)
    ax.margins(y=0.1)


def main() -> None:
    """Draw it as ``homeonet figure dsn`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

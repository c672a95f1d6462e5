"""DSN: accuracy at equal parameters, and text beyond the trained length.

Above, one panel per task: test accuracy of networks with as many parameters (but for "PSN, as wide") minus that of DSN
with four levels, with the same seed; dots are seeds, bars 95 % intervals (Student's t). Below: bits per character on
sequences longer than those trained on.
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
    """Differences of accuracy by task, and bits per character."""
    tasks = list(data["task"].values)
    figure, axes = new_figure(2, len(tasks), width=DOUBLE_WIDTH, height=4.4)
    for k, task in enumerate(tasks):
        here = data["accuracy"].sel(task=task).dropna("neuron", how="all")
        others = [name for name in here["neuron"].values if name != REFERENCE]
        gains = (here - here.sel(neuron=REFERENCE, drop=True)).sel(neuron=others)
        plot_differences(gains, axes[0, k], "neuron", labelled=k == 0)
        data_set, *more = str(task).split(", ")
        axes[0, k].set_title("\n".join([data_title(data_set), ", ".join(more)]), fontsize=7)
        axes[0, k].set_xlabel("accuracy − DSN, points" if k == 0 else "points")
    for ax in axes[1]:
        ax.remove()
    below = figure.add_subplot(axes[0, 0].get_gridspec()[1, :])
    lengths(data, below)
    below.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def lengths(data: xr.Dataset, ax: Axes) -> None:
    """Bits per character against the length tested, with the range over seeds where there are several."""
    for k, name in enumerate(data["neuron"].values):
        here = data["bits"].sel(neuron=name).dropna("steps_tested", how="all")
        if not here.size:
            continue
        x, style = here["steps_tested"], {"color": SERIES[k], "marker": MARKERS[k], "markersize": 3.5}
        if "seed" in here.dims:
            ax.fill_between(x, here.min("seed"), here.max("seed"), color=SERIES[k], alpha=0.2, linewidth=0)
            here = here.mean("seed")
        ax.plot(x, here, label=str(name), **style)
    trained = float(data.attrs["trained_steps"])
    ax.axvline(trained, color=COLOURS["baseline"], linestyle=":")
    ax.annotate("trained at", (trained, 0.5), xycoords=("data", "axes fraction"), rotation=90, ha="right")
    ax.set(xscale="log", xlabel="length tested (time steps)", ylabel="bits per character")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlim(left=0.5 * trained)
    ax.margins(y=0.1)


def main() -> None:
    """Draw it as ``homeonet figure dsn`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

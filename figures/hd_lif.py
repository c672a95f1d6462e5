"""HD-LIF: what each way to train and to compress costs in accuracy, and what it saves.

A row per network. First panel: test accuracy minus that of HD-LIF trained online with the same seed; dots are seeds,
bars 95 % intervals (Student's t); grey: within a point, the margin of the claims. Rows from "ternary" on are trained
online with ternary or binary weights; those below "binary" add what they are named after to the ternary network.
Second: energy of one image, filled by a count of everything that is computed, in which a spike of k bits costs k
additions and neurons and memory count, open by the paper's. Third: stored weights in kilobytes. In both HD-LIF online
is as HD-LIF through time. Fourth: the cosine between the online and the full gradient through training, mean over
seeds with its 95 % interval. Fifth: what a batch holds for the backward pass against the number of time steps.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from _axes import plain_log
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from homeonet.cli.main import figure_main
from homeonet.plotting import DOUBLE_WIDTH, MARKERS, SERIES, new_figure, plot_against, plot_differences

STUDY = "hd_lif"
REFERENCE = "HD-LIF online"


def draw(data: xr.Dataset) -> Figure:
    """Accuracy, energy and size in rows of networks; below, gradients and memory."""
    sizes = {"height_ratios": (5, 3), "width_ratios": (2, 1.3, 1)}
    figure, axes = new_figure(2, 3, width=DOUBLE_WIDTH, height=5.0, **sizes)
    above, (cosine, *unused) = axes
    for ax in unused:
        ax.remove()
    memory = figure.add_subplot(cosine.get_gridspec()[1, 1:])
    accuracy = data["accuracy"]
    others = [name for name in data["case"].values if name != REFERENCE]
    plot_differences(
        (accuracy - accuracy.sel(case=REFERENCE, drop=True)).sel(case=others), above[0], "case", margin=1
    )
    mean = float(accuracy.sel(case=REFERENCE).mean())
    above[0].set_xlabel(f"accuracy − {REFERENCE} ({mean:.1f} %), points")
    costs = data.sel(case=others)
    _costs(costs, above[1], {"energy_mj": "all that is computed", "energy_paper_mj": "the paper's count"})
    above[1].set(xlabel="energy of an image (µJ)", xscale="log")
    plain_log(above[1].xaxis)
    above[1].legend(loc="lower center", bbox_to_anchor=(0.5, 1.0))
    _costs(costs, above[2], {"size_mb": "stored"})
    above[2].set(xlabel="stored weights (kB)", xlim=(0, 1.1e3 * float(costs["size_mb"].max())))
    cosines = {str(name): data["cosine"].sel(neuron=name) for name in data["neuron"].values}
    plot_against(cosines, cosine, "progress")
    cosine.set(xlabel="share of the training", ylabel="cosine of online\nand full gradient")
    _memory(data, memory)
    for ax in (cosine, memory):
        ax.legend()
    return figure


def _costs(data: xr.Dataset, ax: Axes, names: dict[str, str]) -> None:
    """Costs in the rows of the panel to the left, in thousandths of their units: the first filled, the next open."""
    rows = np.arange(data.sizes["case"])
    for name, fill in zip(names, (SERIES[0], "none"), strict=False):
        ax.plot(
            1e3 * data[name],
            rows,
            "o",
            color=SERIES[0],
            markersize=4,
            markerfacecolor=fill,
            label=names[name],
        )
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_yticks(rows, [])


def _memory(data: xr.Dataset, ax: Axes) -> None:
    for k, name in enumerate(data["training"].values):
        style = {"color": SERIES[k], "marker": MARKERS[k], "markersize": 3.5}
        ax.plot(data["steps"], data["memory_mb"].sel(training=name), label=str(name), **style)
    ax.set(xlabel="time steps T", ylabel="held for the\nbackward pass (MB)", xscale="log", yscale="log")
    ax.set_xticks(data["steps"].values, [f"{t:g}" for t in data["steps"].values])
    ax.minorticks_off()
    plain_log(ax.yaxis)


def main() -> None:
    """Draw it as ``homeonet figure hd_lif`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

"""The figure, from its file of numbers alone."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from homeonet.plotting import DOUBLE_WIDTH, MARKERS, SERIES, new_figure, plot_against

__all__ = ["draw"]


def draw(data: xr.Dataset) -> Figure:
    """Accuracy against energy and size, the cosine through training, and bytes held against T."""
    figure, axes = new_figure(2, 2, width=DOUBLE_WIDTH, height=5.4)
    _front(data, axes[0, 0], "energy_mj", "energy per image, honest convention (µJ)")
    _front(data, axes[0, 1], "energy_paper_mj", "energy per image, paper's convention (µJ)")
    cosines = {str(name): data["cosine"].sel(neuron=name) for name in data["neuron"].values}
    plot_against(cosines, axes[1, 0], "progress")
    axes[1, 0].set(xlabel="share of the training", ylabel="cosine of truncated\nand full gradient")
    for k, name in enumerate(data["training"].values):
        line = data["memory_mb"].sel(training=name)
        axes[1, 1].plot(
            line["steps"], line, marker=MARKERS[k], markersize=3.5, color=SERIES[k], label=str(name)
        )
    axes[1, 1].set(
        xlabel="time steps T", ylabel="held for the\nbackward pass (MB)", xscale="log", yscale="log"
    )
    axes[1, 1].set_xticks(data["steps"], [f"{v:g}" for v in data["steps"].values])
    axes[1, 1].minorticks_off()
    for ax in axes[1]:
        ax.legend()
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _front(data: xr.Dataset, ax: Axes, name: str, label: str) -> None:
    """One mark per case: mean accuracy with its range over seeds against an energy."""
    for k, case in enumerate(data["case"].values):
        values = data["accuracy"].sel(case=case).dropna("seed").to_numpy()
        if not len(values):
            continue
        ends = np.abs([[values.mean() - values.min()], [values.max() - values.mean()]])
        style = {"fmt": MARKERS[k % len(MARKERS)], "color": SERIES[k % len(SERIES)], "markersize": 4}
        filled = {} if k < len(MARKERS) else {"markerfacecolor": "none"}
        ax.errorbar(
            1e3 * float(data[name].sel(case=case)), values.mean(), ends, **style, **filled, label=str(case)
        )
    ax.set(xlabel=label, ylabel="test accuracy (%)", xlim=(0, None))

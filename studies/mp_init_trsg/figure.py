"""The figure, from its file of numbers alone."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_against

__all__ = ["draw"]


def draw(data: xr.Dataset) -> Figure:
    """Frozen thresholds, the ablation, sizes of gradients, and distances to the stationary law."""
    figure, axes = new_figure(2, 2, width=DOUBLE_WIDTH, height=5.2)
    baseline = {"raw pixels": data.attrs["baseline"]}
    frozen = data["accuracy"].dropna("threshold", how="all")
    rules = {str(rule): frozen.sel(rule=rule) for rule in data["rule"].values}
    plot_against(rules, axes[0, 0], "threshold", baselines=baseline)
    axes[0, 0].set(xlabel="frozen threshold", ylabel="test accuracy (%)", title="gradient rule")
    cases = {str(case): data["ablation"].sel(case=case) for case in data["case"].values}
    plot_against(cases, axes[0, 1], "steps", baselines=baseline)
    axes[0, 1].set(xlabel="time steps T", ylabel="test accuracy (%)", title="learnt threshold")
    axes[0, 1].set_xticks(data["steps"])
    sizes = data["gradient_of_seeds"].dropna("threshold", how="all")
    plot_against({str(rule): sizes.sel(rule=rule) for rule in data["rule"].values}, axes[1, 0], "threshold")
    axes[1, 0].set(xlabel="threshold", ylabel="mean |∂O/∂m|", xscale="log", yscale="log")
    axes[1, 0].set_xticks(sizes["threshold"], [f"{v:g}" for v in sizes["threshold"].values])
    axes[1, 0].minorticks_off()
    courses = {
        f"{reset} reset, {init}": data["shift"].sel(reset=reset, init=init, elements="all", time=slice(1, 12))
        for reset in data["reset"].values
        for init in data["init"].values
    }
    plot_against(courses, axes[1, 1], "time")
    axes[1, 1].set(xlabel="time step", ylabel="total variation\nto the stationary law", ylim=(0, None))
    axes[1, 1].set_xticks(range(1, 13))
    for ax in axes.flat:
        ax.legend()
    return figure

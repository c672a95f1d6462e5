"""MP-Init and TrSG: what each adds, what a frozen threshold does, and how far membranes start from where they settle.

Left: test accuracy with MP-Init, TrSG or both minus that without either, with the same seed, by the number of time
steps T; dots are seeds, bars 95 % intervals (Student's t). Middle: accuracy where the threshold is frozen, under
the three threshold gradients (TrSG, absolute AS, relative RS), trained by SGD as in the paper (solid, where measured)
and by Adam (dashed); dots are seeds. Right: total-variation distance of the membrane to its stationary law over time
(soft reset, mean over layers and seeds), started at zero and by MP-Init.
"""

from __future__ import annotations

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from homeonet.cli.main import figure_main
from homeonet.plotting import COLOURS, DOUBLE_WIDTH, MARKERS, SERIES, new_figure, plot_differences

STUDY = "mp_init_trsg"


def draw(data: xr.Dataset) -> Figure:
    """Differences, frozen thresholds and, where measured, the temporal shift."""
    panels = 3 if "distance" in data else 2
    figure, axes = new_figure(1, panels, width=DOUBLE_WIDTH, height=2.9)
    _ablation(data["ablation"], axes[0, 0])
    _frozen(data, axes[0, 1])
    if panels == 3:
        for k, start in enumerate(data["init"].values):
            course = data["distance"].sel(init=start, time=slice(1, 12))
            style = {"color": SERIES[k], "marker": MARKERS[k], "markersize": 3}
            axes[0, 2].plot(course["time"], course, label=f"start: {start}", **style)
        axes[0, 2].xaxis.set_major_locator(MaxNLocator(integer=True))
        axes[0, 2].axhline(0.1, color=COLOURS["baseline"], linestyle=":", linewidth=0.8, label="0.1")
        axes[0, 2].set(xlabel="time step t", ylabel="distance to the stationary law", ylim=(0, None))
        axes[0, 2].legend()
    return figure


def _ablation(values: xr.DataArray, ax: Axes) -> None:
    cases = [name for name in values["case"].values if name != "none"]
    gains = (values - values.sel(case="none", drop=True)).sel(case=cases)
    rows = gains.transpose("steps", "case", "seed").stack(row=("steps", "case"))
    names = [f"{case}, T = {steps:g}" for steps, case in rows["row"].values]
    colours = [SERIES[k] for _ in values["steps"].values for k in range(len(cases))]
    plot_differences(
        rows.drop_vars(["row", "steps", "case"]).assign_coords(row=names), ax, "row", colours=colours
    )
    ax.set_xlabel("accuracy − without either, points")


def _frozen(data: xr.Dataset, ax: Axes) -> None:
    """Mean accuracy against the threshold, with one dot per seed; a run that diverged is at chance."""
    for name, line, optimizer in (("accuracy_sgd", "-", "SGD"), ("accuracy", "--", "Adam")):
        if name not in data:
            continue
        values = data[name].dropna("threshold", how="all")
        for k, rule in enumerate(data["rule"].values):
            here = values.sel(rule=rule).transpose("threshold", "seed").fillna(10.0)
            x, style = here["threshold"].values, {"color": SERIES[k], "marker": MARKERS[k]}
            ax.plot(x, here.mean("seed"), line, markersize=3.5, label=f"{rule}, {optimizer}", **style)
            for seed in here["seed"].values:
                ax.plot(x, here.sel(seed=seed), markersize=2.4, linestyle="none", alpha=0.5, **style)
    ax.set(xlabel="frozen threshold", ylabel="test accuracy (%)")
    ax.legend(fontsize=6, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, handlelength=3.5)


def main() -> None:
    """Draw it as ``homeonet figure mp_init_trsg`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

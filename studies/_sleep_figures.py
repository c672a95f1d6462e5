"""Figures of two studies of sleep: similarity before and after, and how soon weights explode."""

from __future__ import annotations

import numpy as np
import xarray as xr
from _sleep_episodes import PATHWAYS
from matplotlib.figure import Figure

from homeonet.plotting import DOUBLE_WIDTH, PATHWAY_NAMES, SERIES, new_figure, plot_heat_map, use_style

__all__ = ["MEASURES", "draw_explosion", "draw_similarity"]

MEASURES = {
    **{name: f"weights {PATHWAY_NAMES[name]}" for name in PATHWAYS},
    "fields": "receptive fields",
    "code": "code, CKA",
    "order": "code, ranks",
}


def draw_similarity(means: xr.DataArray) -> Figure:
    """A panel a preset: what sleep and what wake time leave of each measure."""
    with use_style():
        figure, axes = new_figure(1, means.sizes["preset"], width=DOUBLE_WIDTH, height=2.7, sharey=True)
        for ax, preset in zip(axes[0], means["preset"].values, strict=True):
            for k, kind in enumerate(("sleep", "wake")):
                here = means.sel(preset=preset, kind=kind)
                places = np.arange(here.sizes["measure"]) + (k - 0.5) * 0.25
                ax.plot(
                    places, here.mean("seed"), "os"[k], color=SERIES[k], markersize=4, label=f"over {kind}"
                )
                ax.plot(
                    np.repeat(places, here.sizes["seed"]),
                    here.to_numpy().ravel(),
                    ".",
                    color=SERIES[k],
                    markersize=2,
                )
            ax.set_xticks(range(len(MEASURES)), MEASURES.values(), rotation=60, ha="right")
            ax.set(title=str(preset), ylim=(float(means.min()) - 0.05, 1.02))
        axes[0, 0].set_ylabel("similarity, before and after")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def draw_explosion(seconds: xr.DataArray, growth: float) -> Figure:
    """A map a case of the median time to `growth` times the weight, over density and input rate."""
    with use_style():
        figure, drawn = new_figure(1, 2, width=DOUBLE_WIDTH, height=2.6)
        for ax, case in zip(drawn[0], seconds["case"].values, strict=True):
            shown = seconds.sel(case=case).median("seed").where(np.isfinite)
            ax.set(title=f"{case} (white: most never)", xlabel="density of E→E", ylabel="input rate (Hz)")
            if np.isfinite(shown).any():
                plot_heat_map(
                    shown,
                    ax,
                    x="exc_exc.density",
                    y="input.mean_rate",
                    label=f"time to {growth:g} × the weight (s)",
                )
            else:
                ax.text(0.5, 0.5, "no run explodes", ha="center", va="center", transform=ax.transAxes)
                for axis, dim in ((ax.xaxis, "exc_exc.density"), (ax.yaxis, "input.mean_rate")):
                    axis.set_ticks(range(shown.sizes[dim]), [f"{value:g}" for value in shown[dim].values])
                ax.set(xlim=(-0.5, shown.sizes["exc_exc.density"] - 0.5))
                ax.set(ylim=(-0.5, shown.sizes["input.mean_rate"] - 0.5))
    return figure

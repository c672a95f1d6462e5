"""The figure: how soon weights explode."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_heat_map, use_style

__all__ = ["draw"]


def draw(seconds: xr.DataArray, growth: float) -> Figure:
    """A map per case of the median time to `growth` times the weight, over density and input rate."""
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

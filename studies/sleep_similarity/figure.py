"""The figure: similarity before and after."""

from __future__ import annotations

import numpy as np
import xarray as xr
from episodes import PATHWAYS
from matplotlib.figure import Figure

from homeonet.plotting import DOUBLE_WIDTH, PATHWAY_NAMES, SERIES, new_figure, use_style

__all__ = ["MEASURES", "draw"]

MEASURES = {
    **{name: f"weights {PATHWAY_NAMES[name]}" for name in PATHWAYS},
    "fields": "receptive fields",
    "code": "code, CKA",
    "order": "code, ranks",
}


def draw(means: xr.DataArray) -> Figure:
    """One panel per preset: what sleep and what wake time leave of each measure."""
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

"""The figure of `study.py`."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_against

__all__ = ["draw"]

_ROWS = (
    ("learning", "epoch", "case", "validation accuracy (%)"),
    ("spread", "epoch", "case", "SD of layer rates"),
    ("robustness", "severity", "corruption", "test accuracy (%)"),
)


def draw(data: xr.Dataset) -> Figure:
    """Learning curves and rates of layers by paradigm, accuracy by corruption and severity; with AHSAR and without."""
    columns = max(data.sizes["case"], data.sizes["corruption"])
    figure, axes = new_figure(len(_ROWS), columns, width=DOUBLE_WIDTH, height=5.0, sharey="row")
    for line, (array, dim, where, label) in zip(axes, _ROWS, strict=True):
        for ax, name in zip(line, data[where].values, strict=False):
            parts = data["homeostasis"].values
            series = {str(part): data[array].sel({where: name, "homeostasis": part}) for part in parts}
            plot_against(series, ax, dim)
            ax.set(title=name, xlabel=dim)
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        line[0].set_ylabel(label)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure

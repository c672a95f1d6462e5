"""Codes of the kinds of networks in the plane.

t-SNE of the hidden units' activity on test images, side by side for each kind of network without homeostasis, with
sleep and with AHSAR, one seed; colours and marks are classes. Above each: trustworthiness T (share of neighbours in
the picture that are neighbours in the code), accuracy of the five nearest neighbours in the picture, and the paper's Φ
of the code itself. Distances between panels mean nothing.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from homeonet.cli.main import figure_main
from homeonet.errors import InputError
from homeonet.plotting import DOUBLE_WIDTH, MARKERS, SERIES, new_figure

STUDY = "cross_paradigm"
SHOWN = ("none", "sleep", "AHSAR")


def draw(data: xr.Dataset) -> Figure:
    """A column per kind of network, a row per homeostasis."""
    if "code" not in data:
        raise InputError(
            "the data of cross_paradigm has no codes; run `python studies/cross_paradigm/study.py --full`"
        )
    there = data.dropna("homeostasis", how="all", subset=["code"]).dropna(
        "paradigm", how="all", subset=["code"]
    )
    rows = [name for name in SHOWN if name in there["homeostasis"].values] or list(
        there["homeostasis"].values[:3]
    )
    networks = there["paradigm"].values
    figure, axes = new_figure(len(rows), len(networks), width=DOUBLE_WIDTH, height=0.5 + 1.3 * len(rows))
    for (row, column), ax in np.ndenumerate(axes):
        here = there.sel(homeostasis=rows[row], paradigm=networks[column])
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        if column == 0:
            ax.set_ylabel(rows[row])
        title = f"{str(networks[column]).replace(' (', chr(10) + '(')}\n" if row == 0 else ""
        if not np.isfinite(here["code"]).all():
            ax.set_title(title + "–", fontsize=6)
            continue
        panel(here, ax)
        numbers = f"T {float(here['trustworthiness']):.2f}, Φ {float(here['phi']):.1f}"
        ax.set_title(f"{title}{numbers}\nk-NN {100 * float(here['neighbour_accuracy']):.0f} %", fontsize=6)
    handles = axes.flat[[ax.collections != [] for ax in axes.flat].index(True)].get_legend_handles_labels()
    figure.suptitle(data.attrs["images"])
    figure.legend(
        *handles, loc="outside lower center", ncols=10, title="class", markerscale=2, handletextpad=0.1
    )
    return figure


def panel(here: xr.Dataset, ax: object) -> None:
    """The dots of one code."""
    labels = here["label"].to_numpy()
    for k, cls in enumerate(np.unique(labels)):
        points = here["code"].transpose("axis", "image").to_numpy()[:, labels == cls]
        style = {"marker": MARKERS[k % len(MARKERS)], "color": SERIES[k % len(SERIES)]}
        ax.scatter(*points, s=2.5, linewidths=0, label=str(cls), rasterized=True, **style)


def main() -> None:
    """Draw it as ``homeonet figure embeddings`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

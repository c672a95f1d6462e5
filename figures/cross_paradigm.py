"""Kinds of networks × kinds of homeostasis.

Each cell is the test accuracy (%, logistic readout of the hidden units, mean over seeds) of one kind of network with
one homeostasis; its colour is the change against the same network without any. "None" has no homeostasis at all, not
even the inhibitory STDP, adaptive thresholds and normalisation that the two presets come with; "preset" has what they
come with; every other column adds one mechanism to none. Bold: the 95 % interval of the paired change (Student's t,
not corrected for the number of cells) excludes zero. A dot stands for a combination that does not exist or did not
survive. Raw pixels under the same readout are in the title, the network with its random weights frozen in the first
column. One set of images is drawn; the study's table has the others.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from homeonet.analysis import mean_interval
from homeonet.cli.main import figure_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure

STUDY = "cross_paradigm"


def draw(data: xr.Dataset) -> Figure:
    """One map; its first column are frozen weights, where they were measured."""
    values = data["accuracy"].dropna("homeostasis", how="all").dropna("paradigm", how="all")
    networks, columns = ([str(name) for name in values[dim].values] for dim in ("paradigm", "homeostasis"))
    means = values.mean("seed").transpose("paradigm", "homeostasis").to_numpy()
    frozen = np.full((len(networks), 1), np.nan)
    if "frozen" in data:
        frozen = data["frozen"].sel(paradigm=networks).mean("seed").to_numpy()[:, None]
    change = np.hstack([frozen * np.nan, means - means[:, [columns.index("none")]]])
    most = max(1.0, float(np.nanpercentile(abs(change), 90)))
    figure, axes = new_figure(width=DOUBLE_WIDTH, height=0.9 + 0.33 * len(networks))
    ax = axes[0, 0]
    image = ax.imshow(change, aspect="auto", cmap="PuOr_r", vmin=-most, vmax=most)
    sure = np.hstack([np.zeros_like(frozen, bool), certain(values)])
    for (row, column), value in np.ndenumerate(np.hstack([frozen, means])):
        dark = abs(change[row, column]) > 0.6 * most  # no comparison with NaN is true
        style = {"fontsize": 9, "fontweight": "bold" if sure[row, column] else "normal"}
        text, colour = (
            (f"{value:.1f}", "white" if dark else "black") if np.isfinite(value) else ("·", "black")
        )
        ax.text(column, row, text, ha="center", va="center", color=colour, **style)
    ax.axvline(0.5, color="black", linewidth=0.8)
    titles = ["frozen weights", *columns]
    ax.set_xticks(range(len(titles)), titles, rotation=25, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(networks)), networks)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title(
        f"{data.attrs['images']}: test accuracy (%); raw pixels {float(data['raw_pixels'].mean()):.1f} %"
    )
    figure.colorbar(image, ax=ax, label="change against none (points)", extend="both")
    return figure


def certain(values: xr.DataArray) -> np.ndarray:
    """Whether the interval of the paired change against none excludes zero, by network and homeostasis."""
    changes = (
        (values - values.sel(homeostasis="none")).transpose("paradigm", "homeostasis", "seed").to_numpy()
    )
    found = np.zeros(changes.shape[:2], bool)
    for place in np.ndindex(found.shape):
        there = changes[place][np.isfinite(changes[place])]
        if len(there) > 1:
            ends = mean_interval(there)
            found[place] = ends.low > 0 or ends.high < 0
    return found


def main() -> None:
    """Draw it as ``homeonet figure cross_paradigm`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

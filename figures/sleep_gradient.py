"""Sleep and other treatments in networks trained by gradients.

Difference of the test accuracy from that of the same network without treatment, mean over seeds with its 95 % interval
(Student's t), by data set. Grey: within a point, the margin within which sleep counts as doing nothing. All networks
learn awake by backpropagation; the recurrent ones have the plastic network's recurrence and not its local learning.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from homeonet.analysis import mean_interval
from homeonet.cli.main import figure_main
from homeonet.plotting import DOUBLE_WIDTH, MARKERS, SERIES, new_figure

STUDY = "sleep_gradient"


def draw(data: xr.Dataset) -> Figure:
    """Differences from no treatment with their 95 % intervals, one row per network and treatment, by data set."""
    names = [str(name) for name in data["case"].values if not str(name).endswith(": none")]
    sets = [str(name) for name in data["data"].values]
    size = {"width": DOUBLE_WIDTH, "height": 0.8 + 0.16 * len(names)}
    figure, axes = new_figure(1, len(sets), **size, sharey=True)
    networks = list(dict.fromkeys(name.partition(": ")[0] for name in names))
    for ax, chosen in zip(axes[0], sets, strict=True):
        for row, name in enumerate(names):
            network = name.partition(": ")[0]
            values = _gains(data["accuracy"].sel(data=chosen), name)
            if not len(values):
                continue
            found = mean_interval(values)
            k = networks.index(network)
            ends = [[found.estimate - found.low], [found.high - found.estimate]]
            style = {"color": SERIES[k], "fmt": MARKERS[k], "markersize": 3, "linewidth": 0.8}
            ax.errorbar([found.estimate], [row], xerr=ends, **style)
        ax.axvspan(-1, 1, color="#666666", alpha=0.12, linewidth=0)
        ax.axvline(0, color="#666666", linewidth=0.6)
        ax.set(title=chosen, xlabel="test accuracy − no treatment (points)")
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].invert_yaxis()
    return figure


def _gains(accuracy: xr.DataArray, case: str) -> np.ndarray:
    """Paired differences from the network without treatment, one per seed."""
    network = case.partition(": ")[0]
    plain = accuracy.sel(case=f"{network}: none")
    found = (accuracy.sel(case=case) - plain).dropna("seed").to_numpy()
    return found if len(found) > 1 else found[:0]


def main() -> None:
    """Draw it as ``homeonet figure sleep_gradient`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

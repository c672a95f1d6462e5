"""Sleep and other treatments in networks trained by gradients.

Difference of the test accuracy from that of the same network without treatment, mean over seeds with its 95 % interval
(Student's t) and one dot per seed. Grey: within a point, the margin within which sleep counts as doing nothing. All
networks learn awake by backpropagation; the recurrent ones have the plastic network's recurrence and not its local
learning.
"""

from __future__ import annotations

import xarray as xr
from _names import data_title
from matplotlib.figure import Figure

from homeonet.cli.main import figure_main
from homeonet.plotting import DOUBLE_WIDTH, SERIES, new_figure, plot_differences

STUDY = "sleep_gradient"


def draw(data: xr.Dataset) -> Figure:
    """Differences from no treatment, one row per network and treatment, by data set."""
    rows = [str(name) for name in data["case"].values if not str(name).endswith(": none")]
    networks = list(dict.fromkeys(_network(name) for name in rows))
    colours = [SERIES[networks.index(_network(name))] for name in rows]
    figure, axes = new_figure(1, data.sizes["data"], width=DOUBLE_WIDTH, height=0.8 + 0.16 * len(rows))
    for k, (ax, chosen) in enumerate(zip(axes[0], data["data"].values, strict=True)):
        accuracy = data["accuracy"].sel(data=chosen)
        plain = accuracy.sel(case=[f"{_network(name)}: none" for name in rows])
        gains = accuracy.sel(case=rows) - plain.assign_coords(case=rows)
        plot_differences(gains, ax, "case", margin=1, colours=colours, labelled=k == 0)
        ax.set(title=data_title(chosen), xlabel="test accuracy − no treatment (points)")
    return figure


def _network(case: str) -> str:
    return case.partition(": ")[0]


def main() -> None:
    """Draw it as ``homeonet figure sleep_gradient`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

"""AHSAR beside the same training without it.

Paired differences over seeds, with 95 % intervals (Student's t); dots are seeds, zero is no effect. Left: test
accuracy by neuron and way to train. Middle: standard deviation of the layers' firing rates after the last epoch, to be
lowered by a homeostasis. Right: test accuracy on corrupted images, by kind of corruption, mean over severities.
"""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from homeonet.cli.main import figure_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_differences

STUDY = "ahsar"


def draw(data: xr.Dataset) -> Figure:
    """Accuracy, rates and robustness."""
    figure, axes = new_figure(1, 3, width=DOUBLE_WIDTH, height=2.6)
    last = data[["accuracy", "spread"]].isel(epoch=-1)
    gains = last.sel(homeostasis="AHSAR") - last.sel(homeostasis="none")
    plot_differences(gains["accuracy"], axes[0, 0], "case")
    axes[0, 0].set_xlabel("test accuracy,\nAHSAR − without, points")
    plot_differences(gains["spread"], axes[0, 1], "case", labelled=False)
    axes[0, 1].set_xlabel("SD of layers' rates,\nAHSAR − without")
    harmed = (
        data["robustness"]
        .where(data["severity"] > 0)
        .mean([name for name in ("severity", "case") if name in data["robustness"].dims])
    )
    robust = harmed.sel(homeostasis="AHSAR") - harmed.sel(homeostasis="none")
    plot_differences(robust, axes[0, 2], "corruption")
    axes[0, 2].set_xlabel("accuracy on corrupted images,\nAHSAR − without, points")
    return figure


def main() -> None:
    """Draw it as ``homeonet figure ahsar`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

"""Accuracy over the noise asleep and the sleep ratio.

Test accuracy (QDA on spike counts, mean over seeds) of a recurrent STDP network whose membranes receive noise of
standard deviation σ while it sleeps, for the share of time that it sleeps. Here sleep ends by the clock and not when
the weights are back at their start: at a ratio of 0.3 the network sleeps 22 % of the time. Numbers are in the
cells.
"""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from homeonet.cli.main import figure_main
from homeonet.plotting import COLUMN_WIDTH, new_figure, plot_heat_map

STUDY = "noise_grid"


def draw(data: xr.Dataset) -> Figure:
    """One map per preset."""
    presets = data["preset"].values
    figure, axes = new_figure(1, len(presets), width=COLUMN_WIDTH * len(presets), height=2.6)
    for ax, preset in zip(axes[0], presets, strict=True):
        here = data["accuracy"].sel(preset=preset)
        plot_heat_map(here, ax, x="ratio", y="sigma", label="test accuracy, QDA (%)")
        without = float(data["no_sleep"].sel(preset=preset).mean())
        ax.set(
            xlabel="sleep ratio", ylabel="noise asleep σ (mV)", title=f"{preset}; no sleep: {without:.1f} %"
        )
    return figure


def main() -> None:
    """Draw it as ``homeonet figure noise_grid`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

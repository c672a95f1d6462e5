"""What noise asleep changes, by its strength and the share of the time slept.

Test accuracy (QDA on spike counts) of the sleep paper's network whose membranes receive noise of standard deviation
σ while it sleeps, minus that of the same seeds without noise. Each cell gives the mean over seeds and, below, the
half-width of its 95 % interval (Student's t), both in points. Sleep comes by the clock and the weights shrink towards
their start; the colours reach as far as what sleep without noise gains over no sleep (accuracies in the title).
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
        quiet = here.sel(sigma=0.0, drop=True)
        gained = (here.sel(sigma=here["sigma"] > 0) - quiet).assign_coords(share=100 * here["share"])
        awake = data["no_sleep_accuracy"].sel(preset=preset)
        slept = {"centre": 0.0, "reach": abs(float((quiet - awake).mean()))}
        label = "QDA − without noise (points)"
        plot_heat_map(gained, ax, x="share", y="sigma", label=label, form="{:+.1f}", spread="seed", **slept)
        ax.set(
            xlabel="time asleep (%)",
            ylabel="noise asleep σ (mV)",
            title=f"{preset}\nno noise: {float(quiet.mean()):.1f} %, no sleep: {float(awake.mean()):.1f} %",
        )
    return figure


def main() -> None:
    """Draw it as ``homeonet figure noise_grid`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

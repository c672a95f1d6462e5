"""Weights and rates with sleep and without.

Mean weight of each pathway of a recurrent STDP network relative to its start (left) and mean firing rates (right),
over the time that it is awake: the same network and images with the paper's sleep and without, one seed. With sleep
the weights among excitatory neurons stay near their start, those from the input within three times of it, and those
from and onto inhibitory neurons decay until inhibition falls silent; without, all grow towards their clamp.
"""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from homeonet.cli.main import figure_main
from homeonet.plotting import COLOURS, DOUBLE_WIDTH, PATHWAY_NAMES, POPULATION_NAMES, new_figure

STUDY = "sleep_wake"
LINES = {"sleep": "-", "no sleep": "--"}


def draw(data: xr.Dataset) -> Figure:
    """Weights on the left, rates on the right; colours are pathways and populations, dashes are without sleep."""
    figure, axes = new_figure(1, 2, width=DOUBLE_WIDTH, height=2.7)
    relative = data["pathway_mean"] / data["pathway_mean"].isel(time=0)
    panels = (
        (axes[0, 0], relative, "pathway", PATHWAY_NAMES, "mean weight / start"),
        (axes[0, 1], data["rate"], "population", POPULATION_NAMES, "mean rate (Hz)"),
    )
    for ax, values, dim, names, label in panels:
        for case in values["case"].values:
            for name in values[dim].values:
                course = values.sel({"case": case, dim: name}).dropna("time")
                title = f"{names[str(name)]}, {case}"
                ax.plot(course["time"], course, LINES[str(case)], color=COLOURS[str(name)], label=title)
        ax.set(xlabel="simulated time awake (s)", ylabel=label, yscale="log")
        ax.margins(x=0)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=6)
    axes[0, 1].set_yscale("symlog", linthresh=1)
    axes[0, 0].axhline(1, color=COLOURS["baseline"], linewidth=0.5, zorder=0)
    return figure


def main() -> None:
    """Draw it as ``homeonet figure sleep_weights`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

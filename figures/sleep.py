"""When sleep helps, when it does nothing, and when it destroys.

Test accuracy of recurrent STDP networks against the share of all time that they sleep, one row per data set and one
column per network: the released code of the sleep paper, and the network that its text describes, with weights that
shrink towards their start. Sleep comes by the clock and lasts its full length. Lines are means with 95 % intervals
(Student's t), dots are seeds: five, and of the paper's network on MNIST twenty at 0 and 15 %. Grey lines are the noisy
pixels that the network sees, under QDA and under the logistic readout. Crosses in the first column: published means
and standard deviations, under the paper's readout; they were made by that code. Bottom: rates of the excitatory and
the inhibitory neurons while test images are shown (MNIST). The paper's readout (standardised, PCA, QDA) is fitted on
what a network answers while it learns, with noise on its membranes, and tested without it or, a curve of its own, with
it; the others are fitted and tested on what it answers when it has learnt.
"""

from __future__ import annotations

import xarray as xr
from _names import data_title
from matplotlib.figure import Figure

from homeonet.cli.main import figure_main
from homeonet.plotting import COLOURS, DOUBLE_WIDTH, new_figure, plot_against

STUDY = "sleep"
_READOUTS = {"qda": "QDA", "logistic": "logistic", "paper": "the paper's readout"}
_TITLES = {
    "released": "released code",
    "paper": "the paper's network",
    "homeonet": "this project's network",
}


def draw(data: xr.Dataset) -> Figure:
    """Rows of accuracies, and one of rates."""
    networks = [name for name in _TITLES if name in data["network"].values]
    sets = [str(name) for name in data["data"].values]
    rows = len(sets) + 1
    figure, axes = new_figure(
        rows, len(networks), width=DOUBLE_WIDTH, height=0.7 + 1.75 * rows, sharex=True, sharey="row"
    )
    for column, network in enumerate(networks):
        for row, name in enumerate(sets):
            ax, here = axes[row, column], _in_per_cent(data.sel(network=network, data=name))
            lines = {title: here[key] for key, title in _READOUTS.items()}
            if network == "released" and "paper_noisy" in here:
                lines["the paper's readout, noise in the test too"] = here["paper_noisy"]
            baselines = {
                "noisy pixels, QDA": here["noisy_pixels_qda"],
                "noisy pixels, logistic": here["noisy_pixels_logistic"],
            }
            plot_against(lines, ax, "share", baselines=baselines)
            if network == "released":
                mean, sd = here["published_mean"], here["published_sd"]
                style = {"color": COLOURS["base"], "fmt": "x", "markersize": 4, "linewidth": 0.8}
                ax.errorbar(100 * here["published_share"], mean, sd, label="published", **style)
            if column == 0:
                ax.set_ylabel(f"{data_title(name)}\naccuracy (%)")
        ax, here = axes[-1, column], _in_per_cent(data.sel(network=network, data=sets[0]))
        plot_against({"excitatory": here["exc"], "inhibitory": here["inh"]}, ax, "share")
        ax.set(yscale="symlog", xlabel="time asleep (%)")
        axes[0, column].set_title(_TITLES[network])
    axes[-1, 0].set_ylabel("rate at test\n(Hz)")
    axes[-1, 0].legend(loc="lower left")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _in_per_cent(data: xr.Dataset) -> xr.Dataset:
    return data.assign_coords(share=100 * data["share"]).dropna("share", how="all", subset=["qda"])


def main() -> None:
    """Draw it as ``homeonet figure sleep`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

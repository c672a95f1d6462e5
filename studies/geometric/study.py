"""The toy task: triangles, circles, squares and crosses of jittered size under pixel noise, against sleep.

The networks of the sleep paper, of its released code and this project's own sleep by the clock, so that they sleep for
the share of the time that is set.

    python studies/geometric/study.py --full      # resumes
    python studies/geometric/study.py --quick     # minutes
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field

import xarray as xr
from matplotlib.figure import Figure

from homeonet.cli.study import finish, run_grid
from homeonet.cli.terminal import run_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_against
from homeonet.study.figure_data import gathered
from homeonet.study.intervals import table_of
from homeonet.study.options import UNGUARDED, scale_of, some_of, study_options
from homeonet.study.sleep import BY_THE_CLOCK, KEPT, NETWORKS, ClockScale, ratio_of
from homeonet.sweep import Grid

#: Beside what other studies keep, the baselines of the logistic readout.
COLUMNS = KEPT | {
    "frozen_logistic": ("accuracy.frozen", "frozen, logistic, %"),
    "raw_pixels_logistic": ("accuracy.raw_pixels", "raw pixels, logistic, %"),
}


@dataclass(frozen=True)
class ToyScale(ClockScale):
    """A study's scale with the networks and the shares asleep."""

    data: str = "geometric"
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    networks: tuple[str, ...] = some_of(NETWORKS)
    shares: tuple[float, ...] = field(
        default=(0.0, 0.05, 0.1, 0.2, 0.3), metadata={"help": "shares of the time asleep, up to 0.5"}
    )


QUICK = ToyScale(train=100, test=50, seeds=(1, 2), shares=(0.0, 0.1))


def main() -> None:
    """Run what is missing, then print and write the table and the figure."""
    options = study_options(__doc__ or "", "geometric", ToyScale(), QUICK, earlier=True)
    data = gathered(_run, options)
    titles = {name: title for name, (_, title) in COLUMNS.items()}
    rows = table_of(data / 100, titles, {"network": "network", "share": "share asleep"}, counted=True)
    note = "four classes; mean and 95 % t interval over seeds; sleep by the clock."
    finish(options, rows, note, data, draw, {}, scale_of(options, data))


def _run(options: argparse.Namespace) -> xr.Dataset:
    """Run what is missing; all that is kept of it."""
    fixed = {name: getattr(options, name) for name in ("data", "train", "test", "epochs")}
    axes = {"sleep.ratio": [ratio_of(share) for share in options.shares], "seed": options.seeds}
    grid = Grid(
        fixed | {**UNGUARDED, **BY_THE_CLOCK}, axes, {name: NETWORKS[name] for name in options.networks}
    )
    results = run_grid(grid, options.out / "sweep", options).results
    results = results.assign_coords({"sleep.ratio": options.shares})
    results = results.rename({"sleep.ratio": "share", "case": "network"})
    return xr.Dataset({name: 100 * results[metric] for name, (metric, _) in COLUMNS.items()}).reset_coords(
        drop=True
    )


def draw(data: xr.Dataset) -> Figure:
    """Accuracy against the share asleep, a line per network, a panel per readout."""
    figure, axes = new_figure(1, 2, width=DOUBLE_WIDTH, height=2.6, sharey=True)
    here = data.assign_coords(share=100 * data["share"])
    shown = {"QDA": ("accuracy", "raw_pixels"), "logistic": ("logistic", "raw_pixels_logistic")}
    for ax, (title, (name, raw)) in zip(axes[0], shown.items(), strict=True):
        lines = {str(network): here[name].sel(network=network) for network in here["network"].values}
        plot_against(lines, ax, "share", baselines={"raw pixels": here[raw]})
        ax.set(title=title, xlabel="time asleep (%)")
    axes[0, 0].set_ylabel("test accuracy (%)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    sys.exit(run_main(main))

"""When does sleep help, when does it do nothing, when does it destroy? The share of time asleep is what is varied.

Sleep comes by the clock and lasts its full length, so that a network sleeps for the share of time that is set: 0, 5,
10, 15, 20, 30 and 50 %. The networks: the released code of Massey et al. 2026, whose readout is also tested with the
noise that it learnt with, the network as their paper states it with weights that shrink towards their start and, as
in the code, towards 0.01 with and without inhibition, and this project's own. Three sets of images, three readouts,
baselines under the same readouts. Then one thing after another is changed in the paper's network at one share:
noise, decay, plasticity, which weights shrink, how fast, what ends a sleep. Runs that did not sleep their share, or
of a network that was dead or had learnt nothing without sleep, are marked: they say nothing about sleep.

    HOMEONET_DATA=… python studies/sleep/study.py --full       # two hours on two cores; resumes
    HOMEONET_DATA=… python studies/sleep/study.py --full --networks paper --data mnist --seeds 6 7 --controls \\
        --out results/sleep_6_7 --earlier figures/data/sleep.nc    # adds seeds to the committed ones; of one share
                                                                   # alone with, say, --shares 0.15
    python studies/sleep/study.py --quick                      # embedded images, minutes
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from functools import partial

import pandas as pd
import xarray as xr
from measured import measured_of
from networks import CONTROLS, NETWORKS, REFERENCE, SHARE_OF_CONTROLS, SHARES
from noisy_test import tested_with_noise
from table import control_rows, figure_data, share_rows, state_rows

from homeonet.cli.study import finish, run_grid
from homeonet.cli.terminal import run_main
from homeonet.study.figure_data import gallery_figure, gathered
from homeonet.study.options import UNGUARDED, scale_of, some_of, study_options
from homeonet.study.sleep import ClockScale, ratio_of, share_of
from homeonet.study.tables import markdown_table
from homeonet.sweep import Grid


@dataclass(frozen=True)
class SleepScale(ClockScale):
    """A study's scale with the networks and whether the controls are run."""

    data: tuple[str, ...] = ("mnist", "fashion", "notmnist")  # type: ignore[assignment]
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    networks: tuple[str, ...] = some_of(NETWORKS)
    controls: tuple[str, ...] = field(
        default=("mnist", "fashion"), metadata={"help": "images of the controls; none without a name"}
    )
    control_seeds: tuple[int, ...] = field(default=(1, 2, 3), metadata={"help": "seeds of the controls"})
    shares: tuple[float, ...] = some_of(SHARES)


QUICK = SleepScale(("mnist5k",), 100, 0, 50, 1, (1, 2), ("paper",), ("mnist5k",), (1, 2), (0.0, 0.1, 0.3))


def main() -> None:
    """Run what is missing, then print and write the tables, the claims and the figure."""
    options = study_options(__doc__ or "", "sleep", SleepScale(), QUICK, earlier=True)
    data = gathered(_run, options)
    scale, parts = scale_of(options, data), [markdown_table(state_rows(data))]
    if "control_qda" in data:
        title = f"One thing changed at a time: `{REFERENCE}`, {100 * SHARE_OF_CONTROLS:g} % asleep"
        parts += [f"## {title}\n", markdown_table(control_rows(data))]
        sets, seeds = (" ".join(map(str, data[f"control_{name}"].values)) for name in ("data", "seed"))
        scale = f"{scale}; controls: {sets}, seeds {seeds}"
    note = "test accuracy, mean over seeds with 95 % t intervals.\n\n## State\n\n" + "\n".join(parts)
    drawn, measured = partial(gallery_figure, "sleep"), measured_of(data)
    finish(options, share_rows(data), note, data, drawn, measured, scale)


def _run(options: argparse.Namespace) -> xr.Dataset:
    """Run what is missing; all that is kept of it."""
    fixed = {"train": options.train, "test": options.test, "evaluation.presentation": "1 s", **UNGUARDED}
    axes = {
        "data": options.data,
        "sleep.ratio": [ratio_of(share) for share in options.shares],
        "seed": options.seeds,
    }
    found = []
    for name in options.networks:
        grid = Grid(fixed | NETWORKS[name], axes)
        folder = options.out / name.replace(",", "").replace(" ", "_").replace(".", "")
        results = run_grid(grid, folder, options).results.rename({"sleep.ratio": "share"})
        if name == "released":
            results["accuracy.paper_noisy"] = tested_with_noise(results, folder)
        found.append(results.assign_coords(share=[share_of(ratio) for ratio in results["share"].values]))
    networks = xr.concat(found, pd.Index(options.networks, name="network"), join="outer")
    controls = None
    if options.controls:
        cases = dict(list(CONTROLS.items())[:5]) if options.quick else CONTROLS
        grid = Grid(fixed, {"data": options.controls, "seed": options.control_seeds}, cases)
        controls = run_grid(grid, options.out / "controls", options).results
    return figure_data(networks, controls)


if __name__ == "__main__":
    sys.exit(run_main(main))

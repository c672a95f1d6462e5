"""What does a sleep change? Weights and codes just before and just after each sleep (an open question of the paper).

Rank correlation of all weights, overlap of receptive fields, and similarity (linear CKA) and rank correlation of the
codes of images that the network never learns from, plasticity off. Beside each sleep a stretch of wake time of the
same length, right before it: what learning changes anyway.

    HOMEONET_DATA=… python studies/sleep_similarity/study.py --full
    python studies/sleep_similarity/study.py --quick                    # embedded images, a minute
"""

from __future__ import annotations

import argparse
import itertools
import sys
from concurrent.futures import ProcessPoolExecutor

import pandas as pd
from episodes import PATHWAYS, episodes
from figure import MEASURES, draw

from homeonet import load_config
from homeonet.claims import write_measured
from homeonet.cli.study import write
from homeonet.cli.terminal import run_main
from homeonet.machine.cores import usable_cores
from homeonet.plotting import PATHWAY_NAMES
from homeonet.study.intervals import cell
from homeonet.study.measured import over_seeds
from homeonet.study.options import options_of


def of_seed(arguments: tuple[argparse.Namespace, str, int]) -> list[dict[str, float]]:
    """One run, for a process of its own."""
    options, preset, seed = arguments
    sizes = {"data": options.data[0], "train": options.train, "seed": seed}
    most, probes = (4, 50) if options.quick else (20, 300)
    found = episodes(load_config(preset, sizes | {"sleep.ratio": 0.15}), most, min(probes, options.test))
    return [{"preset": preset, "seed": seed, **episode} for episode in found]


def main() -> None:
    """Follow the runs, then print and write the table and the figure."""
    presets = ["massey2026", "massey2026_released", "homeonet"]
    options = options_of(
        __doc__ or "",
        "sleep_similarity",
        presets=presets,
        data=["mnist"],
        seeds=[1, 2, 3],
        train=600,
        test=300,
        single=("--data",),
    )
    jobs = [(options, preset, seed) for preset in options.presets for seed in options.seeds]
    with ProcessPoolExecutor(options.workers or usable_cores()) as pool:
        found = pd.DataFrame([episode for run in pool.map(of_seed, jobs) for episode in run])
    groups = found.groupby(["preset", "kind", "seed"])[list(MEASURES)]
    means = groups.mean().to_xarray().to_dataarray("measure")
    rows = [["preset", "over", "episodes", "seconds", *MEASURES.values()]]
    for (preset, kind), these in found.groupby(["preset", "kind"]):
        line = [
            cell(means.sel(preset=preset, kind=kind, measure=name).to_numpy(), "{:.3f}") for name in MEASURES
        ]
        rows.append([preset, kind, f"{len(these)}", f"{these['seconds'].mean():.1f}", *line])
    note = f"{options.data[0]}, {options.train} images, seeds {options.seeds}; "
    note += "mean over episodes, then over seeds with its 95 % t interval; 1 is no change."
    write(options.out, rows, note, draw(means))
    asleep = means.sel(kind="sleep")
    cases = [
        case
        for preset, name in itertools.product(asleep["preset"].values, PATHWAYS)
        for case in over_seeds(
            f"{preset}, {PATHWAY_NAMES[name]}", asleep.sel(preset=preset, measure=name), ""
        )
    ]
    scale = f"{options.data[0]}, {options.train} images, seeds {' '.join(map(str, options.seeds))}"
    write_measured(options.out, study="sleep_similarity", scale=scale, measured={"sleep-order": cases})


if __name__ == "__main__":
    sys.exit(run_main(main))

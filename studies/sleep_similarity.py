"""What does a sleep change? Weights and codes just before and just after each sleep (an open question of the paper).

Rank correlation of all weights, overlap of receptive fields, and similarity (linear CKA) and rank correlation of the
codes of images that the network never learns from, plasticity off. Beside each sleep a stretch of wake time of the
same length, right before it: what learning changes anyway.

    HOMEONET_DATA=… python studies/sleep_similarity.py --full
    python studies/sleep_similarity.py --quick                    # embedded images, a minute
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
import xarray as xr
from _sleep_episodes import PATHWAYS, episodes
from _sweeping import options_of, write

from homeonet import load_config
from homeonet.analysis import bootstrap_interval
from homeonet.cli import run_main
from homeonet.plotting import DOUBLE_WIDTH, PATHWAY_NAMES, SERIES, new_figure, use_style
from homeonet.runs import usable_cores

MEASURES = {
    **{name: f"weights {PATHWAY_NAMES[name]}" for name in PATHWAYS},
    "fields": "receptive fields",
    "code": "code, CKA",
    "order": "code, ranks",
}


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
        line = [shown(means.sel(preset=preset, kind=kind, measure=name).to_numpy()) for name in MEASURES]
        rows.append([preset, kind, f"{len(these)}", f"{these['seconds'].mean():.1f}", *line])
    note = f"{options.data[0]}, {options.train} images, seeds {options.seeds}; "
    note += "mean over episodes, then over seeds with its 95 % bootstrap interval; 1 is no change."
    write(options.out, rows, note, draw(means))


def shown(values: np.ndarray) -> str:
    """Mean over seeds with its interval."""
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return f"{values[0]:.3f}" if len(values) else ""
    found = bootstrap_interval(values)
    return f"{found.estimate:.3f} [{found.low:.3f}, {found.high:.3f}]"


def draw(means: xr.DataArray):
    """A panel a preset: what sleep and what wake time leave of each measure."""
    with use_style():
        figure, axes = new_figure(1, means.sizes["preset"], width=DOUBLE_WIDTH, height=2.7, sharey=True)
        for ax, preset in zip(axes[0], means["preset"].values, strict=True):
            for k, kind in enumerate(("sleep", "wake")):
                here = means.sel(preset=preset, kind=kind)
                places = np.arange(here.sizes["measure"]) + (k - 0.5) * 0.25
                ax.plot(
                    places, here.mean("seed"), "os"[k], color=SERIES[k], markersize=4, label=f"over {kind}"
                )
                ax.plot(
                    np.repeat(places, here.sizes["seed"]),
                    here.to_numpy().ravel(),
                    ".",
                    color=SERIES[k],
                    markersize=2,
                )
            ax.set_xticks(range(len(MEASURES)), MEASURES.values(), rotation=60, ha="right")
            ax.set(title=str(preset), ylim=(float(means.min()) - 0.05, 1.02))
        axes[0, 0].set_ylabel("similarity, before and after")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


if __name__ == "__main__":
    sys.exit(run_main(main))

"""Does sleep keep a recurrent STDP network stable, and what does it cost? The main job of the package.

Trains one preset twice on the same images, with sleep and without, reads both out beside their baselines, prints
one table and draws the figures. Defaults: `massey2026` on the 5000 MNIST images that come with the package.

    python studies/sleep_wake/study.py             # a few minutes on two cores
    python studies/sleep_wake/study.py --quick     # a smaller one, to see it work

Source of the model: Massey, Hubin, Nichele & Sæbø (2026), arXiv 2601.08447.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import xarray as xr

from homeonet import Config, RunResult, load_config, run
from homeonet.cli.options import parse_assignments
from homeonet.cli.terminal import print_accuracies, progress_bar, run_main
from homeonet.machine.cores import usable_cores
from homeonet.plotting import draw_comparison
from homeonet.runs.rows import run_rows
from homeonet.study.figure_data import write_figure_data
from homeonet.study.tables import markdown_table


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default="massey2026", help="default: %(default)s")
    parser.add_argument("--data", default="mnist5k", help="see `homeonet data`; default: %(default)s")
    parser.add_argument(
        "--train", type=int, metavar="N", help="training images; default: the preset's, 400 with --quick"
    )
    parser.add_argument(
        "--test", type=int, metavar="N", help="test images; default: the preset's, 200 with --quick"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="default: %(default)s")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any constant, for both arms"
    )
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument("--quick", action="store_true", help="few images: to see it work, not to publish")
    scale.add_argument("--full", action="store_true", help="the real thing (default)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: results/sleep_wake[_quick]")
    return parser.parse_args()


def arm(label: str, config: Config, folder: Path, position: int) -> RunResult:
    """One of the two runs. Both start from the same random network: one evaluates the baselines for both."""
    return run(
        config,
        folder,
        workers=max(1, usable_cores() // 2),
        baselines=position == 0,
        progress=lambda title, total: progress_bar(f"{label}: {title}", total, position=position),
    )


def courses(records: xr.Dataset, points: int = 500) -> xr.Dataset:
    """Weights and rates over the time awake, as means over at most `points` equal spans; for the figure."""
    span = float(records["wake_time"].max().round()) / points
    place = (records["wake_time"] / span).astype(int).rename("place")
    means = records[["pathway_mean", "rate"]].groupby(place).mean().astype("float32")
    return means.rename(place="time").assign_coords(time=(means["place"].to_numpy() + 0.5) * span)


def main() -> None:
    """Run both arms, print, save, draw."""
    options, start = parse(), time.perf_counter()
    out = options.out or Path("results", "sleep_wake_quick" if options.quick else "sleep_wake")
    quick = {"train": 400, "test": 200} if options.quick else {}
    given = {name: value for name in ("train", "test") if (value := getattr(options, name)) is not None}
    named = parse_assignments(options.set)
    config = load_config(
        options.preset, {"data": options.data, "seed": options.seed, **quick, **given, **named}
    )
    arms = {"sleep": config, "no sleep": config.replace(sleep__ratio=0.0)}
    with ProcessPoolExecutor(min(2, usable_cores())) as pool:
        running = {
            label: pool.submit(arm, label, config, out / label.replace(" ", "_"), k)
            for k, (label, config) in enumerate(arms.items())
        }
        results = {label: future.result() for label, future in running.items()}
    metrics = {label: result.metrics for label, result in results.items()}
    print_accuracies(run_rows(metrics))
    (out / "table.md").write_text(markdown_table(run_rows(metrics)), encoding="utf-8")
    draw_comparison({label: result.records for label, result in results.items()}, out / "figure.png")
    course = xr.concat(
        [courses(result.records) for result in results.values()],
        xr.DataArray(list(results), dims="case", name="case"),
        join="outer",
    )
    scale = f"{config.data}, {config.train} images, {config.preset}, seed {config.seed}"
    write_figure_data(out, course, study="sleep_wake", scale=scale)
    print(f"{time.perf_counter() - start:.0f} s in all; records, table and figures are in {out}")


if __name__ == "__main__":
    sys.exit(run_main(main))

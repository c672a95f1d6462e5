"""How much of the class does each preset carry, beside raw pixels and the frozen random network, over seeds?

Every preset with its sleep and without, on each data set; readouts fitted on all training images and scored on the
official test set (where there is one). Prints and writes one table: mean and 95 % Student-t interval over seeds.

    python studies/preset_accuracy/study.py                       # about an hour on two cores; resumes when interrupted
    python studies/preset_accuracy/study.py --presets homeonet --data mnist --seeds 1 2 3
    python studies/preset_accuracy/study.py --quick
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tqdm import tqdm

from homeonet import Config, load_config, preset_names, run
from homeonet.analysis import mean_interval
from homeonet.cli.terminal import run_main
from homeonet.machine.cores import usable_cores
from homeonet.study.tables import markdown_table

COLUMNS = {
    "accuracy.logistic": "logistic",
    "accuracy.qda": "QDA",
    "accuracy.frozen": "frozen, logistic",
    "accuracy.frozen.qda": "frozen, QDA",
    "accuracy.raw_pixels": "raw pixels, logistic",
    "accuracy.raw_pixels.qda": "raw pixels, QDA",
}


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--presets", nargs="+", default=preset_names(), metavar="PRESET", help="default: all")
    parser.add_argument("--data", nargs="+", default=["mnist", "fashion"], help="default: mnist fashion")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], metavar="S", help="default: 1 2 3")
    parser.add_argument("--train", type=int, default=6000, metavar="N", help="default: %(default)s")
    parser.add_argument("--test", type=int, default=10000, metavar="N", help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="mnist5k, 400 and 200 images, two seeds")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: results/preset_accuracy[_quick]")
    return parser.parse_args()


def cell(config: Config, folder: Path) -> dict[str, Any]:
    """One run's metrics; the baselines do not depend on sleep and come with the run that sleeps."""
    return run(config, folder, workers=1, figures=False, baselines=config.sleep.ratio > 0).metrics


def row(title: list[str], metrics: list[dict[str, Any]]) -> list[str]:
    """One line of the table: means and intervals over seeds."""
    cells = []
    for key in COLUMNS:
        if any(key not in m for m in metrics):
            cells.append("")
            continue
        interval = mean_interval([100 * m[key] for m in metrics])
        half = interval.high - interval.estimate
        cells.append(
            f"{interval.estimate:.1f} ± {half:.1f}" if len(metrics) > 1 else f"{interval.estimate:.1f}"
        )
    rates = (sum(m[f"rate_hz.{p}"] for m in metrics) / len(metrics) for p in ("exc", "inh"))
    asleep = sum(m["sleep_fraction"] for m in metrics) / len(metrics)
    return [*title, *cells, " / ".join(f"{rate:.1f}" for rate in rates), f"{100 * asleep:.1f}"]


def main() -> None:
    """Run what is missing, then print and write the table."""
    options = parse()
    if options.quick:
        options.data, options.train, options.test, options.seeds = ["mnist5k"], 400, 200, [1, 2]
    out = options.out or Path("results", "preset_accuracy_quick" if options.quick else "preset_accuracy")
    sizes = {"train": options.train, "test": options.test}
    cells: dict[tuple[str, str, str], list[Config]] = {}
    for data in options.data:
        for preset in options.presets:
            configs = [load_config(preset, {"data": data, "seed": seed, **sizes}) for seed in options.seeds]
            cells[data, preset, "sleep"] = configs
            cells[data, preset, "no sleep"] = [config.replace(sleep__ratio=0.0) for config in configs]
    with ProcessPoolExecutor(usable_cores()) as pool:
        futures = {
            c.run_id: pool.submit(cell, c, out / c.run_id) for configs in cells.values() for c in configs
        }
        done = {run_id: future.result() for run_id, future in tqdm(futures.items(), desc="runs")}
    head = ["data", "preset", "sleep", *COLUMNS.values(), "E / I (Hz)", "asleep (%)"]
    table = markdown_table(
        [head, *(row(list(key), [done[c.run_id] for c in cs]) for key, cs in cells.items())]
    )
    note = f"\n{options.train} training, {options.test} test images; seeds {options.seeds}; % correct, mean ± 95 % t.\n"
    (out / "table.md").write_text(table + note, encoding="utf-8")
    print(table + note)


if __name__ == "__main__":
    sys.exit(run_main(main))

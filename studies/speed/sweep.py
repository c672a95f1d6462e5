"""What do two workers gain over one? The same sweep with one and with two, in turn, from an empty folder each time.

python studies/speed/sweep.py            # a few minutes on two quiet cores
python studies/speed/sweep.py --quick
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from homeonet.cli.terminal import run_main
from homeonet.study.tables import markdown_table
from homeonet.sweep import Grid, sweep


def main() -> None:
    """Measure in turns, then print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--images",
        type=int,
        default=3000,
        metavar="N",
        help="training images of a cell; default: %(default)s",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2], metavar="S", help="default: 1 2")
    parser.add_argument("--quick", action="store_true", help="small cells, one round")
    options = parser.parse_args()
    images = 100 if options.quick else options.images
    fixed = {"preset": "massey2026", "data": "mnist5k", "train": images, "test": min(1000, images // 2)}
    grid = Grid(fixed, {"sleep.ratio": [0.1, 0.2], "seed": options.seeds})
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for number in range(-1, 1 if options.quick else options.rounds):
        for workers in (1, 2) if number % 2 == 0 else (2, 1):
            with tempfile.TemporaryDirectory() as folder:
                few = Grid(fixed | {"train": 10, "test": 10}, {"seed": [1]})
                start = time.perf_counter()
                sweep(few if number < 0 else grid, Path(folder, "s"), workers=workers, baselines=False)
                if number >= 0:  # the first round compiles
                    seconds[workers].append(time.perf_counter() - start)
    ratios = sorted(one / two for one, two in zip(seconds[1], seconds[2], strict=True))
    rows = [["workers", "seconds, median", "one worker / this"]]
    rows += [["1", f"{median(seconds[1]):.1f}", "1"]]
    rows += [["2", f"{median(seconds[2]):.1f}", f"{median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"]]
    print(markdown_table(rows))
    print(
        f"{len(grid)} cells of {images} training images, starting the processes included; range over rounds."
    )


if __name__ == "__main__":
    sys.exit(run_main(main, resumes=False))

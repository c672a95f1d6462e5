"""Which homeostasis helps which kind of spiking network? Every combination on the same images, under the same readouts.

Recurrent STDP networks (two presets) and networks trained by gradients (SG-SNN, recurrent SG-SNN, TrLIF, HD-LIF online,
DSN), all with 250 hidden units, without homeostasis and with one mechanism at a time: sleep, normalisation, adaptive
thresholds, inhibitory STDP, MP-Init, AHSAR; "preset" is all that a preset of the STDP networks has. Their codes (spike
counts, or mean outputs of the hidden layer) go through the same logistic and quadratic readouts.

HOMEONET_DATA=… python studies/cross_paradigm/study.py --full     # an hour on two cores; resumes
python studies/cross_paradigm/study.py --quick                    # embedded images, a minute
python studies/cross_paradigm/study.py --quick --own examples/homeostasis/synaptic_scaling.toml   # a column of your own
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path

from figure import NOTE, arranged, draw, figure_data, rows_of
from grids import COLUMNS, ROWS, STEPS, grids_of, own_columns, place_of
from measures import measured, tasks_of

from homeonet.claims import write_measured
from homeonet.cli.study import run_grid, write
from homeonet.cli.terminal import run_main
from homeonet.plotting import use_style
from homeonet.study.figure_data import write_figure_data
from homeonet.sweep import Grid, with_code


def parse() -> argparse.Namespace:
    """The command line, with the numbers of its scale."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument("--quick", action="store_true", help="embedded images, few of them: a minute")
    scale.add_argument("--full", action="store_true", help="the committed scale (default); resumes")
    parser.add_argument("--data", nargs="+", metavar="NAME", help="default: mnist fashion")
    parser.add_argument("--sides", nargs="+", type=int, default=[15], metavar="N", help="pixels; default: 15")
    parser.add_argument(
        "--whole", nargs="*", metavar="NAME", help="also as they are, 28 × 28; default: mnist (quick: none)"
    )
    parser.add_argument("--seeds", nargs="+", type=int, metavar="S", help="default: 1 2 3")
    for name, text in (
        ("train", "training images"),
        ("test", "test images"),
        ("epochs", "of gradient training"),
    ):
        parser.add_argument(f"--{name}", type=int, metavar="N", help=f"{text}; default: see `table.md`")
    parser.add_argument("--corrupted", type=int, metavar="N", help="test images that are corrupted")
    parser.add_argument("--severity", type=int, default=3, metavar="N", help="of corruptions; default: 3")
    parser.add_argument("--networks", nargs="+", choices=ROWS, default=list(ROWS), help="default: all")
    parser.add_argument("--homeostasis", nargs="+", choices=COLUMNS, help="default: all")
    parser.add_argument(
        "--own",
        nargs="+",
        default=[],
        metavar="WHAT",
        help="columns of your own: a TOML file of mechanisms for the STDP networks (examples/homeostasis), or "
        "module:Class.option=value for the others (examples/own_plugin.py)",
    )
    parser.add_argument("--workers", type=int, metavar="N", help="processes; default: all usable cores")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a running Dask scheduler")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: results/cross_paradigm[_quick]")
    options = parser.parse_args()
    full = {"data": ["mnist", "fashion"], "seeds": [1, 2, 3], "train": 800, "test": 400, "epochs": 10}
    full |= {"corrupted": 200, "homeostasis": list(COLUMNS), "whole": ["mnist"]}
    quick = {"data": ["mnist5k"], "seeds": [1, 2], "train": 150, "test": 100, "epochs": 10, "corrupted": 50}
    quick |= {"homeostasis": ["none", "sleep"], "whole": []}
    for name, value in (quick if options.quick else full).items():
        given = getattr(options, name)
        setattr(options, name, value if given is None else given)
    options.own = own_columns(options.own)
    options.homeostasis += [name for own in options.own.values() for name in own]
    options.out = options.out or Path("results", f"cross_paradigm{'_quick' * options.quick}")
    return options


def main() -> None:
    """Run and measure what is missing, then print and write the table, the figure and what it is drawn from."""
    options = parse()
    sets = [*itertools.product(options.data, options.sides), *((name, 28) for name in options.whole)]
    grids: dict[str, list[Grid]] = {}
    for images in sets:
        for kind, grid in grids_of(options, *images).items():
            # with the hashes of a user's own classes, which are part of the names of runs
            grids.setdefault(kind, []).append(with_code(grid))
    for kind, listed in grids.items():
        for grid in listed:
            run_grid(grid, options.out / kind, options, baselines=False)
    cells = {kind: [cell for grid in listed for cell in grid.cells()] for kind, listed in grids.items()}
    tasks = list(tasks_of(cells, options))
    table, found = measured(tasks, options.workers)
    table.to_parquet(options.out / "table.parquet", index=False)
    table.to_csv(options.out / "table.csv", index=False)
    networks = [name for name in ROWS if name in options.networks]
    results = arranged(table, networks, options.homeostasis)
    there = {
        ("raw pixels", "none"),
        *(place_of(case) for listed in grids.values() for case in listed[0].cases),
    }
    absent = {(row, column) for row in (*networks, "raw pixels") for column in options.homeostasis} - there
    seeds = " ".join(map(str, options.seeds))
    scale = f"{', '.join(map(str, results['set'].values))}; {options.train} training and {options.test} test images; "
    scale += f"seeds {seeds}"
    with use_style():
        figure = draw(results, absent)
    numbers = {name: getattr(options, name) for name in ("epochs", "severity", "corrupted")}
    write(options.out, rows_of(results, absent), f"{scale}; {NOTE.format(steps=STEPS, **numbers)}", figure)
    write_figure_data(options.out, figure_data(results, found), study="cross_paradigm", scale=scale)
    write_measured(options.out, study="cross_paradigm", scale=scale, measured={})


if __name__ == "__main__":
    sys.exit(run_main(main))

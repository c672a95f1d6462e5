"""The command ``homeonet run``: options, and what is printed. All work is in ``homeonet.runs``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from homeonet.cli.options import add_machine, parse_assignments, whole_number
from homeonet.cli.terminal import print_accuracies, progress_bar

__all__ = ["EXAMPLES", "add_run"]

#: In the help of `run`, and of the command itself.
EXAMPLES = """examples:
  homeonet run massey2026 --out results/sleep
  homeonet run massey2026 --set sleep.ratio=0 --out results/no_sleep
  homeonet run homeonet --data mnist --train 6000 --test 10000 --out results/mnist
  homeonet run massey2026 --set sleep.ratio=0.15 --set noise.sigma="3 mV" --seed 7 --out results/seed7
  homeonet presets massey2026 > mine.toml   (edit it, then: homeonet run mine.toml --out results/mine)
"""


def add_run(commands: Any) -> None:
    """Add ``run`` to the subcommands."""
    run = commands.add_parser(
        "run",
        help="train, evaluate and record one network",
        description="Trains a network on images, reads it out beside its baselines (raw pixels, the same network "
        "with frozen random weights), and writes config.toml, metrics.json, records.nc and figures/. "
        "Interrupted, the same command continues where it stopped.",
        epilog=EXAMPLES,
    )
    run.add_argument("preset", help="a preset (see `homeonet presets`) or a TOML file")
    run.add_argument(
        "--data",
        help="mnist5k (comes with the package), mnist, fashion, kmnist, … (see `homeonet data`), images:FOLDER with "
        "one folder per class, or array:FILE.npz",
    )
    run.add_argument("--train", type=whole_number, metavar="N", help="training images")
    run.add_argument(
        "--test",
        type=whole_number,
        metavar="N",
        help="test images, of the official test set where there is one",
    )
    run.add_argument("--epochs", type=whole_number, metavar="N", help="passes through the training images")
    run.add_argument(
        "--seed",
        type=whole_number,
        metavar="S",
        help="seed of connectivity, weights, inputs, noise and split",
    )
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help='any constant, with its unit: --set sleep.ratio=0.15 --set noise.sigma="3 mV" (repeatable)',
    )
    target = run.add_mutually_exclusive_group(required=True)
    target.add_argument("--out", metavar="DIR", help="folder of results; appears when it is complete")
    target.add_argument(
        "--explain", action="store_true", help="run nothing: print the whole model of this run on one page"
    )
    add_machine(run)
    run.add_argument(
        "--tensorboard", action="store_true", help="also log rates, weights and sleep for TensorBoard"
    )
    run.add_argument("--no-figures", action="store_true", help="write no figures")
    run.add_argument("--no-baselines", action="store_true", help="leave the baselines out")
    run.set_defaults(call=_run)


def _run(options: argparse.Namespace) -> None:
    from homeonet.config import load_config
    from homeonet.plastic import model_page
    from homeonet.runs import run
    from homeonet.runs.rows import run_rows

    overrides: dict[str, Any] = {
        name: getattr(options, name)
        for name in ("data", "train", "test", "epochs", "seed")
        if getattr(options, name) is not None
    }
    overrides |= parse_assignments(options.set)
    config = load_config(options.preset, overrides)
    if options.explain:
        print(model_page(config), end="")
        return
    result = run(
        config,
        options.out,
        device=options.device,
        workers=options.workers,
        figures=not options.no_figures,
        baselines=not options.no_baselines,
        data_folder=options.data_folder,
        tensorboard=options.tensorboard,
        progress=progress_bar,
    )
    print_accuracies(run_rows({Path(options.preset).stem: result.metrics}))
    done = "already complete, nothing was run again:" if result.found_complete else "written to"
    print(f"{done} {result.folder}")

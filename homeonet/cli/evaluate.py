"""The command ``homeonet evaluate``: a trained network read out on some data."""

from __future__ import annotations

import argparse
from typing import Any

from homeonet.cli.options import add_machine, whole_number
from homeonet.cli.terminal import print_accuracies, progress_bar

__all__ = ["add_evaluate"]

_EPILOG = """examples:
  homeonet evaluate results/sleep                      (the images it was trained on)
  homeonet evaluate results/mnist --data fashion --train 6000 --test 10000
"""


def add_evaluate(commands: Any) -> None:
    """Add ``evaluate`` to the subcommands."""
    evaluate = commands.add_parser(
        "evaluate",
        help="read a trained network out on some data, plasticity off",
        epilog=_EPILOG,
    )
    evaluate.add_argument("folder", help="the folder of a finished run")
    evaluate.add_argument("--data", help="default: the data it was trained on")
    evaluate.add_argument("--train", type=whole_number, metavar="N", help="images the readouts are fitted on")
    evaluate.add_argument("--test", type=whole_number, metavar="N", help="images they are scored on")
    add_machine(evaluate)
    evaluate.set_defaults(call=_evaluate)


def _evaluate(options: argparse.Namespace) -> None:
    from homeonet.config import apply_overrides
    from homeonet.data import load
    from homeonet.runs import evaluate, load_network
    from homeonet.study.tables import readout_rows

    network = load_network(options.folder)
    given = {k: getattr(options, k) for k in ("data", "train", "test") if getattr(options, k) is not None}
    config = apply_overrides(network.config, given)
    dataset = load(
        config.data,
        size=config.input.side,
        train=config.train,
        test=config.test,
        seed=config.seed,
        folder=options.data_folder,
        colour=False,
    )
    found = evaluate(
        network,
        dataset,
        device=options.device,
        workers=options.workers,
        progress=progress_bar,
    )
    print_accuracies(readout_rows(f"{options.folder} on {dataset.name}", found.readouts))

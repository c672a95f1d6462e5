"""The command ``homeonet evaluate``: a trained network read out on some data."""

from __future__ import annotations

import argparse
from typing import Any

from homeonet.cli.options import add_machine, whole_number
from homeonet.cli.terminal import print_accuracies, progress_bar
from homeonet.errors import InputError

__all__ = ["add_evaluate"]

_EPILOG = """examples:
  homeonet evaluate results/sleep                      (the images it was trained on)
  homeonet evaluate results/mnist --data fashion --train 6000 --test 10000
  homeonet evaluate results/sleep --stored             (nothing is simulated: the spike counts that the run holds)
  homeonet evaluate results/two_layers --stored --populations exc2 inh2
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
    evaluate.add_argument(
        "--stored",
        action="store_true",
        help="fit readouts on the spike counts that the run holds, in seconds",
    )
    evaluate.add_argument(
        "--populations", nargs="+", metavar="NAME", help="with --stored: read these alone; default: all"
    )
    add_machine(evaluate)
    evaluate.set_defaults(call=_evaluate)


def _evaluate(options: argparse.Namespace) -> None:
    from homeonet.config import apply_overrides
    from homeonet.data import load
    from homeonet.runs import evaluate, load_network, load_run
    from homeonet.runs.rows import readout_rows
    from homeonet.runs.stored_features import stored_while_learning

    if options.stored:
        _read_stored(options)
        return
    if options.populations:
        raise InputError("--populations belongs to --stored; add it, or leave --populations out")
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
    # where the network sees the images that it learnt from, the sleep paper's readout is fitted as in the run
    learnt = None if "data" in given else stored_while_learning(load_run(options.folder))
    found = evaluate(
        network,
        dataset,
        while_learning=learnt,
        device=options.device,
        workers=options.workers,
        progress=progress_bar,
    )
    print_accuracies(readout_rows(f"{options.folder} on {dataset.name}", found.readouts))


def _read_stored(options: argparse.Namespace) -> None:
    from homeonet.runs import read_out
    from homeonet.runs.rows import readout_rows

    for name in ("data", "train", "test"):
        if getattr(options, name) is not None:
            raise InputError(f"--{name} asks for images that are not stored; leave it or --stored out")
    found = read_out(options.folder, populations=options.populations)
    which = f", {' '.join(options.populations)}" if options.populations else ""
    print_accuracies(readout_rows(f"{options.folder}{which}, stored", found))

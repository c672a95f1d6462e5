"""The command line: thin, and the only place that prints.

Exit codes: 0 done, 1 the run failed, 2 the input cannot be used, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from homeonet._version import __version__
from homeonet.cli.claims import add_claims
from homeonet.cli.completion import complete
from homeonet.cli.data import add_data
from homeonet.cli.doctor import add_doctor
from homeonet.cli.evaluate import add_evaluate
from homeonet.cli.figure import add_figure
from homeonet.cli.presets import add_presets
from homeonet.cli.report import add_report
from homeonet.cli.run import EXAMPLES, add_run
from homeonet.cli.sweep import add_sweep
from homeonet.cli.terminal import run_main
from homeonet.cli.train import add_train

__all__ = ["figure_main", "main"]


class _Parser(argparse.ArgumentParser):
    """Shows its examples as they are written, and makes an error one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"homeonet: error: {message}; see `{self.prog} --help`\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the command ``homeonet``; returns the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_main(lambda: _call(given), resumes=given[:1] in (["run"], ["train"], ["sweep"]))


def figure_main(script: str) -> None:
    """The ``main`` of a figure's script: draws it as ``homeonet figure`` does."""
    sys.exit(main(["figure", Path(script).stem, *sys.argv[1:]]))


def _call(arguments: Sequence[str]) -> int | None:
    parser = _parser()
    complete(parser)
    options = parser.parse_args(arguments)
    if not hasattr(options, "call"):
        parser.print_help()
        return 2
    return options.call(options)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="homeonet",
        description="Homeostasis in spiking networks: recurrent networks that learn by STDP, sleep and wake, and "
        "networks trained by gradients.",
        epilog=EXAMPLES,
    )
    parser.add_argument("--version", action="version", version=f"homeonet {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    add_run(commands)
    add_train(commands)
    add_sweep(commands)
    add_evaluate(commands)
    add_figure(commands)
    add_report(commands)
    add_claims(commands)
    add_presets(commands)
    add_data(commands)
    add_doctor(commands)
    return parser

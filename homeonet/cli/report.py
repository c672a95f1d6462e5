"""The command ``homeonet report``: one page of a run or a sweep, to be sent."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_report"]

_EPILOG = """examples:
  homeonet report results/sleep                        (results/sleep/report.html)
  homeonet report results/sleep --out sleep.html
"""


def add_report(commands: Any) -> None:
    """Add ``report`` to the subcommands."""
    report = commands.add_parser(
        "report",
        help="one HTML page of a run or a sweep, to be sent",
        description="Writes tables, figures, configuration, versions and the model's equations of a run, or the table "
        "of a sweep, into one HTML file that needs nothing else.",
        epilog=_EPILOG,
    )
    report.add_argument("folder", metavar="DIR", help="a run's folder, or a sweep's")
    report.add_argument("--out", metavar="FILE", help="default: DIR/report.html")
    report.set_defaults(call=_report)


def _report(options: argparse.Namespace) -> None:
    from homeonet.study.report import write_report

    print(write_report(options.folder, options.out))

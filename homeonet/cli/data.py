"""The command ``homeonet data``: which data are found where, and what a set of one's own holds."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_data"]

_EPILOG = """examples:
  homeonet data
  homeonet data images:pictures             (what a folder of images, or array:FILE.npz, holds)
  homeonet data --data-folder ~/datasets    (with ~/datasets/MNIST/raw/train-images-idx3-ubyte and so on)
  HOMEONET_DATA=~/datasets homeonet run massey2026 --data mnist --out results/mnist
"""


def add_data(commands: Any) -> None:
    """Add ``data`` to the subcommands."""
    data = commands.add_parser(
        "data", help="list which images are found where, and how to get the rest", epilog=_EPILOG
    )
    data.add_argument("name", nargs="?", help="read this set, such as images:FOLDER, and print what it holds")
    data.add_argument("--data-folder", metavar="DIR", help="look here first")
    data.set_defaults(call=_data)


def _data(options: argparse.Namespace) -> None:
    from homeonet.data import describe, inventory

    if options.name is not None:
        print(describe(options.name, options.data_folder))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title="data sets")
    for column in ("name", "found", "images", "where, or how to get it"):
        table.add_column(column, overflow="fold")
    for row in inventory(options.data_folder):
        images = "any number" if row.found and row.images is None else f"{row.images:,}" if row.found else ""
        table.add_row(
            row.name, "yes" if row.found else "no", images, str(row.where) if row.found else row.remedy
        )
    Console().print(table)

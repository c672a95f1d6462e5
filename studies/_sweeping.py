"""What the studies that sweep share: their options, and how they write a table and a figure."""

from __future__ import annotations

import argparse
from pathlib import Path

from matplotlib.figure import Figure

from homeonet._report import markdown_table
from homeonet._sweep_command import sweep_meter
from homeonet.errors import HomeonetError
from homeonet.sweep import Grid, SweepResult, sweep

__all__ = ["options_of", "run_grid", "write"]


def options_of(description: str, *, presets: list[str]) -> argparse.Namespace:
    """The command line of a study: ``--quick`` or ``--full``, and how to run it."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument("--quick", action="store_true", help="embedded images, few of them: minutes")
    scale.add_argument("--full", action="store_true", help="the real thing (default): hours; resumes")
    parser.add_argument("--data", nargs="+", metavar="NAME", help="data sets; default: those of the study")
    parser.add_argument(
        "--presets", nargs="+", metavar="NAME", default=presets, help=f"default: {' '.join(presets)}"
    )
    parser.add_argument("--seeds", nargs="+", type=int, metavar="S", help="default: 1 2 3 4 5 (quick: 1 2)")
    parser.add_argument("--workers", type=int, metavar="N", help="processes; default: all usable cores")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a running Dask scheduler")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: results/ and the study's name")
    options = parser.parse_args()
    options.seeds = options.seeds or ([1, 2] if options.quick else [1, 2, 3, 4, 5])
    return options


def run_grid(grid: Grid, out: Path, options: argparse.Namespace) -> SweepResult:
    """Run a grid as the options say; failed cells are printed, and stay missing in the table."""
    result = sweep(grid, out, workers=options.workers, scheduler=options.scheduler, progress=sweep_meter)
    for log, reason in result.failed.items():
        print(f"failed: {reason} (log: {log})")
    if not (result.results["state"] == "done").any():
        raise HomeonetError(f"no cell of {out} is done; see the logs in {out / 'failed'}")
    return result


def write(out: Path, rows: list[list[str]], note: str, figure: Figure | None = None) -> None:
    """Print the table and write it, and the figure, into `out`."""
    text = f"{markdown_table(rows)}\n{note}\n"
    out.mkdir(parents=True, exist_ok=True)
    (out / "table.md").write_text(text, encoding="utf-8")
    if figure is not None:
        figure.savefig(out / "figure.png")
        figure.savefig(out / "figure.pdf")
    print(text)

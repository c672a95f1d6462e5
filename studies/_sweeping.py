"""What the studies that sweep share: their options, and how they write a table and a figure."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from homeonet._version import __version__
from homeonet.analysis import bootstrap_interval
from homeonet.cli.sweep import sweep_meter
from homeonet.errors import HomeonetError
from homeonet.study.tables import markdown_table
from homeonet.sweep import Grid, SweepResult, sweep

__all__ = ["UNGUARDED", "cell", "difference", "options_of", "run_grid", "table_of", "write"]

#: A network that explodes or falls silent has an accuracy too: the guard is off, for no rate is beyond these.
UNGUARDED = {"guard.max_rate": "1001 Hz", "guard.min_rate": "0 Hz"}


def options_of(
    description: str,
    name: str,
    *,
    presets: list[str],
    data: list[str],
    seeds: list[int],
    train: int,
    test: int,
    single: tuple[str, ...] = (),
) -> argparse.Namespace:
    """The command line of a study: ``--quick`` or ``--full``, and how to run it; its defaults are those given.

    `single` are options that take one value, and no list.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument("--quick", action="store_true", help="embedded images, few of them: minutes")
    scale.add_argument("--full", action="store_true", help="the real thing (default): hours; resumes")
    parser.add_argument(
        "--data", nargs="+", metavar="NAME", help=f"default: {' '.join(data)} (quick: mnist5k)"
    )
    parser.add_argument(
        "--presets", nargs="+", metavar="NAME", default=presets, help=f"default: {' '.join(presets)}"
    )
    listed = " ".join(map(str, seeds))
    parser.add_argument("--seeds", nargs="+", type=int, metavar="S", help=f"default: {listed} (quick: 1 2)")
    parser.add_argument(
        "--train", type=int, metavar="N", help=f"training images; default: {train} (quick: 100)"
    )
    parser.add_argument("--test", type=int, metavar="N", help=f"test images; default: {test} (quick: 50)")
    parser.add_argument("--workers", type=int, metavar="N", help="processes; default: all usable cores")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a running Dask scheduler")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: results/ and the study's name")
    options = parser.parse_args()
    quick = options.quick
    options.seeds = options.seeds or ([1, 2] if quick else seeds)
    options.data = options.data or (["mnist5k"] if quick and data != ["geometric"] else data)
    options.train = options.train or (100 if quick else train)
    options.test = options.test or (50 if quick else test)
    for option, found in (("--data", options.data), ("--presets", options.presets)):
        if option in single and len(found) > 1:
            parser.error(f"{option} {' '.join(found)}: this study takes one")
    options.out = options.out or Path("results", f"{name}_quick" if quick else name)
    return options


def run_grid(grid: Grid, out: Path, options: argparse.Namespace, *, baselines: bool = True) -> SweepResult:
    """Run a grid as the options say; failed cells are printed, and stay missing in the table."""
    where = {"workers": options.workers, "scheduler": options.scheduler}
    result = sweep(grid, out, baselines=baselines, progress=sweep_meter, **where)
    for log, reason in result.failed.items():
        print(f"failed: {reason} (log: {log})")
    if not (result.results["state"] == "done").any():
        raise HomeonetError(f"no cell of {out} is done; see the logs in {out / 'failed'}")
    return result


def table_of(results: xr.Dataset, columns: Mapping[str, str], dims: Mapping[str, str]) -> list[list[str]]:
    """A line a condition: mean over seeds of each column with its bootstrap interval, in per cent.

    `columns` and `dims` give titles to metrics and dimensions; a failed run is left out, and counted.
    """
    rows = [[*dims.values(), *columns.values()]]
    for place in itertools.product(*(results[name].values for name in dims)):
        here = results.sel(dict(zip(dims, place, strict=True)))
        labels = [value if isinstance(value, str) else f"{value:g}" for value in place]
        rows.append([*labels, *(cell(100 * here[name].to_numpy().ravel()) for name in columns)])
    return rows


def cell(values: np.ndarray, form: str = "{:.1f}") -> str:
    """Mean over seeds with its bootstrap interval; a failed run is left out, and counted."""
    present = values[np.isfinite(values)]
    failed = f" ({len(values) - len(present)} failed)" if len(present) < len(values) else ""
    if len(present) < 2:
        return f"{form.format(present[0])}{failed}" if len(present) else failed.strip()
    found = bootstrap_interval(present)
    mean, low, high = (form.format(value) for value in (found.estimate, found.low, found.high))
    return f"{mean} [{low}, {high}]{failed}"


def difference(at: xr.Dataset) -> str:
    """A condition's paired difference from the reference of `compare_conditions`, with interval and corrected p."""
    if not np.isfinite(at["difference"]):
        return ""
    mean, low, high, p = (
        float(at[name]) for name in ("difference", "difference_low", "difference_high", "p_holm")
    )
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}], p = {p:.2f}"


def write(out: Path, rows: list[list[str]], note: str, figure: Figure | None = None) -> None:
    """Print the table and write it, and the figure, into `out`."""
    given = sys.argv[1:]
    if "--out" in given:  # where it was written is nobody's business
        del given[given.index("--out") : given.index("--out") + 2]
    command = f"    python {' '.join(['studies/' + Path(sys.argv[0]).name, *given])}"
    text = f"{markdown_table(rows)}\n{note}\n\nhomeonet {__version__}:\n\n{command}\n"
    out.mkdir(parents=True, exist_ok=True)
    (out / "table.md").write_text(text, encoding="utf-8")
    if figure is not None:
        figure.savefig(out / "figure.png")
        figure.savefig(out / "figure.pdf")
    print(text)

"""The command ``homeonet sweep``: options, progress, and what is printed. All work is in ``homeonet.sweep``."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeonet.cli.options import add_cuda_arch, whole_number
from homeonet.errors import InputError
from homeonet.machine.optional import install_command

if TYPE_CHECKING:
    from homeonet.sweep import Grid
    from homeonet.sweep._run import Watcher

__all__ = ["add_sweep", "sweep_meter"]

_EPILOG = """a grid file, sleep.toml:
  preset = "massey2026"           # or neuron = "lif": gradient training, as `homeonet train`
  data = "mnist5k"
  train = 1000
  [set]                           # any other parameter, fixed
  "noise.sigma" = "3 mV"
  [grid]                          # lists that are crossed
  "sleep.ratio" = [0.0, 0.1, 0.2]
  seed = [1, 2, 3]
  [case."no plasticity asleep"]   # named sets of parameters, one more axis; may be left out
  "sleep.plastic" = false

examples:
  homeonet sweep sleep.toml --dry-run                        (how many cells, how long)
  homeonet sweep sleep.toml --workers 4                      (results/sleep; the same command resumes it)
  homeonet sweep sleep.toml --retry-failed
  homeonet sweep sleep.toml --scheduler tcp://host:8786      (any running Dask cluster)
  homeonet sweep sleep.toml --device cuda                    (all cells as replicas of one network on a GPU)
  homeonet sweep status results/sleep
"""
_SHOWN_CELLS = 20
#: Between two lines of progress where nobody watches.
_LINE_SECONDS = 60.0


def add_sweep(commands: Any) -> None:
    """Add ``sweep`` to the subcommands."""
    sweep = commands.add_parser(
        "sweep",
        help="run a grid of configurations on all cores, or on a cluster",
        description="Runs every cell of a grid and writes a folder: cells/, table.parquet (table.csv without pyarrow) "
        "and results.nc (opens in xarray). Interrupted, the same command continues; a failed cell is reported and the "
        "others go on.",
        epilog=_EPILOG,
    )
    sweep.add_argument(
        "grid", metavar="FILE", help="a TOML file, see below; or `status`, to ask about a folder"
    )
    sweep.add_argument("folder", metavar="DIR", nargs="?", help="the sweep's folder, after `status`")
    sweep.add_argument(
        "--out", metavar="DIR", help="folder of results; default: results/ and the file's name"
    )
    sweep.add_argument(
        "--workers",
        type=whole_number,
        metavar="N",
        help="processes, one thread each; default: all usable cores",
    )
    sweep.add_argument(
        "--scheduler", metavar="ADDRESS", help="a running Dask scheduler, for example tcp://host:8786"
    )
    sweep.add_argument(
        "--patience",
        type=float,
        default=300.0,
        metavar="S",
        help="seconds to wait for a worker of it, at the start and whenever all are gone; default 300",
    )
    sweep.add_argument(
        "--dry-run",
        action="store_true",
        help="print cells and an estimate from one cell, measured on few images",
    )
    sweep.add_argument("--retry-failed", action="store_true", help="run failed cells again")
    sweep.add_argument("--yes", action="store_true", help="run even more than 100,000 cells")
    sweep.add_argument("--figures", action="store_true", help="draw each cell's figures")
    sweep.add_argument(
        "--no-baselines", action="store_true", help="leave raw pixels and untrained networks out"
    )
    sweep.add_argument(
        "--device", default="auto", help="as of `homeonet run`, or the accelerator of `homeonet train`"
    )
    add_cuda_arch(sweep)
    sweep.add_argument(
        "--replicas",
        type=whole_number,
        metavar="N",
        help="plastic cells that a process runs as one program; default 256 with --device cuda, else 1",
    )
    sweep.add_argument(
        "--data-folder", metavar="DIR", help="look for images here first (then $HOMEONET_DATA)"
    )
    sweep.set_defaults(call=_sweep)


def _sweep(options: argparse.Namespace) -> int:
    if options.grid == "status":
        return _status(options)
    if options.folder is not None:
        raise InputError(f"{options.folder!r} is one argument too many; give the results folder with --out")
    from homeonet.sweep import estimate, load_grid, sweep
    from homeonet.sweep._checks import with_code
    from homeonet.sweep._collect import table_ending

    grid = load_grid(options.grid)
    out = Path(options.out or Path("results", Path(options.grid).stem))
    common = {
        "workers": options.workers,
        "device": options.device,
        "baselines": not options.no_baselines,
        "data_folder": options.data_folder,
    }
    if options.dry_run:
        found = estimate(grid, out, retry_failed=options.retry_failed, allow_many=options.yes, **common)
        _print_cells(with_code(grid).with_data(options.data_folder))
        print(
            f"{found.cells:,} cells, {found.to_do:,} to do; about {found.seconds_a_cell:.0f} s each on a core, "
            f"{_duration(found.seconds)} in all"
        )
        return 0
    result = sweep(
        grid,
        out,
        scheduler=options.scheduler,
        patience=options.patience,
        figures=options.figures,
        retry_failed=options.retry_failed,
        replicas=options.replicas,
        allow_many=options.yes,
        progress=sweep_meter,
        **common,
    )
    done = int((result.results["state"] == "done").sum())
    print(f"{done:,} of {len(grid):,} cells done; table.{table_ending()} and results.nc in {result.folder}")
    _print_failed(result.failed)
    return 0 if done == len(grid) and not result.failed else 1


def _status(options: argparse.Namespace) -> int:
    from homeonet.sweep import sweep_status

    if options.folder is None:
        raise InputError("`homeonet sweep status` needs the sweep's folder; give for example results/sleep")
    found = sweep_status(options.folder)
    cells = found.done + found.begun + found.missing
    print(
        f"{found.done:,} cells done, {found.begun:,} begun, {found.missing:,} to do, {len(found.failed):,} failed"
    )
    _print_failed(found.failed)
    return 0 if found.done == cells and not found.failed else 1


@contextlib.contextmanager
def sweep_meter(total: int, dashboard: str) -> Iterator[Watcher]:
    """A progress meter on standard error: pieces done, running and failed, time left; in a log one line per minute."""
    from tqdm import tqdm

    watched = sys.stderr.isatty()
    if find_spec("bokeh") is None:
        dashboard = f"needs bokeh, which is not installed; {install_command('dashboard')}"
    print(f"dashboard: {dashboard}", file=sys.stderr)
    form = "{n}/{total} cells and baselines |{bar}| {postfix} [{elapsed}<{remaining}]"
    began = said = time.monotonic()
    with tqdm(total=total, bar_format=form, disable=not watched, leave=False) as bar:

        def watch(*, ended: int, running: int, failed: int) -> None:
            nonlocal said
            counts = f"{running} running, {failed} failed"
            bar.set_postfix_str(counts, refresh=False)
            bar.update(ended - bar.n)
            now = time.monotonic()
            if not watched and ended and now - said >= _LINE_SECONDS:
                said = now
                left = _duration((now - began) * (total - ended) / ended)
                print(
                    f"{ended}/{total} cells and baselines, {counts}, {left} left", file=sys.stderr, flush=True
                )

        yield watch


def _print_cells(grid: Grid) -> None:
    cells = grid.cells()
    for cell in cells[:_SHOWN_CELLS]:
        print(cell.id, *(f"{name}={value}" for name, value in cell.values.items()))
    if len(cells) > _SHOWN_CELLS:
        print(f"… and {len(cells) - _SHOWN_CELLS:,} more")


def _print_failed(failed: Mapping[str, str]) -> None:
    for log, reason in failed.items():
        print(f"homeonet: failed: {reason} (log: {log})", file=sys.stderr)
    if failed:
        print("homeonet: --retry-failed runs them again", file=sys.stderr)


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))

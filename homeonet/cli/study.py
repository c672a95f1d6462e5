"""What a study does at the terminal: runs a grid under a meter, prints its table and writes it with its figure."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from homeonet._version import __version__
from homeonet.claims import Measured, study_command, write_measured
from homeonet.cli.sweep import sweep_meter
from homeonet.errors import HomeonetError
from homeonet.plotting import use_style
from homeonet.study.figure_data import commands_of, write_figure_data
from homeonet.study.options import scale_of
from homeonet.study.tables import markdown_table
from homeonet.sweep import Grid, SweepResult, sweep

__all__ = ["finish", "run_grid", "write"]


def run_grid(grid: Grid, out: Path, options: argparse.Namespace, *, baselines: bool = True) -> SweepResult:
    """Run a grid as the options say; failed cells are printed, and stay missing in the table."""
    where = {"workers": options.workers, "scheduler": options.scheduler}
    result = sweep(grid, out, baselines=baselines, progress=sweep_meter, **where)
    for log, reason in result.failed.items():
        print(f"failed: {reason} (log: {log})")
    if not (result.results["state"] == "done").any():
        raise HomeonetError(f"no cell of {out} is done; see the logs in {out / 'failed'}")
    return result


def write(
    out: Path,
    rows: list[list[str]],
    note: str,
    figure: Figure | None = None,
    commands: Sequence[str] | None = None,
) -> None:
    """Print the table with the commands that measured it (that of the running program), write it and the figure."""
    how = "".join(f"    {command}\n" for command in commands or [study_command()])
    text = f"{markdown_table(rows)}\n{note}\n\nhomeonet {__version__}:\n\n{how}"
    out.mkdir(parents=True, exist_ok=True)
    (out / "table.md").write_text(text, encoding="utf-8")
    if figure is not None:
        figure.savefig(out / "figure.png")
        figure.savefig(out / "figure.pdf")
    print(text)


def finish(
    options: argparse.Namespace,
    rows: list[list[str]],
    note: str,
    data: xr.Dataset,
    draw: Callable[[xr.Dataset], Figure],
    measured: Mapping[str, Sequence[Measured]],
    scale: str = "",
) -> None:
    """Write ``table.md``, ``figure.nc``, the figure drawn from its contents alone, and ``claims.json``.

    `scale` says in words what was trained; by default `scale_of`.
    """
    scale = scale or scale_of(options)
    write_figure_data(options.out, data, study=options.name, scale=scale)
    with use_style():
        figure = draw(data)
    commands = commands_of(data)
    write(options.out, rows, f"{scale}; {note}", figure, commands)
    write_measured(options.out, study=options.name, scale=scale, measured=measured, command=commands[-1])

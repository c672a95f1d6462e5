"""A run or a sweep as one HTML page that needs nothing from elsewhere: to be sent, and read without this package."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from homeonet import store
from homeonet.config import load_config
from homeonet.errors import InputError
from homeonet.machine import html
from homeonet.runs.folder import stored_metrics
from homeonet.runs.metrics import baseline_accuracies
from homeonet.runs.rows import run_rows, trained_rows
from homeonet.store.checksums import verify
from homeonet.sweep import open_sweep, sweep_status
from homeonet.sweep._collect import results_table

__all__ = ["report_page", "write_report"]

_ACCURACIES = "accuracies are in %, with 95 % Wilson intervals over the test images of one run"


def write_report(folder: str | Path, out: str | Path | None = None) -> Path:
    """Write the page of a finished run, or of a sweep, finished or not.

    Parameters
    ----------
    folder
        What `homeonet run`, `homeonet train` or `homeonet sweep` has written.
    out
        The file to write; default: ``report.html`` in the folder.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the folder holds neither, is damaged, or the file cannot be written.
    """
    path = Path(out) if out is not None else Path(folder, "report.html")
    text = report_page(folder)
    store.require_writable(path.parent)
    with store.disk_errors(path.parent):
        store.write_text(path, text)
    return path


def report_page(folder: str | Path) -> str:
    """The page of a run's folder, or a sweep's, as text."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            f"{folder} is not a folder; give one that `homeonet run`, `train` or `sweep` has written"
        )
    title, sections = _sweep(folder) if (folder / "cells").is_dir() else _run(folder)
    return html.page(title, sections)


def _run(folder: Path) -> tuple[str, Iterator[tuple[str, str]]]:
    metrics = stored_metrics(folder)
    grown = (folder / "model.txt").is_file()
    name = f"{'Grown' if grown else 'Trained'} network {folder.resolve().name}"
    return name, _sections_of_run(folder, metrics, grown)


def _sections_of_run(folder: Path, metrics: dict[str, Any], grown: bool) -> Iterator[tuple[str, str]]:
    rows = run_rows({"": metrics}) if grown else trained_rows(metrics)
    yield "Results", html.table(rows, note=_ACCURACIES)
    yield "Figures", "".join(_figures(folder, metrics, grown))
    verify(folder / "config.toml")
    text = (folder / "config.toml").read_text(encoding="utf-8")
    yield (
        "Configuration",
        (load_config(folder / "config.toml")._repr_html_() if grown else "")
        + html.folded("config.toml, from which the run is repeated", html.text_block(text)),
    )
    if grown:
        verify(folder / "model.txt")
        model = (folder / "model.txt").read_text(encoding="utf-8")
        yield "Model", html.folded("equations, pathways, order of a step", html.text_block(model))
    about = {
        "run": metrics["run_id"],
        "homeonet": metrics["homeonet_version"],
        "device": metrics.get("device", ""),
        "repeated by": f"homeonet {'run' if grown else 'train'} config.toml --out results/again",
    }
    yield "Made by", html.table([["", ""], *([key, value] for key, value in about.items() if value)])
    numbers = [["metric", "value"], *([key, f"{value}"] for key, value in metrics.items())]
    yield "All metrics", html.folded(f"{len(metrics)} numbers", html.table(numbers))


def _figures(folder: Path, metrics: dict[str, Any], grown: bool) -> Iterator[str]:
    """Those of the folder, or, where it has none, drawn from the records."""
    from homeonet.plotting import draw_run, draw_training

    with tempfile.TemporaryDirectory(prefix="homeonet-report-") as scratch:
        paths = sorted((folder / "figures").glob("*.png"))
        if not paths:
            records = store.load_records(folder)
            if grown:
                shown: dict[str, object] = {"baselines": baseline_accuracies(metrics)}
                paths = draw_run(records, Path(scratch), metrics=shown)
            else:
                paths = draw_training(records, Path(scratch), metrics=metrics)
        for path in paths:
            yield html.picture(path.read_bytes(), path.stem.replace("_", " "))


def _sweep(folder: Path) -> tuple[str, Iterator[tuple[str, str]]]:
    return f"Sweep {folder.resolve().name}", _sections_of_sweep(folder)


def _sections_of_sweep(folder: Path) -> Iterator[tuple[str, str]]:
    yield "State", sweep_status(folder)._repr_html_()
    results = open_sweep(folder)
    axes = [["axis", "values"]]
    axes += [[str(name), ", ".join(map(str, axis.values))] for name, axis in results.coords.items()]
    yield "Grid", html.table(axes)
    yield "Results", results_table(results)
    grid = (folder / "grid.toml").read_text(encoding="utf-8")
    yield "Repeated by", html.folded("grid.toml, for homeonet sweep", html.text_block(grid))
    version = (
        (folder / "version.txt").read_text(encoding="utf-8").strip()
        if (folder / "version.txt").is_file()
        else ""
    )
    yield "Made by", html.table([["", ""], ["homeonet", version]]) if version else ""

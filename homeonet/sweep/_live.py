"""A sweep's cells as a table that a notebook updates in place while they run. Shows, and changes nothing."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeonet.errors import InputError
from homeonet.machine.html import escape, table
from homeonet.runs.folder import stored_metrics
from homeonet.sweep._grid import Cell
from homeonet.sweep._state import failure_of, is_written, read_grid, state_of

if TYPE_CHECKING:
    from homeonet.sweep._run import SweepMeter, Watcher

__all__ = ["live_table"]

#: States, those first that somebody looks for.
_STATES = ("running", "failed", "begun", "done", "to do")
_ACCURACY = re.compile(r"accuracy\.[a-z_]+")


def live_table(out: str | Path, *, most: int = 50) -> SweepMeter:
    """A meter for notebooks: the cells of a sweep with their states, and accuracies as they come.

    The table is updated in place, every two seconds and whenever a cell ends. When the kernel is interrupted it says
    that the same call continues. Elsewhere than in a notebook a progress bar stands for it.

    Parameters
    ----------
    out : path
        The sweep's folder, as it is given to :func:`sweep`.
    most : int, default 50
        Rows shown, at least 1. Of more cells those come first that run or have failed.

    Returns
    -------
    callable
        For the argument `progress` of :func:`sweep`.

    Raises
    ------
    InputError
        If `most` is below 1; when the sweep begins, if `out` is not the folder of a sweep.

    Examples
    --------
    >>> sweep(grid, "results/sleep", progress=live_table("results/sleep"))  # doctest: +SKIP
    """
    if most < 1:
        raise InputError(f"most = {most}: must be at least 1; leave it out for 50 rows")

    def meter(total: int, dashboard: str) -> AbstractContextManager[Watcher]:
        return _updated(_Cells(Path(out), most), total) if _in_notebook() else _bar(total)

    return meter


class _Cells:
    """The cells of a sweep's folder; the files of one that is done are read once."""

    def __init__(self, folder: Path, most: int) -> None:
        grid = read_grid(folder)
        self._folder, self._most = folder, most
        self._axes, self._cells = list(grid.coordinates), grid.cells()
        self._accuracies: dict[str, dict[str, float]] = {}

    def html(self, words: str, *, at_work: bool) -> str:
        """A bar with `words`, and the table; `at_work`, whether cells may be running."""
        states = [self._state(cell, at_work) for cell in self._cells]
        done = states.count("done")
        bar = f'<progress max="{len(states)}" value="{done}"></progress> {done} of {len(states)} cells done'
        names = list(dict.fromkeys(name for found in self._accuracies.values() for name in found))
        shown = list(zip(self._cells, states, strict=True))
        if len(shown) > self._most:
            shown = sorted(shown, key=lambda row: _STATES.index(row[1]))[: self._most]
        reasons = {cell.id: failure_of(self._folder, cell) for cell, state in shown if state == "failed"}
        head = [*self._axes, "state", *names, *(["reason"] if reasons else [])]
        rows = []
        for cell, state in shown:
            found = self._accuracies.get(cell.id, {})
            numbers = [f"{found[name]:.3f}" if name in found else "" for name in names]
            rows.append(
                [*cell.values.values(), state, *numbers, *([reasons.get(cell.id, "")] if reasons else [])]
            )
        left = len(states) - len(rows)
        return f"{bar}, {escape(words)}" + table(
            [head, *rows], note=f"and {left:,} more cells" if left else ""
        )

    def _state(self, cell: Cell, at_work: bool) -> str:
        if cell.id in self._accuracies:
            return "done"
        state = state_of(self._folder, cell)
        if state == "done":
            self._accuracies[cell.id] = _accuracies(self._folder / "cells" / cell.id)
        elif state in ("begun", "missing") and at_work and is_written(self._folder, cell):
            return "running"
        return "to do" if state == "missing" else state


def _accuracies(folder: Path) -> dict[str, float]:
    try:
        metrics = stored_metrics(folder)
    except InputError:  # damaged: the sweep says so as it ends
        return {}
    return {name: value for name, value in metrics.items() if _ACCURACY.fullmatch(name) and value is not None}


@contextlib.contextmanager
def _updated(cells: _Cells, total: int) -> Iterator[Watcher]:
    from IPython.display import display

    began, ended_now, failed_now = time.monotonic(), 0, 0

    def shown(words: str, *, at_work: bool = True) -> dict[str, str]:
        return {"text/html": cells.html(words, at_work=at_work), "text/plain": words}

    handle = display(shown("starting"), raw=True, display_id=True)

    def watch(*, ended: int, running: int, failed: int) -> None:
        nonlocal ended_now, failed_now
        ended_now, failed_now = ended, failed
        left = _duration((time.monotonic() - began) * (total - ended) / ended) if ended else "?"
        handle.update(shown(f"{running} running, {failed} failed, {left} left"), raw=True)

    def end(words: str) -> None:
        took = _duration(time.monotonic() - began)
        text = f"{failed_now} failed, {words} after {took} ({ended_now} of {total} cells and baselines)"
        handle.update(shown(text, at_work=False), raw=True)

    try:
        yield watch
    except KeyboardInterrupt:
        end("interrupted: what is done is kept, and the same call continues,")
        raise
    except BaseException:
        end("stopped")
        raise
    end("ended")


@contextlib.contextmanager
def _bar(total: int) -> Iterator[Watcher]:
    from tqdm import tqdm

    with tqdm(
        total=total, bar_format="{n}/{total} cells and baselines |{bar}| {postfix} {remaining} left"
    ) as bar:

        def watch(*, ended: int, running: int, failed: int) -> None:
            bar.set_postfix_str(f"{running} running, {failed} failed", refresh=False)
            bar.update(ended - bar.n)

        yield watch


def _in_notebook() -> bool:
    ipython: Any = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))

"""What a sweep's folder holds: the grid, finished cells, and the logs of failed ones."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from homeonet import store
from homeonet._version import __version__
from homeonet.data import Dataset
from homeonet.errors import InputError
from homeonet.machine.html import table
from homeonet.store.checksums import read_verified
from homeonet.sweep._grid import Cell, Grid, load_grid
from homeonet.sweep._tasks import Outcome, Task, tasks_of

__all__ = [
    "SweepStatus",
    "check_folder",
    "failure_of",
    "is_written",
    "read_grid",
    "record",
    "retry",
    "split",
    "state_of",
    "sweep_status",
    "write_data",
    "write_grid",
]

_GRID = "grid.toml"
_VERSION = "version.txt"


@dataclass(frozen=True)
class SweepStatus:
    """How far a sweep is.

    Attributes
    ----------
    done, begun, missing : int
        Numbers of cells: finished, interrupted with a checkpoint, and not begun.
    failed : dict of str to str
        The reason of each failed cell or baseline, by the path of its log.
    """

    done: int
    begun: int
    missing: int
    failed: dict[str, str]

    def _repr_html_(self) -> str:
        total = self.done + self.begun + self.missing + len(self.failed)
        words = f"{self.done} of {total} cells done, {self.begun} begun, {len(self.failed)} failed"
        bar = f'<progress max="{max(total, 1)}" value="{self.done}"></progress> {words}'
        rows = [["log", "reason"], *self.failed.items()]
        return bar + (table(rows) if self.failed else "")


def sweep_status(folder: str | Path) -> SweepStatus:
    """How far the sweep in `folder` is; it may be running.

    Raises
    ------
    InputError
        If the folder holds no sweep, or one of another version.
    """
    folder = Path(folder)
    grid = read_grid(folder)
    cells = {cell.id: cell for cell in grid.cells()}
    states = [state_of(folder, cell) for cell in cells.values()]
    # of a baseline that this sweep leaves out, or of a cell of a former grid, nobody wants to hear
    tasks = split(folder, tasks_of(cells.values(), grid.kind, baselines=(folder / "baselines").exists()))[1]
    logs = [_log(folder, task.part, task.id) for task in tasks]
    failed = {str(log): _first_line(log) for log in logs}
    return SweepStatus(states.count("done"), states.count("begun"), states.count("missing"), failed)


def state_of(folder: Path, cell: Cell) -> str:
    """One of "done", "failed", "begun" and "missing"."""
    place = folder / "cells" / cell.id
    if place.exists():
        return "done"
    if _log(folder, "cells", cell.id).exists():
        return "failed"
    return "begun" if (place.parent / f".{cell.id}.partial").exists() else "missing"


def is_written(folder: Path, cell: Cell) -> bool:
    """Whether a process that sees the folder writes the cell; so it seems too after one was killed there."""
    return (folder / "cells" / f".{cell.id}.lock").exists()


def failure_of(folder: Path, cell: Cell) -> str:
    """Why a cell failed, in a line."""
    return _first_line(_log(folder, "cells", cell.id))


def write_grid(folder: Path, grid: Grid) -> None:
    """Make `folder` the folder of this sweep. It may hold cells of another grid: equal ones are not run again.

    Raises
    ------
    InputError
        If it holds something else, or a sweep of another version.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"out = {str(folder)!r} is a file; choose the name of a new folder")
    store.require_writable(folder)
    version = folder / _VERSION
    if not version.exists() and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise InputError(f"out = {str(folder)!r} exists and holds no sweep; choose the name of a new folder")
    check_folder(folder)
    store.write_text(version, f"{__version__}\n")
    store.write_text(folder / _GRID, grid.to_toml())


def write_data(folder: Path, dataset: Dataset) -> str:
    """Have a data set in `folder`, for those who work there; returns the name of its file, which says what it holds."""
    name = f"{dataset.identity.replace(':', '-')}.npz"
    if not (folder / name).exists():
        dataset.to_npz(folder / name)
    return name


def read_grid(folder: Path) -> Grid:
    """The grid of a sweep's folder; InputError if it holds none, or one of another version."""
    if not (folder / _GRID).exists():
        raise InputError(f"{folder} is not the folder of a sweep; give one that `homeonet sweep` has written")
    _check_version(folder)
    return load_grid(folder / _GRID)


def split(folder: Path, tasks: Iterable[Task]) -> tuple[list[Task], list[Task], list[Task]]:
    """Tasks that are done, that have failed, and that are to do."""
    done, failed, to_do = [], [], []
    for task in tasks:
        if (folder / task.path).exists():
            _check_done(folder / task.path)
            done.append(task)
        elif _log(folder, task.part, task.id).exists():
            failed.append(task)
        else:
            to_do.append(task)
    return done, failed, to_do


def retry(folder: Path) -> None:
    """Forget failures, so that what failed is to do."""
    with store.disk_errors(folder):
        if (folder / "failed").exists():
            shutil.rmtree(folder / "failed")


def record(folder: Path, outcome: Outcome) -> Outcome:
    """Write what a process could not write itself: the files it has sent, or the log of a failure.

    Returns the outcome, a failure if the process was done and nothing came.
    """
    task = outcome.task
    if outcome.files is not None:

        def fill(work: Path) -> None:
            with store.disk_errors(folder / task.path):
                for name, contents in (outcome.files or {}).items():
                    (work / name).parent.mkdir(parents=True, exist_ok=True)
                    (work / name).write_bytes(contents)

        store.whole_folder(folder / task.path, fill)
    if outcome.status == "done" and not (folder / task.path).exists():
        reason = f"a worker on {outcome.host} finished it, and its folder is not here; is the disk shared?"
        outcome = replace(outcome, status="failed", reason=reason, log=reason)
    if outcome.status == "failed" and not (folder / task.path).exists():
        log = _log(folder, task.part, task.id)
        with store.disk_errors(log):
            log.parent.mkdir(parents=True, exist_ok=True)
        text = f"{outcome.reason}\n\nhost {outcome.host}, after {outcome.seconds:.0f} s\n\n{outcome.log}\n\n"
        text += task.config.to_toml()
        store.write_text(log, text)
    return outcome


def check_folder(folder: Path) -> None:
    """InputError for the folder of a sweep of another version."""
    if (folder / _VERSION).exists():
        _check_version(folder)


def _log(folder: Path, part: str, task_id: str) -> Path:
    return folder / "failed" / part / f"{task_id}.log"


def _first_line(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0]


def _check_version(folder: Path) -> None:
    try:
        version = (folder / _VERSION).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{folder / _VERSION} cannot be read ({error}); choose another folder") from None
    if version != __version__:
        raise InputError(
            f"{folder} holds a sweep of homeonet {version} and this is {__version__}; choose another folder, or "
            "delete it to run all again"
        )


def _check_done(folder: Path) -> None:
    """A finished folder can be read: damage is found before hours of work, not after."""
    try:
        json.loads(read_verified(folder / "metrics.json"))["run_id"]
        tomllib.loads(read_verified(folder / "config.toml").decode())
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder} is damaged ({error}); delete it to have it run again") from None

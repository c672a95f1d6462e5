"""One piece of work of a sweep, as a process does it: a cell, or the baselines that many cells share.

Knows nothing of Dask. What fails comes back as an outcome, with the log of what happened.
"""

from __future__ import annotations

import platform
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from homeonet import store
from homeonet._version import __version__
from homeonet.data import Dataset
from homeonet.errors import BusyError, DiskFullError, HomeonetError, InputError
from homeonet.machine.scratch import scratch_folder
from homeonet.runs.folder import RunFolder
from homeonet.runs.kinds import KINDS
from homeonet.sweep._grid import Cell

__all__ = ["Outcome", "Task", "Workplace", "batches_of", "perform", "tasks_of"]


@dataclass(frozen=True)
class Task:
    """A cell or a baseline: its configuration, whose hash names its folder."""

    part: Literal["cells", "baselines"]
    kind: str
    config: Any

    @property
    def id(self) -> str:
        return self.config.run_id

    @property
    def path(self) -> Path:
        """The task's folder within the sweep's."""
        return Path(self.part, self.id)


@dataclass(frozen=True)
class Workplace:
    """Where and how a process works.

    Attributes
    ----------
    folder : Path
        The sweep's folder; a process that does not see it sends its files back.
    token : str
        A file in it while the sweep runs. A folder of that name without it is another host's.
    device, data_folder, figures
        See :func:`homeonet.run`.
    data : str or None
        The file of the sweep's folder that holds the data of all cells, if they were given and not named.
    code : str or None
        Where modules with classes of the user's own are looked for.
    version : str
        Version of the package that has sent the task.
    """

    folder: Path
    token: str
    device: str = "auto"
    data_folder: str | None = None
    data: str | None = None
    figures: bool = False
    code: str | None = None
    version: str = __version__

    @property
    def reached(self) -> bool:
        """Whether this process sees the sweep's folder, whenever it joined."""
        return (self.folder / self.token).is_file()

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of whatever a task calls; _UnfitError if this process does not see the data."""
        if self.data is None:
            return {"device": self.device, "data_folder": self.data_folder, "dataset": None}
        if not self.reached:
            raise _UnfitError(
                f"a worker on {platform.node()} does not see {self.folder}, where the data lie that were given as "
                "dataset=; share the disk, or write them to a file that all hosts have, data = 'array:FILE.npz'"
            )
        return {
            "device": self.device,
            "data_folder": self.data_folder,
            "dataset": _read(self.folder / self.data),
        }


@dataclass(frozen=True)
class Outcome:
    """How a task ended.

    Attributes
    ----------
    task : Task
    status : {"done", "failed", "stop"}
        "stop": no other task could do better.
    reason, log : str
        One line, and all there is to know.
    error : HomeonetError or None
        Why all must stop.
    seconds : float
    host : str
    files : dict of str to bytes or None
        The finished folder, where the process could not reach the sweep's.
    """

    task: Task
    status: Literal["done", "failed", "stop"]
    reason: str = ""
    log: str = ""
    error: HomeonetError | None = None
    seconds: float = 0.0
    host: str = ""
    files: dict[str, bytes] | None = None


def tasks_of(cells: Iterable[Cell], kind: str, *, baselines: bool) -> list[Task]:
    """What is to be done for some cells, each piece once; cells of equal configuration are one piece."""
    found: dict[tuple[str, str], Task] = {}
    for cell in cells:
        wanted = [Task("cells", kind, cell.config)]
        if baselines:
            wanted.append(Task("baselines", kind, KINDS[kind].baseline_config(cell.config)))
        for task in wanted:
            found.setdefault((task.part, task.id), task)
    # the baselines first: they are few, and without them no accuracy can be judged
    return sorted(found.values(), key=lambda task: task.part != "baselines")


def batches_of(tasks: Iterable[Task], replicas: int) -> list[list[Task]]:
    """Tasks that one process does at a time: one, or up to `replicas` cells that can be one network."""
    batches: list[list[Task]] = []
    cells: dict[str, dict[str, Task]] = {}
    for task in tasks:
        if task.part == "cells":
            cells.setdefault(task.kind, {})[task.id] = task
        else:
            batches.append([task])
    for kind, by_id in cells.items():
        groups = KINDS[kind].groups([task.config for task in by_id.values()], replicas)
        batches += [[by_id[config.run_id] for config in group] for group in groups]
    return batches


def perform(tasks: list[Task], place: Workplace) -> list[Outcome]:
    """Do a batch in this process; a failure that belongs to a task is an outcome and not an exception."""
    start = time.perf_counter()
    if place.reached:
        outcomes = _perform(tasks, [place.folder / task.path for task in tasks], place)
    else:
        with scratch_folder() as scratch:
            folders = [scratch / task.id for task in tasks]
            outcomes = [
                replace(outcome, files=_files(folder)) if outcome.status == "done" else outcome
                for outcome, folder in zip(_perform(tasks, folders, place), folders, strict=True)
            ]
    return [replace(outcome, seconds=time.perf_counter() - start) for outcome in outcomes]


def _files(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def _perform(tasks: list[Task], folders: list[Path], place: Workplace) -> list[Outcome]:
    ended: dict[int, Exception | None] = {}
    try:
        if place.version != __version__:
            raise _UnfitError(
                f"a worker on {platform.node()} has homeonet {__version__}, and {place.version} sent it work; install "
                "the same version on all hosts"
            )
        if len(tasks) > 1:
            _together(tasks, folders, place, ended)
        for k, (task, folder) in enumerate(zip(tasks, folders, strict=True)):
            if k not in ended or isinstance(ended[k], BusyError):
                _into(task, folder, place)
                ended[k] = None
    except Exception as error:
        failure: Exception | None = error
    else:
        failure = None
    return [_outcome(task, ended.get(k, failure)) for k, task in enumerate(tasks)]


def _outcome(task: Task, error: Exception | None) -> Outcome:
    outcome = Outcome(task, "done", host=platform.node())
    if error is None:
        return outcome
    if isinstance(error, (DiskFullError, _UnfitError)):
        return replace(outcome, status="stop", reason=str(error), error=InputError(str(error)))
    if isinstance(error, HomeonetError):
        return replace(outcome, status="failed", reason=str(error), log=str(error))
    reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return replace(outcome, status="failed", reason=reason, log="".join(traceback.format_exception(error)))


def _together(
    tasks: list[Task], folders: list[Path], place: Workplace, ended: dict[int, Exception | None]
) -> None:
    from homeonet.runs.together import run_together

    for folder in folders:
        with store.disk_errors(folder.parent):
            folder.parent.mkdir(parents=True, exist_ok=True)
    run_together(
        [task.config for task in tasks],
        folders,
        figures=place.figures,
        ended=ended.__setitem__,
        **place.options,
    )


class _UnfitError(InputError):
    """This process can do none of the sweep's work."""


@lru_cache(maxsize=1)
def _read(path: Path) -> Dataset:
    """A data set that many tasks of this process share."""
    dataset = Dataset.from_npz(path)
    if dataset.identity != path.stem.replace("-", ":"):
        raise InputError(f"{path} is damaged; delete it, and run the same sweep again")
    return dataset


def _into(task: Task, folder: Path, place: Workplace) -> None:
    """Have the task's folder complete."""
    with store.disk_errors(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            return _work(task, folder, place)
        except BusyError:  # a worker that was given up still works on it: it may well finish
            with RunFolder(folder).locked(wait=True):
                pass


def _work(task: Task, folder: Path, place: Workplace) -> None:
    kind = KINDS[task.kind]
    if task.part == "baselines":
        kind.measure_baselines(task.config, folder, **place.options)
    else:
        kind.run(task.config, folder, code=place.code, figures=place.figures, **place.options)

"""Checkpoints of a training run: written whole or not at all, and continued bit for bit."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from homeonet import _version
from homeonet.errors import InputError
from homeonet.plastic.engine._guard import OpenWindows
from homeonet.plastic.engine._recordings import Recordings
from homeonet.plastic.engine._records import Recorder
from homeonet.plastic.engine._simulation import Training
from homeonet.store import write_atomically

__all__ = ["load_checkpoint", "save_checkpoint"]


def save_checkpoint(
    path: Path,
    training: Training,
    recorder: Recorder,
    wall_seconds: float,
    recordings: Recordings | None = None,
) -> None:
    """Write the state of a one-replica training and its records to `path` (.npz)."""
    values = {f"array/{name}": values for name, values in training.arrays.items()}
    values |= {f"record/{name}": values for name, values in recorder.state().items()}
    lengths = recordings.state() if recordings else {}
    values |= {f"recording/{name}": length for name, length in lengths.items()}
    values |= {f"window/{name}": np.array(values) for name, values in asdict(training.windows).items()}
    values |= {"step": np.array(training.step), "wall_seconds": np.array(wall_seconds)}
    values["loop_seconds"] = np.array(training.loop_seconds)
    values["run_id"] = np.array(training.configs[0].run_id)
    values["homeonet_version"] = np.array(_version.__version__)
    write_atomically(path, lambda file: np.savez(file, **values))  # type: ignore[arg-type]


def load_checkpoint(
    path: Path, training: Training, recorder: Recorder, recordings: Recordings | None = None
) -> float:
    """Continue `training`, `recorder` and `recordings` from a checkpoint.

    Returns
    -------
    float
        Wall time in seconds spent so far.

    Raises
    ------
    InputError
        If the file is damaged, or belongs to another configuration or version of the package.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            values = {name: stored[name] for name in stored.files}
        version = str(values.get("homeonet_version", "of an earlier version"))
        if version == _version.__version__:
            run_id, step, wall_seconds = (values[name].item() for name in ("run_id", "step", "wall_seconds"))
            loop_seconds, arrays = values["loop_seconds"].item(), _below(values, "array/")
            windows = OpenWindows(**_below(values, "window/"))
            if _layout(arrays) != _layout(training.arrays) and run_id == training.configs[0].run_id:
                raise ValueError("it was written by another version")
            recorder.restore(_below(values, "record/"))
            lengths = _below(values, "recording/")
    except Exception as error:  # what the zip and array readers make of damaged bytes is open-ended
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} is damaged ({reason}); delete it to start the run again") from None
    if version != _version.__version__:
        raise InputError(
            f"{path} was written by homeonet {version} and this is {_version.__version__}; install that version or "
            "delete it to start the run again"
        )
    if run_id != training.configs[0].run_id:
        raise InputError(
            f"{path} belongs to a run with other parameters; delete it or choose another output folder"
        )
    if recordings:
        recordings.restore(lengths)
    training.step, training.arrays, training.loop_seconds = step, arrays, loop_seconds
    training.windows = windows
    if arrays["controller.wake_step"][0] >= training.total_wake_steps:
        training.finished[0] = training.network(0)
    return wall_seconds


def _layout(arrays: dict[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    return {name: np.shape(values) for name, values in arrays.items()}


def _below(values: dict[str, np.ndarray], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): array for name, array in values.items() if name.startswith(prefix)}

"""Checkpoints of a training run: written whole or not at all, and continued bit for bit."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from homeonet.errors import InputError
from homeonet.plastic._records import Recorder
from homeonet.plastic._simulation import Training
from homeonet.store import write_atomically

__all__ = ["load_checkpoint", "save_checkpoint"]


def save_checkpoint(path: Path, training: Training, recorder: Recorder, wall_seconds: float) -> None:
    """Write the state of a one-replica training and its records to `path` (.npz)."""
    values = {f"array/{name}": values for name, values in training.arrays.items()}
    values |= {f"record/{name}": values for name, values in recorder.state().items()}
    values |= {"step": np.array(training.step), "wall_seconds": np.array(wall_seconds)}
    values["run_id"] = np.array(training.configs[0].run_id)
    write_atomically(path, lambda file: np.savez(file, **values))


def load_checkpoint(path: Path, training: Training, recorder: Recorder) -> float:
    """Continue `training` and `recorder` from a checkpoint.

    Returns
    -------
    float
        Wall time in seconds spent so far.

    Raises
    ------
    InputError
        If the file is damaged or belongs to another configuration.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            values = {name: stored[name] for name in stored.files}
        if str(values["run_id"]) != training.configs[0].run_id:
            raise InputError(
                f"{path} belongs to a run with other parameters; delete it or choose another output folder"
            )
        training.step = int(values["step"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is damaged ({error}); delete it to start the run again") from None
    training.arrays = _below(values, "array/")
    recorder.restore(_below(values, "record/"))
    wake = training.arrays["controller.wake_step"]
    if wake[0] >= training.total_wake_steps:
        training.finished[0] = training.network(0)
    return float(values["wall_seconds"])


def _below(values: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in values.items() if name.startswith(prefix)}

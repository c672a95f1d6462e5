"""Readouts of the spike counts that a finished run has stored: nothing is simulated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from homeonet.errors import InputError
from homeonet.plastic import Structure
from homeonet.runs.readouts import READOUTS, SpikeCounts, exciting, fit_readouts, units_of
from homeonet.runs.results import RunResult, load_run

if TYPE_CHECKING:
    import xarray as xr

    from homeonet.analysis import ReadoutResult

__all__ = ["read_out", "stored_while_learning"]


def read_out(
    run: RunResult | str | Path,
    *,
    readouts: Sequence[str] | None = None,
    populations: Sequence[str] | None = None,
) -> dict[str, ReadoutResult]:
    """Fit readouts on the stored spike counts of a run's training images and score them on those of its test images.

    Parameters
    ----------
    run : RunResult or path
        A finished run, or its folder.
    readouts : sequence of str, optional
        Some of "logistic", "qda", "knn", "diehl_cook" and "paper"; by default all that the run has the counts for.
        "paper" needs what was answered while the network learnt, which runs of older versions do not hold.
    populations : sequence of str, optional
        Which populations are read; by default all, of which the excitatory ones vote in "diehl_cook".

    Returns
    -------
    dict of str to ReadoutResult

    Raises
    ------
    InputError
        For a readout or a population that the run does not have.

    Examples
    --------
    >>> read_out("results/two_layers", readouts=["qda"], populations=["exc2"])["qda"].accuracy  # doctest: +SKIP
    0.912
    """
    result = run if isinstance(run, RunResult) else load_run(run)
    records, config = result.records, result.config
    unknown = [name for name in readouts or () if name not in READOUTS]
    if unknown:
        raise InputError(f"readouts: {unknown[0]!r} is not known; give some of {', '.join(READOUTS)}")
    train, test = _stored(records, "train"), _stored(records, "test")
    if train is None or test is None:
        raise InputError(f"{result.folder} holds no spike counts of images; run it again")
    read = units_of(config, Structure.of(config).neurons if populations is None else populations)
    voting = exciting(config) if populations is None else read
    return fit_readouts(
        config, SpikeCounts(*train, *test, stored_while_learning(result)), readouts, read, voting
    )


def stored_while_learning(result: RunResult) -> tuple[np.ndarray, np.ndarray] | None:
    """Spike counts of the last images of a run's training, as they were then, and their labels; None in older runs."""
    return _stored(result.records, "learning")


def _stored(records: xr.Dataset, part: str) -> tuple[np.ndarray, np.ndarray] | None:
    if f"features_{part}" not in records:
        return None
    return records[f"features_{part}"].values, records[f"labels_{part}"].values

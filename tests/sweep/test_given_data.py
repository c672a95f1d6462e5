"""Sweeps on data given from Python: their cells are single runs on them, continued, and refused in one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import homeonet
from homeonet import InputError
from homeonet.data import Dataset
from homeonet.sweep import Grid, estimate, sweep
from homeonet.sweep._tasks import Workplace, perform, tasks_of
from tests.support.short_runs import assert_same_run

FIXED = {"preset": "massey2026", "train": 12, "test": 8, "input.side": 6, "input.presentation": "0.2 s"}
FIXED |= {"evaluation.presentation": "0.1 s", "exc.n": 30, "inh.n": 10, "input_exc.density": 0.4}
GRID = Grid(FIXED, {"seed": [1, 2]})


def images(seed: int = 0) -> Dataset:
    x = np.random.default_rng(seed).random((40, 6, 5))
    return Dataset.from_arrays(x, np.resize([0, 1], 40))


def test_cells_are_the_runs_on_the_same_data_and_the_same_call_continues(tmp_path: Path) -> None:
    data, folder = images(), tmp_path / "s"
    found = sweep(GRID, folder, workers=1, dataset=data)
    assert not found.failed and np.isfinite(found.results["accuracy.raw_pixels"]).all()
    config = GRID.cells()[0].config
    single = homeonet.run(config, tmp_path / "run", dataset=data, workers=1, figures=False, baselines=False)
    assert single.config.data == data.identity != config.data
    assert_same_run(folder / "cells" / single.config.run_id, tmp_path / "run")
    kept = folder / "cells" / found.results["cell"].values[1]
    written = kept.stat().st_mtime_ns
    shutil.rmtree(folder / "cells" / single.config.run_id)
    again = sweep(GRID, folder, workers=1, dataset=images())
    assert (again.results["state"] == "done").all() and kept.stat().st_mtime_ns == written
    assert_same_run(folder / "cells" / single.config.run_id, tmp_path / "run")
    other = sweep(GRID, folder, workers=1, dataset=images(1), baselines=False)
    assert not set(other.results["cell"].values) & set(found.results["cell"].values)


def test_replicas_share_the_data(tmp_path: Path) -> None:
    alone = sweep(GRID, tmp_path / "one", workers=1, dataset=images(), baselines=False)
    together = sweep(GRID, tmp_path / "two", workers=1, dataset=images(), baselines=False, replicas=2)
    name = "accuracy.logistic"
    np.testing.assert_array_equal(alone.results[name], together.results[name])


def test_series_bring_their_length(tmp_path: Path) -> None:
    data = Dataset.from_series(np.random.default_rng(0).random((60, 12, 3)), np.resize([0, 1], 60))
    fixed = {"neuron": "lif", "net": "sequence", "net_options.width": 8, "train": 30, "val": 5, "test": 10}
    found = sweep(Grid(fixed | {"epochs": 1}, {"seed": [1]}), tmp_path / "s", workers=1, dataset=data)
    assert not found.failed and 0 <= float(found.results["accuracy.test"].squeeze()) <= 1
    stored = homeonet.load_trained(tmp_path / "s" / "cells" / found.results["cell"].item()).config
    assert (stored.data, stored.size, stored.encoding) == (data.identity, 12, "series")
    assert estimate(Grid(fixed, {"seed": [1]}), tmp_path / "e", workers=1, dataset=data).to_do == 1


def test_what_cannot_be_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="data is in the grid, and dataset="):
        sweep(Grid(FIXED, {"data": ["mnist5k", "digits"]}), tmp_path / "s", dataset=images())
    series = Dataset.from_series(np.random.default_rng(0).random((20, 9)), np.resize([0, 1], 20))
    with pytest.raises(InputError, match="sees images"):
        sweep(GRID, tmp_path / "s", dataset=series)
    with pytest.raises(InputError, match="set train = 32"):
        sweep(Grid(FIXED | {"train": 400, "val": 0}, {"seed": [1]}), tmp_path / "s", dataset=images())
    with pytest.raises(InputError, match="pass it again as dataset="):
        sweep(Grid(FIXED | {"data": images().identity}, {"seed": [1]}), tmp_path / "s")


def test_a_worker_needs_the_folder_and_the_file_as_it_was(tmp_path: Path) -> None:
    data = images()
    task = tasks_of(GRID.with_data(None, data).cells(), "plastic", baselines=False)[0]
    file = f"{data.identity.replace(':', '-')}.npz"
    (outcome,) = perform([task], Workplace(tmp_path / "elsewhere", ".seen", data=file))
    assert outcome.status == "stop" and "share the disk" in outcome.reason and "\n" not in outcome.reason
    (tmp_path / ".seen").touch()
    images(1).to_npz(tmp_path / file)
    (outcome,) = perform([task], Workplace(tmp_path, ".seen", data=file))
    assert outcome.status == "failed" and "is damaged; delete it" in outcome.reason

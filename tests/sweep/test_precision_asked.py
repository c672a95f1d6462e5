"""A cell is found by the precision that was asked for, though its folder records the one that a processor ran."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

pytest.importorskip("torch")

from distributed import LocalCluster

from homeonet.sweep import Grid, open_sweep, sweep, sweep_status

FIXED = {"neuron": "lif", "net": "sg_snn", "data": "geometric", "size": 8, "steps": 2, "epochs": 1}
FIXED |= {"train": 40, "val": 0, "test": 20, "net_options.hidden": 8}


def test_half_precision_on_a_processor_is_a_finished_cell(tmp_path: Path) -> None:
    grid, out = Grid(FIXED, {"precision": ["16-mixed", "bf16-mixed"]}), tmp_path / "out"
    options = {"device": "cpu", "baselines": False}
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
        first = sweep(grid, out, scheduler=cluster.scheduler_address, **options)
    assert first.failed == {}
    asked = [cell.id for cell in grid.cells()]
    folders = sorted(path.name for path in (out / "cells").iterdir())
    assert len(set(asked)) == 2 and folders == sorted(asked)
    ran = [tomllib.loads((out / "cells" / name / "config.toml").read_text())["precision"] for name in asked]
    assert ran == ["bf16-mixed", "bf16-mixed"]
    written = {path: path.stat().st_mtime_ns for path in out.glob("cells/*/*")}
    begun: list[int] = []
    again = sweep(grid, out, progress=lambda total, _: begun.append(total), **options)
    assert begun == [] and again.failed == {}
    assert {path: path.stat().st_mtime_ns for path in out.glob("cells/*/*")} == written
    results = open_sweep(out)
    assert results["precision"].values.tolist() == ["16-mixed", "bf16-mixed"]
    assert results["state"].values.tolist() == ["done", "done"]
    assert results["cell"].values.tolist() == asked
    # the same network with the same numbers
    assert results["accuracy.test"].values[0] == results["accuracy.test"].values[1]
    assert (sweep_status(out).done, sweep_status(out).missing) == (2, 0)

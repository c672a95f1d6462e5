"""Runs of a second, for the tests of what can happen to a run: 225 inputs and 250 neurons as in the preset."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import xarray as xr

from homeonet import Config, load_config

PYTHON = shlex.quote(sys.executable)
SHORT = ["--data", "geometric", "--train", "40", "--test", "20"]
SHORT += ["--set", "input.presentation=0.5 s", "--set", "evaluation.presentation=0.2 s"]
TIMING = {"steps_per_second", "realtime_factor", "train_wall_seconds", "compile_seconds"}
TIMING |= {
    f"seconds.{part}" for part in ("data", "evaluation", "baselines", "beside_training", "records", "figures")
}


def short(**overrides) -> Config:
    values = {"data": "geometric", "train": 40, "test": 20, "input.presentation": "0.5 s"}
    values |= {"evaluation.presentation": "0.2 s"}
    return load_config("massey2026", values | {k.replace("__", "."): v for k, v in overrides.items()})


def assert_same_run(first: Path, second: Path) -> None:
    a, b = (
        {k: v for k, v in json.loads((f / "metrics.json").read_text()).items() if k not in TIMING}
        for f in (first, second)
    )
    assert a == b
    assert (first / "config.toml").read_text() == (second / "config.toml").read_text()
    a, b = (xr.load_dataset(f / "records.nc", engine="h5netcdf") for f in (first, second))
    xr.testing.assert_identical(a, b)
    names = [sorted(str(p.relative_to(f)) for p in f.rglob("*")) for f in (first, second)]
    assert names[0] == names[1]

"""A training that is killed, whenever that is, goes on to the very result of an undisturbed one."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import xarray as xr
from safetensors import safe_open

from homeonet.gradient.training import train_config
from homeonet.runs.gradient import train

CONFIG = train_config(
    **{"data": "geometric", "size": 8, "train": 120, "val": 30, "test": 40, "batch": 20, "epochs": 25},
    **{"neuron": "lif", "neuron_options.threshold": 0.3, "net": "sg_snn", "net_options.hidden": 20},
    **{"net_options.spiking_output": True},
    **{"encoding": "poisson", "augment": "crop,cutout", "homeostasis.sleep.ratio": 0.5},
)
TIMING = {"train_seconds", "images_per_second"}
PARTS = {"SHA256SUMS", "config.toml", "epochs.csv", "metrics.json", "model.safetensors", "records.nc"}
WAIT = 120.0


def eager(folder: Path) -> None:
    """Train with a checkpoint after every batch."""
    from homeonet.gradient.training import _run

    _run._CHECKPOINT_SECONDS = 0.0
    train(CONFIG, folder, accelerator="cpu", figures=False, baselines=False)


def started(folder: Path) -> multiprocessing.Process:
    """`eager` in a process of its own, forked from one that has imported everything and run nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["homeonet.gradient.training", "homeonet.analysis", "torch._dynamo"])
    process = context.Process(target=eager, args=(folder,))
    process.start()
    return process


def finished(folder: Path) -> None:
    process = started(folder)
    process.join(WAIT)
    assert process.exitcode == 0


def stamp(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def killed_after(delay: float, folder: Path, awaited: Path) -> int:
    """Kill a training `delay` seconds after the file `awaited` has been written; its exit code."""
    process, written = started(folder), stamp(awaited)
    give_up = time.monotonic() + WAIT
    while process.exitcode is None and stamp(awaited) == written and time.monotonic() < give_up:
        time.sleep(0.002)
    time.sleep(delay)
    process.kill()
    process.join(WAIT)
    return process.exitcode


def test_kills_at_random_moments_leave_no_trace(tmp_path: Path) -> None:
    quiet, killed, work = tmp_path / "quiet", tmp_path / "killed", tmp_path / ".killed.partial"
    finished(quiet)
    checkpoint, moments = work / "checkpoint.safetensors", np.random.default_rng()
    resumed_from = []
    for _ in range(3):
        if killed_after(moments.uniform(0, 0.25), killed, checkpoint) == 0:
            break
        assert not killed.exists()
        with safe_open(checkpoint, "pt") as stored:  # whole, whenever the kill came
            progress = json.loads(json.loads(stored.metadata()["homeonet"])["progress"])
        resumed_from.append((progress["epoch"], progress["batch"]))
    assert resumed_from and resumed_from == sorted(set(resumed_from)) and resumed_from[-1] > (0, 0)
    # after the last batch, while results are being written
    code = killed_after(0, killed, work / "model.safetensors")
    assert code in (0, -signal.SIGKILL)
    assert not killed.exists() or {p.name for p in killed.iterdir()} == PARTS
    finished(killed)
    assert_same(quiet, killed)
    assert sorted(os.listdir(tmp_path)) == ["killed", "quiet"]


def assert_same(first: Path, second: Path) -> None:
    assert {p.name for p in first.iterdir()} == {p.name for p in second.iterdir()} == PARTS
    for name in ("model.safetensors", "config.toml"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    a, b = (json.loads((folder / "metrics.json").read_text()) for folder in (first, second))
    assert a.keys() >= TIMING
    assert {k: v for k, v in a.items() if k not in TIMING} == {k: v for k, v in b.items() if k not in TIMING}
    a, b = (xr.load_dataset(folder / "records.nc", engine="h5netcdf") for folder in (first, second))
    xr.testing.assert_identical(a.drop_vars("seconds"), b.drop_vars("seconds"))
    assert a.train_loss[-1] < a.train_loss[0]  # something was learnt

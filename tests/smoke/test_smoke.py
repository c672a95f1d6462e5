"""A short tour of an installed package: what must hold on every Python and Brian2, with nothing but `pytest` beside it.

``python -m pytest -m smoke`` runs this, the STDP oracle and the resumed run. With ``$HOMEONET_DIGESTS`` naming a
folder, the bits that one Python computes are kept there and compared with those of the others.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import homeonet
from homeonet.config import preset_names
from tests.support.gpu_runs import small, trained

pytestmark = pytest.mark.smoke

SMALL = ["--data", "geometric", "--train", "30", "--test", "20", "--set", "input.presentation=0.2 s"]


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command of the package that this interpreter imports, called as a user would, from any folder."""
    script = Path(sys.executable).with_name("homeonet")
    assert script.exists(), "the package is installed beside the interpreter"
    return subprocess.run([script, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def test_the_doctor_passes_from_another_folder(tmp_path: Path) -> None:
    done = command("doctor", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"brian2         {version('brian2')}" in done.stdout and "passed" in done.stdout


def test_a_run_from_another_folder_is_that_of_python(tmp_path: Path) -> None:
    done = command("run", "massey2026", *SMALL, "--out", "r", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    values = {"data": "geometric", "train": 30, "test": 20, "input.presentation": "0.2 s"}
    again = homeonet.run(homeonet.load_config("massey2026", values), tmp_path / "again")
    with xr.open_dataset(tmp_path / "r" / "records.nc", engine="h5netcdf") as records:
        xr.testing.assert_identical(records.load(), again.records)
    assert json.loads((tmp_path / "r" / "metrics.json").read_text())["rate_hz.exc"] > 0


def test_a_sweep_of_two_cells(tmp_path: Path) -> None:
    options = ['preset = "massey2026"', 'data = "geometric"', "train = 30", "test = 20"]
    axes = ["[set]", '"input.presentation" = "0.2 s"', "[grid]", "seed = [1, 2]"]
    (tmp_path / "grid.toml").write_text("\n".join([*options, *axes]))
    done = command("sweep", "grid.toml", "--workers", "2", "--out", "s", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    with xr.open_dataset(tmp_path / "s" / "results.nc", engine="h5netcdf") as found:
        assert list(found["state"].values.ravel()) == ["done", "done"]
        assert len(set(found["rate_hz.exc"].values.ravel())) == 2


@pytest.mark.parametrize("preset", preset_names())
def test_every_python_computes_the_same_bits(preset: str, tmp_path: Path) -> None:
    folder = Path(os.environ.get("HOMEONET_DIGESTS") or tmp_path)
    shown = np.random.default_rng(0).random((20, 36)) ** 3
    digests = []
    for _ in range(2):
        training, results = trained([small(preset)], shown, "cpp")
        parts = [training.arrays[name] for name in sorted(training.arrays)]
        parts += [part for result in results for name in ("exc", "inh") for part in result.spikes[name]]
        digest = hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()
        digests.append(digest)
    kept = folder / f"{preset}.sha256"
    if not kept.exists():
        kept.write_text(digests[0])
    assert digests == [kept.read_text()] * 2

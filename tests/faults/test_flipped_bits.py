"""Results that are not what was written: readers refuse them, and `sha256sum` agrees about which are sound."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from homeonet import InputError, load_network, load_run, run
from homeonet.claims import Measured, load_measured, write_measured
from homeonet.cli.main import main
from homeonet.store.checksums import read_verified, sealed
from tests.support.commands import one_line
from tests.support.short_runs import short

RESULTS = ("config.toml", "model.txt", "metrics.json", "records.nc", "SHA256SUMS")


def flip(path: Path, bit: int) -> None:
    contents = bytearray(path.read_bytes())
    contents[bit // 8 % len(contents)] ^= 1 << bit % 8
    path.write_bytes(contents)


@pytest.mark.parametrize("name", RESULTS)
def test_any_flipped_bit_of_a_run_is_refused(name: str, finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "r"
    shutil.copytree(finished, folder)
    sound = (folder / name).read_bytes()
    for bit in np.random.default_rng().integers(8 * len(sound), size=60):
        flip(folder / name, int(bit))
        with pytest.raises(InputError, match=r"damaged.*restore it from a copy") as caught:
            load_run(folder)
        assert str(folder) in str(caught.value) and "\n" not in str(caught.value)
        (folder / name).write_bytes(sound)
    assert load_run(folder).metrics == load_run(finished).metrics


def test_every_reader_says_it_in_one_line(finished: Path, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "r"
    shutil.copytree(finished, folder)
    text = (folder / "metrics.json").read_text()
    (folder / "metrics.json").write_text(text.replace('"phi": ', '"phi": 1'))  # still a number
    for command in (["evaluate"], ["figure"]):
        assert main([*command, str(folder)]) == 2
        one_line(capsys.readouterr().err, str(folder / "metrics.json"), "restore it from a copy")
    with pytest.raises(InputError, match=r"metrics\.json is damaged"):
        load_network(folder)
    with pytest.raises(InputError, match=r"metrics\.json is damaged"):
        run(short(), folder)


def test_sha256sum_agrees(finished: Path) -> None:
    subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=finished, check=True)
    listed = {line.split()[1] for line in (finished / "SHA256SUMS").read_text().splitlines()}
    assert listed == {path.name for path in finished.iterdir() if path.is_file()} - {"SHA256SUMS"}


def test_results_without_checksums_and_edited_configurations_are_read(finished: Path, tmp_path: Path) -> None:
    older = tmp_path / "older"
    shutil.copytree(finished, older)
    (older / "SHA256SUMS").unlink()
    assert load_run(older).metrics == load_run(finished).metrics
    config = tmp_path / "c" / "config.toml"
    shutil.copytree(finished, config.parent)
    edited = config.read_text().replace("seed = 1", "seed = 7", 1)
    assert edited != config.read_text()
    config.write_text(edited)
    arguments = ["run", str(config), "--no-figures", "--no-baselines", "--out", str(tmp_path / "new")]
    assert main(arguments) == 0
    assert load_run(tmp_path / "new").config.seed == 7


def test_a_cell_of_a_sweep(tmp_path: Path) -> None:
    from homeonet.sweep import Grid, open_sweep, sweep

    options = {
        "neuron": "lif",
        "data": "geometric",
        "size": 8,
        "train": 40,
        "test": 20,
        "batch": 20,
        "epochs": 1,
    }
    out = tmp_path / "s"
    sweep(Grid(options, {"seed": [0]}), out, workers=1, baselines=False)
    subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=out, check=True)
    listed = {line.split()[1] for line in (out / "SHA256SUMS").read_text().splitlines()}
    assert listed == {"results.nc", "table.parquet", "timing.parquet"}
    cell = next((out / "cells").iterdir())
    text = (cell / "metrics.json").read_text()
    (cell / "metrics.json").write_text(text.replace('"accuracy.', '"bccuracy.', 1))
    with pytest.raises(InputError, match=r"metrics\.json is damaged"):
        open_sweep(out)


def test_a_training_run(tmp_path: Path) -> None:
    from homeonet.gradient.training import train_config
    from homeonet.runs.gradient import load_trained, train

    options = {"data": "geometric", "size": 8, "train": 40, "val": 0, "test": 20, "batch": 20, "epochs": 1}
    train(train_config(**options), tmp_path / "t", figures=False)
    names = {path.name for path in (tmp_path / "t").iterdir()} - {"SHA256SUMS"}
    assert names == {"config.toml", "epochs.csv", "metrics.json", "model.safetensors", "records.nc"}
    for name in sorted(names):
        sound = (tmp_path / "t" / name).read_bytes()
        flip(tmp_path / "t" / name, 8 * (len(sound) // 2))
        with pytest.raises(InputError, match=f"{name} is damaged"):
            load_trained(tmp_path / "t")
        (tmp_path / "t" / name).write_bytes(sound)
    load_trained(tmp_path / "t")


def test_claims_of_a_study(tmp_path: Path) -> None:
    case = Measured("digits", 1.25, 1.0, 1.5)
    path = write_measured(tmp_path, study="s", scale="small", measured={"c": [case]}, command="x")
    assert load_measured(path).measured["c"] == [case]
    path.write_text(path.read_text().replace("1.25", "1.35"))
    with pytest.raises(InputError, match=r"claims\.json is damaged"):
        load_measured(path)


def test_files_that_are_written_again_have_new_checksums_and_others_keep_theirs(tmp_path: Path) -> None:
    for contents in (b"one", b"two"):
        for name in ("a", "b"):
            with sealed(tmp_path, [name]):
                (tmp_path / name).write_bytes(contents)
        assert [read_verified(tmp_path / name) for name in ("a", "b")] == [contents, contents]
    subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=tmp_path, check=True)
    (tmp_path / "c").write_bytes(b"new")
    with pytest.raises(InputError, match="not listed"):
        read_verified(tmp_path / "c")

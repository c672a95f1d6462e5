"""Data of one's own in whole runs: both commands, a sweep, and sets given from Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import homeonet
from homeonet import InputError, load_config
from homeonet.cli.main import main
from homeonet.data import Dataset
from homeonet.gradient.training import train_config
from homeonet.runs import load_run, run
from homeonet.runs.gradient import load_trained, train
from homeonet.sweep import Grid, open_sweep, sweep

TRAIN = {"net": "sg_snn", "net_options.hidden": 10, "size": 8, "train": 30, "val": 5, "test": 10, "epochs": 1}


def coloured(n: int = 60, side: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Red and green squares of equal luminance: told apart by colour alone."""
    y = np.resize([0, 1], n)
    x = np.zeros((n, side, side, 3), np.uint8)
    x[y == 0] = (255, 0, 0)
    x[y == 1] = (0, 130, 0)
    return x, y


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    x, y = coloured()
    for k, (image, label) in enumerate(zip(x, y, strict=True)):
        place = tmp_path / "own: pictures ü" / ("green" if label else "red") / f"{k}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place)
    return tmp_path / "own: pictures ü"


def test_training_sees_colours_and_a_moved_folder_opens(pictures: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = [f"--{name}={value}" for name, value in TRAIN.items() if "." not in name]
    given = ["train", "lif", "--data", f"images:{pictures.name}", *options, "--set", "net_options.hidden=10"]
    assert main([*given, "--set", "lr=0.05", "--epochs", "8", "--no-figures", "--out", "first"]) == 0
    stored = tomllib.loads((tmp_path / "first" / "config.toml").read_text(encoding="utf-8"))
    assert stored["data"].startswith(f"images:{pictures}#")
    shutil.move(tmp_path / "first", tmp_path / "moved")
    shutil.rmtree(pictures)
    found = load_trained(tmp_path / "moved")
    assert next(found.model.encode.parameters()).shape == (10, 3 * 8 * 8) and found.metrics["channels"] == 3
    assert found.metrics["accuracy.test"] == 1.0 == found.metrics["accuracy.raw_pixels"]


@pytest.mark.parametrize("net", ["conv", "columns", "sequence"])
def test_networks_take_the_channels_of_the_data(net: str) -> None:
    data = Dataset.from_arrays(*coloured())
    encoding = {"conv": "direct", "columns": "columns", "sequence": "pixels"}[net]
    options = {
        "net": net,
        "net_options": {"width": 0.25} if net == "conv" else {"width": 8},
        "encoding": encoding,
    }
    if net == "conv":
        options |= {"augment": "crop,flip,cutout"}
    common = {name: TRAIN[name] for name in ("size", "train", "val", "test", "epochs")}
    result = train(train_config(**options, **common), dataset=data, baselines=False)
    assert result.metrics["channels"] == 3 and result.config.data == data.identity


def test_a_set_from_python_is_part_of_the_identity_of_a_run(tmp_path: Path) -> None:
    config = train_config(**TRAIN)
    x, y = coloured()
    data = Dataset.from_arrays(x, y)
    first = homeonet.train(config, tmp_path / "run", dataset=data, figures=False, baselines=False)
    assert train(config, tmp_path / "run", dataset=Dataset.from_arrays(x, y)).found_complete
    assert load_trained(tmp_path / "run").config.data == data.identity != config.data
    with pytest.raises(InputError, match="other parameters"):
        train(config, tmp_path / "run", dataset=Dataset.from_arrays(x, 1 - y))
    assert first.config.run_id != config.run_id
    with pytest.raises(InputError, match="set train = 48, val = 0"):
        train(config.model_copy(update={"train": 400, "val": 0}), dataset=data)


def test_series_of_several_channels_have_their_own_length() -> None:
    x = np.random.default_rng(0).random((60, 12, 3))
    data = Dataset.from_series(x, np.resize([0, 1], 60))
    options = {"net": "sequence", "net_options": {"width": 8}, "train": 30, "val": 5, "test": 10, "epochs": 1}
    result = train(train_config(**options), dataset=data)
    assert (result.config.encoding, result.config.size) == ("series", 12)
    assert next(result.model.encode.parameters()).shape == (8, 3)
    with pytest.raises(InputError, match="set size = 12"):
        train(train_config(**options, size=13), dataset=data)
    with pytest.raises(InputError, match="sees images"):
        run(load_config("massey2026", {"train": 10, "test": 5}), dataset=data)


SMALL = {"train": 12, "test": 10, "input.side": 6, "exc.n": 30, "inh.n": 10, "input_exc.density": 0.4}


def test_the_plastic_network_runs_on_a_folder_and_on_arrays(pictures: Path, tmp_path: Path, capsys) -> None:
    options = [part for name, value in SMALL.items() for part in ("--set", f"{name}={value}")]
    given = ["run", "massey2026", "--data", f"images:{pictures}", *options, "--no-figures", "--no-baselines"]
    assert main([*given, "--out", str(tmp_path / "run")]) == 0
    stored = load_run(tmp_path / "run").config
    assert stored.data.startswith(f"images:{pictures}#")
    assert main(["evaluate", str(tmp_path / "run"), "--test", "5"]) == 0
    data = Dataset.from_arrays(*coloured())
    result = run(
        load_config("massey2026", SMALL), tmp_path / "arrays", dataset=data, figures=False, baselines=False
    )
    assert load_run(tmp_path / "arrays").config.data == data.identity == result.config.data
    network = homeonet.load_network(tmp_path / "arrays")
    assert homeonet.evaluate(
        network, homeonet.data.selected(data, 6, 12, 0, 5, 0)
    ).readouts  # colours are turned grey
    assert main(["data", f"images:{pictures}"]) == 0
    assert "green, red" in capsys.readouterr().out


def test_a_sweep_pins_its_data(pictures: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    fixed = {"neuron": "lif", **TRAIN, "data": f"images:{pictures.name}"}
    found = sweep(Grid(fixed, {"seed": [1, 2]}), "s", workers=1)
    assert not found.failed and (found.results["state"] == "done").all()
    assert tomllib.loads(Path("s/grid.toml").read_text(encoding="utf-8"))["set"]["data"].startswith(
        f"images:{pictures}#"
    )
    shutil.rmtree(pictures)
    assert (open_sweep("s")["accuracy.raw_pixels"] == 1).all()


def test_the_public_names_of_training_load_torch_where_they_are_used() -> None:
    code = "import sys, homeonet; dir(homeonet), homeonet.data.Dataset; assert 'torch' not in sys.modules; "
    code += "assert homeonet.train.__module__ == 'homeonet.runs.gradient' and 'torch' in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert {"train", "train_config", "load_trained"} <= set(dir(homeonet))

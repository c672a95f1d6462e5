"""``homeonet train`` as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from homeonet.cli.main import main
from homeonet.machine.optional import install_command

SMALL = [
    *("train", "lif", "--net", "sg_snn", "--size", "8", "--train", "120", "--val", "30", "--test", "40"),
    *("--batch", "30", "--epochs", "2", "--accelerator", "cpu", "--no-baselines"),
    *("--set", "net_options.hidden=20", "--set", "neuron_options.threshold=0.1"),
    *("--set", "optimizer=sgd", "--set", "lr=0.05"),
]


_ONLINE = ["--homeostasis", "ahsar", "--train", "40", "--val", "0", "--batch", "10", "--epochs", "1"]
#: What two processes train as one does: arguments after `homeonet train`.
TOGETHER = {
    "lif, ahsar": ["lif", "--homeostasis", "ahsar"],
    "trlif, mp_init": ["trlif", "--homeostasis", "mp_init"],
    "lif, online": ["lif", *_ONLINE, "--set", "paradigm=online"],
    "lif, one random step": ["lif", *_ONLINE, "--set", "paradigm=online_random"],
    "recurrentlif, online": ["recurrentlif", *_ONLINE, "--set", "paradigm=online"],
}


def training_of(case: str, out: Path) -> list[str]:
    neuron, *options = TOGETHER[case]
    return ["train", neuron, *SMALL[2:], "--no-figures", *options, "--out", str(out)]


@pytest.fixture(scope="module")
def by_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All cases trained by two processes, one after the other: starting them takes longer than training."""
    folder = tmp_path_factory.mktemp("by_two")
    runs = [[*training_of(case, folder / case), "--devices", "2"] for case in TOGETHER]
    script = folder / "all_cases.py"
    script.write_text(
        f"from homeonet.cli.main import main\nfor arguments in {runs!r}:\n    assert main(arguments) == 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", str(script)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("written to") == len(TOGETHER)  # one of the two says so
    return folder


@pytest.mark.parametrize("case", TOGETHER)
def test_two_processes_train_the_same_network_as_one(case: str, by_two: Path, tmp_path: Path) -> None:
    assert main(training_of(case, tmp_path / "one")) == 0
    one, two = (load_file(folder / "model.safetensors") for folder in (tmp_path / "one", by_two / case))
    metrics = json.loads((tmp_path / "one" / "metrics.json").read_text())
    assert metrics["rate.neuron"] > 0.01  # else nothing was learnt
    for name in one:
        np.testing.assert_allclose(two[name], one[name], atol=1e-5)


def test_a_run_s_folder_and_table(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "run"
    assert main([*SMALL, "--homeostasis", "ahsar", "--tensorboard", "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "accuracy, test" in shown and f"written to {out}" in shown
    expected = {
        "SHA256SUMS",
        "config.toml",
        "epochs.csv",
        "figures",
        "metrics.json",
        "model.safetensors",
        "records.nc",
        "tensorboard",
    }
    assert {p.name for p in out.iterdir()} == expected
    figures = {"confusion", "embedding", "layer_dead", "layer_rates", "learning", "weights"}
    assert {p.stem for p in (out / "figures").iterdir()} == figures
    assert len((out / "epochs.csv").read_text().splitlines()) == 3
    assert main(["train", str(out / "config.toml"), "--no-baselines", "--out", str(out)]) == 0
    assert "already complete" in capsys.readouterr().out
    drawn = {path.name: path.read_bytes() for path in (out / "figures").iterdir()}
    shutil.rmtree(out / "figures")
    assert main(["figure", str(out)]) == 0
    assert {path.name: path.read_bytes() for path in (out / "figures").iterdir()} == drawn
    assert main(["figure", str(out), "--format", "svg", "--out", str(tmp_path / "svg")]) == 0
    assert {path.name for path in (tmp_path / "svg").iterdir()} == {f"{name}.svg" for name in figures}
    capsys.readouterr()
    assert main(["evaluate", str(out)]) == 2 and main(["figure", str(tmp_path)]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "is a run of `homeonet train`" in first and "it holds no metrics.json" in second


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "xif", "--out", "x"], "neuron = 'xif' is unknown"),
        (["train", "lif", "--epochs", "0", "--out", "x"], "epochs = 0"),
        (["train", "lif", "--homeostasis", "rest", "--out", "x"], "homeostasis.rest"),
        (["train", "lif", "--set", "colour=red", "--out", "x"], "colour is not a parameter"),
        (["train", "lif", "--set", "colour", "--out", "x"], 'has no "="'),
        (["train", "nowhere.toml", "--out", "x"], "nowhere.toml"),
    ],
)
def test_bad_arguments_are_one_line(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_without_torch_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    assert main(["train", "lif", "--out", str(tmp_path / "x")]) == 2
    error = capsys.readouterr().err
    assert install_command("gradient") in error and error.count("\n") == 1

"""The command line as a user meets it: exit codes, one-line errors, the folder of a run, resuming."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from homeonet import InputError, load_config
from homeonet.cli.main import main
from homeonet.store import load_records
from tests.support.commands import command
from tests.support.short_runs import TIMING

TINY = [
    "--train",
    "60",
    "--test",
    "30",
    "--set",
    "input.presentation=0.1 s",
    "--set",
    "evaluation.presentation=0.1 s",
]


def metrics(folder: Path) -> dict:
    return {k: v for k, v in json.loads((folder / "metrics.json").read_text()).items() if k not in TIMING}


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "one"
    done = command("run", "massey2026", *TINY, "--out", str(folder))
    assert done.returncode == 0, done.stderr
    assert "accuracy, logistic" in done.stdout
    return folder


def test_a_run_s_folder_holds_what_is_promised(finished: Path) -> None:
    found = metrics(finished)
    for key in ("logistic", "qda", "raw_pixels", "frozen"):
        assert found[f"accuracy.{key}.ci_low"] <= found[f"accuracy.{key}"] <= found[f"accuracy.{key}.ci_high"]
    for pathway in ("input_exc", "exc_exc", "exc_inh", "inh_exc"):
        assert found[f"weights.{pathway}.initial"] > 0 and found[f"weights.{pathway}.final"] > 0
    assert found["rate_hz.exc"] >= 0 and found["rate_hz.inh"] >= 0 and 0 <= found["sleep_fraction"] < 1
    assert set(json.loads((finished / "metrics.json").read_text())) >= TIMING
    config = load_config(finished / "config.toml")
    assert config.run_id == found["run_id"] and config.train == 60
    records = xr.load_dataset(finished / "records.nc", engine="h5netcdf")
    assert records.sizes["image_test"] == 30 and records.sizes["unit"] == 250
    assert records["time"].attrs["units"] == "s" and records["rate"].attrs["units"] == "Hz"
    assert {p.name for p in (finished / "figures").glob("*.png")} >= {
        "weight_trajectories.png", "total_weight.png", "weight_histograms.png", "rates.png", "raster.png",
        "receptive_fields.png", "confusion_logistic.png", "embedding.png",
    }  # fmt: skip
    assert not list(finished.parent.glob(".*.partial"))


def test_the_same_command_returns_the_finished_run(finished: Path) -> None:
    before = (finished / "metrics.json").stat().st_mtime_ns
    again = command("run", "massey2026", *TINY, "--out", str(finished))
    assert again.returncode == 0
    assert (finished / "metrics.json").stat().st_mtime_ns == before


def test_another_run_does_not_overwrite_it(finished: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["run", "massey2026", *TINY, "--seed", "9", "--out", str(finished)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("homeonet: error: out = ") and "choose another folder" in error


def test_evaluate_reproduces_the_run_s_accuracies(finished: Path) -> None:
    from homeonet import evaluate, load_network
    from homeonet.data import load

    network = load_network(finished)
    config = network.config
    dataset = load(config.data, train=config.train, test=config.test, seed=config.seed)
    found = evaluate(network, dataset).readouts
    for name, result in found.items():
        assert result.accuracy == metrics(finished)[f"accuracy.{name}"]
    assert command("evaluate", str(finished)).returncode == 0


def test_stored_spike_counts_give_the_run_s_accuracies(finished: Path, capsys: pytest.CaptureFixture) -> None:
    from homeonet import read_out

    found = read_out(finished)
    assert list(found) == ["logistic", "qda", "knn", "diehl_cook", "paper"]
    for name, result in found.items():
        assert result.accuracy == metrics(finished)[f"accuracy.{name}"]
    both = read_out(finished, readouts=["qda"], populations=["exc", "inh"])["qda"]
    np.testing.assert_array_equal(both.predictions, found["qda"].predictions)
    few = read_out(finished, readouts=["knn"], populations=["inh"])["knn"]
    counts = load_records(finished)["features_test"]
    assert counts.sizes["unit"] == 250 and few.n_test == len(counts)
    with pytest.raises(InputError, match="'exc2' is not one of exc, inh"):
        read_out(finished, populations=["exc2"])
    with pytest.raises(InputError, match="'lda' is not known"):
        read_out(finished, readouts=["lda"])
    assert main(["evaluate", str(finished), "--stored", "--populations", "inh"]) == 0
    assert "inh, stored" in capsys.readouterr().out
    for more, said in ((["--stored", "--test", "5"], "--test asks"), (["--populations", "inh"], "add it")):
        assert main(["evaluate", str(finished), *more]) == 2
        assert said in capsys.readouterr().err


def test_a_run_stopped_from_the_terminal_continues_to_the_same_result(tmp_path: Path) -> None:
    """Ctrl-C in the middle of training, then to the end."""
    long = [
        "--train",
        "400",
        "--test",
        "30",
        "--set",
        "evaluation.presentation=0.1 s",
        "--no-figures",
        "--no-baselines",
    ]
    undisturbed, disturbed = tmp_path / "a", tmp_path / "b"
    assert command("run", "massey2026", *long, "--out", str(undisturbed)).returncode == 0
    checkpoint = tmp_path / ".b.partial" / "checkpoint.npz"
    process = subprocess.Popen(
        [sys.executable, "-m", "homeonet", "run", "massey2026", *long, "--out", str(disturbed)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    partial = tmp_path / ".b.partial" / "config.toml"
    while not partial.exists() and process.poll() is None:
        time.sleep(0.02)
    time.sleep(1.2)
    process.send_signal(signal.SIGINT)
    error = process.communicate()[1]
    assert process.returncode == 130
    assert error.strip().startswith("homeonet: interrupted") and len(error.strip().splitlines()) == 1
    assert checkpoint.exists() and not disturbed.exists()
    assert command("run", "massey2026", *long, "--out", str(disturbed)).returncode == 0
    assert metrics(disturbed) == metrics(undisturbed)
    first, second = (xr.load_dataset(f / "records.nc", engine="h5netcdf") for f in (undisturbed, disturbed))
    assert first.equals(second)


BAD = [
    (["run", "massey", "--out", "x"], "massey2026"),
    (["run", "massey2026", "--set", "sleep.ratoi=0.1", "--out", "x"], "sleep.ratio"),
    (["run", "massey2026", "--set", "noise.sigma=3 s", "--out", "x"], "mV"),
    (["run", "massey2026", "--set", "noise.sigma=3", "--out", "x"], "unit"),
    (["run", "massey2026", "--set", "sleep.ratio=1.1", "--out", "x"], "less than or equal to 1"),
    (["run", "massey2026", "--set", "sleep.ratio=-0.1", "--out", "x"], "greater than or equal to 0"),
    (["run", "massey2026", "--set", "sleep.decay=1.0", "--out", "x"], "less than 1"),
    (["run", "massey2026", "--set", "sleep.ratio", "--out", "x"], "="),
    (["run", "massey2026", "--data", "mnits", "--out", "x"], "mnist"),
    (["run", "massey2026", "--train", "5000", "--out", "x"], "4000"),
    (["run", "massey2026", "--train", "3", "--out", "x"], "class"),
    (["run", "massey2026", "--device", "gpu", "--out", "x"], "cpp"),
    (["run", "massey2026", "--out", "/proc/nowhere/x"], "/proc/nowhere"),
    (["run", "missing.toml", "--out", "x"], "missing.toml"),
    (["train", "lif", "--homeostasis", "sleep", "--out", "x"], "net_options.spiking_output = True"),
    (["figure", "nowhere"], "nowhere"),
    (["evaluate", "nowhere"], "nowhere"),
]


@pytest.mark.parametrize(("arguments", "remedy"), BAD, ids=[" ".join(a) for a, _ in BAD])
def test_bad_input_is_one_line_with_the_remedy(
    arguments: list[str],
    remedy: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("homeonet: error: ") and len(error.splitlines()) == 1
    assert remedy in error
    assert not (tmp_path / "x").exists()


def test_without_a_compiler_cpp_says_how_to_get_one_and_auto_falls_back(tmp_path: Path) -> None:
    no_compiler = {"PATH": str(tmp_path), "CXX": "", "HOMEONET_CACHE": str(tmp_path / "cache")}
    refused = command(
        "run", "massey2026", *TINY, "--device", "cpp", "--out", str(tmp_path / "a"), **no_compiler
    )
    assert refused.returncode == 2 and "apt install g++" in refused.stderr
    small = ["--train", "40", "--test", "20", "--set", "input.presentation=0.02 s"]
    small += ["--set", "evaluation.presentation=0.02 s", "--no-figures", "--no-baselines"]
    fallen = command("run", "massey2026", *small, "--out", str(tmp_path / "b"), **no_compiler)
    assert fallen.returncode == 0, fallen.stderr
    assert "NumPy target" in fallen.stderr
    assert json.loads((tmp_path / "b" / "metrics.json").read_text())["device"] == "runtime"


def test_doctor_presets_and_data() -> None:
    doctor = command("doctor")
    assert doctor.returncode == 0 and "passed" in doctor.stdout and "brian2" in doctor.stdout
    assert "massey2026_released" in command("presets").stdout
    assert "mnist5k" in command("data").stdout


def test_a_printed_preset_is_that_preset(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(command("presets", "massey2026_released").stdout)
    assert load_config(path) == load_config("massey2026_released")
    assert load_config(path, {"sleep.ratio": 0.3}).sleep.ratio == 0.3


def test_importing_homeonet_loads_neither_brian2_nor_torch() -> None:
    code = "import sys, homeonet, homeonet.plastic; homeonet.run;"
    code += "print('brian2' in sys.modules, 'torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["False", "False"]


def test_the_gradient_side_needs_no_brian2() -> None:
    code = "import sys; sys.modules['brian2'] = None\n"
    code += "import homeonet.gradient, homeonet.gradient.training, homeonet.gradient.homeostasis, torch\n"
    code += "net = homeonet.gradient.networks.network('sg_snn', (4,), 2, homeonet.gradient.networks.Parts('lif'))\n"
    code += "print(tuple(net(torch.rand(3, 1, 4)).shape))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.strip() == "(3, 1, 2)"

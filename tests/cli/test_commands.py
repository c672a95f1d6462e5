"""What each command promises: help whose examples work, one-line errors, figures, evaluation, a fast start."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from homeonet import InputError, __version__, load_config, load_network, load_run, preset_names, run
from homeonet.analysis import evaluate_readout
from homeonet.cli import doctor as _doctor
from homeonet.cli.main import main
from homeonet.data import load
from homeonet.plastic import read_features
from homeonet.plastic.program._program import Program
from tests.support.commands import command, refused

COMMANDS = ("run", "evaluate", "figure", "claims", "presets", "data", "doctor")
#: A run of a second; 225 inputs and 250 neurons, as in the preset, so that nothing is compiled anew.
SHORT = ["--data", "geometric", "--train", "40", "--test", "20"]
SHORT += ["--set", "input.presentation=0.5 s", "--set", "evaluation.presentation=0.5 s"]
SHORT_VALUES = {"data": "geometric", "train": 40, "test": 20, "input.presentation": "0.5 s"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run's folder, and what the command printed."""
    folder = tmp_path_factory.mktemp("short") / "deep" / "er" / "one"
    done = command("run", "massey2026", *SHORT, "--out", str(folder), COLUMNS="200")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return folder, done.stdout


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_example_of_the_help_can_be_typed(name: str, capsys: pytest.CaptureFixture) -> None:
    from homeonet.cli.main import _parser
    from homeonet.cli.options import parse_assignments

    with pytest.raises(SystemExit) as stopped:
        main([*name.split(), "--help"])
    assert stopped.value.code == 0
    lines = capsys.readouterr().out.partition("examples:\n")[2].splitlines()
    examples = [re.sub(r"\s+\(.*\)|> \S+", "", line).strip() for line in lines if "homeonet" in line]
    assert examples
    for example in examples:
        words = shlex.split(example)
        words = words[words.index("homeonet") + 1 :]
        options = _parser().parse_args(words)
        if words[0] == "run":
            overrides = {k: v for k in ("data", "train", "test", "seed") if (v := getattr(options, k))}
            load_config(options.preset, overrides | parse_assignments(options.set))
        if words[0] == "presets":
            assert options.name in (None, *preset_names())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fly"], ("fly", "run", "homeonet --help")),
        (["run", "massey2026"], ("--out", "homeonet run --help")),
        (["run", "--out", "x"], ("preset", "homeonet run --help")),
        (["run", "massey2026", "--train", "many", "--out", "x"], ("--train", "many")),
        (["run", "massey2026", "--train", "0", "--out", "x"], ("train", "greater than or equal to 1")),
        (["run", "massey2026", "--seed", "-1", "--out", "x"], ("seed",)),
        (["run", "massey2026", "--sede", "1", "--out", "x"], ("--sede",)),
        (["run", "massey2026", "--workers", "0", "--out", "x"], ("workers = 0", "at least 1")),
        (["run", "massey2026", "--device", "gpu", "--out", "x"], ("gpu", "not known", "cpp, cuda")),
        (["run", "massey2026", "--data", "mnist", "--data-folder", "no/where", "--out", "x"], ("no/where",)),
        (["figure", "x", "--format", "gif"], ("gif", "png", "svg")),
        (["presets", "massey"], ("massey2026",)),
        (["data", "--data-folder", "no/where"], ("no/where",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_arguments_are_one_line(
    arguments: list[str], words: tuple[str, ...], tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    message = refused(arguments, capsys)
    assert all(word in message for word in words), message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--train", "--test"])
def test_evaluate_refuses_no_images(option: str, finished, capsys: pytest.CaptureFixture) -> None:
    assert option.removeprefix("--") in refused(["evaluate", str(finished[0]), option, "0"], capsys)


def test_the_folder_holds_nothing_else(finished) -> None:
    folder, _ = finished
    assert {path.name for path in folder.iterdir()} == {
        "SHA256SUMS",
        "config.toml",
        "figures",
        "metrics.json",
        "model.txt",
        "records.nc",
    }
    assert [path.name for path in folder.parent.iterdir()] == ["one"]
    assert all(path.suffix == ".png" for path in (folder / "figures").iterdir())
    keys = json.loads((folder / "metrics.json").read_text())
    assert keys["steps_per_second"] > 0 and keys["compile_seconds"] >= 0 and keys["rate_hz.exc"] > 0


def test_records_have_named_dimensions_and_units(finished) -> None:
    with xr.open_dataset(finished[0] / "records.nc", engine="h5netcdf") as records:
        dimensions = {name: records[name].dims for name in ("rate", "pathway_mean", "features_test")}
        assert dimensions == {
            "rate": ("time", "population"),
            "pathway_mean": ("time", "pathway"),
            "features_test": ("image_test", "unit"),
        }
        assert not [d for d in records.dims if str(d).startswith(("dim_", "phony"))]
        units = {"time": "s", "snapshot_time": "s", "wake_time": "s", "sleep_start": "s", "raster_time": "s"}
        units |= {"rate": "Hz", "threshold_rise_exc": "V", "features_test": "spikes"}
        assert {name: records[name].attrs.get("units") for name in units} == units
        assert records.sizes["image_train"] == 40 and records.sizes["image_test"] == 20
        # the spikes of the records are the rates of the metrics
        metrics = json.loads((finished[0] / "metrics.json").read_text())
        assert float(records["rate"].sel(population="exc").mean()) == pytest.approx(
            metrics["rate_hz.exc"], rel=0.02
        )


def test_final_weights_of_metrics_are_those_of_records(finished) -> None:
    opened = load_run(finished[0])
    for name in opened.records["pathway"].values:
        for when in ("initial", "final"):
            mean = float(opened.records[f"w_{when}_{name}"].mean())
            assert mean == pytest.approx(opened.metrics[f"weights.{name}.{when}"], rel=1e-12)


def test_validation_images_are_scored_and_change_nothing_else(finished, tmp_path: Path) -> None:
    out = tmp_path / "r"
    done = command(
        "run", "massey2026", *SHORT, "--set", "val=30", "--no-figures", "--out", str(out), COLUMNS="200"
    )
    assert done.returncode == 0, done.stderr
    result, without = load_run(out), load_run(finished[0])
    assert {k: result.metrics[k] for k in without.metrics if k.startswith("accuracy")} == {
        k: v for k, v in without.metrics.items() if k.startswith("accuracy")
    }
    dataset = load("geometric", train=40, val=30, test=20, seed=1)
    features = read_features(
        load_network(out), np.concatenate([dataset.x_test, dataset.x_train, dataset.x_val])
    )
    shown, tested = result.config.input.presentation, result.config.evaluation.presentation
    learning = result.records["features_learning"].values / shown, result.records["labels_learning"].values
    drawn = np.random.default_rng(1).permutation(40)[:32]
    codes = dict.fromkeys(
        ("logistic", "qda", "knn", "diehl_cook"), (features[20:60], dataset.y_train, features[60:])
    )
    codes["paper"] = (learning[0][drawn], learning[1][drawn], features[60:] / tested)
    for name, (train, labels, scored) in codes.items():
        expected = evaluate_readout(
            name,
            train,
            labels,
            scored,
            dataset.y_val,
            seed=1,
            tune=name == "logistic",
            n_exc=200,
        )
        key = f"accuracy.val.{name}"
        found = [result.metrics[f"{key}{part}"] for part in ("", ".ci_low", ".ci_high", ".n")]
        assert found == [expected.accuracy, expected.ci_low, expected.ci_high, 30]
        assert key not in without.metrics
    assert len(re.findall(r"│ +validation, .*\[[\d., ]+\]", done.stdout)) == 5


def test_a_finished_run_is_said_to_be_and_gets_its_missing_figures(finished, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "r"
    shutil.copytree(finished[0], folder)
    figures = {path.name: path.read_bytes() for path in (folder / "figures").iterdir()}
    shutil.rmtree(folder / "figures")
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    arguments = ["run", "massey2026", *SHORT, "--out", str(folder)]
    assert main([*arguments, "--no-figures"]) == 0
    assert f"already complete, nothing was run again: {folder}" in capsys.readouterr().out
    assert not (folder / "figures").exists()
    assert main(arguments) == 0
    assert {path.name: path.read_bytes() for path in (folder / "figures").iterdir()} == figures
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir() if p.name != "figures"} == before
    assert "written to" in finished[1] and "already complete" not in finished[1]


def test_a_run_of_another_version_is_neither_returned_nor_overwritten(
    finished, tmp_path: Path, capsys
) -> None:
    folder = tmp_path / "r"
    shutil.copytree(finished[0], folder)
    metrics = folder / "metrics.json"
    (folder / "SHA256SUMS").unlink()
    metrics.write_text(metrics.read_text().replace(f'"{__version__}"', '"0.0.9"'))
    message = refused(["run", "massey2026", *SHORT, "--out", str(folder)], capsys)
    assert "homeonet 0.0.9" in message and __version__ in message and "another folder" in message
    assert load_run(folder).metrics["homeonet_version"] == "0.0.9"


def test_compile_seconds_count_the_evaluation_s_program(monkeypatch: pytest.MonkeyPatch) -> None:
    from homeonet.runs import plastic

    built = []
    monkeypatch.setattr(plastic, "program_for", lambda s, device: built.append(s) or Program(Path(), 1.5))
    result = run(load_config("massey2026", SHORT_VALUES), figures=False, baselines=False)
    assert result.metrics["compile_seconds"] == 1.5
    assert [{pathway.rule for pathway in structure.pathways} for structure in built] == [{"static"}]


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["evaluate"], "homeonet.runs.evaluate"),
        (["figure"], "homeonet.runs.results.draw_figures"),
        (["doctor"], "homeonet.cli.doctor.examine"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_ctrl_c_promises_to_continue_only_what_continues(
    arguments: list[str], place: str, finished, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(place, interrupt)
    assert main([*arguments, *([] if arguments == ["doctor"] else [str(finished[0])])]) == 130
    assert capsys.readouterr().err == "homeonet: interrupted; run it again\n"


@pytest.mark.parametrize(
    "start",
    [["-m", "homeonet"], ["-c", "import sys; from homeonet.cli.main import main; sys.exit(main())"]],
)
def test_ctrl_c_during_imports_is_one_line(start: list[str], tmp_path: Path) -> None:
    """The import of a dependency is interrupted: that of pydantic, which every configuration needs."""
    (tmp_path / "pydantic.py").write_text("raise KeyboardInterrupt")
    for arguments, remedy in (
        (["presets"], "run it again"),
        (["run", "massey2026", "--out", str(tmp_path / "r")], "continues it"),
    ):
        done = subprocess.run(
            [sys.executable, *start, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
        )
        assert done.returncode == 130 and done.stdout == ""
        assert done.stderr.startswith("homeonet: interrupted; ") and done.stderr.endswith(f"{remedy}\n")
        assert done.stderr.count("\n") == 1


def test_evaluate_prints_what_the_run_printed(finished) -> None:
    folder, printed = finished
    shown = command("evaluate", str(folder), COLUMNS="200")
    assert shown.returncode == 0, shown.stderr

    def accuracies(text: str) -> dict[str, str]:
        return dict(re.findall(r"│ (accuracy, [\w\s-]+?)\s+│\s+([\d.]+ \[[\d., ]+\])", text))

    assert len(accuracies(printed)) == 5
    assert accuracies(shown.stdout) == accuracies(printed)


def test_figure_redraws(finished, tmp_path: Path) -> None:
    figures = finished[0] / "figures"
    before = {path.name: path.read_bytes() for path in figures.iterdir()}
    (figures / "rates.png").write_bytes(b"")
    (figures / "raster.png").unlink()
    assert main(["figure", str(finished[0])]) == 0
    assert {path.name: path.read_bytes() for path in figures.iterdir()} == before
    assert main(["figure", str(finished[0]), "--format", "svg"]) == 0
    svg = {path.stem for path in figures.glob("*.svg")}
    for path in figures.glob("*.svg"):
        path.unlink()
    assert svg == {Path(name).stem for name in before}


def test_an_edited_preset_runs(finished, tmp_path: Path) -> None:
    text = command("presets", "massey2026").stdout
    assert "[paper]" in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace("seed = 1", "seed = 5").replace("ratio = 0.15", "ratio = 0.25"))
    options = [*SHORT, "--no-figures", "--no-baselines", "--out", str(tmp_path / "mine")]
    done = command("run", str(path), *options)
    assert done.returncode == 0, done.stderr
    config = load_config(tmp_path / "mine" / "config.toml")
    assert (config.seed, config.sleep.ratio) == (5, 0.25)
    assert not (tmp_path / "mine" / "figures").exists()
    assert not [key for key in load_run(tmp_path / "mine").metrics if "raw_pixels" in key]


def test_the_same_structure_starts_without_brian2(finished, tmp_path: Path) -> None:
    code = (
        "import sys; from homeonet.cli.main import main;"
        f"code = main(['run', 'massey2026', '--seed', '3', *{SHORT!r}, '--out', {str(tmp_path / 'r')!r}]);"
        "print(code, 'brian2' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == ["0", "False", "False"]
    assert load_run(tmp_path / "r").metrics["compile_seconds"] == 0


def test_workers_do_not_change_results(finished) -> None:
    folder, _ = finished
    config = load_config(folder / "config.toml")
    alone = run(config, workers=1, figures=False)
    assert alone.folder is None
    stored = load_run(folder)
    assert {k: v for k, v in alone.metrics.items() if k.startswith(("accuracy", "weights", "rate"))} == {
        k: v for k, v in stored.metrics.items() if k.startswith(("accuracy", "weights", "rate"))
    }
    np.testing.assert_array_equal(alone.records["features_test"], stored.records["features_test"])


def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for name in ("empty", "full", "file"):
        path = tmp_path / name
        path.write_text("precious") if name == "file" else path.mkdir()
        if name == "full":
            (path / "thesis.txt").write_text("precious")
        message = refused(["run", "massey2026", *SHORT, "--out", str(path)], capsys)
        assert str(path) in message and "choose the name of a new folder" in message
        with pytest.raises(InputError, match=r"not the folder of a finished run|cannot be read"):
            load_run(path)
    assert (tmp_path / "full" / "thesis.txt").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file", "full"]


@pytest.mark.parametrize(("here", "words"), [("2.9.0", "pip install brian2==2.10.1"), ("2.10.1", "no GPU")])
def test_doctor_says_whether_brian2cuda_fits(here: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_doctor, "version", {"brian2cuda": "1.0b1", "brian2": here}.__getitem__)
    monkeypatch.setattr(_doctor, "requires", lambda _: ["pytest; extra == 'test'", "brian2==2.10.1"])
    assert words in _doctor._brian2cuda_line()


def test_doctor_without_a_compiler_says_how_to_get_one(tmp_path: Path) -> None:
    shown = command("doctor", PATH=str(tmp_path), CXX="")
    assert shown.returncode == 0, shown.stderr
    assert "apt install g++" in shown.stdout and "conda install gxx" in shown.stdout
    assert re.search(r"self-test +passed in [\d.]+ s on runtime", shown.stdout)


def test_a_reader_that_leaves_is_no_error() -> None:
    shown = subprocess.run(
        ["bash", "-c", f"{shlex.quote(sys.executable)} -m homeonet presets massey2026 | true"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.stderr == ""


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture) -> None:
    assert main([]) == 2
    shown = capsys.readouterr().out
    assert all(f"    {name} " in shown for name in COMMANDS)


def test_version(capsys: pytest.CaptureFixture) -> None:
    from homeonet import __version__

    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0 and capsys.readouterr().out == f"homeonet {__version__}\n"

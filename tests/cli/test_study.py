"""The study script of the README, end to end on a few images."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from homeonet import load_run

STUDY = Path(__file__).parents[2] / "studies" / "sleep_wake" / "study.py"
# 40 images of half a second; sleeps after every second awake, so that the arms differ
FEW = ["--quick", "--data", "geometric", "--train", "40", "--test", "20"]
FEW += ["--set", "input.presentation=0.5 s", "--set", "evaluation.presentation=0.2 s"]
FEW += ["--set", "sleep.interval=2 s", "--set", "sleep.ratio=0.5"]


def study(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(STUDY), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "120"},
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess]:
    folder = tmp_path_factory.mktemp("study")
    return folder / "results" / "sleep_wake_quick", study(*FEW, cwd=folder)


def test_the_study_prints_and_writes_one_table(done) -> None:
    out, process = done
    assert process.returncode == 0 and process.stderr == "", process.stderr
    table = (out / "table.md").read_text()
    head, rule, *rows = table.splitlines()
    assert head == "|  | sleep | no sleep |" and set(rule) == set("| -")
    assert len(rows) >= 10 and all(row.count("|") == 4 for row in rows)
    printed = re.sub(r"\s+", " ", process.stdout)
    for row in rows:
        title, *cells = (cell.strip() for cell in row.strip("|").split("|"))
        assert title in printed and all(cell in printed for cell in cells), row
    assert str(Path("results", "sleep_wake_quick")) in process.stdout
    assert (out / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_its_arms_are_complete_runs_that_differ_in_sleep_alone(done) -> None:
    arms = {name: load_run(done[0] / name) for name in ("sleep", "no_sleep")}
    assert arms["sleep"].config.replace(sleep__ratio=0.0) == arms["no_sleep"].config
    assert arms["no_sleep"].metrics["sleep_fraction"] == 0 < arms["sleep"].metrics["sleep_fraction"]
    assert arms["sleep"].records.sizes["episode"] > 0 == arms["no_sleep"].records.sizes["episode"]
    for name in arms["sleep"].records["pathway"].values:
        initial = [arm.records[f"w_initial_{name}"] for arm in arms.values()]
        assert (initial[0].values == initial[1].values).all()
    assert arms["sleep"].metrics["accuracy.raw_pixels"] > 0.25


def test_it_continues_from_what_exists_and_refuses_other_parameters(done) -> None:
    out, _ = done
    before = (out / "sleep" / "records.nc").stat().st_mtime_ns
    again = study(*FEW, cwd=out.parents[1])
    assert again.returncode == 0, again.stderr
    assert (out / "sleep" / "records.nc").stat().st_mtime_ns == before
    other = study(*FEW, "--seed", "2", cwd=out.parents[1])
    assert other.returncode == 2
    assert other.stderr.startswith("homeonet: error: out = ") and other.stderr.count("\n") == 1


def test_bad_parameters_are_one_line(tmp_path: Path) -> None:
    for value in ("sleep.ratio=1.5", "sleep.ratio", "sleep.rati=0.1"):
        refused = study("--quick", "--set", value, cwd=tmp_path)
        assert refused.returncode == 2
        assert refused.stderr.startswith("homeonet: error: ") and refused.stderr.count("\n") == 1
        assert "sleep.ratio" in refused.stderr
    assert list(tmp_path.iterdir()) == []

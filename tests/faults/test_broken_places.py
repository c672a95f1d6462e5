"""Full disks, damaged folders, bad images, compilers that do not compile: one line each, nothing half-written.

Full disks are real ones: small memory file systems that live only in the namespace of the test's process.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from homeonet import HomeonetError, InputError, load_network, load_run, run
from homeonet.cli.main import main
from homeonet.data import load
from homeonet.plastic import Network, Training, read_features
from tests.support.commands import one_line
from tests.support.short_runs import PYTHON, SHORT, assert_same_run, short

# ------------------------------------------------------------------------------------------------------ disks


def on_small_disk(
    script: str, size: str, where: Path, options: str = "", **environment: str
) -> subprocess.CompletedProcess:
    """Run a shell script with a file system of `size` mounted at `where`, gone afterwards."""
    where.mkdir(exist_ok=True)
    mount = f"mount -t tmpfs -o size={size}{options} tmpfs {shlex.quote(str(where))}"
    try:
        allowed = subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, check=False)
    except OSError:
        pytest.skip("needs unshare, of Linux, to make a small file system")
    if allowed.returncode:
        pytest.skip("this system does not allow a user namespace with a small file system")
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", f"{mount} && {script}"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(("free", "kept"), [("20k", False), ("380k", True), ("700k", True)])
def test_a_disk_that_fills_up(free: str, kept: bool, finished: Path, tmp_path: Path) -> None:
    """Full at the checkpoint, at the records, at the figures; with space the same command completes the run."""
    disk, saved = tmp_path / "disk", tmp_path / "saved"
    options = " ".join(map(shlex.quote, SHORT))
    command = f"{PYTHON} -m homeonet run massey2026 {options} --out {disk}/r"
    script = f"""
        {command}; echo "code $?"; ls -A {disk}; ls -A {disk}/.r.partial
        mount -o remount,size=20m {disk}; {command} > {tmp_path}/table; echo "code $?"; cp -r {disk}/r {saved}
    """
    done = on_small_disk(script, free, disk)
    error, *rest = done.stderr.splitlines(keepends=True)
    one_line(error, "no space left to write", str(disk), "free some", "same command")
    assert not [line for line in rest if not line.startswith("ls:")], done.stderr
    words = done.stdout.split()
    assert words[:2] == ["code", "2"] and words[-2:] == ["code", "0"]
    assert ("checkpoint.npz" in words) == kept
    assert "r" not in words
    assert_same_run(finished, saved)


def test_a_full_temporary_folder_says_so(finished: Path, tmp_path: Path) -> None:
    disk = tmp_path / "tmp"
    options = " ".join(map(shlex.quote, SHORT))
    script = f"{PYTHON} -m homeonet run massey2026 {options} --out {tmp_path}/r"
    done = on_small_disk(script, "64k", disk, TMPDIR=str(disk))
    assert done.returncode == 1
    one_line(done.stderr, str(disk), "cannot be written", "free space or set TMPDIR")
    assert not (tmp_path / "r").exists()


def test_a_full_program_cache_says_so(tmp_path: Path) -> None:
    disk = tmp_path / "cache"
    options = " ".join(map(shlex.quote, SHORT))
    script = f"{PYTHON} -m homeonet run massey2026 {options} --out {tmp_path}/r; echo $?; find {disk}"
    done = on_small_disk(script, "8k", disk, HOMEONET_CACHE=str(disk))
    assert done.stdout.split()[0] == "2"
    one_line(done.stderr, str(disk), "cannot be written", "set HOMEONET_CACHE")
    assert done.stdout.split()[1:] == [str(disk), f"{disk}/programs"]
    assert not (tmp_path / "r").exists()


def test_a_program_cache_that_may_not_hold_programs_says_so(tmp_path: Path) -> None:
    disk = tmp_path / "cache"
    options = " ".join(map(shlex.quote, SHORT))
    script = f"{PYTHON} -m homeonet run massey2026 {options} --out {tmp_path}/r; echo $?"
    done = on_small_disk(script, "50m", disk, ",noexec", HOMEONET_CACHE=str(disk))
    assert done.stdout.strip() == "2"
    one_line(done.stderr, str(disk), "cannot be run", "noexec", "set HOMEONET_CACHE")
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("out", ["file/r", "file/deep/r", "x" * 300, "/proc/r", "/proc/no/r", "/dev/null/r"])
def test_a_folder_that_cannot_be_written(out: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("precious")
    assert main(["run", "massey2026", *SHORT, "--out", out]) == 2
    one_line(capsys.readouterr().err, "cannot be written", "choose another folder")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# ------------------------------------------------------------------------------------------- damaged results


@pytest.mark.parametrize("part", ["records.nc", "metrics.json", "config.toml"])
@pytest.mark.parametrize("damage", ["gone", "empty", "short", "other", "noise"])
def test_a_damaged_run_is_one_line(part: str, damage: str, finished: Path, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    for name in ("records.nc", "metrics.json", "config.toml"):
        (folder / name).write_bytes((finished / name).read_bytes())
    path = folder / part
    content = path.read_bytes()
    match damage:
        case "gone":
            path.unlink()
        case "other":
            path.write_text("[]")
        case "noise":
            middle = len(content) // 2
            path.write_bytes(content[:middle] + bytes(range(256)) + content[middle + 256 :])
        case _:
            path.write_bytes(content[: 0 if damage == "empty" else len(content) // 2])
    for command in ("evaluate", "figure"):
        assert main([command, str(folder)]) == 2
        one_line(capsys.readouterr().err, str(folder))
    with pytest.raises(InputError):
        load_network(folder)


# ------------------------------------------------------------------------------------------ images, compilers


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.5])
def test_pixels_that_are_not_numbers_are_refused_before_anything_is_shown(bad: float) -> None:
    config = short()
    images = np.full((3, 225), 0.5)
    images[1, 7] = bad
    with pytest.raises(InputError, match=r"image 1 .*repair it or leave it out"):
        Training([config], images)
    with pytest.raises(InputError, match=r"image 1 .*repair it or leave it out"):
        read_features(Network.untrained(config), images)


def test_few_images_are_enough_and_too_few_are_refused_at_once(tmp_path: Path, capsys) -> None:
    assert main(["run", "massey2026", *SHORT, "--train", "4", "--out", str(tmp_path / "r")]) == 2
    one_line(capsys.readouterr().err, "train = 4", "at least 5")
    assert list(tmp_path.iterdir()) == []
    result = run(short(train=5, test=4), tmp_path / "r")
    metrics = json.loads((tmp_path / "r" / "metrics.json").read_text())
    assert metrics["phi"] is None and 0 <= result.metrics["accuracy.logistic"] <= 1


@pytest.mark.parametrize("fake", ["false", "true"])
def test_a_compiler_that_does_not_compile(fake: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "homeonet", "run", "massey2026", *SHORT, "--out", str(tmp_path / "r")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "CXX": fake, "HOMEONET_CACHE": str(tmp_path / "cache")},
    )
    assert done.returncode == 1
    one_line(done.stderr, fake, "could not compile", "homeonet doctor")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache"]
    assert list((tmp_path / "cache" / "programs").iterdir()) == []


def test_a_program_that_dies_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training([short()], load("geometric", train=8, test=4).x_train)
    fake = tmp_path / "main"
    for body, words in (
        ("kill -9 $$", "exit status -9"),
        ("echo cannot write the output file >&2; exit 3", "TMPDIR"),
    ):
        fake.write_text(f"#!/bin/sh\n{body}\n")
        fake.chmod(0o755)
        monkeypatch.setattr(training.engine, "_folder", tmp_path)
        with pytest.raises(HomeonetError, match=words) as caught:
            training.advance(1.0)
        assert "\n" not in str(caught.value) and training.step == 0


def test_an_opened_run_is_the_run_that_was_written(finished: Path) -> None:
    opened = load_run(finished)
    assert opened.config == short() and opened.metrics["run_id"] == short().run_id

"""Ctrl-C at any moment of a command's start: exit code 130 and one short line, whatever was being imported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from homeonet.cli.main import main

_COMMANDS = {
    "train": (["train", "lif", "--out", "out"], "the same command continues it"),
    "run": (["run", "massey2026", "--out", "out"], "the same command continues it"),
    "sweep": (["sweep", "grid.toml"], "the same command continues it"),
    "figure": (["figure", "all", "--out", "out"], "run it again"),
    "claims": (["claims"], "run it again"),
}
_GRID = 'neuron = "lif"\n[grid]\nseed = [1, 2]\n'
#: A dependency that says when its import begins, goes on for long, and makes something else of an interruption.
_SLOW = """
import os, time
os.write(1, b"importing")
try:
    time.sleep(60)
except KeyboardInterrupt:
    raise AttributeError("module has no attribute, as it was interrupted") from None
"""
_STARTS = (["-m", "homeonet"], ["-c", "import sys; from homeonet.__main__ import start; start()"])


def started(arguments: list[str], folder: Path, **environment: str) -> subprocess.Popen:
    (folder / "grid.toml").write_text(_GRID)
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("start", _STARTS, ids=["module", "script"])
@pytest.mark.parametrize("name", _COMMANDS)
def test_an_import_that_is_interrupted_is_one_line(name: str, start: list[str], tmp_path: Path) -> None:
    arguments, remedy = _COMMANDS[name]
    (tmp_path / "numpy.py").write_text(_SLOW)
    process = started([*start, *arguments], tmp_path, PYTHONPATH=str(tmp_path))
    assert os.read(process.stdout.fileno(), 9) == b"importing"
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert (
        error.startswith("homeonet: interrupted; ")
        and error.endswith(f"{remedy}\n")
        and error.count("\n") == 1
    )


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.3, 0.6, 1.0])
def test_training_is_interrupted_in_one_line_at_any_moment_of_its_start(
    seconds: float, tmp_path: Path
) -> None:
    process = started(["-m", "homeonet", "train", "lif", "--out", "out"], tmp_path)
    while "_multiarray_umath" not in Path(f"/proc/{process.pid}/maps").read_text():
        time.sleep(0.005)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=60)[1]
    assert (
        process.returncode == 130 and error.startswith("homeonet: interrupted; ") and error.count("\n") == 1
    )


def test_a_caller_s_handler_of_interrupts_is_left_alone(capsys) -> None:
    def mine(*_: object) -> None:
        raise AssertionError

    before = signal.getsignal(signal.SIGINT)
    try:
        for handler in (mine, signal.SIG_IGN, signal.default_int_handler):
            signal.signal(signal.SIGINT, handler)
            assert main(["presets"]) == 0
            assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)

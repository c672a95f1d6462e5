"""What a shell is offered when it asks how a command may go on, and that nothing is imported unless it asks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from homeonet import load_config, preset_names
from homeonet.cli.completion import NAMES
from homeonet.data import NAMES as DATA_SETS

ROOT = Path(__file__).resolve().parents[2]


def offered(line: str, folder: Path) -> list[str]:
    """The words that the shell gets for `line`, the cursor at its end."""
    pytest.importorskip("argcomplete")
    answer = folder / "answer"
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "63",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", "homeonet"],
        env=os.environ | asked,
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0 and not done.stdout, done.stderr
    return [word.strip() for word in answer.read_text().splitlines()]


def test_commands_options_and_names(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("")
    (tmp_path / "mine.txt").write_text("")
    assert {"run", "train", "sweep", "doctor"} <= set(offered("homeonet ", tmp_path))
    assert offered("homeonet ru", tmp_path) == ["run"]
    assert {"--tensorboard", "--test", "--train"} == set(offered("homeonet run massey2026 --t", tmp_path))
    assert set(offered("homeonet run ", tmp_path)) >= {*preset_names(), "mine.toml"}
    assert offered("homeonet run mi", tmp_path) == ["mine.toml"]
    assert set(offered("homeonet run massey2026 --data ", tmp_path)) == set(DATA_SETS)
    assert offered("homeonet train tr", tmp_path) == ["trlif"]
    assert offered("homeonet train lif --homeostasis th", tmp_path) == ["threshold_adaptation"]
    assert offered("homeonet figure x --format p", tmp_path) == ["png", "pdf"]


def test_constants_that_are_offered_can_be_set(tmp_path: Path) -> None:
    keys = offered("homeonet run massey2026 --set sleep.", tmp_path)
    assert "sleep.ratio=" in keys and "sleep.longest=" in keys
    dumped = load_config("massey2026").model_dump()
    assert all(key.rstrip("=").partition(".")[2] in dumped["sleep"] for key in keys)


def test_names_are_those_of_the_registries() -> None:
    pytest.importorskip("torch")
    from typing import get_args

    from homeonet.gradient.homeostasis._named import _KINDS
    from homeonet.gradient.networks import NETWORKS
    from homeonet.gradient.networks._parts import NEURONS
    from homeonet.gradient.training import TrainConfig
    from homeonet.plastic import DEVICES

    assert set(NAMES["train", "neuron"]) == set(NEURONS)
    assert set(NAMES["train", "homeostasis"]) == set(_KINDS)
    assert set(NAMES["train", "net"]) <= set(NETWORKS)
    for name in ("encoding", "paradigm"):
        assert NAMES["train", name] == get_args(TrainConfig.model_fields[name].annotation)
    assert NAMES["run", "device"] == NAMES["evaluate", "device"] == DEVICES


def test_a_shell_completes(tmp_path: Path) -> None:
    """Bash itself, with what ``register-python-argcomplete`` gives it."""
    pytest.importorskip("argcomplete")
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    command = tmp_path / "homeonet"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m homeonet "$@"\n')
    command.chmod(0o755)
    code = "import argcomplete, sys; sys.stdout.write(argcomplete.shellcode(['homeonet']))"
    script = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    asks = (
        f'export PATH={tmp_path}:"$PATH"\n{script}\nCOMP_WORDS=(homeonet pre) COMP_CWORD=1 COMP_LINE="homeonet pre" '
        'COMP_POINT=12 COMP_TYPE=9\n_python_argcomplete homeonet pre homeonet\necho "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(["bash", "-c", asks], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.split() == ["presets"]


def test_nothing_is_imported_for_it_unless_a_shell_asks() -> None:
    code = (
        "import sys; from homeonet.cli.main import main; code = main(['presets']); "
        "sys.exit(code or 'argcomplete' in sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def test_without_argcomplete_a_shell_is_told_nothing(tmp_path: Path) -> None:
    code = "import sys; sys.modules['argcomplete'] = None; from homeonet.__main__ import start; start()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"_ARGCOMPLETE": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")

"""The walk of examples/README.md, command by command as it stands there, on fewer images."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import homeonet

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_the_walk_from_images_to_a_figure(tmp_path: Path) -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```sh\ncd examples/walk\n(.*?)```", text, re.DOTALL)
    assert block is not None
    folder = shutil.copytree(EXAMPLES / "walk", tmp_path / "walk")
    model = (folder / "triplet.toml").read_text(encoding="utf-8")
    for many, few in (("train = 400", "train = 60"), ("test = 120", "test = 20")):
        assert many in model
        model = model.replace(many, few)
    (folder / "triplet.toml").write_text(model, encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    commands = [shlex.split(line, comments=True) for line in block[1].splitlines()]
    assert len(commands) == 5
    for command in commands:
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
    run = homeonet.load_run(folder / "results" / "triplet")
    assert run.config.rule["triplet"].on_pre == "w -= eta*a2_minus*o1"
    assert run.recordings["membranes_v"].shape[1] == 10
    assert "Pfister & Gerstner" in (folder / "results" / "triplet" / "model.txt").read_text(encoding="utf-8")
    results = homeonet.sweep.open_sweep(folder / "results" / "sleep")
    assert dict(results.sizes)["sleep.ratio"] == dict(results.sizes)["seed"] == 2
    for figure in ("triplet_membranes.png", "sleep.png"):
        assert (folder / "results" / figure).stat().st_size > 5000

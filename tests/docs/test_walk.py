"""What examples/README.md says: the walk, command by command as it stands there on fewer images, and the files."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np

import homeonet
from homeonet.runs.images import load_images, presentation_order

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


def test_the_script_of_rewards_gives_one_for_each_image_in_the_order_shown(monkeypatch) -> None:
    """All but the run, which is one of any other."""
    given: list[homeonet.Config] = []

    def run(config: homeonet.Config, out: str | None) -> SimpleNamespace:
        given.append(config)
        return SimpleNamespace(metrics=defaultdict(float))

    monkeypatch.setattr(homeonet, "run", run, raising=False)
    monkeypatch.setattr(sys, "argv", ["reward.py"])
    runpy.run_path(str(EXAMPLES / "reward.py"), run_name="__main__")
    (config,) = given
    shown = load_images(config, None)
    labels = np.repeat(shown.y_train, config.epochs)
    rewards = np.array(config.signal["reward"].values)
    assert len(rewards) == len(presentation_order(shown.x_train, config)) == 400
    np.testing.assert_array_equal(rewards > 0, labels < 2)


def test_examples_name_the_files_that_are_there() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:\w+/)?\w+\.(?:toml|py))`", text))
    there = {
        str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.*") if path.suffix in (".toml", ".py")
    }
    assert named - {"config.toml", "triplet.toml"} <= there  # of a run's folder, and of the walk's
    assert {name for name in there if not name.startswith("walk/")} <= named
    for path in EXAMPLES.rglob("*.toml"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        place = path.name if path.parent.name == "walk" else f"examples/{path.relative_to(EXAMPLES)}"
        assert f": homeonet run {place} --out results/" in first or first.endswith(
            f": homeonet sweep {place}"
        )

"""A mechanism from outside the package, in one file: through a run, a sweep and the comparison of all paradigms."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd

import homeonet
from homeonet.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
MINE = """
preset = "massey2026"

[sleep]
ratio = 0.0

[pathway.inh_exc]
rule = "static"                       # as the comparison has it, so that all share their programs

[homeostasis.leak]
source_text = "this test"
when = "always"
every = "200 ms"
parameters = { keep = 0.9 }
on_weights = "w = w_target + keep*(w - w_target)"
"""
FEW = ["--train", "40", "--test", "20"]
#: Those that mechanisms of this kind are for.
NETWORKS = ("STDP (massey2026)", "STDP (homeonet)")


def test_one_file_goes_through_run_sweep_and_the_comparison(tmp_path: Path) -> None:
    file = tmp_path / "leak.toml"
    file.write_text(MINE, encoding="utf-8")
    quick = ["--data", "geometric", *FEW, "--no-figures", "--no-baselines", "--workers", "1"]
    assert main(["run", str(file), *quick, "--out", str(tmp_path / "run")]) == 0
    found = homeonet.load_run(tmp_path / "run")
    assert found.metrics["weights.input_exc.final"] < 0.9 * found.metrics["weights.input_exc.initial"]

    grid = tmp_path / "grid.toml"
    grid.write_text(
        'preset = "leak.toml"\ndata = "geometric"\ntrain = 40\ntest = 20\n'
        '[grid]\n"homeostasis.leak.enabled" = [false, true]\n',
        encoding="utf-8",
    )
    alone = ["--no-baselines", "--workers", "1", "--out", str(tmp_path / "sweep")]
    assert main(["sweep", str(grid), *alone]) == 0
    without, with_it = (
        homeonet.sweep.open_sweep(tmp_path / "sweep")["weights.input_exc.final"].to_numpy().ravel()
    )
    assert with_it < without

    study = ROOT / "studies" / "cross_paradigm" / "study.py"
    few = ["--data", "geometric", "--whole", *FEW, "--corrupted", "10", "--epochs", "1", "--seeds", "1"]
    few += ["--homeostasis", "none", "--networks", *NETWORKS, "SG-SNN", "--workers", "1"]
    few += ["--own", str(file), "--out", str(tmp_path / "all")]
    done = subprocess.run(
        [sys.executable, str(study), *few], capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet(tmp_path / "all" / "table.parquet").set_index(["paradigm", "homeostasis"])
    for network in NETWORKS:
        assert {"none", "leak"} <= set(table.loc[network].index)
        assert table.loc[(network, "leak"), "weight.drift"] != table.loc[(network, "none"), "weight.drift"]
    assert set(table.loc["SG-SNN"].index) == {"none"}
    assert (tmp_path / "all" / "figure.png").stat().st_size > 10_000

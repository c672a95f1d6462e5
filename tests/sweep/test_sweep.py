"""Sweeps: the same cells as single runs, the same tables for any number of workers, opened with named dimensions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from homeonet import InputError, run
from homeonet.cli.main import main
from homeonet.runs.kinds import KINDS
from homeonet.sweep import Grid, estimate, open_sweep, sweep, sweep_table
from tests.support.short_runs import assert_same_run

FIXED = {"preset": "massey2026", "data": "geometric", "train": 40, "test": 20}
FIXED |= {"input.presentation": "0.5 s", "evaluation.presentation": "0.2 s"}
GRID = Grid(FIXED, {"noise.sigma": ["1 mV", "3 mV"], "seed": [1, 2]})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sweep") / "two"
    assert sweep(GRID, out, workers=2).failed == {}
    return out


def test_one_worker_and_two_give_identical_tables(folder: Path, tmp_path: Path) -> None:
    sweep(GRID, tmp_path / "one", workers=1)
    for name in ("table.parquet", "grid.toml"):
        assert (folder / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    stored = [xr.load_dataset(f / "results.nc", engine="h5netcdf") for f in (folder, tmp_path / "one")]
    xr.testing.assert_identical(*stored)


def test_replicas_in_one_program_give_the_same_tables(folder: Path, tmp_path: Path) -> None:
    """One batch of three and one of one; only the moments at which weights are summed up differ."""
    sweep(GRID, tmp_path / "three", workers=1, replicas=3)
    tables = [pd.read_parquet(f / "table.parquet") for f in (folder, tmp_path / "three")]
    pd.testing.assert_frame_equal(*tables)
    first, second = (
        xr.load_dataset(f / "cells" / GRID.cells()[1].id / "records.nc", engine="h5netcdf")
        for f in (folder, tmp_path / "three")
    )
    for name in ("w_final_exc_exc", "features_test", "asleep", "rate"):
        np.testing.assert_array_equal(first[name], second[name])


def test_a_replica_that_runs_away_is_a_failed_cell_and_the_others_are_done(tmp_path: Path) -> None:
    grid = Grid(FIXED, {"guard.max_rate": ["0.5 Hz", "200 Hz"], "seed": [1]})
    found = sweep(grid, tmp_path / "s", workers=1, replicas=2, baselines=False)
    assert list(found.results["state"].to_numpy().ravel()) == ["failed", "done"]
    assert "above max_rate = 0.5 Hz" in next(iter(found.failed.values()))


@pytest.mark.parametrize(
    ("grid", "options", "words"),
    [
        (GRID, {"replicas": 0}, "replicas = 0: must be at least 1"),
        (Grid({"neuron": "lif"}, {"seed": [1]}), {"replicas": 2}, "only cells of the plastic network"),
    ],
)
def test_replicas_that_cannot_be_are_refused(grid: Grid, options: dict, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        sweep(grid, tmp_path / "s", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_cell_is_the_run_with_the_same_settings(folder: Path, tmp_path: Path) -> None:
    cell = GRID.cells()[3]
    run(cell.config, tmp_path / "single", figures=False, baselines=False)
    assert_same_run(folder / "cells" / cell.id, tmp_path / "single")


def test_baselines_are_those_of_a_run_and_are_shared(folder: Path) -> None:
    cell = GRID.cells()[0]
    single = run(cell.config, figures=False).metrics
    results = open_sweep(folder)
    for name in ("accuracy.raw_pixels", "accuracy.frozen.qda", "phi.frozen"):
        assert float(results[name][0, 0]) == single[name]
    shared = [KINDS["plastic"].baseline_config(cell.config).run_id for cell in GRID.cells()]
    assert shared[:2] == shared[2:] and shared[0] != shared[1]  # a seed, as sigma acts asleep only
    assert {path.name for path in (folder / "baselines").iterdir()} >= set(shared)


@pytest.mark.parametrize("same", ["sleep.ratio", "stdp.a_plus", "istdp.rho_target", "guard.window", "epochs"])
def test_what_only_training_sees_changes_no_baseline(same: str) -> None:
    values = {
        "sleep.ratio": 0.3,
        "stdp.a_plus": 2.0,
        "istdp.rho_target": "5 Hz",
        "guard.window": "3 s",
        "epochs": 2,
    }
    configs = [cell.config for cell in Grid(FIXED, {}, {"a": {}, "b": {same: values[same]}}).cells()]
    assert configs[0].run_id != configs[1].run_id
    assert len({KINDS["plastic"].baseline_config(config).run_id for config in configs}) == 1


@pytest.mark.parametrize("other", ["train", "input.side", "exc.theta_plus", "exc_exc.w_initial", "preset"])
def test_what_pixels_or_untrained_networks_see_changes_the_baseline(other: str) -> None:
    values = {
        "train": 41,
        "input.side": 16,
        "exc.theta_plus": "1 mV",
        "exc_exc.w_initial": 0.2,
        "preset": "homeonet",
    }
    fixed = {name: value for name, value in FIXED.items() if name != other}
    cases = {"a": {other: FIXED[other]} if other in FIXED else {}, "b": {other: values[other]}}
    configs = [cell.config for cell in Grid(fixed, {}, cases).cells()]
    assert len({KINDS["plastic"].baseline_config(config).run_id for config in configs}) == 2


def test_results_have_named_dimensions_and_units(folder: Path) -> None:
    results = open_sweep(folder)
    assert dict(results["accuracy.logistic"].sizes) == {"noise.sigma": 2, "seed": 2}
    assert results["noise.sigma"].to_numpy().tolist() == [1.0, 3.0]
    assert results["noise.sigma"].attrs["units"] == "mV"
    chosen = results.sel({"noise.sigma": 3.0, "seed": 2})
    metrics = json.loads((folder / "cells" / str(chosen["cell"].item()) / "metrics.json").read_text())
    assert chosen["accuracy.qda"].item() == metrics["accuracy.qda"]
    table = pd.read_parquet(folder / "table.parquet")
    pd.testing.assert_frame_equal(table, sweep_table(folder), check_dtype=False)
    assert len(table) == 4 and {"noise.sigma", "seed", "cell", "state", "accuracy.frozen"} <= set(table)
    assert "train_wall_seconds" in pd.read_parquet(folder / "timing.parquet")


def test_coordinates_are_numbers_where_all_values_are_and_names_stay_names() -> None:
    from homeonet.sweep._collect import _coordinate

    def read(name: str, values: list) -> tuple[list, dict]:
        _, found, attributes = _coordinate(name, values)
        return found.tolist(), attributes

    assert read("noise.sigma", ["0.1 mV", "3 mV"]) == ([0.1, 3.0], {"units": "mV"})
    assert read("noise.sigma", ["0.1 mV", "3 V"]) == (["0.1 mV", "3 V"], {})
    assert read("sleep.plastic", [True, False]) == (["True", "False"], {})
    assert read("seed", [1, 2]) == ([1, 2], {})
    assert read("case", ["3 mV", "1 mV"]) == (["3 mV", "1 mV"], {})


def test_a_finished_sweep_runs_nothing_and_a_larger_grid_only_what_is_new(
    folder: Path, tmp_path: Path
) -> None:
    seen = {p: p.stat().st_mtime_ns for p in (folder / "cells").rglob("*") if p.is_file()}
    told = []

    class Meter:
        def __init__(self, total: int, _dashboard: str) -> None:
            told.append(total)

        def __enter__(self):
            return lambda **counts: told.append(counts)

        def __exit__(self, *_: object) -> None: ...

    sweep(GRID, folder, progress=Meter)
    assert told == []
    sweep(
        Grid(FIXED, {"noise.sigma": ["1 mV", "3 mV"], "seed": [1, 2, 3]}), folder, workers=2, progress=Meter
    )
    assert told[0] == 3 and told[-1] == {"ended": 3, "running": 0, "failed": 0}  # two cells, one baseline
    assert {p: p.stat().st_mtime_ns for p in seen} == seen
    assert open_sweep(folder).sizes["seed"] == 3
    sweep(GRID, folder)
    assert open_sweep(folder).sizes["seed"] == 2


def test_gradient_cells_run_as_training_does(tmp_path: Path) -> None:
    import torch

    from homeonet.runs.gradient import load_trained, train

    fixed = {
        "neuron": "lif",
        "net": "sg_snn",
        "net_options.hidden": 12,
        "net_options.spiking_output": True,
        "size": 8,
        "data": "digits",
        "steps": 2,
    }
    fixed |= {"train": 100, "val": 0, "test": 50, "epochs": 1}
    grid = Grid(fixed, {"homeostasis.sleep.ratio": [0.0, 0.5], "seed": [1]})
    results = sweep(grid, tmp_path / "s", workers=1).results
    cell = grid.cells()[1]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    single = train(cell.config, baselines=True)
    torch.set_num_threads(threads)
    assert (
        results["accuracy.test"].sel({"homeostasis.sleep.ratio": 0.5}).item()
        == single.metrics["accuracy.test"]
    )
    assert float(results["accuracy.raw_pixels"][0, 0]) == single.metrics["accuracy.raw_pixels"]
    opened = load_trained(tmp_path / "s" / "cells" / cell.id).model.state_dict()
    for name, values in single.model.state_dict().items():
        np.testing.assert_array_equal(values, opened[name])


def test_the_command_line_runs_shows_and_resumes(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(Grid(FIXED, {"seed": [1]}).to_toml())
    assert main(["sweep", "small.toml", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "seed=1" in shown and "1 cells, 1 to do" in shown and not Path("results").exists()
    assert main(["sweep", "small.toml", "--workers", "1", "--no-baselines"]) == 0
    assert "1 of 1 cells done" in capsys.readouterr().out
    assert main(["sweep", "status", "results/small"]) == 0
    assert "1 cells done, 0 begun, 0 to do, 0 failed" in capsys.readouterr().out
    assert main(["sweep", "status", "."]) == 2
    assert "not the folder of a sweep" in capsys.readouterr().err


def test_an_estimate_counts_what_is_to_do(folder: Path, tmp_path: Path) -> None:
    sweep(GRID, folder)
    larger = Grid(FIXED, {"noise.sigma": ["1 mV", "3 mV"], "seed": [1, 2, 4]})
    found = estimate(larger, folder, workers=1)
    assert (found.cells, found.to_do) == (6, 2)
    assert 0 < found.seconds_a_cell < found.seconds
    assert estimate(GRID, folder).seconds == 0
    (folder / "version.txt").write_text("0.0.1\n")
    with pytest.raises(InputError, match=r"a sweep of homeonet 0\.0\.1"):
        estimate(GRID, folder)
    with pytest.raises(InputError, match="workers = 0"):
        estimate(GRID, tmp_path, workers=0)


def test_workers_compile_a_structure_once(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOMEONET_CACHE", str(tmp_path / "cache"))
    fixed = FIXED | {"exc.n": 37, "train": 10, "test": 10}
    sweep(Grid(fixed, {"seed": [1, 2]}), tmp_path / "out", workers=2, baselines=False)
    assert len(list((tmp_path / "cache" / "programs").glob("[!.]*"))) == 2  # of training and of evaluation
    timing = pd.read_parquet(tmp_path / "out" / "timing.parquet")
    assert 1 <= (timing["compile_seconds"] > 0).sum() <= 2

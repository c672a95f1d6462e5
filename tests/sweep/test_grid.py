"""Grids: what is crossed, what is refused before anything runs, and what a file says."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from homeonet import InputError, load_config
from homeonet.sweep import Grid, load_grid, sweep

BASE = {"preset": "massey2026", "data": "geometric", "train": 40, "test": 20}


def test_cells_are_the_product_in_the_order_of_the_axes() -> None:
    grid = Grid(BASE, {"sleep.ratio": [0.0, 0.1], "noise.sigma": ["1 mV", "3 mV"], "seed": [1, 2, 3]})
    cells = grid.cells()
    expected = itertools.product([0.0, 0.1], ["1 mV", "3 mV"], [1, 2, 3])
    assert [tuple(cell.values.values()) for cell in cells] == list(expected)
    assert len(grid) == len(cells) == len({cell.id for cell in cells}) == 12
    for cell in cells:
        overrides = {k: v for k, v in BASE.items() if k != "preset"} | cell.values
        assert cell.config == load_config("massey2026", overrides)


def test_cases_set_several_parameters_at_once() -> None:
    cases = {
        "full": {},
        "no noise": {"noise.sigma": "0 mV"},
        "awake": {"sleep.ratio": 0.0, "sleep.plastic": False},
    }
    grid = Grid(BASE, {"seed": [1, 2]}, cases)
    assert grid.coordinates == {"case": ["full", "no noise", "awake"], "seed": [1, 2]}
    awake = [cell.config for cell in grid.cells() if cell.values["case"] == "awake"]
    assert [(c.sleep.ratio, c.sleep.plastic, c.seed) for c in awake] == [(0.0, False, 1), (0.0, False, 2)]


def test_presets_and_data_can_be_axes() -> None:
    grid = Grid(
        {"train": 40, "test": 20}, {"preset": ["massey2026", "homeonet"], "data": ["digits", "geometric"]}
    )
    assert [(c.config.preset, c.config.data) for c in grid.cells()] == list(
        itertools.product(["massey2026", "homeonet"], ["digits", "geometric"])
    )


def test_a_gradient_grid_has_training_configurations() -> None:
    grid = Grid({"neuron": "lif", "net": "sg_snn"}, {"homeostasis.sleep.ratio": [0.0, 0.2], "seed": [1]})
    assert grid.kind == "gradient"
    assert [cell.config.homeostasis["sleep"]["ratio"] for cell in grid.cells()] == [0.0, 0.2]


def test_equal_configurations_share_a_cell() -> None:
    cells = Grid(BASE, {}, {"given": {"sleep.ratio": 0.15}, "by default": {}}).cells()
    assert cells[0].id == cells[1].id


def test_toml_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "g.toml"
    path.write_text(
        'preset = "massey2026"\ndata = "geometric"\ntrain = 40\n[set]\nsleep.interval = "10 s"\ntest = 20\n'
        '[grid]\n"sleep.ratio" = [0.0, 0.1]\nnoise.sigma = ["1 mV"]\n[case."a b"]\nsleep.plastic = false\n[case.c]\n'
    )
    grid = load_grid(path)
    assert grid.fixed == BASE | {"sleep.interval": "10 s"}
    assert grid.axes == {"sleep.ratio": [0.0, 0.1], "noise.sigma": ["1 mV"]}
    assert grid.cases == {"a b": {"sleep.plastic": False}, "c": {}}
    path.write_text(grid.to_toml())
    assert load_grid(path) == grid


@pytest.mark.parametrize(
    ("axes", "cases", "words"),
    [
        ({}, {}, ["empty", "[grid]"]),
        ({"seed": []}, {}, ["seed", "no values"]),
        ({"seed": 3}, {}, ["seed = 3", "not a list"]),
        ({"data": "mnist"}, {}, ["data", "not a list"]),
        ({"seed": [1, 1]}, {}, ["seed", "twice"]),
        ({"noise.sigma": [1, 1.0]}, {}, ["noise.sigma", "twice"]),
        ({"train": [10, 20]}, {}, ["train", "given twice"]),
        ({"seed": [1]}, {"x": {"seed": 2}}, ["seed", "given twice"]),
        ({"clip": [None, 1.0]}, {}, ["TOML"]),
        ({"case": [1]}, {}, ["case"]),
    ],
)
def test_impossible_grids_are_named(axes, cases, words) -> None:
    with pytest.raises(InputError) as error:
        Grid(BASE, axes, cases)
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize(
    ("fixed", "axes", "words"),
    [
        (BASE, {"sleep.ration": [0.1]}, ["sleep.ration", "sleep.ratio"]),
        (BASE, {"sleep.ratio": [0.1, 1.5]}, ["sleep.ratio", "1.5"]),
        (BASE, {"noise.sigma": [3]}, ["noise.sigma", "unit"]),
        ({"data": "geometric"}, {"seed": [1]}, ["preset", "neither"]),
        (BASE | {"neuron": "lif"}, {"seed": [1]}, ["preset", "neuron", "both"]),
        ({"preset": "nobody"}, {"seed": [1]}, ["nobody", "massey2026"]),
        (BASE | {"data": "nothing"}, {"seed": [1]}, ["nothing"]),
        (BASE | {"data": "digits", "train": 10**6}, {"seed": [1]}, ["train"]),
        (BASE | {"train": 4}, {"seed": [1]}, ["train = 4"]),
        ({"data": "geometric", "preset": ["massey2026"]}, {"seed": [1]}, ["preset"]),
        ({"neuron": "liff"}, {"seed": [1]}, ["liff"]),
        ({"neuron": "lif", "neuron_options.tauu": 2.0}, {"seed": [1]}, ["tauu"]),
        ({"neuron": "lif", "homeostasis.ahsar.strenght": 0.1}, {"seed": [1]}, ["strenght"]),
    ],
)
def test_bad_parameters_stop_a_sweep_before_anything_is_written(fixed, axes, words, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        sweep(Grid(fixed, axes), tmp_path / "out")
    assert all(word in str(error.value) for word in words), error.value
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_device_or_no_worker_is_named_before_anything_is_written(tmp_path: Path) -> None:
    for options, words in (({"device": "gpu"}, "device = 'gpu'"), ({"workers": 0}, "workers = 0")):
        with pytest.raises(InputError, match=words):
            sweep(Grid(BASE, {"seed": [1]}), tmp_path / "out", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_case_without_the_preset_that_others_name_is_refused(tmp_path: Path) -> None:
    fixed = {name: value for name, value in BASE.items() if name != "preset"}
    with pytest.raises(InputError, match="each cell needs one"):
        Grid(fixed, {"seed": [1]}, {"a": {"preset": "homeonet"}, "b": {}}).cells()


def test_a_huge_grid_needs_to_be_confirmed(tmp_path: Path) -> None:
    grid = Grid(BASE, {"seed": list(range(1000)), "sleep.ratio": [k / 1000 for k in range(101)]})
    with pytest.raises(InputError, match=r"101,000 cells.*--yes"):
        sweep(grid, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["preset = ", 'grid = 3\npreset = "homeonet"', "[case]\nx = 3\n"])
def test_files_that_are_no_grid_are_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "g.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"g\.toml"):
        load_grid(path)
    with pytest.raises(InputError, match="readable"):
        load_grid(tmp_path / "absent.toml")

"""A training run that is stopped goes on to the very result of one that is not; folders are whole or not there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from homeonet import store
from homeonet.errors import HomeonetError, InputError
from homeonet.gradient.training import TrainConfig, build, load_trained, load_weights, train, train_config

SMALL = {"data": "mnist5k", "train": 120, "val": 30, "test": 40, "size": 8, "batch": 30, "epochs": 3}
KINDS = {
    "adam, sleep": {
        "neuron": "lif",
        "net": "sg_snn",
        "net_options.hidden": 20,
        "homeostasis.sleep.ratio": 0.5,
    },
    "sgd, batch norm, mp_init": {
        "neuron": "trlif",
        "net_options.width": 0.125,
        "optimizer": "sgd",
        "lr": 0.05,
    },
    "online, ahsar": {
        "neuron": "hdlif",
        "net": "sg_snn",
        "net_options.hidden": 20,
        "paradigm": "online",
        "homeostasis.ahsar.strength": 0.2,
    },
    "poisson, augmented": {
        "neuron": "dsn",
        "net": "sg_snn",
        "net_options.hidden": 20,
        "encoding": "poisson",
        "augment": ["crop", "flip", "cutout"],
    },
}


def config(kind: str) -> TrainConfig:
    return train_config(**SMALL, **KINDS[kind])


def interrupted_after(n_batches: int):
    """A progress meter that is told of `n_batches` and then stops the program as Ctrl-C does."""

    @contextlib.contextmanager
    def meter(label: str, total: float) -> Iterator:
        calls = 0

        def advance(_: float) -> None:
            nonlocal calls
            calls += 1
            if label == "learning" and calls > n_batches:  # the first call says what was done before
                raise KeyboardInterrupt

        yield advance

    return meter


def without_times(folder: Path) -> list[str]:
    rows = [line.split(",") for line in (folder / "epochs.csv").read_text().splitlines()]
    column = rows[0].index("seconds")
    return [",".join(row[:column] + row[column + 1 :]) for row in rows]


@pytest.mark.parametrize("kind", list(KINDS))
def test_stopped_runs_continue_bit_for_bit(kind: str, tmp_path: Path) -> None:
    undisturbed = train(config(kind), tmp_path / "a", figures=False, baselines=False)
    for n_batches in (1, 6, 4):  # within the first epoch, within the second, at the end of it
        with pytest.raises(KeyboardInterrupt):
            train(
                config(kind),
                tmp_path / "b",
                figures=False,
                baselines=False,
                progress=interrupted_after(n_batches),
            )
        assert not (tmp_path / "b").exists()
    found = train(config(kind), tmp_path / "b", figures=False, baselines=False)
    expected, weights = (load_file(tmp_path / name / "model.safetensors") for name in "ab")
    assert expected.keys() == weights.keys()
    assert all((expected[name] == weights[name]).all() for name in expected)
    assert without_times(tmp_path / "a") == without_times(tmp_path / "b")
    assert found.metrics["accuracy.test"] == undisturbed.metrics["accuracy.test"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_a_finished_folder_is_opened_not_run_again(tmp_path: Path) -> None:
    first = train(config("adam, sleep"), tmp_path / "a", figures=False, baselines=False)
    again = train(config("adam, sleep"), tmp_path / "a", figures=False, baselines=False)
    assert again.found_complete and not first.found_complete
    assert again.metrics["accuracy.test"] == first.metrics["accuracy.test"]
    with pytest.raises(InputError, match="other parameters"):
        train(train_config(**SMALL, **KINDS["adam, sleep"], seed=2), tmp_path / "a")
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match="holds no finished run"):
        train(config("adam, sleep"), tmp_path / "other")


def test_weights_of_another_architecture_or_damaged_change_nothing(tmp_path: Path) -> None:
    result = train(config("adam, sleep"), tmp_path / "a", figures=False, baselines=False)
    file = tmp_path / "a" / "model.safetensors"
    other, _ = build(train_config(**SMALL, neuron="lif", net="sg_snn", **{"net_options.hidden": 21}), 10)
    before = {k: v.clone() for k, v in other.state_dict().items()}
    with pytest.raises(InputError, match="another architecture"):
        load_weights(file, other)
    assert all((before[k] == v).all() for k, v in other.state_dict().items())
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(InputError, match="damaged"):
        load_trained(tmp_path / "a")
    with pytest.raises(InputError, match="does not exist"):
        load_weights(tmp_path / "none.safetensors", result.model)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"neuron": "xif"}, "neuron = 'xif'"),
        ({"net": "mlp"}, "net = 'mlp'"),
        ({"batch": 0}, "batch"),
        ({"paradigm": "magic"}, "paradigm"),
        ({"paradigm": "parallel"}, "paradigm = 'parallel'"),
        ({"neuron": "psn", "paradigm": "online"}, "paradigm = 'online'"),
        ({"neuron_options.colour": 1}, "colour"),
        ({"net_options.colour": 1}, "colour"),
        ({"homeostasis.rest": {}}, "homeostasis"),
        ({"lerning_rate": 1}, "lerning_rate"),
        ({"net": "columns"}, "columns"),
        ({"lr": 3e38, "optimizer": "sgd", "net": "sg_snn"}, "the loss is|not finite"),
    ],
)
def test_bad_input_leaves_nothing(values: dict, words: str, tmp_path: Path) -> None:
    with pytest.raises(HomeonetError, match=words):
        train(
            train_config(**SMALL | {"neuron": "lif"} | values), tmp_path / "a", figures=False, baselines=False
        )
    assert not (tmp_path / "a").exists()


def test_a_second_process_leaves_the_first_ones_work_alone(tmp_path: Path) -> None:
    work = tmp_path / ".a.partial"
    work.mkdir()
    with store.locked(work.with_suffix(".lock")), pytest.raises(InputError, match="another process"):
        train(config("adam, sleep"), tmp_path / "a", figures=False, baselines=False)
    assert work.exists() and not (tmp_path / "a").exists()

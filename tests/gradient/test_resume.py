"""A training run that is stopped goes on to the very result of one that is not; folders are whole or not there."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.numpy import load_file
from safetensors.torch import save_file

from homeonet import store
from homeonet.errors import HomeonetError, InputError
from homeonet.gradient.training import TrainConfig, build, load_weights, save_weights, train_config
from homeonet.runs.gradient import load_trained, train
from tests.support.meters import interrupted_after

SMALL = {"data": "mnist5k", "train": 120, "val": 30, "test": 40, "size": 8, "batch": 30, "epochs": 3}
KINDS = {
    "adam, sleep": {
        "neuron": "lif",
        "net": "sg_snn",
        "net_options.hidden": 20,
        "net_options.spiking_output": True,
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
                progress=interrupted_after(n_batches, "learning"),
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


def test_weights_from_before_a_setting_of_learning_are_read(tmp_path: Path) -> None:
    path, settings = tmp_path / "model.safetensors", TrainConfig(neuron="hdlif", net="sg_snn", size=8)
    model, _ = build(settings, 10)
    save_weights(path, model)
    with safe_open(path, "np") as file:
        said = json.loads(file.metadata()["homeonet"])
    layers = json.loads(said["layers"])
    [name] = [name for name, text in layers.items() if text.startswith("HDLIF")]
    # as it was written before there was `clipped_gradient`
    layers[name] = (
        "HDLIF(indicator=False, mp_init=False, norm=None, spike_bits=None, steps=4, "
        "surrogate=Triangle(width=1.0), variant='vanilla')"
    )
    said["layers"] = json.dumps(layers)
    save_file(model.state_dict(), path, {"homeonet": json.dumps(said)})
    load_weights(path, build(settings, 10)[0])
    four_bits = settings.model_copy(update={"neuron_options": {"spike_bits": 4}})
    with pytest.raises(InputError, match="another architecture"):
        load_weights(path, build(four_bits, 10)[0])


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


FLOAT = {"neuron": "trlif", "net_options.width": 0.125}


@pytest.mark.parametrize(
    ("stored", "wanted", "words"),
    [
        (
            FLOAT,
            FLOAT | {"weights": "ternary"},
            "is Conv2d.* there and TernaryConv2d",
        ),
        (FLOAT | {"weights": "binary"}, FLOAT | {"weights": "ternary"}, "is BinaryConv2d"),
        (
            FLOAT,
            FLOAT | {"neuron_options.reset_mode": "hard"},
            "layer 'features.1'.*reset_mode='soft'.*'hard'",
        ),
        (FLOAT, FLOAT | {"neuron_options.surrogate": "arctan"}, "Triangle.*Arctan"),
        (FLOAT, FLOAT | {"neuron_options.threshold_rule": "as"}, "threshold_rule='trsg'"),
        ({"neuron": "dsn"}, {"neuron": "dsn", "neuron_options.levels": 1}, "levels=4"),
        ({"neuron": "hdlif"}, {"neuron": "hdlif", "neuron_options.spike_bits": 4}, "spike_bits=None"),
        ({"neuron": "lif"}, {"neuron": "lif", "neuron_options.mp_init": True}, "mp_init=False"),
    ],
)
def test_weights_of_other_layers_with_the_same_shapes_are_refused(
    stored: dict, wanted: dict, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "model.safetensors"
    written, same, other = (
        build(train_config(**SMALL, **values), 10)[0] for values in (stored, stored, wanted)
    )
    save_weights(file, written)
    load_weights(file, same)
    assert all((same.state_dict()[k] == v).all() for k, v in written.state_dict().items())
    for parameter in other.parameters():
        parameter.data.fill_(0.5)
    with pytest.raises(InputError, match=f"another architecture.*{words}"):
        load_weights(file, other)
    assert all((p == 0.5).all() for p in other.parameters())
    save_file(dict(written.state_dict()), file)  # by someone who says nothing about layers
    load_weights(file, other)


def test_epochs_can_be_followed_while_the_run_goes_on(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    work, seen = tmp_path / ".a.partial", []

    @contextlib.contextmanager
    def meter(label: str, total: float) -> Iterator:
        def advance(_: float) -> None:
            table = work / "epochs.csv"
            seen.append(table.read_text().splitlines() if table.exists() else [])

        yield advance

    options = {"figures": False, "baselines": False, "tensorboard": True}
    with pytest.raises(KeyboardInterrupt):  # 4 batches per epoch
        train(config("adam, sleep"), tmp_path / "a", progress=interrupted_after(5, "learning"), **options)
    assert len((work / "epochs.csv").read_text().splitlines()) == 2
    assert list((work / "tensorboard").iterdir())
    train(config("adam, sleep"), tmp_path / "a", progress=meter, **options)
    table = (tmp_path / "a" / "epochs.csv").read_text().splitlines()
    assert [len(lines) for lines in seen if len(lines) > 2] and len(table) == 4
    assert all(lines == table[: len(lines)] for lines in seen)

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "a" / "tensorboard")).Reload()
    assert [event.step for event in events.Scalars("train_loss")] == [1, 2, 3]


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
        ({"homeostasis.sleep": {}}, "net_options.spiking_output = True"),
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

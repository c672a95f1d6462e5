"""Values that no one should give to a training run: one short printable line, at once; numbers as documented."""

from __future__ import annotations

import pickle
import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from homeonet import InputError
from homeonet.gradient.training import train_config

NUMBERS = ("train", "steps", "seed", "batch", "lr", "clip", "label_smoothing", "momentum")


def refused(name: str, value: Any) -> str:
    began = time.perf_counter()
    with pytest.raises(InputError) as caught:
        train_config(**{name: value})
    message = str(caught.value)
    assert message.isprintable() and len(message) <= 2100 and time.perf_counter() - began < 2
    return message


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "text",
    [
        "1_000",
        "\u0661\u0662",
        "\uff11",
        "0x10",
        "nan",
        "inf",
        "1e999",
        "1,5",
        "1e",
        "",
        "9" * 10_000,
        "\x1b[2J",
    ],
)
@pytest.mark.parametrize("name", NUMBERS)
def test_nothing_but_a_plain_number_is_a_number(name: str, text: str) -> None:
    assert name in refused(name, text)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 10**10_000, True, b"3"],
    ids=["nan", "inf", "digits", "true", "bytes"],
)
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_finite_and_no_truth_value(name: str, value: Any) -> None:
    assert name in refused(name, value)


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10_000_000,
        nested(100_000),
        10**10_000,
        np.ones((50, 50)),
        object(),
        {"a": {1: 2}},
        float("nan"),
        [1.0, float("inf")],
    ],
    ids=["megabytes", "nested", "digits", "array", "object", "dict", "nan", "list"],
)
@pytest.mark.parametrize(
    "name",
    ["data", "neuron", "net", "augment", "precision", "neuron_options.decay", "homeostasis.ahsar.rate"],
)
def test_whatever_is_given_is_named_shortly(name: str, value: Any) -> None:
    assert name.partition(".")[0] in refused(name, value)


@pytest.mark.parametrize("name", ["neuron_options.decay", "net_options.width", "homeostasis.ahsar.rate"])
def test_control_characters_are_escaped(name: str) -> None:
    message = refused(name, "\x1b[2J\r\n")
    assert r"\x1b" in message


@pytest.mark.parametrize(
    "name",
    [
        "n" * 5_000_000,
        ".".join("a" * 50_000),
        "\x1b[2J",
        "neuron_options.\x1b[2J",
        "neuron_options." + "x" * 5_000_000,
        "lr.\x1b",
    ],
)
def test_whatever_is_named_is_refused_shortly(name: str) -> None:
    refused(name, 1)


def test_scalars_of_numpy_are_numbers_wherever_they_are() -> None:
    plain = train_config(seed=3, lr=0.5, neuron_options={"decay": 0.5}, **{"net_options.width": 2})
    given = {"seed": np.array(3), "lr": np.float32(0.5), "neuron_options": {"decay": np.float32(0.5)}}
    found = train_config(**given, **{"net_options.width": np.int64(2)})
    assert found.run_id == plain.run_id and found.to_toml() == plain.to_toml()


def test_numbers_as_text_are_read_as_they_are_written() -> None:
    found = train_config(train="1000", lr="2e-3", clip="+.5")
    assert (found.train, found.lr, found.clip) == (1000, 0.002, 0.5)


def test_a_configuration_does_not_change_and_equal_ones_have_one_hash() -> None:
    options = {"homeostasis.ahsar.gain_bounds": [0.5, 2.0], "neuron_options.decay": 0.5}
    config, same = train_config(**options), train_config(**options)
    for table in (config.homeostasis, config.homeostasis["ahsar"], config.neuron_options, config.net_options):
        with pytest.raises(TypeError, match="does not change"):
            table["decay"] = 0.9
    assert config.homeostasis["ahsar"]["gain_bounds"] == (0.5, 2.0)
    assert {config, same, pickle.loads(pickle.dumps(config))} == {config} and config not in {train_config()}

"""Values that no one should give: refused in one short printable line, at once, and never evaluated."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeonet import InputError, load_config
from homeonet.cli.main import main
from homeonet.config._units import parse_quantity
from homeonet.sweep import Grid


def refused(overrides: dict[str, Any]) -> str:
    began = time.perf_counter()
    with pytest.raises(InputError) as caught:
        load_config("massey2026", overrides)
    message = str(caught.value)
    assert message.isprintable() and len(message) <= 2100
    assert time.perf_counter() - began < 2
    return message


@pytest.mark.parametrize(
    "text",
    [
        "3,5 mV",
        "1.000,5 mV",
        "1_000 mV",
        "\uff13 mV",  # a full-width digit
        "\u0663 mV",  # an Arabic one
        "nan mV",
        "inf mV",
        "0x10 mV",
        "1+1 mV",
        "2*3 mV",
        "(3) mV",
        "10**10**10 Hz",
        "3 mV mV",
        "3 mV s",
        "3e mV",
        "--3 mV",
        "3 4 mV",
        "3 mV\x1b[2J",
        "__import__('os') mV",
        "mV",
        "",
        "1" * 5_000_000 + " mV",
        "3 " + "m" * 5_000_000,
    ],
)
def test_nothing_but_a_plain_number_and_a_unit_is_a_quantity(text: str) -> None:
    assert "noise.sigma" in refused({"noise.sigma": text})


@pytest.mark.parametrize(
    "text", ["1_000", "\uff11", "\u0661", "1,5", "0x1", "nan", "inf", "1e", "9" * 10_000, "1+1"]
)
@pytest.mark.parametrize("name", ["train", "sleep.ratio"])
def test_nothing_but_a_plain_number_is_a_number(name: str, text: str) -> None:
    assert name in refused({name: text})


@pytest.mark.parametrize(
    ("text", "unit", "si"),
    [
        ("3 mV", "mV", 0.003),
        ("3mV", "mV", 0.003),
        (" -55 mV ", "mV", -0.055),
        ("+.5 V", "mV", 0.5),
        ("3. millivolt", "mV", 0.003),
        ("3000 \N{MICRO SIGN}V", "mV", 0.003),
        ("3000 \N{GREEK SMALL LETTER MU}V", "mV", 0.003),
        ("3 * mV", "mV", 0.003),
        ("2 kHz", "Hz", 2000.0),
        ("1e-3 s", "ms", 0.001),
        ("0.5 minutes", "s", 30.0),
        ("1 hour", "s", 3600.0),
        ("100 milliseconds", "s", 0.1),
    ],
)
def test_a_plain_number_and_a_unit_is_a_quantity(text: str, unit: str, si: float) -> None:
    assert parse_quantity(text, unit) == si


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10_000_000,
        "\x1b[2J\r\n\x00\u202e",
        _nested(100_000),
        10**10_000,
        np.ones((50, 50)),
        object(),
        {1: 2},
    ],
    ids=["megabytes", "control", "nested", "digits", "array", "object", "dict"],
)
@pytest.mark.parametrize("name", ["noise.sigma", "train", "data.x", "sleep.trigger", "sleep.plastic", "seed"])
def test_whatever_is_given_is_named_shortly(name: str, value: Any) -> None:
    assert name.partition(".")[0] in refused({name: value})


@pytest.mark.parametrize("name", ["n" * 5_000_000, "sleep." + "\x1b[2J", "\n", ".".join("a" * 50_000), 3])
def test_whatever_is_named_is_refused_shortly(name: Any) -> None:
    assert "not a parameter" in refused({name: 1})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x = " + b"[" * 100_000, "deep"),
        (b"x = " + b"[" * 40 + b"]" * 40, "deep"),
        (b".".join([b"a"] * 40) + b" = 1", "deep"),
        (b"x = '" + b"y" * 5_000_000 + b"'", "MB"),
        (b"preset = ['massey2026']", "preset"),
    ],
    ids=["brackets", "lists", "tables", "size", "list"],
)
def test_files_that_are_deep_or_large_are_refused(content: bytes, words: str, tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        load_config(path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 2100


def test_a_byte_order_mark_and_capitals_in_the_ending_are_read(tmp_path) -> None:
    path = tmp_path / "MINE.TOML"
    path.write_bytes(b'\xef\xbb\xbfpreset = "massey2026"\nseed = 7\n')
    assert load_config(str(path)).seed == 7


def test_numbers_of_numpy_are_numbers() -> None:
    config = load_config("massey2026", {"seed": np.int64(3), "sleep.ratio": np.float64(0.25)})
    assert config.run_id == load_config("massey2026", {"seed": 3, "sleep.ratio": 0.25}).run_id


def test_arrays_of_numpy_are_axes_of_a_grid() -> None:
    fixed = {"preset": "massey2026", "train": np.int64(100)}
    grid = Grid(fixed, {"sleep.ratio": np.array([0.0, 0.5]), "seed": np.arange(1, 3)})
    plain = Grid({"preset": "massey2026", "train": 100}, {"sleep.ratio": [0.0, 0.5], "seed": [1, 2]})
    assert grid.to_toml() == plain.to_toml()
    assert [cell.id for cell in grid.cells()] == [cell.id for cell in plain.cells()]


def test_the_command_line_escapes_what_it_echoes(capsys) -> None:
    assert main(["run", "massey2026", "--set", "sleep.ratio=\x1b[2J", "--out", "nowhere"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "\x1b" not in error and "sleep.ratio" in error


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_a_finite_quantity_or_a_value_error(text: str) -> None:
    try:
        value = parse_quantity(text, "mV")
    except ValueError as error:
        message = str(error)
    else:
        assert np.isfinite(value)
        message = ""
    assert len(message) < 1000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-2.5e-3", -2.5e-3),
        ("[1, 2.5]", [1, 2.5]),
        ("true", True),
        ("None", None),
        ("1_000", "1_000"),
        ("[" * 5_000, "[" * 5_000),
        ("word", "word"),
    ],
)
def test_options_of_training_are_numbers_lists_or_words(text: str, value: Any) -> None:
    from homeonet.cli.train import _value

    assert _value(text) == value and type(_value(text)) is type(value)


def test_values_of_numpy_are_options_of_training() -> None:
    pytest.importorskip("torch")
    from homeonet.gradient.training import train_config

    found = train_config(**{"seed": np.int64(3), "neuron_options.decay": np.float64(0.5)})
    assert found.run_id == train_config(**{"seed": 3, "neuron_options.decay": 0.5}).run_id
    with pytest.raises(InputError, match="data") as caught:
        train_config(data=np.ones((40, 40)))
    assert str(caught.value).isprintable()

"""What a configuration refuses: every choice and file that is wrong, always by name and in one line."""

from __future__ import annotations

import math
from typing import Literal, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from homeonet import InputError, load_config
from homeonet.config import Config, Pathway, Population

BASE = load_config("massey2026")
SECTIONS = {
    n: f.annotation
    for n, f in Config.model_fields.items()
    if isinstance(f.annotation, type) and issubclass(f.annotation, BaseModel)
} | {"exc": Population, "input_exc": Pathway}
LEAVES = {f"{s}.{n}": f for s, model in SECTIONS.items() for n, f in model.model_fields.items()}
CHOICES = {name: get_args(f.annotation) for name, f in LEAVES.items() if get_origin(f.annotation) is Literal}


def refused(overrides: dict, *words: str) -> str:
    with pytest.raises(InputError) as caught:
        load_config("massey2026", overrides)
    message = str(caught.value)
    assert caught.value.exit_code == 2 and "\n" not in message
    assert all(word in message for word in words), message
    return message


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_lists_what_it_may_be(name: str) -> None:
    refused({name: "neither"}, name, "neither", *CHOICES[name])
    refused({name: CHOICES[name][0].upper()}, name)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"sleep.ratio": "15%"}, ("sleep.ratio", "15%")),
        ({"sleep.decay": "1.2"}, ("sleep.decay", "less than 1")),
        ({"noise.sigma": "3 s"}, ("noise.sigma", "wrong dimension", "3 mV")),
        ({"noise.sigma": "3 furlongs"}, ("noise.sigma", "3 furlongs", "3 mV")),
        ({"noise.sigma": "nan mV"}, ("noise.sigma",)),
        ({"noise.sigma": "1e999 mV"}, ("noise.sigma",)),
        ({"exc.v_threshold": "-55 MV"}, ("exc.v_threshold", "greater than or equal to -1")),
        ({"exc.v_reset": "-50 mV"}, ("exc", "v_reset (-50 mV)", "v_threshold (-55 mV)")),
        ({"sleep.alpha_base": "1.6"}, ("alpha_base (1.6)", "alpha_trigger (1.5)")),
        ({"input_exc.w_min": "30"}, ("input_exc", "w_min (30)", "w_max (25)")),
        ({"simulation.dt": "0.3 ms"}, ("time steps of 0.3 ms", "change it or simulation.dt")),
        ({"input.presentation": "1.0005 s"}, ("input.presentation", "whole number of time steps")),
        ({"guard.window": "0.1 ms"}, ("guard.window",)),
        ({"seed": "-1"}, ("seed",)),
        ({"seed": str(2**31)}, ("seed",)),
        ({"train": "12.5"}, ("train", "12.5")),
        ({"train": math.inf}, ("train",)),
        ({"slep.ratio": "0.1"}, ("slep.ratio", "did you mean", "sleep.ratio")),
        ({"sleep.ratio.deep": "0.1"}, ("sleep.ratio.deep", "not a parameter")),
        ({"exc": "1"}, ("exc", "not a parameter")),
        ({"": "1"}, ("not a parameter",)),
    ],
)
def test_what_is_refused_is_named(overrides: dict, words: tuple[str, ...]) -> None:
    refused(overrides, *words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ("names no preset", "massey2026")),
        (b"[sleep]\nratio = 0.1\n", ("names no preset", "massey2026")),
        (b'neuron = "lif"\nnet = "conv"\n', ("is of a network trained by gradients", "`homeonet train`")),
        (b"preset = ", ("not valid TOML",)),
        (b"\xff\xfe\x00", ("not valid TOML",)),
        (b'preset = "massey2026"\n[sleep]\nratoi = 0.1\n', ("sleep.ratoi", "sleep.ratio")),
        (b'preset = "massey2026"\n[noise]\nsigma = 3\n', ("noise.sigma", "no unit", "3 mV")),
        (b'preset = "massey2026"\nsleep = 3\n', ("sleep", "not a parameter")),
        (b'preset = "massey2026"\n[[sleep]]\nratio = 0.1\n', ("sleep", "not a parameter")),
        (b'preset = "massey2026"\n[sleep.ratio]\nx = 0.1\n', ("sleep.ratio",)),
        (b'preset = "mine"\n', ("simulation is missing", "name a preset")),
    ],
)
def test_a_file_that_is_wrong_is_one_line(content: bytes, words: tuple[str, ...], tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(LEAVES)), st.text(max_size=12) | st.integers() | st.floats() | st.none())
def test_whatever_is_given_is_taken_or_refused_in_one_line(name: str, value: object) -> None:
    try:
        config = load_config("massey2026", {name: value})
    except InputError as error:
        message = str(error)
    else:
        message = name
        assert config.run_id == Config.model_validate(config.to_dict()).run_id
    assert "\n" not in message and name.partition(".")[0] in message

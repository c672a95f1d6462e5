"""What is no mechanism: one line before anything is compiled, that says what is wrong and what may be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from homeonet import InputError, load_config
from homeonet.plastic import Training
from tests.conftest import SMALL
from tests.support.neurons import LIF

BAD = [
    ({"exc_exc.target": "nowhere"}, "exc_exc.target = 'nowhere' is no population.*there are exc, inh"),
    ({"exc.n": 0}, "exc.n = 0"),
    ({"population.exc2": {"like": "ex"}}, "like = 'ex' is not there; did you mean exc"),
    ({"population.sum_x": {"like": "exc"}}, "population.sum_x has a name that the network needs"),
    (
        {"exc.neuron": "m"},
        r"exc.neuron = 'm' is not known; choose one of lif, poisson, or write it under \[neuron.m\]",
    ),
    ({"neuron.lif": LIF}, "neuron.lif is built in"),
    ({"neuron.n": LIF | {"threshold": "v > V_T"}}, "neuron.n: threshold, line 1: V_T is not defined"),
    ({"neuron.n": LIF | {"reset": "import os"}}, "reset, line 1: 'import os' is not a statement"),
    ({"neuron.n": LIF | {"equations": "dv/dt = -v/(10*ms)"}}, "is not an equation with a unit"),
    ({"neuron.n": LIF | {"equations": "w : 1"}}, "w is a reserved name"),
    ({"neuron.n": LIF | {"equations": "x = __import__('os') : 1\ny : 1"}}, "__import__ cannot be called"),
    (
        {"neuron.n": LIF | {"parameters": {"tau_m": "10 furlongs"}}},
        "'furlongs' is not known; write a number, or",
    ),
    ({"rule.r": {"on_pre": "w += reward", "third_factors": ["reward"]}}, r"reward is no \[signal.NAME\]"),
    ({"rule.r": {"on_every": "w += 1"}}, "every and on_every go together"),
    ({"rule.r": {"on_pre": "w += x"}}, "on_pre, line 1: x is not defined"),
    ({"homeostasis.h": {"every": "1 s"}}, "homeostasis.h: it does nothing"),
    (
        {"homeostasis.h": {"every": "1 s", "on_weights": "w *= rate"}},
        "rate is not defined; known are eta, total",
    ),
    (
        {"homeostasis.h": {"every": "1 s", "on_weights": "w *= 1", "pathways": ["exc_ex"]}},
        "did you mean exc_exc",
    ),
    ({"homeostasis.h": {"every": "1 s", "on_neurons": "v += 1*mV"}}, "v is not defined; known are theta"),
    (
        {"homeostasis.h": {"every": "0.3 ms", "on_neurons": "theta += 1*mV"}},
        "not a whole number of time steps",
    ),
    ({"controller.c": {"falls": "p > 1", "wakes": "W < 1"}}, "falls, line 1: p is not defined"),
    (
        {"controller.c": {"falls": "rate_ex > 1", "wakes": "W < 1"}},
        "controller.c reads rate_NAME: ex is no population of neurons; did you mean exc",
    ),
    (
        {"controller.c": {"falls": "W_exc_ex > 1", "wakes": "W_start_exc_exc < 1"}},
        "controller.c reads W_NAME: exc_ex is no pathway; did you mean exc_exc",
    ),
    (
        {"controller.c": {"falls": "W > 1", "wakes": "W < 1", "each_step": "rate_exc = 2"}},
        "each_step, line 1: rate_exc cannot be assigned to",
    ),
    (
        {"population.exc": {"neuron": "mine", "n": 9}, "neuron.mine": LIF, "ahsar.enabled": True},
        "ahsar.enabled = true moves thresholds of lif neurons, and that of exc is text of neuron.mine; set",
    ),
    ({"sleep.trigger": "c"}, r"sleep.trigger = 'c' is not known; .*\[controller.c\]"),
    ({"signal.s": {"values": [1.0, math.nan]}}, "signal.s.values.1 = nan"),
    ({"record.r": {"population": "exc", "variables": ["v"]}}, "record.r: every is missing"),
    (
        {"record.r": {"population": "exc", "variables": ["u"], "every": "1 ms"}},
        "u is no state of exc; there are v",
    ),
    (
        {"record.r": {"population": "ex", "variables": ["spikes"]}},
        "ex is no population of neurons; did you mean exc",
    ),
    (
        {"record.r": {"population": "exc", "variables": ["spikes"], "neurons": [500]}},
        "the neuron 500, but exc has 200",
    ),
    (
        {"pathway.to_exc": {"like": "exc_exc", "sources": [1, 2], "targets": [2, 900]}},
        "the neuron 900, but exc has 200",
    ),
    ({"exc_exc.watched": False, "input_exc.watched": False}, "no pathway is watched"),
]


@pytest.mark.parametrize(("overrides", "words"), BAD)
def test_what_is_no_mechanism_is_one_line(overrides: dict, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        load_config("massey2026", overrides)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            {
                "population.exc": {"neuron": "n", "n": 20},
                "neuron.n": LIF | {"parameters": LIF["parameters"] | {"tau_m": "3 mV"}},
            },
            "neuron.n: .*Inconsistent units in differential equation defining variable 'v'",
        ),
        (
            {"homeostasis.h": {"every": "1 s", "on_neurons": "theta += 1"}},
            "homeostasis.h: .*inconsistent units",
        ),
    ],
)
def test_units_are_checked_before_anything_is_compiled(overrides: dict, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        Training([load_config("massey2026", SMALL | overrides)], np.zeros((1, 36)), "cpp")
    assert "\n" not in str(caught.value)


def test_the_signal_has_a_value_for_each_image() -> None:
    config = load_config("massey2026", SMALL | {"signal.reward": {"values": [1.0, 2.0]}})
    with pytest.raises(InputError, match=r"signal.reward.values has 2 numbers, but 3 images are shown"):
        Training([config], np.zeros((3, 36)), "cpp")

"""`stdp_elapsed` against the rule as the released code of Massey et al. 2026 states it, on the same spikes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from homeonet.config import load_config
from homeonet.plastic import Network, Training

SMALL = {"input.side": 6, "exc.n": 24, "inh.n": 8, "input_exc.density": 0.5, "exc_exc.density": 0.3}
#: Neurons that fire in one step, and in steps one after another.
BUSY = {
    "input_exc.w_initial": 8.0,
    "exc.v_reset": "-56 mV",
    "exc.theta_plus": "0.5 mV",
    "inh.theta_plus": "0.5 mV",
}
ENDS = {"exc_exc": ("exc", "exc"), "exc_inh": ("exc", "inh"), "inh_exc": ("inh", "exc")}


def as_released(fired: dict[str, np.ndarray], source: str, target: str, i: int, j: int, stdp: tuple) -> float:
    """Sum of the changes of a synapse, over its learning rate: in each step, for spikes of the step before, by the
    times since the last spikes up to this step. `fired` has the steps of each neuron, with one silent step at the end.
    """
    tau_plus, tau_minus = stdp
    pre, post = fired[source][:, i], fired[target][:, j]
    since = [math.inf, math.inf]
    total, acts = 0.0, False
    for before_now in zip(pre, post, strict=True):
        since = [0.0 if spike else steps + 1 for spike, steps in zip(before_now, since, strict=True)]
        if acts:
            lag = since[1] - since[0]
            total += math.exp(-lag / tau_plus) if lag >= 0 else -math.exp(lag / tau_minus)
        acts = any(before_now)
    return total


@pytest.mark.parametrize("pathway", ENDS)
def test_changes_add_up_to_those_of_the_released_code(pathway: str) -> None:
    wide = {f"{name}.{end}": value for name in ENDS for end, value in (("w_min", 1e-6), ("w_max", 1e3))}
    start = {f"{name}.w_initial": 1.0 for name in ENDS}
    config = load_config(
        "massey2026_released", SMALL | BUSY | wide | start | {"sleep.ratio": 0.0, "guard.max_rate": "1001 Hz"}
    )
    training = Training([config], np.random.default_rng(4).random((3, 36)) ** 2)
    segment = training.advance(0.6)
    fired = {}
    for population, n in (("exc", 24), ("inh", 8)):
        units, steps = segment.result.spikes[population]
        fired[population] = np.zeros((segment.n_steps + 1, n), dtype=bool)
        fired[population][steps, units] = True
    together = (fired["exc"][:, :, None] & fired["exc"][:, None, :]).sum() - fired["exc"].sum()
    assert together > 100 and (fired["exc"][1:] & fired["exc"][:-1]).sum() > 10
    before = Network.untrained(config)
    eta, taus = getattr(config, pathway).eta, (config.stdp.tau_plus * 1e3, config.stdp.tau_minus * 1e3)
    expected = [
        w + eta * as_released(fired, *ENDS[pathway], i, j, taus)
        for w, i, j in zip(before.weights[pathway], *before.connections[pathway], strict=True)
    ]
    found = training.network().weights[pathway]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert np.abs(found - 1).max() > 100 * eta

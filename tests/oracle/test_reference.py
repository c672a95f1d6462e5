"""The compiled engine against the plain Python network: the same spikes, and the same weights to rounding."""

from __future__ import annotations

import numpy as np
import pytest

from homeonet.config import load_config, preset_names
from homeonet.plastic import Network, Training
from tests.support.reference_network import ReferenceNetwork

SMALL = {"input.side": 6, "exc.n": 24, "inh.n": 8, "input_exc.density": 0.5, "exc_exc.density": 0.3}
SHORT = {
    "input.presentation": "0.15 s",
    "sleep.interval": "0.6 s",
    "sleep.ratio": 0.5,
    "sleep.alpha_base": 0.3,
}
STRONG = {"input_exc.w_initial": 1.0, "noise.sigma": "4 mV", "exc.refractory": "2 ms"}


@pytest.mark.smoke
@pytest.mark.parametrize("preset", preset_names())
def test_engine_equals_the_reference_spike_by_spike(preset: str) -> None:
    config = load_config(preset, SMALL | SHORT | STRONG)
    images = np.random.default_rng(4).random((8, 36)) ** 2
    training = Training([config], images)
    start = Network.untrained(config)
    reference = ReferenceNetwork(config, start.connections, start.weights, images)
    segment = training.advance(1.15)
    for _ in range(segment.n_steps):
        reference.step()
    found = sorted(
        (int(step), population, int(unit))
        for population, (units, steps) in segment.result.spikes.items()
        for unit, step in zip(units, steps, strict=True)
    )
    assert reference.slept > 0 and reference.wake == segment.result.arrays["controller.wake_step"][0]
    assert len(found) > 200
    assert found == sorted(reference.spikes)
    for name, synapses in reference.synapses.items():
        np.testing.assert_allclose(
            segment.result.arrays[f"{name}.w"], [w for _, _, w in synapses], rtol=1e-9, err_msg=name
        )
    for population in ("exc", "inh"):
        np.testing.assert_allclose(
            segment.result.arrays[f"{population}.v"], reference.v[population], atol=1e-10
        )
    changed = [
        name for name, w in training.network().weights.items() if not np.allclose(w, start.weights[name])
    ]
    assert {"input_exc", "exc_exc"} <= set(changed)

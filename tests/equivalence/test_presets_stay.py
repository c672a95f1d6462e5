"""The presets compute what they have always computed: spikes and weights of twenty images, by their hashes.

Spikes are whole numbers; weights are rounded, so that the last bits of a machine's exponential do not matter.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from homeonet import load_config
from homeonet.plastic import Training
from homeonet.runs.images import load_images, presentation_order

#: Number of spikes, hash of all spikes, hash of all weights in millionths, and the run's name, of each preset.
KNOWN = {
    "homeonet": (185342, "e40ce3f6f336420d", "16efa861d8de7d6b", "d37802ca58b7dadb"),
    "massey2026": (14214, "3a01c789d28f3868", "8a7e7414a1b973da", "6bdff4a23aaa08f1"),
    "massey2026_released": (174145, "5b0f121d2d5020e8", "5f46c2ca3ee2444c", "fa5d97befe8e3f72"),
}


def measured(preset: str) -> tuple[int, str, str, str]:
    config = load_config(preset, {"train": 20})
    dataset = load_images(config, None)
    training = Training([config], dataset.x_train[presentation_order(dataset.y_train, config)], "cpp")
    spikes, weights, n = hashlib.sha256(), hashlib.sha256(), 0
    while not training.done:
        result = training.advance().result
        for population in ("exc", "inh"):
            unit, step = result.spikes[population]
            spikes.update(
                np.ascontiguousarray(unit, "<i4").tobytes() + np.ascontiguousarray(step, "<i8").tobytes()
            )
            n += len(unit)
    for values in training.network().weights.values():
        weights.update(np.rint(values * 1e6).astype("<i8").tobytes())
    return n, spikes.hexdigest()[:16], weights.hexdigest()[:16], config.run_id


@pytest.mark.parametrize("preset", KNOWN)
def test_spikes_and_weights_of_the_presets(preset: str) -> None:
    assert measured(preset) == KNOWN[preset]

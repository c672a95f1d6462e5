"""Spikes during each of the last images of a training, against a network that looks at every step."""

from __future__ import annotations

import numpy as np
import pytest

from homeonet.config import load_config
from homeonet.plastic import Network, Recorder, Training
from homeonet.plastic.engine import _image_counts
from tests.support.reference_network import ReferenceNetwork

SMALL = {"input.side": 6, "exc.n": 24, "inh.n": 8, "input_exc.density": 0.5, "input_exc.w_initial": 1.0}
SLEEPY = {"input.presentation": "0.15 s", "sleep.trigger": "interval", "sleep.alpha_base": 0.0}
SLEEPY |= {"sleep.ratio": 0.4, "noise.sigma": "6 mV"}


@pytest.mark.parametrize("interval", ["0.43 s", "0.6 s"])
def test_counts_are_those_of_each_step_awake(interval: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sleeps that begin and end between samples; more images than are kept; segments shorter than a sample."""
    monkeypatch.setattr(_image_counts, "KEPT_IMAGES", 5)
    config = load_config("massey2026", SMALL | SLEEPY | {"sleep.interval": interval})
    images = np.random.default_rng(4).random((8, 36)) ** 2
    training, recorder = Training([config], images), Recorder(config)
    for seconds in (0.15, 0.15, 100.0):
        recorder.add(training.advance(seconds))
    start = Network.untrained(config)
    reference = ReferenceNetwork(config, start.connections, start.weights, images)
    expected, asleep = np.zeros((8, 32), int), 0
    while reference.wake < 8 * 150:
        seen = len(reference.spikes)
        reference.step()
        for _, population, k in reference.spikes[seen:]:
            if reference.asleep:
                asleep += 1
            else:
                expected[(reference.wake - 1) // 150, k + 24 * (population == "inh")] += 1
    number, counts = recorder.images.last()
    assert number.tolist() == [3, 4, 5, 6, 7]
    np.testing.assert_array_equal(counts, expected[3:])
    assert asleep > 20 and (counts.sum(axis=1) > 20).all()


def test_a_checkpoint_carries_them(monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_config("massey2026", SMALL | SLEEPY | {"sleep.interval": "0.6 s"})
    training = Training([config], np.random.default_rng(4).random((8, 36)) ** 2)
    whole, first, second = Recorder(config), Recorder(config), Recorder(config)
    segments = [training.advance(0.45), training.advance(100.0)]
    for segment in segments:
        whole.add(segment)
    first.add(segments[0])
    kept = first.copy()
    second.restore(first.state())
    first.add(segments[1])
    second.add(segments[1])
    assert kept.images.last()[0].tolist() == [0, 1, 2]
    for recorder in (first, second):
        for found, expected in zip(recorder.images.last(), whole.images.last(), strict=True):
            np.testing.assert_array_equal(found, expected)

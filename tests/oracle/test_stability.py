"""The main claim on real images: without sleep the excitatory weights run away, with sleep they stay bounded.

Massey et al. 2026, section 3: weights grow linearly without sleep; the sleep controller bounds them. Held over
seeds, which change connectivity, inputs, noise and the order of images.
"""

from __future__ import annotations

import numpy as np
import pytest

from homeonet.config import load_config
from homeonet.data import load
from homeonet.plastic import Recorder, Training

SEEDS = (1, 2, 3)
IMAGES = 250


def total_weight(seed: int, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Total excitatory weight over its initial value at every sample, and the times of the sleeps."""
    config = load_config("massey2026", {"seed": seed, "sleep.ratio": ratio})
    images = load("mnist5k", train=IMAGES, seed=seed).x_train
    training, recorder = Training([config], images), Recorder(config)
    start = training.network()
    while not training.done:
        recorder.add(training.advance())
    records = recorder.to_dataset(start, training.network())
    return records["total_weight"].values / records.attrs["w_total_initial"], records["sleep_start"].values


@pytest.mark.parametrize("seed", SEEDS)
def test_without_sleep_weights_grow_without_bound(seed: int) -> None:
    course, sleeps = total_weight(seed, 0.0)
    quarters = [part.mean() for part in np.array_split(course, 4)]
    assert len(sleeps) == 0
    assert np.all(np.diff(quarters) > 0)  # never turns round
    assert course[-1] > 4
    # no sign of an asymptote: the last quarter grows at least half as fast as the one before
    assert quarters[3] - quarters[2] > 0.5 * (quarters[2] - quarters[1])


@pytest.mark.parametrize("seed", SEEDS)
def test_with_sleep_weights_stay_bounded_and_oscillate(seed: int) -> None:
    course, sleeps = total_weight(seed, 0.15)
    config = load_config("massey2026")
    assert len(sleeps) >= 4
    # above the trigger only by what a second of waking adds, below the base by what one decay step takes
    assert course.max() < 1.2 * config.sleep.alpha_trigger
    assert course.min() > 0.6 * config.sleep.alpha_base
    settled = course[len(course) // 2 :]
    crossings = np.count_nonzero(np.diff(np.sign(settled - settled.mean())))
    assert crossings >= 4

"""What excitatory neurons do asleep beside what they do awake, in a network that has learnt and before it has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from homeonet.analysis import Replay, pattern_replay
from homeonet.plastic import Network, read_features
from homeonet.runs import load_network
from homeonet.runs.images import load_images

__all__ = ["MEASURES", "probed"]

#: Seconds of sleep that are looked at, and of a bin.
_SECONDS, _BIN = 60.0, 0.1
#: What is kept of each probe: resemblance beyond chance, of pairs, activity, and the rate in Hz.
MEASURES = ("patterns", "pairs", "active", "rate")


def probed(cell: Path, sigma: float, n_images: int) -> dict[str, float]:
    """Measures of one run's network after learning, and of the same network before, by ``before.`` and ``after.``.

    Asleep is: no input, noise of standard deviation `sigma` in volt, weights as they are. The answers awake are those
    to the run's first `n_images` training images.
    """
    learnt = load_network(cell)
    config = learnt.config
    dataset = load_images(config, None)
    images, labels = dataset.x_train[:n_images], dataset.y_train[:n_images]
    found = {}
    for when, network in (("before", Network.untrained(config)), ("after", learnt)):
        awake = read_features(network, images)[:, : config.exc.n]
        asleep = _asleep(network, sigma)
        replay = pattern_replay(awake, labels, asleep, seed=config.seed)
        found |= {f"{when}.{name}": value for name, value in _measures(replay, asleep).items()}
    return found


def _asleep(network: Network, sigma: float) -> np.ndarray:
    """Counts of the excitatory neurons in each bin."""
    sleeping = {"evaluation.presentation": f"{_BIN} s", "evaluation.noise": True, "noise.during": "always"}
    config = network.config.replace(**sleeping, **{"noise.sigma": f"{sigma} V"})
    night = replace(network, config=config)
    dark = np.zeros((round(_SECONDS / _BIN), config.input.side**2))
    return read_features(night, dark)[:, : config.exc.n]


def _measures(replay: Replay, asleep: np.ndarray) -> dict[str, float]:
    return {
        "patterns": replay.patterns - replay.shuffled,
        "pairs": replay.pairs,
        "active": replay.active,
        "rate": float(asleep.mean()) / _BIN,
    }

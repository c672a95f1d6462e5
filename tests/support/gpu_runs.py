"""Small networks with every mechanism, trained on any device: what the tests of the GPU's program share."""

from __future__ import annotations

import numpy as np

from homeonet.config import Config, load_config
from homeonet.plastic import Training

SMALL = {"input.side": 6, "exc.n": 30, "inh.n": 10, "input.presentation": "0.1 s", "input_exc.density": 0.4}
SMALL |= {"input_exc.w_initial": 1.0, "guard.max_rate": "1001 Hz", "guard.min_rate": "0 Hz"}
SLEEPY = {"sleep.interval": "1 s", "sleep.ratio": 0.3, "sleep.alpha_base": 0.0, "noise.sigma": "6 mV"}
#: Each mechanism in one of a few structures: every one of them costs two compilations.
MECHANISMS = {
    "massey2026": {},
    "conductance, euler, scaling": {
        "exc.synapse": "conductance",
        "inh.synapse": "conductance",
        "simulation.method": "euler",
        "sleep.renormalisation": "scaling",
    },
    "normalise, one spike pairs, noise awake": {
        "sleep.renormalisation": "normalise",
        "stdp.pairing": "nearest",
        "noise.during": "always",
    },
    "no decay, rules off asleep, ahsar": {
        "sleep.renormalisation": "none",
        "sleep.plastic": False,
        "ahsar.enabled": True,
        "ahsar.strength": 0.5,
        "ahsar.window": "0.3 s",
        "ahsar.target_rate": "20 Hz",
    },
}


def small(preset: str = "massey2026", **overrides: object) -> Config:
    return load_config(preset, SMALL | SLEEPY | {k.replace("__", "."): v for k, v in overrides.items()})


def trained(
    configs: list[Config], images: object, device: str, seconds: float = 100.0
) -> tuple[Training, list]:
    training, results = Training(configs, images, device), []
    while not training.done:
        results.append(training.advance(seconds).result)
    assert training.engine.device == device
    return training, results


def assert_same(first: tuple[Training, list], second: tuple[Training, list]) -> None:
    (a, left), (b, right) = first, second
    assert a.step == b.step
    assert not [name for name in a.arrays if not np.array_equal(a.arrays[name], b.arrays[name])]
    for one, other in zip(left, right, strict=True):
        np.testing.assert_array_equal(one.sample_step, other.sample_step)
        for name in one.samples:
            np.testing.assert_array_equal(one.samples[name], other.samples[name])
        for name in one.spikes:
            for k in range(2):
                np.testing.assert_array_equal(one.spikes[name][k], other.spikes[name][k])

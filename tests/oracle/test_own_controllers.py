"""Sleep controllers written as text, against loops and against the one that is built in."""

from __future__ import annotations

import numpy as np
import pytest

from homeonet import load_config
from homeonet.config import apply_overrides
from tests.conftest import SMALL, Bench
from tests.support.gpu_runs import small, trained
from tests.support.own_models import DT, example


def test_the_built_in_controller_written_as_text_sleeps_the_same() -> None:
    text = {"falls": "awake_for > 0.9995", "wakes": "asleep_for > 0.2995 or W <= 0.5*W_start"}
    ours = small("massey2026", **{"sleep.trigger": "interval", "sleep.alpha_base": 0.5})
    theirs = apply_overrides(ours, {"sleep.trigger": "clock", "controller.clock": text})
    images = np.random.default_rng(2).random((30, 36))
    (a, left), (b, right) = (trained([config], images, "cpp") for config in (ours, theirs))
    assert a.step == b.step > a.total_wake_steps * 1.1
    for one, other in zip(left, right, strict=True):
        for population in ("exc", "inh"):
            np.testing.assert_array_equal(one.spikes[population], other.spikes[population])


def test_pressure_rises_awake_and_falls_asleep() -> None:
    b = example("controllers/two_process", sleep__renormalisation="none")
    b.silence_noise()
    pressure, asleep, awake_for, slept = 0.0, 0, 0, 0
    for _ in range(60):
        for _ in range(1000):
            pressure += DT * ((1 - asleep) * (1 - pressure) / 40 - asleep * pressure / 8)
            falls = (not asleep) and pressure > 0.7 and awake_for * DT > 1
            wakes = asleep and pressure < 0.2
            asleep = int((asleep or falls) and not wakes)
            awake_for = 0 if asleep else awake_for + 1
            slept += asleep
    b.run(60_000)
    assert b.step - b.arrays["controller.wake_step"][0] == pytest.approx(slept, abs=1)
    assert b.arrays["controller.own_pressure"][0] == pytest.approx(pressure, abs=1e-3) and slept > 5000
    never = example("controllers/two_process", sleep__ratio=0.0)
    never.run(60_000)
    assert never.arrays["controller.wake_step"][0] == 60_000


def test_a_controller_reads_the_mean_rate_of_a_population_in_the_last_100_ms() -> None:
    """Segments of 37 steps, so that ticks of the slow clock fall anywhere in them."""
    text = {"falls": "rate_exc > 13", "wakes": "asleep_for > 0.0805"}
    text |= {"state": {"sum": 0.0}, "each_step": "sum += rate_inh"}
    sizes = {key: value for key, value in SMALL.items() if key != "sleep.ratio"}
    b = Bench([load_config("massey2026", sizes | {"controller.busy": text, "sleep.trigger": "busy"})])
    b.silence_noise()
    b.silence_synapses()
    rng, neurons = np.random.default_rng(4), {"exc": 30, "inh": 10}
    spikes = {name: np.zeros(2000) for name in neurons}
    left: dict[str, list[float]] = {name: [] for name in neurons}
    for _ in range(40):
        for name, size in neurons.items():
            b.fire(name, rng.permutation(size)[: rng.integers(size + 1)])
        found = b.run(37).spikes
        for name in neurons:
            np.add.at(spikes[name], found[name][1], 1)
            left[name].append(b.arrays[f"totals.rate_{name}"][0])
    seen = {}  # in each step: the last tick before it has counted the 100 steps before itself
    for name, size in neurons.items():
        windows = np.concatenate([[0.0], spikes[name].reshape(-1, 100).sum(1) / (size * 0.1)])
        seen[name] = windows[np.maximum(np.arange(2000) - 1, 0) // 100]
        np.testing.assert_allclose(left[name], seen[name][37 * np.arange(1, 41)], rtol=1e-12)
    asleep = steps_asleep = awake = 0
    for step in range(b.step):
        falls = not asleep and seen["exc"][step] > 13
        wakes = asleep and steps_asleep * DT > 0.0805
        asleep = int((asleep or falls) and not wakes)
        steps_asleep = (0 if falls else steps_asleep) + 1 if asleep else 0
        awake += 1 - asleep
    assert b.arrays["controller.wake_step"][0] == awake and 0.2 * b.step < awake < 0.8 * b.step
    assert b.arrays["controller.own_sum"][0] == pytest.approx(seen["inh"][: b.step].sum(), rel=1e-9)


def test_a_controller_reads_the_total_weight_of_each_pathway_watched_or_not() -> None:
    """Beside the built-in controller that watches this pathway alone, and the sum of what it left behind."""
    pathways = ("input_exc", "exc_exc", "exc_inh", "inh_exc")
    watched = {one: {f"{name}.watched": name == one for name in pathways} for one in pathways}
    both = {"sleep.alpha_trigger": 1.001, "sleep.alpha_base": 1.0005, "sleep.shortest_wake": "1 ms"}
    ours = small("massey2026", **{"sleep.trigger": "threshold", **watched["exc_exc"], **both})
    text = {
        "falls": "W_exc_exc > 1.001*W_start_exc_exc and awake_for > 0.0005",
        "wakes": f"W_exc_exc <= 1.0005*W_start_exc_exc or asleep_for > {ours.sleep.ratio * ours.sleep.interval - 5e-4}",
        "state": {"seen": 0.0, "start": 0.0},
        "each_step": "seen = W_exc_exc\nstart = W_start_exc_exc",
    }
    theirs = small("massey2026", **{"controller.own": text, "sleep.trigger": "own", **watched["input_exc"]})
    images = np.random.default_rng(2).random((30, 36))
    (a, left), (b, right) = (trained([config], images, "cpp") for config in (ours, theirs))
    assert a.step == b.step > a.total_wake_steps
    for one, other in zip(left, right, strict=True):
        for population in ("exc", "inh"):
            np.testing.assert_array_equal(one.spikes[population], other.spikes[population])
    start = Bench([theirs]).arrays["exc_exc.w"].sum()
    assert b.arrays["controller.own_start"][0] == pytest.approx(start, rel=1e-9)
    assert b.arrays["controller.own_seen"][0] == pytest.approx(b.arrays["exc_exc.w"].sum(), rel=0.05)

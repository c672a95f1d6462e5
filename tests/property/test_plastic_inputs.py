"""Rate-coded images: spike probabilities, intervals, silence, certainty, and pauses while the network sleeps.

Sixteen pixels drive sixteen neurons one to one, so strongly that each input spike is one output spike per step
later: the network's spikes are the input's, whatever else happens.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from homeonet.plastic import Structure, log_silence, stream_id

N = 16
ONE_TO_ONE = {
    "input__side": 4,
    "exc__n": N,
    "inh__n": 2,
    "input_exc__density": 1 / N,
    "exc__theta_plus": "0 mV",
    "exc__tau_g_exc": "1e-3 ms",
    "input__presentation": "0.5 s",
}
PRESETS = ["massey2026"]


def relay(bench, **overrides: object):
    from homeonet.config import load_config
    from homeonet.plastic import connect

    config = load_config("massey2026", {k.replace("__", "."): v for k, v in (ONE_TO_ONE | overrides).items()})
    structure = Structure.of(config)
    wires = np.arange(N, dtype=np.int32)
    b = bench(
        connections=connect(structure, [config]) | {"input_exc": (wires, wires)}, **ONE_TO_ONE | overrides
    )
    b.silence_synapses("exc_exc", "exc_inh", "inh_exc")
    b.silence_noise()
    b.arrays["exc.input_exc_gain"][:] = 1e3
    b.arrays["exc.input_exc_eta"][:] = 0.0
    return b


def show(b, images: np.ndarray, mean_rate: float) -> None:
    b.stimulus[:] = 0
    b.stimulus[: len(images)] = log_silence(images, mean_rate, b.dt)


def trains(b, n_steps: int) -> np.ndarray:
    """Input spikes as a table of steps by pixels; the last step's are still under way."""
    first = b.step
    unit, step = b.run(n_steps).spikes["exc"]
    table = np.zeros((n_steps, N), dtype=int)
    inside = step > first
    np.add.at(table, (step[inside] - first - 1, unit[inside]), 1)
    assert table.max() <= 1
    return table


def two_sided(p_value: float) -> bool:
    return 1e-4 < p_value < 1 - 1e-9


def test_each_pixel_fires_with_its_share_of_the_mean_rate(bench) -> None:
    rng, n = np.random.default_rng(3), 40_000
    image = rng.random(N) ** 2
    b = relay(bench, input__presentation="40 s")
    show(b, image[None], 60.0)
    counts = trains(b, n).sum(axis=0)
    p = 60.0 * image / image.mean() * b.dt
    assert p.mean() == pytest.approx(0.06)
    z = (counts - n * p) / np.sqrt(n * p * (1 - p))
    assert two_sided(stats.chi2.sf((z**2).sum(), N))
    assert abs(z).max() < stats.norm.isf(1e-4 / N / 2)


def test_intervals_are_geometric_and_pixels_independent(bench) -> None:
    n = 40_000
    b = relay(bench, input__presentation="40 s")
    show(b, np.ones((1, N)), 80.0)
    table = trains(b, n)
    intervals = np.concatenate([np.diff(np.flatnonzero(table[:, k])) for k in range(N)])
    last = 40
    observed = np.bincount(np.minimum(intervals, last), minlength=last + 1)[1:]
    expected = 0.08 * 0.92 ** np.arange(last)
    expected[-1] = 0.92 ** (last - 1)
    assert two_sided(stats.chisquare(observed, expected * observed.sum()).pvalue)
    together = np.corrcoef(table.T)[np.triu_indices(N, 1)]
    assert abs(together).max() < stats.norm.isf(1e-4 / len(together) / 2) / math.sqrt(n)
    across_steps = [np.corrcoef(table[:-lag].ravel(), table[lag:].ravel())[0, 1] for lag in range(1, 6)]
    assert np.abs(across_steps).max() < 4.5 / math.sqrt(n * N)


def test_images_that_follow_one_another_do_not_mix(bench) -> None:
    """Each half of the pixels is lit in every other image, and spikes then alone (from the second step on)."""
    left = (np.arange(N) < N // 2).astype(float)
    b = relay(bench, input__presentation="0.1 s")
    images = np.array([left, 1 - left] * 20)
    show(b, images, 100.0)
    table = trains(b, 100 * len(images))
    shown = np.roll(
        np.repeat(images, 100, axis=0), 1, axis=0
    )  # the draw at an onset is for the step after it
    assert table[1:][shown[1:] == 0].sum() == 0
    n, p = int(shown[1:].sum()), 0.2
    assert abs(table.sum() - n * p) < 4 * math.sqrt(n * p * (1 - p))
    # the first steps of an image are like the others: a draw at the onset starts nothing late
    early = table.reshape(len(images), 100, N)[:, 1:6][images[:, None, :].repeat(5, axis=1) > 0]
    assert early.mean() == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / early.size))


def test_black_images_are_silent_and_certain_pixels_fire_in_every_step(bench) -> None:
    images = np.zeros((3, N))
    images[0, 3] = 1.0  # all of the rate on one pixel: 16 * 100 Hz is more than one spike per step
    images[2, 5] = 1.0
    b = relay(bench, input__presentation="0.1 s")
    show(b, images, 100.0)
    table = trains(b, 300)
    assert not np.any(np.isnan(b.stimulus)) and np.isfinite(b.stimulus).all()
    np.testing.assert_array_equal(np.flatnonzero(table[:, 3]), np.arange(1, 101))
    np.testing.assert_array_equal(np.flatnonzero(table[:, 5]), np.arange(201, 299))
    assert table.sum() == 100 + 98


@pytest.mark.parametrize("dt", ["0.5 ms", "1 ms"])
def test_the_input_of_every_wake_step_is_the_same_with_and_without_sleep(bench, dt: str) -> None:
    """No image is lost: step by step of wake time the same spikes, and images * duration of wake time in all."""
    images = np.random.default_rng(1).random((8, N)) ** 3
    found = {}
    for ratio in (0.0, 0.4):
        b = relay(
            bench,
            simulation__dt=dt,
            sleep__ratio=ratio,
            sleep__trigger="interval",
            sleep__interval="0.7 s",
            sleep__alpha_base=0.0,
            sleep__renormalisation="power_law",
        )
        b.silence_noise()
        show(b, images, 60.0)
        by_wake_step, asleep_steps = {}, 0
        # 0.7 s awake and 0.28 s asleep: every stretch of 0.14 s is wholly the one or the other
        total, stretch, wake = round(8 * 0.5 / b.dt), round(0.14 / b.dt), 0
        while wake < total:
            before, first, n_steps = wake, b.step, min(stretch, total - wake)
            units, steps = b.run(n_steps).spikes["exc"]
            wake = int(b.arrays["controller.wake_step"][0])
            assert wake - before in (0, n_steps)
            # the input's spike is that of the step before
            wake_steps = before + (steps - first) * (wake > before)
            for wake_step, unit in zip(wake_steps.tolist(), units.tolist(), strict=True):
                by_wake_step.setdefault(wake_step, set()).add(unit)
            asleep_steps += n_steps - (wake - before)
        found[ratio] = by_wake_step, asleep_steps, b.step
    (awake, none, steps_awake), (slept, some, steps_slept) = found.values()
    assert none == 0 and some == 5 * round(0.28 / b.dt)
    assert steps_awake == round(4.0 / b.dt) and steps_slept == steps_awake + some
    assert sum(map(len, awake.values())) > 2000
    assert awake == slept


def test_no_input_spike_falls_in_sleep(bench) -> None:
    b = relay(bench)
    show(b, np.ones((1, N)), 500.0)
    assert trains(b, 50).sum() > 100
    b.fall_asleep()
    b.run(2)
    before = b.arrays["input.next_spike"].copy()
    assert len(b.run(300).spikes["exc"][0]) == 0
    np.testing.assert_array_equal(b.arrays["input.next_spike"], before)


def test_seeds_and_evaluation_have_inputs_of_their_own(bench) -> None:
    tables = []
    for seed, purpose in ((1, "train"), (2, "train"), (1, "test")):
        b = relay(bench, seed=seed)
        b.arrays["input.input_stream"][:] = stream_id(seed, purpose)
        show(b, np.ones((1, N)), 200.0)
        tables.append(trains(b, 500))
    for k, first in enumerate(tables):
        for second in tables[:k]:
            assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 4.5 / math.sqrt(500 * N)


@pytest.mark.parametrize("mean_rate", [1.0, 100.0])
def test_the_stimulus_table_holds_log_probabilities_of_silence(mean_rate: float) -> None:
    images = np.vstack([np.random.default_rng(0).random((5, N)), np.zeros(N), np.eye(N)[4]])
    table = log_silence(images, mean_rate, 1e-3)
    p = -np.expm1(table)
    assert table.shape == images.shape and np.all(table <= 0) and np.isfinite(table).all()
    np.testing.assert_allclose(p[:5].mean(axis=1), mean_rate * 1e-3, rtol=1e-12)
    np.testing.assert_allclose(p[0] / p[0, 0], images[0] / images[0, 0], rtol=1e-9)
    assert np.all(p[5] == 0)
    assert p[6, 4] == pytest.approx(min(1.0, 16 * mean_rate * 1e-3), rel=1e-12)

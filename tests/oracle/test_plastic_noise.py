"""Membrane noise against the Ornstein-Uhlenbeck process, and the random numbers it is made of.

Bounds are those that a correct generator exceeds with a probability below about 1e-4 for any seed.
"""

from __future__ import annotations

import ctypes
import math
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import homeonet.plastic
from homeonet.config import load_config
from homeonet.plastic import (
    Structure,
    assemble,
    compiler,
    connect,
    draw_key,
    normal_draw,
    stream_id,
    uniform_draw,
)
from homeonet.plastic.mechanisms import _equations
from homeonet.plastic.network import _connectivity

TAU = 0.030


def noisy(bench, preset: str = "massey2026", **overrides: object):
    b = bench(preset, **({"noise__sigma": "2 mV", "noise__during": "always"} | overrides))
    b.silence_synapses()
    for population in ("exc", "inh"):
        b.arrays[f"{population}.v_threshold"][:], b.arrays[f"{population}.v_floor"][:] = 10.0, -10.0
    return b


def course(b, n_steps: int, population: str = "exc") -> np.ndarray:
    """Membrane potentials above rest, a row per step."""
    rows = []
    for _ in range(n_steps):
        b.run(1)
        rows.append(b.arrays[f"{population}.v"] + 0.070)
    return np.array(rows)


@pytest.mark.parametrize("dt", ["0.5 ms", "1 ms"])
@pytest.mark.parametrize("preset", ["massey2026", "massey2026_released"])
def test_each_step_adds_an_independent_normal_number(bench, preset: str, dt: str) -> None:
    """What is left of v after its decay: standard deviation sigma sqrt(dt / 1 ms), white, as the draws are."""
    b = noisy(bench, preset, simulation__dt=dt)
    v = course(b, 300)
    keep = 1 - b.dt / TAU if preset.endswith("released") else math.exp(-b.dt / TAU)
    kick = (v[1:] - keep * v[:-1]) / (0.002 * math.sqrt(b.dt / 1e-3))
    n = kick.size
    assert abs(kick.mean()) < 4 / math.sqrt(n)
    assert kick.var() == pytest.approx(1, abs=4 * math.sqrt(2 / n))
    assert abs(stats.pearsonr(kick[1:].ravel(), kick[:-1].ravel())[0]) < 4 / math.sqrt(n)
    between = np.corrcoef(kick.T)[np.triu_indices(30, 1)]
    assert abs(between).max() < stats.norm.isf(1e-4 / len(between) / 2) / math.sqrt(len(kick))


def test_the_membrane_is_an_ornstein_uhlenbeck_process(bench) -> None:
    """Stationary variance sigma^2 / (1 - a^2) and autocorrelation a^k, a = exp(-dt / tau)."""
    b = noisy(bench)
    b.run(300)
    rows = []
    for _ in range(150):  # stretches of 31 steps, five time constants apart
        rows.append(course(b, 1)[0])
        b.run(29)
        rows.append(course(b, 1)[0])
        b.run(149)
    first, second = np.array(rows[::2]).ravel(), np.array(rows[1::2]).ravel()
    keep, n = math.exp(-1e-3 / TAU), first.size
    variance = 0.002**2 / (1 - keep**2)
    low, high = stats.chi2.ppf([5e-5, 1 - 5e-5], n) / n
    assert low < (first**2).mean() / variance < high
    assert stats.kstest(first / math.sqrt(variance), "norm").pvalue > 1e-4
    rho = keep**30
    assert (first * second).mean() / variance == pytest.approx(rho, abs=4 * math.sqrt((1 + rho**2) / n))


def test_noise_is_confined_to_sleep(bench) -> None:
    b = noisy(bench, noise__during="sleep", sleep__ratio=0.2)
    b.run(50)
    np.testing.assert_array_equal(b.arrays["exc.v"], -0.070)
    b.fall_asleep(20)
    b.run(1)
    assert np.all(b.arrays["exc.v"] != -0.070) and np.all(b.arrays["inh.v"] != -0.070)
    b.run(19)
    b.arrays["controller.interval_steps"][:] = 1e15
    before = b.arrays["exc.v"] + 0.070
    b.run(10)
    np.testing.assert_allclose(b.arrays["exc.v"] + 0.070, before * math.exp(-0.010 / TAU), atol=1e-12)


def test_populations_and_seeds_have_noise_of_their_own(bench) -> None:
    kicks = [
        course(noisy(bench, seed=seed), 100, population)[:, :10].ravel()
        for seed, population in ((1, "exc"), (1, "inh"), (2, "exc"))
    ]
    for k, first in enumerate(kicks):
        for second in kicks[:k]:
            # neighbouring steps share v: an effective number of about n / (2 tau / dt)
            assert abs(np.corrcoef(first, second)[0, 1]) < 4 / math.sqrt(1000 / 60)
            assert not np.array_equal(first, second)


@pytest.mark.parametrize("along", ["index", "step", "stream"])
def test_draws_are_uniform_and_normal_along_every_axis(along: str) -> None:
    n = 200_000
    count, one = np.arange(n), np.full(n, 7)
    stream, step, index = (count if along == axis else one for axis in ("stream", "step", "index"))
    key = draw_key(stream.astype(float), step)
    uniform, normal = uniform_draw(key, index), normal_draw(1.0, key, index)
    assert uniform.min() > 0 and uniform.max() < 1
    assert stats.kstest(uniform, "uniform").pvalue > 1e-4
    observed = np.bincount((uniform * 4096).astype(int), minlength=4096)
    assert stats.chisquare(observed).pvalue > 1e-4
    low_bits = np.bincount((uniform * 2**52 % 256).astype(int), minlength=256)
    assert stats.chisquare(low_bits).pvalue > 1e-4
    pairs = (uniform[:-1] * 16).astype(int) * 16 + (uniform[1:] * 16).astype(int)
    assert stats.chisquare(np.bincount(pairs[::2], minlength=256)).pvalue > 1e-4
    # the sum of four uniform numbers, as an independent generator has it
    reference = np.random.default_rng(0).random((n, 4)).sum(axis=1) - 2
    assert stats.ks_2samp(normal, reference * math.sqrt(3)).pvalue > 1e-4


def test_streams_of_neighbouring_seeds_and_purposes_do_not_correlate() -> None:
    purposes = (
        "train/input",
        "test/input",
        "train/noise/exc",
        "train/noise/inh",
        "test/noise/exc",
        "test/noise/inh",
    )
    streams = [stream_id(seed, purpose) for seed in range(30) for purpose in purposes]
    assert len(set(streams)) == len(streams) and max(streams) < 2**52
    steps = np.arange(2000)
    draws = np.array([uniform_draw(draw_key(float(s), steps), 0) for s in streams])
    correlation = np.corrcoef(draws)[np.triu_indices(len(streams), 1)]
    assert abs(correlation).max() < stats.norm.isf(1e-4 / len(correlation) / 2) / math.sqrt(2000)


def test_every_purpose_has_a_stream_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, int] = {}

    def recorded(seed: int, purpose: str) -> int:
        return asked.setdefault(purpose, stream_id(seed, purpose))

    for module in (_equations, _connectivity):
        monkeypatch.setattr(module, "stream_id", recorded)
    config = load_config("homeonet")
    structure = Structure.of(config)
    connect(structure, [config])
    for evaluation in (False, True):
        assemble(structure, [config], evaluation=evaluation)
    assert len(asked) >= 12
    assert len(set(asked.values())) == len(asked)


def test_no_draw_where_it_is_switched_off() -> None:
    key = draw_key(3.0, np.arange(5))
    np.testing.assert_array_equal(normal_draw(np.array([0, 1, 0, 1, 0.0]), key, 2) == 0, [1, 0, 1, 0, 1])


@pytest.mark.skipif(compiler() is None, reason="needs a C++ compiler")
def test_c_and_numpy_draw_the_same_bits(tmp_path: Path) -> None:
    header = Path(homeonet.plastic.__file__).parent / "program" / "cpp" / "homeonet_random.h"
    source = tmp_path / "draws.cpp"
    source.write_text(
        f'#include "{header}"\n'
        'extern "C" void draws(int n, double* stream, double* step, int* index, double* out) {\n'
        "  for (int k = 0; k < n; k++) {\n"
        "    const double key = draw_key(stream[k], step[k]);\n"
        "    out[3 * k] = key; out[3 * k + 1] = uniform_draw(key, index[k]);\n"
        "    out[3 * k + 2] = normal_draw(1, key, index[k]);\n  }\n}\n"
    )
    library = tmp_path / "draws.so"
    subprocess.run([*compiler(), "-O1", "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    rng, n = np.random.default_rng(0), 20_000
    stream = rng.integers(0, 2**52, n).astype(float)
    step = np.floor(10.0 ** rng.uniform(0, 15, n))
    index = rng.integers(0, 2**31 - 1, n).astype(np.int32)
    out = np.empty((n, 3))
    as_pointer = ctypes.c_void_p
    ctypes.CDLL(str(library)).draws(
        n, *(as_pointer(values.ctypes.data) for values in (stream, step, index, out))
    )
    key = draw_key(stream, step)
    np.testing.assert_array_equal(out[:, 0], key)
    np.testing.assert_array_equal(out[:, 1], uniform_draw(key, index))
    np.testing.assert_array_equal(out[:, 2], normal_draw(1.0, key, index))

"""The GPU's program in float32, run by the C++ compiler: beside float64, closed forms, and what must stay double."""

from __future__ import annotations

import re

import numpy as np
import pytest

from homeonet import InputError, load_config, run
from homeonet.config import PATHWAYS, preset_names
from homeonet.plastic import Structure, Training, program_for, read_features
from homeonet.sweep import Grid, sweep
from tests.support.gpu_runs import MECHANISMS, assert_same, small, trained

SHORT = {"simulation__precision": "float32"}


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).random((20, 36)) ** 3


def spikes(results: list, population: str) -> np.ndarray:
    return np.concatenate([result.spikes[population][1] for result in results])


@pytest.mark.parametrize("preset", preset_names())
def test_the_first_spikes_are_those_of_float64_and_the_rest_are_as_many(
    images: np.ndarray, preset: str
) -> None:
    double, single = (trained([small(preset, **more)], images, "emulated") for more in ({}, SHORT))
    before, after = (spikes(results, "exc") for _, results in (double, single))
    assert len(before) > 100
    np.testing.assert_array_equal(before[:30], after[:30])
    assert abs(len(after) - len(before)) < 0.03 * len(before)
    for name in PATHWAYS:
        means = [training.finished[0].weights[name].mean() for training, _ in (double, single)]
        assert means[1] == pytest.approx(means[0], rel=0.01)
    asleep = [
        np.concatenate([r.samples["asleep"] for r in results]).mean() for _, results in (double, single)
    ]
    assert asleep[0] > 0.05 and asleep[1] == pytest.approx(asleep[0], abs=0.03)


PHASE = r"^HOMEONET_PHASE phase_(?:exc|inh|input_exc)_\w+\(.*?^}"
#: Declarations that stay double in the phases of populations and pathways.
KEPT = re.compile(
    r"double _time = |double\* const _array_\w+_t = "
    r"|double\* ?(__restrict)? +_ptr_array_(controller|defaultclock|ahsar)_"
    r"|double\* ?(__restrict)? +_ptr_array_\w+_(theta|tau_theta|n_spikes|\w+_stream) = "
    r"|double _?(theta|tau_theta|n_spikes|\w+_stream)\b|double _lio_\d+ = .*(tau_theta|_stream)"
)


@pytest.mark.parametrize(("mechanism", "replicas"), zip(MECHANISMS, [1, 2, 1, 2], strict=True))
def test_every_mechanism_is_in_floats_but_for_what_is_long(
    images: np.ndarray, mechanism: str, replicas: int
) -> None:
    configs = [small(seed=k, **MECHANISMS[mechanism], **SHORT) for k in range(replicas)]
    program = (program_for(Structure.of(configs[0], replicas), "emulated").folder / "program.cpp").read_text()
    bodies = re.findall(PHASE, program, re.DOTALL | re.MULTILINE)
    assert len(bodies) >= 15
    for body in bodies:
        long = [line for line in body.splitlines() if re.search(r"\bdouble\b", line)]
        assert not [line for line in long if not KEPT.search(line)]
        assert not re.findall(r"(?<!\(float\))\bnormal_draw\(", body)
        assert not re.findall(r"(?<![\w.])\d+\.\d+(?![\w.])", body.split("_own = ")[1])
    arrays = trained(configs, images, "emulated")[0].arrays
    for name in ("exc.noise_stream", "input.input_stream"):  # 52 bits
        assert not np.array_equal(arrays[name], arrays[name].astype(np.float32))


def test_replicas_are_the_runs_alone() -> None:
    rng = np.random.default_rng(1)
    shown = [rng.random((12, 36)) ** 3 for _ in range(2)]
    configs = [small(seed=k, sleep__ratio=0.1 * k, noise__sigma=f"{2 * k} mV", **SHORT) for k in (1, 2)]
    together = trained(configs, shown, "emulated", 0.9)[0]
    for replica, (config, own) in enumerate(zip(configs, shown, strict=True)):
        alone = trained([config], own, "emulated")[0].finished[0]
        for name in PATHWAYS:
            np.testing.assert_array_equal(alone.weights[name], together.finished[replica].weights[name])


def test_input_spikes_are_the_same_in_both(images: np.ndarray) -> None:
    double, single = (trained([small(**more)], images, "emulated", 0.7)[0] for more in ({}, SHORT))
    np.testing.assert_array_equal(double.arrays["input.next_spike"], single.arrays["input.next_spike"])


def test_pieces_give_the_bits_of_the_whole(images: np.ndarray) -> None:
    whole, pieces = (trained([small(**SHORT)], images, "emulated", seconds)[0] for seconds in (100.0, 0.4))
    for name, values in whole.arrays.items():
        if name != "input.first_wake_step":  # where a piece begins
            np.testing.assert_array_equal(values, pieces.arrays[name], name)


def test_no_result_depends_on_the_order_of_threads(images: np.ndarray, monkeypatch) -> None:
    monkeypatch.setenv("HOMEONET_EMULATED_THREADS", "1")
    first = trained([small(seed=1, **SHORT), small(seed=2, **SHORT)], images, "emulated")
    monkeypatch.setenv("HOMEONET_EMULATED_THREADS", "-64")
    assert_same(first, trained([small(seed=1, **SHORT), small(seed=2, **SHORT)], images, "emulated"))


def test_a_threshold_that_hardly_decays_does_decay() -> None:
    """A millisecond of a day takes less than a float can resolve."""
    config = small(exc__tau_theta="1e5 s", exc__theta_plus="0 mV", sleep__ratio=0.0, **SHORT)
    training = Training([config], np.zeros((20, 36)), "emulated")
    training.arrays["exc.theta"][:] = 0.01
    steps = 0
    while not training.done:
        steps += training.advance(100.0).result.n_steps
    expected = 0.01 * np.exp(-steps * config.simulation.dt / 1e5)
    np.testing.assert_allclose(training.arrays["exc.theta"], expected, rtol=1e-10)  # its time step is a float
    assert np.float32(0.01) * np.float32(np.exp(-config.simulation.dt / 1e5)) == np.float32(0.01)


def test_weights_take_half_the_memory() -> None:
    double, single = (
        (program_for(Structure.of(small(**more), 2), "emulated").folder / "program.cpp").read_text()
        for more in ({}, SHORT)
    )
    for kind, text in (("double", double), ("float", single)):
        assert f"{kind}* of__dynamic_array_exc_exc_w;" in text
        assert "double* of__array_controller_wake_step;" in text


def test_what_is_learnt_in_floats_is_read_out_in_doubles(images: np.ndarray) -> None:
    network = trained([small(**SHORT)], images, "emulated")[0].finished[0]
    assert Structure.of(network.config).frozen().precision == "float64"
    found = [read_features(network, images[:6], device=device) for device in ("cpp", "emulated")]
    np.testing.assert_array_equal(*found)


def test_a_processor_computes_in_doubles_and_says_so(tmp_path) -> None:
    with pytest.raises(InputError, match="computes in float64"):
        run(small(data="geometric", train=20, test=20, input__side=8, **SHORT), tmp_path / "run")
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"device = 'cpp' computes in float64; use device = 'cuda'"):
        Training([small(**SHORT)], np.ones((3, 36)), "cpp")
    grid = Grid(
        {"preset": "massey2026", "data": "geometric", "train": 20, "test": 20},
        {"simulation.precision": ["float32"]},
    )
    with pytest.raises(InputError, match="computes in float64"):
        sweep(grid, tmp_path / "out", device="cpp")
    assert not (tmp_path / "out" / "cells").exists()


def test_a_decay_that_is_none_in_floats_is_refused(images: np.ndarray) -> None:
    slow = {"sleep__decay": 0.99999999, "sleep__every": "1 ms"}
    assert Training([small(**slow)], images, "emulated").arrays["exc.sleep_decay"][0] < 1
    with pytest.raises(InputError, match=r"sleep.decay = 0.99999999 every 1 ms is 1 in float32"):
        Training([small(**slow, **SHORT)], images, "emulated")


def test_runs_that_do_not_say_keep_their_names(tmp_path) -> None:
    config = load_config("massey2026")
    assert config.replace(simulation__precision="float64").run_id == config.run_id
    assert config.replace(simulation__precision="float32").run_id != config.run_id
    complete = config.to_toml()
    assert 'precision = "float64"' in complete
    (tmp_path / "older.toml").write_text(complete.replace('precision = "float64"', ""))
    assert load_config(tmp_path / "older.toml").run_id == config.run_id

"""One network, many ways to run it: in segments, beside other replicas, in Python, over more workers. Same bits."""

from __future__ import annotations

import numpy as np
import pytest

from homeonet.config import Config, load_config
from homeonet.errors import RunawayError
from homeonet.plastic import (
    Network,
    Recorder,
    Structure,
    Training,
    assemble,
    connect,
    load_checkpoint,
    log_silence,
    read_features,
    save_checkpoint,
)
from homeonet.plastic.engine._compiled import CompiledEngine
from homeonet.plastic.engine._runtime import RuntimeEngine

SMALL = {"input.side": 6, "exc.n": 30, "inh.n": 10, "input.presentation": "0.1 s", "input_exc.density": 0.4}
SMALL |= {"input_exc.w_initial": 1.0}
SLEEPY = {"sleep.interval": "1 s", "sleep.ratio": 0.3, "sleep.alpha_base": 0.0, "noise.sigma": "6 mV"}
AHSAR = {"ahsar.enabled": True, "ahsar.strength": 0.5, "ahsar.window": "0.3 s", "ahsar.target_rate": "20 Hz"}
#: What a segment is given about its place in the run, and so may differ between ways to cut a run.
PLACE = {"input.first_wake_step", "controller.last_wake_step"}


def small(**overrides: object) -> Config:
    return load_config("massey2026", SMALL | SLEEPY | {k.replace("__", "."): v for k, v in overrides.items()})


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).random((40, 36)) ** 3


def trained(configs: list[Config], images: np.ndarray, seconds: float) -> Training:
    training = Training(configs, images)
    while not training.done:
        training.advance(seconds)
    return training


def assert_same_arrays(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> None:
    different = [k for k in first if k not in PLACE and not np.array_equal(first[k], second[k])]
    assert not different


@pytest.mark.smoke
@pytest.mark.parametrize("mechanism", [{}, AHSAR], ids=["", "ahsar"])
def test_segments_of_any_length_give_the_same_bits(images: np.ndarray, mechanism: dict) -> None:
    whole = trained([small(**mechanism)], images, 100.0)
    cut = trained([small(**mechanism)], images, 0.371)
    assert whole.step == cut.step
    assert whole.step > whole.total_wake_steps  # it slept
    assert_same_arrays(whole.arrays, cut.arrays)


@pytest.mark.smoke
@pytest.mark.parametrize("mechanism", [{}, AHSAR], ids=["", "ahsar"])
def test_resuming_from_a_checkpoint_gives_the_same_bits(
    images: np.ndarray, mechanism: dict, tmp_path
) -> None:
    config = small(**mechanism)
    whole, whole_records = Training([config], images), Recorder(config)
    start = whole.network()
    while not whole.done:
        whole_records.add(whole.advance(0.5))
    first, first_records = Training([config], images), Recorder(config)
    for _ in range(3):
        first_records.add(first.advance(0.5))
    save_checkpoint(tmp_path / "c.npz", first, first_records, 1.0)
    second, second_records = Training([config], images), Recorder(config)
    load_checkpoint(tmp_path / "c.npz", second, second_records)
    while not second.done:
        second_records.add(second.advance(0.5))
    assert_same_arrays(whole.arrays, second.arrays)
    expected = whole_records.to_dataset(start, whole.network())
    assert expected.identical(second_records.to_dataset(start, second.network()))


def test_the_guard_resumes_from_a_checkpoint_in_the_middle_of_a_window(images: np.ndarray, tmp_path) -> None:
    config = small(guard__max_rate="5 Hz", guard__window="2 s", sleep__ratio=0.0)

    def stopped(training: Training, recorder: Recorder) -> tuple[str, int]:
        with pytest.raises(RunawayError) as caught:  # noqa: PT012 - some segments pass before
            while not training.done:
                recorder.add(training.advance(0.5))
        return str(caught.value), training.step

    first, recorder = Training([config], images), Recorder(config)
    for _ in range(3):
        recorder.add(first.advance(0.5))
    save_checkpoint(tmp_path / "c.npz", first, recorder, 1.0)
    second, second_recorder = Training([config], images), Recorder(config)
    load_checkpoint(tmp_path / "c.npz", second, second_recorder)
    assert stopped(second, second_recorder) == stopped(first, recorder)


@pytest.mark.parametrize("device", ["cpp", "runtime"])
def test_sleep_at_the_end_costs_no_more_processes(
    images: np.ndarray, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A segment lasts to the last wake step of a replica, however long it sleeps, and not a step longer."""
    config = small(sleep__ratio=0.9, sleep__interval="0.2 s", noise__sigma="6 mV")
    training, recorder = Training([config], images[:5], device), Recorder(config)
    processes, run = [], training.engine.run
    monkeypatch.setattr(training.engine, "run", lambda *a, **k: processes.append(1) or run(*a, **k))
    recorder.add(training.advance())
    assert training.done and len(processes) == 1
    assert training.step == 500 + 2 * 180 and training.arrays["controller.wake_step"] == 500
    assert (recorder.wake_seconds, recorder.total_seconds) == (0.5, 0.86)


@pytest.mark.parametrize("mechanism", [{}, AHSAR], ids=["", "ahsar"])
def test_replicas_equal_single_runs_bit_for_bit(images: np.ndarray, mechanism: dict) -> None:
    # what AHSAR differs in makes no difference where it is off
    configs = [
        small(**mechanism, seed=1),
        small(**mechanism, seed=2, sleep__ratio=0.1, noise__sigma="2 mV", ahsar__diffusion=0.0),
        small(**mechanism | {"ahsar.target_rate": "3 Hz"}, seed=3, sleep__ratio=0.0, exc_exc__eta=0.002),
    ]
    together = trained(configs, images, 0.7)
    for replica, config in enumerate(configs):
        alone = trained([config], images, 100.0).network()
        beside = together.finished[replica]
        for name, weights in alone.weights.items():
            np.testing.assert_array_equal(beside.weights[name], weights)
            np.testing.assert_array_equal(beside.connections[name][0], alone.connections[name][0])
        for name, theta in alone.thresholds.items():
            np.testing.assert_array_equal(beside.thresholds[name], theta)
        assert beside.threshold_scale == alone.threshold_scale
        assert (alone.threshold_scale.get("exc", 1) != 1) == bool(mechanism)


def both_engines(config: Config, images: np.ndarray, n_steps: int):
    structure = Structure.of(config)
    connections = connect(structure, [config])
    results = []
    for engine in (CompiledEngine(structure, connections), RuntimeEngine(structure, connections)):
        stimulus = np.zeros((engine.stimulus_rows, images.shape[1]))
        stimulus[: len(images)] = log_silence(images, config.input.mean_rate, config.simulation.dt)
        arrays = assemble(structure, [config])
        results.append(engine.run(arrays, stimulus, first_step=0, n_steps=n_steps, dt=config.simulation.dt))
    return results


def test_runtime_equals_compiled_bit_for_bit_without_library_functions(images: np.ndarray) -> None:
    """Euler steps and no sleep call no exp or pow, whose last bit is the library's choice."""
    config = load_config("massey2026_released", SMALL | {"sleep.ratio": 0.0})
    compiled, runtime = both_engines(config, images, 1500)
    assert len(compiled.spikes["exc"][0]) > 100
    assert_same_arrays(compiled.arrays, runtime.arrays)
    for population in ("exc", "inh"):
        for k in (0, 1):
            np.testing.assert_array_equal(compiled.spikes[population][k], runtime.spikes[population][k])


@pytest.mark.parametrize("mechanism", [{}, AHSAR], ids=["", "ahsar"])
def test_runtime_equals_compiled_with_sleep_noise_and_exponentials(
    images: np.ndarray, mechanism: dict
) -> None:
    compiled, runtime = both_engines(small(**mechanism), images, 1600)
    assert compiled.samples["asleep"].any()
    assert set(compiled.samples) == set(runtime.samples)
    for name, values in compiled.samples.items():
        np.testing.assert_allclose(runtime.samples[name], values, rtol=1e-10, err_msg=name)
    for name, values in compiled.arrays.items():
        np.testing.assert_allclose(runtime.arrays[name], values, rtol=1e-10, atol=1e-13, err_msg=name)


def test_features_do_not_depend_on_workers(images: np.ndarray) -> None:
    network = Network.untrained(load_config("massey2026", SMALL | {"evaluation.presentation": "0.05 s"}))
    many = np.tile(images, (14, 1))
    one, two = (read_features(network, many, workers=n) for n in (1, 2))
    assert one.shape == (560, 40) and one.sum() > 0
    np.testing.assert_array_equal(one, two)

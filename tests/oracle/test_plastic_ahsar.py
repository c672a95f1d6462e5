"""AHSAR in the plastic network: rates, states and thresholds as its equations say, and what they do to the rates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import homeonet
from homeonet.config import Config, load_config
from homeonet.plastic import Network, Recorder, Training, read_features
from tests.support.reference_network import ReferenceNetwork

# of one structure with the networks of test_engine.py
SMALL = {"input.side": 6, "exc.n": 30, "inh.n": 10, "input.presentation": "0.1 s", "input_exc.density": 0.4}
SMALL |= {"input_exc.w_initial": 1.0, "sleep.interval": "0.73 s", "sleep.ratio": 0.3, "sleep.alpha_base": 0.0}
SMALL |= {"noise.sigma": "6 mV"}
AHSAR = {"ahsar.enabled": True, "ahsar.target_rate": "12 Hz", "ahsar.strength": 0.4, "ahsar.window": "0.2 s"}


def small(**overrides: object) -> Config:
    return load_config("massey2026", SMALL | {k.replace("__", "."): v for k, v in overrides.items()})


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).random((40, 36)) ** 3


def trained(config: Config, images: np.ndarray) -> tuple[Training, xr.Dataset, dict[str, np.ndarray]]:
    """A network after all images, its records, and steps and neurons of all spikes."""
    training, recorder = Training([config], images), Recorder(config)
    start, spikes = training.network(), {"exc": [], "inh": []}
    while not training.done:
        segment = training.advance()
        recorder.add(segment)
        for name, found in segment.result.spikes.items():
            spikes[name].append(np.stack(found))
    joined = {name: np.concatenate(parts, axis=1) for name, parts in spikes.items()}
    return training, recorder.to_dataset(start, training.network()), joined


@pytest.mark.parametrize("during", ["wake", "always"])
def test_states_thresholds_and_spikes_equal_the_reference(images: np.ndarray, during: str) -> None:
    config = small(**AHSAR, ahsar__during=during)
    start = Network.untrained(config)
    reference = ReferenceNetwork(config, start.connections, start.weights, images)
    training, records, spikes = trained(config, images[:15])
    for _ in range(training.step):
        reference.step()
    slept = training.step - reference.wake
    assert slept > 400 and reference.wake == 1500
    found = sorted(
        (int(step), name, int(unit))
        for name, (units, steps) in spikes.items()
        for unit, step in zip(units, steps, strict=True)
    )
    assert len(found) > 500 and found == sorted(reference.spikes)
    course = np.array(reference.ahsar.course)
    np.testing.assert_allclose(records["ahsar_rate"], course[:, 0], rtol=1e-11)
    np.testing.assert_allclose(records["ahsar_state"], course[:, 1], rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(records["threshold_scale"], 1 + 0.3 * np.tanh(course[:, 1]), rtol=1e-12)
    scale = [reference.ahsar.scale(k) for k in range(2)]
    np.testing.assert_allclose(records["threshold_scale_final"], scale, rtol=1e-12)
    assert np.ptp(course[:, 1], axis=0).min() > 0.1


def test_strength_zero_is_bit_identical_to_none(images: np.ndarray) -> None:
    none, _, spikes_none = trained(small(), images)
    zero, records, spikes_zero = trained(small(**AHSAR | {"ahsar.strength": 0.0}), images)
    for name, values in none.arrays.items():
        np.testing.assert_array_equal(zero.arrays[name], values, err_msg=name)
    for name, values in spikes_none.items():
        np.testing.assert_array_equal(spikes_zero[name], values)
    assert spikes_none["exc"].shape[1] > 500
    assert (records["threshold_scale"] == 1).all() and records["ahsar_rate"].std() > 0


def test_rates_follow_the_target(images: np.ndarray) -> None:
    """Below the natural rate the target pulls the excitatory rate down, above it up; weights are held."""
    held = {f"{name}.eta": 0.0 for name in ("input_exc", "exc_exc", "exc_inh", "inh_exc")}
    held |= {"sleep.ratio": 0.0, "ahsar.diffusion": 0.0, "ahsar.span": 0.8, "ahsar.window": "0.2 s"}
    many = np.tile(images, (3, 1))

    def course(**ahsar: object) -> np.ndarray:
        _, _, spikes = trained(small(**held, **ahsar), many)
        return np.histogram(spikes["exc"][1], [0, 6000, 12000])[0] / (30 * 6.0)

    natural = float(course()[1])
    for factor in (0.5, 1.5):
        target = factor * natural
        on = {"ahsar.enabled": True, "ahsar.strength": 0.3, "ahsar.target_rate": f"{target!r} Hz"}
        early, late = course(**on)
        assert abs(late - target) < 0.5 * abs(natural - target)
        assert (late < natural) == (factor < 1) and abs(late - target) <= abs(early - target)


def test_features_are_read_out_at_the_thresholds_that_training_left(images: np.ndarray) -> None:
    start = Network.untrained(small(evaluation__presentation="0.1 s"))
    moved = Network(
        start.config, start.connections, start.weights, start.thresholds, {"exc": 1.2, "inh": 0.9}
    )
    by_hand = start.config.replace(exc__v_threshold="-52 mV", inh__v_threshold="-56.5 mV")
    other = Network(by_hand, start.connections, start.weights, start.thresholds)
    features = [read_features(network, images) for network in (start, moved, other)]
    assert features[0].sum() > features[1].sum() > 0
    np.testing.assert_array_equal(features[1], features[2])


def test_a_run_s_folder_holds_what_ahsar_did(tmp_path: Path) -> None:
    size = {"data": "mnist5k", "train": 30, "test": 20, "evaluation.presentation": "0.1 s"}
    config = small(**AHSAR, **size)
    result = homeonet.run(config, tmp_path / "run", figures=False, baselines=False)
    network = homeonet.load_network(tmp_path / "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert network.threshold_scale["exc"] != 1
    for name, scale in network.threshold_scale.items():
        assert metrics[f"threshold_scale.{name}"] == scale
        assert result.records["threshold_scale_final"].sel(population=name) == scale
    dataset = homeonet.data.load("mnist5k", size=6, train=30, test=20, seed=config.seed)
    again = homeonet.evaluate(network, dataset, readouts=["logistic"])
    np.testing.assert_array_equal(again.features_test, result.records["features_test"])

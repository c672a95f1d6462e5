"""What must hold of the analysis for any input: invariances, bounds, independence of order and scale."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from homeonet import analysis
from tests.support.synthetic import make_records

seeds = st.integers(0, 2**32 - 1)
probabilities = arrays(float, st.integers(1, 12), elements=st.floats(0, 1))


@given(n=st.integers(1, 5000), share=st.floats(0, 1), level=st.floats(0.5, 0.999))
def test_wilson_interval_holds_its_estimate(n, share, level):
    interval = analysis.wilson_interval(round(share * n), n, level)
    assert -1e-12 <= interval.low <= interval.estimate + 1e-12
    assert interval.estimate - 1e-12 <= interval.high <= 1 + 1e-12


@given(probabilities)
def test_holm_keeps_order_and_never_lowers(p):
    adjusted = analysis.holm_correction(p)
    assert np.all(adjusted >= p)
    assert np.all(adjusted <= np.minimum(1, p * p.size) + 1e-15)
    assert np.all(np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0)


@given(seed=seeds, shift=st.floats(-100, 100), scale=st.floats(0.1, 10))
@settings(max_examples=25)
def test_mean_interval_moves_with_its_values(seed, shift, scale):
    values = np.random.default_rng(seed).normal(size=6)
    plain, moved = analysis.mean_interval(values), analysis.mean_interval(shift + scale * values)
    assert moved.low == pytest.approx(shift + scale * plain.low, abs=1e-9)
    assert moved.high == pytest.approx(shift + scale * plain.high, abs=1e-9)


@given(seed=seeds)
@settings(max_examples=10)
def test_permutation_test_is_symmetric(seed):
    first, second = np.random.default_rng(seed).normal(size=(2, 7))
    one = analysis.paired_permutation_test(first, second)
    other = analysis.paired_permutation_test(second, first)
    assert one.p_value == other.p_value
    assert one.difference == -other.difference
    assert 2 / 2**7 <= one.p_value <= 1


def test_bootstrap_repeats_with_its_seed():
    values = np.random.default_rng(0).gamma(2, size=12)
    one, same = (analysis.bootstrap_interval(values, np.median, seed=3, n_resamples=500) for _ in range(2))
    assert one == same
    assert one.low <= one.estimate <= one.high


def test_bootstrap_of_equal_values_has_no_width():
    interval = analysis.bootstrap_interval([2.0, 2.0, 2.0])
    assert (interval.low, interval.estimate, interval.high) == (2, 2, 2)


@given(seed=seeds, scale=st.floats(1e-6, 1e6))
@settings(max_examples=25)
def test_cka_ignores_rotation_scale_and_offset(seed, scale):
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(2, 30, 6))
    rotation = np.linalg.qr(random.normal(size=(6, 6)))[0]
    value = analysis.linear_cka(x, y)
    assert 0 <= value <= 1
    assert analysis.linear_cka(scale * x @ rotation + 3, y) == pytest.approx(value, rel=1e-6)
    assert analysis.linear_cka(y, x) == pytest.approx(value)
    assert analysis.linear_cka(x, scale * x @ rotation) == pytest.approx(1)


def test_cka_does_not_ignore_a_stretch():
    x = np.random.default_rng(0).normal(size=(30, 6))
    assert analysis.linear_cka(x, x * [10, 1, 1, 1, 1, 1]) < 0.95


@given(seed=seeds)
@settings(max_examples=25)
def test_rank_correlation_ignores_monotone_maps(seed):
    a, b = np.random.default_rng(seed).uniform(0.1, 2, (2, 20))
    assert analysis.rank_correlation(a**3, np.log(b)) == pytest.approx(analysis.rank_correlation(a, b))


@given(seed=seeds, units=st.integers(2, 9))
@settings(max_examples=25)
def test_effective_rank_lies_between_one_and_the_units(seed, units):
    x = np.random.default_rng(seed).gamma(1, size=(40, units))
    rank = analysis.effective_rank(x)
    assert 1 <= rank.participation_ratio <= rank.entropy + 1e-9 <= units + 2e-9


def test_phi_of_unrelated_labels_is_about_one():
    values = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        values.append(analysis.clustering_score(random.normal(size=(200, 10)), random.integers(0, 4, 200)))
    assert np.mean(values) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("name", analysis.READOUTS)
def test_readouts_find_the_class_and_ignore_silent_units(name):
    records = make_records(n_train=300, n_test=100)
    parts = [
        records[k].to_numpy() for k in ("features_train", "labels_train", "features_test", "labels_test")
    ]
    result = analysis.evaluate_readout(name, *parts)
    assert result.accuracy > 0.9
    assert result.ci_low < result.accuracy <= result.ci_high <= 1
    padded = [np.pad(p, ((0, 0), (0, 7))) if p.ndim == 2 else p for p in parts]
    np.testing.assert_array_equal(analysis.evaluate_readout(name, *padded).predictions, result.predictions)


@pytest.mark.parametrize("name", analysis.READOUTS)
def test_readouts_do_not_see_test_labels_or_other_test_images(name):
    x, y = np.random.default_rng(0).poisson(3, (80, 6)), np.arange(80) % 3
    probe = np.random.default_rng(1).poisson(3, (20, 6))
    predicted = analysis.evaluate_readout(name, x, y, probe, np.zeros(20, int)).predictions
    np.testing.assert_array_equal(
        analysis.evaluate_readout(name, x, y, probe[:5], np.full(5, 2)).predictions, predicted[:5]
    )


@pytest.mark.parametrize("name", analysis.READOUTS)
def test_readouts_give_a_silent_network_the_most_frequent_class(name):
    silent = np.zeros((9, 4))
    result = analysis.evaluate_readout(name, silent, [5, 5, 5, 5, 2, 2, 2, 8, 8], silent[:3], [5, 2, 8])
    assert result.predictions.tolist() == [5, 5, 5]
    assert result.accuracy == pytest.approx(1 / 3)


def test_tuned_logistic_takes_the_strength_of_a_validation_split():
    random = np.random.default_rng(0)
    y = np.arange(300) % 3
    x = random.poisson(5 + 2 * np.eye(3)[y] @ np.ones((3, 40)) * np.repeat(np.eye(3)[y], 14, axis=1)[:, :40])
    results = [analysis.evaluate_readout("logistic", x, y, x[:9], y[:9], tune=True, seed=s) for s in (0, 0)]
    assert results[0].settings == results[1].settings
    assert 0.001 <= results[0].settings["C"] <= 1


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_sleep_episodes_cover_exactly_the_time_asleep(states):
    time = np.arange(len(states), dtype=float)
    episodes = analysis.sleep_episodes(xr.Dataset({"asleep": ("time", states)}, coords={"time": time}))
    covered = np.zeros(len(states), dtype=bool)
    for start, stop in zip(episodes["start"].to_numpy(), episodes["stop"].to_numpy(), strict=True):
        covered |= (time >= start) & (time < stop)
    expected = np.array(states)
    expected[-1] = False  # a state holds until the next sample, and the last has none
    np.testing.assert_array_equal(covered, expected)
    assert np.all(episodes["duration"] >= 0)


def test_receptive_fields_hold_every_weight_once():
    records = make_records()
    fields = analysis.receptive_fields(records)
    assert fields.shape == (200, 15, 15)
    assert float(fields.sum()) == pytest.approx(float(records["w_final_input_exc"].sum()))


def test_drift_is_none_where_nothing_moved():
    records = make_records()
    for pathway in analysis.PATHWAYS:
        records[f"w_final_{pathway}"] = records[f"w_initial_{pathway}"]
    drift = analysis.weight_drift(records)
    np.testing.assert_allclose(drift["norm_ratio"], 1)
    np.testing.assert_allclose(drift["relative_change"], 0)
    np.testing.assert_allclose(drift["rank_correlation"], 1)


def test_undefined_quantities_are_nan_without_warnings(recwarn):
    flat = np.ones((10, 3))
    labels = np.arange(10) % 2
    assert np.isnan(analysis.clustering_score(flat, labels))
    assert np.isinf(analysis.clustering_score(labels[:, None] * flat, labels))
    assert np.isnan(analysis.linear_cka(flat, flat))
    assert np.isnan(analysis.rank_correlation(flat[:, 0], labels))
    assert np.isnan(analysis.effective_rank(flat).entropy)
    assert len(recwarn) == 0


def test_embedding_repeats_with_its_seed():
    x = np.random.default_rng(0).gamma(1, size=(40, 5))
    one, same = (analysis.embed(x, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one.coordinates, same.coordinates)
    assert np.any(one.coordinates != analysis.embed(x, seed=5).coordinates)
    assert np.isnan(one.neighbour_accuracy)
    assert np.isnan(one.phi)


def test_importing_loads_neither_simulator_nor_learning_library():
    code = (
        "import sys, homeonet.analysis, homeonet.plotting;"
        "print([m for m in ('brian2', 'torch', 'sklearn', 'matplotlib.pyplot') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"

"""Analysis against closed forms, published numbers, hand-worked examples and formulas written out.

Never against stored output of the code under test.
"""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from homeonet import analysis

rng = np.random.default_rng


def _code(seed: int, n: int, units: int = 12, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    random = rng(seed)
    labels = np.arange(n) % classes
    rates = rng(99).gamma(2.0, 3.0, (classes, units))
    return random.poisson(rates[labels]), labels


# ---- statistics


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe (1998), Stat. Med. 17, 857-872, table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_matches_newcombe(successes, n, low, high):
    interval = analysis.wilson_interval(successes, n)
    assert interval.estimate == successes / n
    assert (interval.low, interval.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_wilson_interval_solves_its_equation():
    interval = analysis.wilson_interval(70, 180, level=0.9)
    z = 1.6448536269514722
    for end in (interval.low, interval.high):
        assert abs(70 / 180 - end) == pytest.approx(z * np.sqrt(end * (1 - end) / 180), rel=1e-9)


def test_mean_interval_matches_the_t_table():
    values = np.array([63.0, 66.0, 74.2, 71.4, 70.7])
    interval = analysis.mean_interval(values)
    half = 2.776445 * np.std(values, ddof=1) / np.sqrt(5)  # t(0.975, 4)
    assert interval.estimate == pytest.approx(69.06)
    assert interval.high - interval.estimate == pytest.approx(half, rel=1e-6)
    assert interval.estimate - interval.low == pytest.approx(half, rel=1e-6)


def test_bootstrap_percentile_matches_the_normal_limit():
    values = rng(0).normal(5.0, 2.0, 400)
    interval = analysis.bootstrap_interval(values, n_resamples=4000)
    half = 1.96 * values.std() / 20
    assert interval.low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_permutation_test_is_exact_for_five_pairs():
    first, second = np.array([3.0, 5, 2, 8, 6]), np.array([1.0, 4, 3, 2, 1])
    difference = first - second
    signs = np.array(np.meshgrid(*[[-1, 1]] * 5)).reshape(5, -1).T
    means = (signs * difference).mean(axis=1)
    expected = np.mean(np.abs(means) >= difference.mean() - 1e-12)
    result = analysis.paired_permutation_test(first, second)
    assert result.difference == pytest.approx(2.6)
    assert result.p_value == pytest.approx(expected)
    assert result.n_pairs == 5


def test_holm_correction_hand_worked():
    adjusted = analysis.holm_correction([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(adjusted, [0.03, 0.06, 0.06, 0.02])


# ---- clustering, similarity, activity


def test_phi_is_the_ratio_of_the_sums_of_squares():
    x, y = _code(9, 90, units=6, classes=3)
    centred = x - x.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    kept = int(np.searchsorted(np.cumsum(s**2) / np.sum(s**2), 0.95)) + 1
    z = (u * s)[:, :kept]
    between = sum(np.sum(y == k) * np.sum(z[y == k].mean(axis=0) ** 2) for k in range(3))
    within = sum(np.sum((z[y == k] - z[y == k].mean(axis=0)) ** 2) for k in range(3))
    expected = (between / 2) / (within / 87)
    assert analysis.clustering_score(x, y) == pytest.approx(expected, rel=1e-9)


def test_cka_is_normalised_hsic():
    x, y = rng(0).normal(size=(40, 7)), rng(1).normal(size=(40, 5))
    y[:, :3] += x[:, :3]
    centre = np.eye(40) - 1 / 40

    def hsic(a, b):
        return np.trace(a @ a.T @ centre @ b @ b.T @ centre) / 39**2

    expected = hsic(x, y) / np.sqrt(hsic(x, x) * hsic(y, y))
    assert analysis.linear_cka(x, y) == pytest.approx(expected, rel=1e-10)


def test_effective_rank_of_known_spectra():
    equal = np.vstack([np.eye(4), -np.eye(4)])
    rank = analysis.effective_rank(equal)
    assert (rank.participation_ratio, rank.entropy) == (pytest.approx(4), pytest.approx(4))
    uneven = np.array([[np.sqrt(3), 0], [-np.sqrt(3), 0], [0, 1], [0, -1]])  # variances 3 : 1
    rank = analysis.effective_rank(uneven)
    assert rank.participation_ratio == pytest.approx(16 / 10)
    assert rank.entropy == pytest.approx(4 / 3**0.75)


def test_activity_summary_hand_worked():
    counts = np.array([[0, 1, 40, 5], [0, 3, 60, 5]])
    summary = analysis.activity_summary(counts, 0.5, saturation_rate=100)
    np.testing.assert_allclose(analysis.unit_rates(counts, 0.5), [0, 4, 100, 10])
    assert (summary.mean_rate, summary.median_rate, summary.max_rate) == (28.5, 7, 100)
    assert (summary.dead_fraction, summary.saturated_fraction) == (0.25, 0.25)


def test_dead_and_saturated_shares():
    assert analysis.dead_and_saturated([0.0, 0.0, 0.5, 1.0], 1.0) == (0.5, 0.25)
    assert analysis.dead_and_saturated(np.array([3.0, 120.0]), 100.0) == (0.0, 0.5)


def test_embedding_numbers_for_separate_classes():
    x, y = rng(0).normal(size=(60, 8)), np.arange(60) % 3
    x[:, 0] += 20 * y
    result = analysis.embed(x, y)
    assert result.neighbour_accuracy == 1
    assert result.phi == analysis.clustering_score(x, y)
    assert result.perplexity == 30
    assert 0.8 < result.trustworthiness <= 1


def test_neighbour_accuracy_leaves_each_image_out():
    x, y = rng(0).normal(size=(31, 3)), rng(1).integers(0, 2, 31)
    result = analysis.embed(x, y, method="pca")
    plane = result.coordinates.to_numpy()
    distance = np.linalg.norm(plane[:, None] - plane[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    votes = y[np.argsort(distance, axis=1)[:, :5]].mean(axis=1) > 0.5
    assert result.neighbour_accuracy == np.mean(votes == y)


def test_an_embedding_of_one_image_a_class_has_no_phi():
    x = np.random.default_rng(3).random((5, 8))
    for labels in (np.arange(5), np.zeros(5, dtype=int)):
        result = analysis.embed(x, labels, method="pca")
        assert np.isnan(result.phi) and 0 <= result.neighbour_accuracy <= 1


def test_pca_embedding_is_the_leading_plane():
    x = rng(0).normal(size=(30, 5)) * [5, 3, 1, 1, 1]
    u, s, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    plane = analysis.embed(x, method="pca").coordinates.to_numpy()
    np.testing.assert_allclose(np.abs(plane), np.abs((u * s)[:, :2]), rtol=1e-9)


# ---- weights and sleep


def _weights() -> xr.Dataset:
    return xr.Dataset(
        {
            "w_initial_input_exc": ("synapse_input_exc", [1.0, 2.0, 3.0, 4.0]),
            "w_final_input_exc": ("synapse_input_exc", [2.0, 3.0, 5.0, 1.0]),
            "pre_input_exc": ("synapse_input_exc", [0, 5, 4, 4]),
            "post_input_exc": ("synapse_input_exc", [0, 0, 1, 1]),
        },
        attrs={"image_height": 2, "image_width": 3, "n_exc": 3},
    )


def test_receptive_fields_put_each_weight_in_its_pixel():
    fields = analysis.receptive_fields(_weights())
    assert fields.dims == ("unit", "row", "col")
    expected = np.zeros((3, 2, 3))
    expected[0, 0, 0], expected[0, 1, 2], expected[1, 1, 1] = 2, 3, 6
    np.testing.assert_array_equal(fields, expected)
    blank = analysis.receptive_fields(_weights(), which="initial", absent=np.nan)
    assert np.isnan(blank).sum() == 15
    assert blank[1, 1, 1] == 7


def test_weight_summary_and_drift_hand_worked():
    summary = analysis.weight_summary(_weights())
    final = summary.sel(when="final", pathway="input_exc")
    assert (final["mean"], final["count"]) == (2.75, 4)
    assert final["sd"] == pytest.approx(np.sqrt(2.1875))
    assert final["weight_quantile"].sel(quantile=0.5) == 2.5
    drift = analysis.weight_drift(_weights()).sel(pathway="input_exc")
    assert drift["norm_ratio"] == pytest.approx(np.sqrt(39 / 30))
    assert drift["relative_change"] == pytest.approx(np.sqrt(15 / 30))
    # ranks 1 2 3 4 against 2 3 4 1: 1 − 6·12/(4·15)
    assert drift["rank_correlation"] == pytest.approx(-0.2)


def test_drift_hand_worked():
    # ranks 1 2 3 against 2 3 1: 1 − 6·6/(3·8)
    found = analysis.drift([[3.0], [4.0], [12.0]], [[6.0], [8.0], [0.0]])
    assert found.norm_ratio == pytest.approx(10 / 13)
    assert found.relative_change == pytest.approx(np.sqrt(9 + 16 + 144) / 13)
    assert found.rank_correlation == pytest.approx(-0.5)
    still = analysis.drift([1.0, 2.0], [1.0, 2.0])
    assert (still.norm_ratio, still.relative_change, still.rank_correlation) == pytest.approx((1, 0, 1))
    assert np.isnan(analysis.drift([0.0, 0.0], [1.0, 2.0]).relative_change)


def test_synaptic_operations_counted_synapse_by_synapse():
    sizes = {"input": 6, "exc": 5, "inh": 3}
    ends = {"input_exc": ("input", 9), "exc_inh": ("exc", 7), "inh_exc": ("inh", 1)}
    random = rng(4)
    pre = {name: random.integers(0, sizes[source], n) for name, (source, n) in ends.items()}
    records = xr.Dataset({f"pre_{name}": (f"synapse_{name}", index) for name, index in pre.items()})
    spikes = {name: random.poisson(2.0, (4, n)) for name, n in sizes.items()}
    found = analysis.synaptic_operations(records, spikes)
    assert found.dims == ("image", "pathway")
    for name, (source, _) in ends.items():
        for image in range(4):
            expected = sum(int(spikes[source][image, unit]) for unit in pre[name])
            assert found.sel(pathway=name)[image] == expected


def test_field_overlap_hand_worked():
    first = xr.DataArray([[[1.0, 0.0]], [[3.0, 4.0]], [[0.0, 0.0]]], dims=("unit", "row", "col"))
    second = xr.DataArray([[[0.0, 2.0]], [[4.0, 3.0]], [[1.0, np.nan]]], dims=("unit", "row", "col"))
    np.testing.assert_allclose(analysis.field_overlap(first, second), [0, 0.96, np.nan])


def test_sleep_episodes_hand_worked():
    records = xr.Dataset(
        {"asleep": ("time", [1, 0, 0, 1, 1, 0, 1, 1])}, coords={"time": np.arange(8) * 0.5 + 10}
    )
    episodes = analysis.sleep_episodes(records)
    assert episodes["start"].to_numpy().tolist() == [10.0, 11.5, 13.0]
    assert episodes["stop"].to_numpy().tolist() == [10.5, 12.5, 13.5]
    assert episodes["duration"].to_numpy().tolist() == [0.5, 1.0, 0.5]

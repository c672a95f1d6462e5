"""Readouts against hand-worked examples, densities written out and scikit-learn's own pipeline.

Never against stored output of the code under test.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from threadpoolctl import threadpool_info, threadpool_limits

from homeonet import analysis

rng = np.random.default_rng


def _code(seed: int, n: int, units: int = 12, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    random = rng(seed)
    labels = np.arange(n) % classes
    rates = rng(99).gamma(2.0, 3.0, (classes, units))
    return random.poisson(rates[labels]), labels


def test_diehl_cook_hand_worked():
    # neuron 0 answers class 0, neurons 1 and 3 class 1; neuron 2 never fires and belongs to none
    train = np.array([[4, 1, 0, 1], [6, 0, 0, 0], [1, 3, 0, 6], [0, 5, 0, 2]])
    labels = np.array([0, 0, 1, 1])
    np.testing.assert_array_equal(analysis.assign_labels(train, labels), [0, 1, -1, 1])
    # means: (3 | 2.5), (2 | 3), (2 | 1.5 although class 1 has more spikes in all)
    test = np.array([[3, 5, 9, 0], [2, 1, 9, 5], [2, 3, 9, 0]])
    result = analysis.evaluate_readout("diehl_cook", train, labels, test, np.array([0, 1, 1]))
    np.testing.assert_array_equal(result.predictions, [0, 1, 0])
    assert result.accuracy == pytest.approx(2 / 3)
    assert result.settings == {"assigned_neurons": 3}


def test_diehl_cook_gives_an_unanswered_image_the_most_frequent_class():
    train, labels = np.array([[4, 0], [0, 4], [0, 5]]), np.array([0, 1, 1])
    result = analysis.evaluate_readout(
        "diehl_cook", train, labels, np.array([[0, 0], [1, 0]]), np.array([1, 0])
    )
    np.testing.assert_array_equal(result.predictions, [1, 0])


def test_diehl_cook_reads_excitatory_units_alone():
    train, labels = np.array([[4, 0, 0], [0, 4, 90]]), np.array(["a", "b"])
    test = np.array([[4, 1, 90]])
    both = analysis.evaluate_readout("diehl_cook", train, labels, test, ["a"])
    alone = analysis.evaluate_readout("diehl_cook", train, labels, test, ["a"], n_exc=2)
    assert both.predictions.tolist() == ["b"]
    assert alone.predictions.tolist() == ["a"]


@pytest.mark.parametrize("n_train", [200, 24])  # 24: fewer images per class than components
def test_the_paper_s_readout_is_the_gaussian_likelihood_in_whitened_pca_space(n_train):
    (x, y), (z, truth) = _code(1, n_train), _code(2, 80)
    result = analysis.evaluate_readout("paper", x, y, z, truth)
    mean, sd = x.mean(axis=0), x.std(axis=0)
    x, z = (x - mean) / sd, (z - mean) / sd
    values, vectors = np.linalg.eigh(np.cov(x, rowvar=False))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = int(np.searchsorted(np.cumsum(values) / values.sum(), 0.95)) + 1
    x, z = ((m @ vectors[:, :kept]) / np.sqrt(values[:kept]) for m in (x, z))
    score = np.empty((len(z), 4))
    for k in range(4):
        own = x[y == k]
        covariance = 0.9 * np.cov(own, rowvar=False, bias=True) + 0.1 * np.eye(kept)
        score[:, k] = np.log(np.mean(y == k)) + multivariate_normal(own.mean(axis=0), covariance).logpdf(z)
    assert result.settings == {"components": kept, "images": n_train}
    np.testing.assert_array_equal(result.predictions, score.argmax(axis=1))


def test_qda_is_the_gaussian_likelihood_with_the_shrinkage_that_does_best_on_images_held_out():
    """Scaling one unit changes a result that standardises and not this one, but for what PCA leaves out."""
    (x, y), (z, truth) = _code(1, 400), _code(2, 80)
    result = analysis.evaluate_readout("qda", x, y, z, truth, seed=3)
    centred = x - x.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(centred, rowvar=False))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = int(np.searchsorted(np.cumsum(values) / values.sum(), 0.95)) + 1
    x, z = centred @ vectors[:, :kept], (z - np.mean(_code(1, 400)[0], axis=0)) @ vectors[:, :kept]

    def classes(x, y, z, share):
        own = [np.cov(x[y == k], rowvar=False, bias=True) for k in range(4)]
        common = sum(np.mean(y == k) * own[k] for k in range(4))
        common = common + 1e-3 * np.trace(common) / kept * np.eye(kept)
        score = [
            np.log(np.mean(y == k))
            + multivariate_normal(x[y == k].mean(axis=0), (1 - share) * own[k] + share * common).logpdf(z)
            for k in range(4)
        ]
        return np.argmax(score, axis=0)

    from sklearn.model_selection import train_test_split

    fit, held = train_test_split(np.arange(400), test_size=0.2, random_state=3, stratify=y)
    shares = (0.01, 0.03, 0.1, 0.3, 0.5, 0.8)
    right = [np.sum(classes(x[fit], y[fit], x[held], share) == y[held]) for share in shares]
    best = shares[int(np.argmax(right))]
    assert result.settings == {"components": kept, "shrinkage": best}
    np.testing.assert_array_equal(result.predictions, classes(x, y, z, best))


def test_qda_of_one_image_a_class_is_the_nearest_mean() -> None:
    """Nothing varies within a class, so only distances are left."""
    means = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    z = np.random.default_rng(0).uniform(-1, 5, (60, 2))
    nearest = np.linalg.norm(z[:, None] - means, axis=2).argmin(axis=1)
    result = analysis.evaluate_readout("qda", means, np.arange(3), z, nearest)
    assert result.accuracy == 1.0


def test_qda_of_raw_pixels_is_as_good_as_the_field_s():
    """Standardising each pixel costs QDA several points on digits: shown on scikit-learn's own digits and pipeline."""
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline

    x, y = load_digits(return_X_y=True)
    x, z, y, truth = x[:1200], x[1200:], y[:1200], y[1200:]
    reference = (
        make_pipeline(PCA(0.95), QuadraticDiscriminantAnalysis(reg_param=0.1)).fit(x, y).score(z, truth)
    )
    ours = {name: analysis.evaluate_readout(name, x, y, z, truth).accuracy for name in ("qda", "paper")}
    assert ours["qda"] > reference - 0.01 and ours["qda"] > ours["paper"] + 0.02


def test_the_paper_s_readout_agrees_with_scikit_learn_where_it_has_enough_images():
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    (x, y), (z, truth) = _code(3, 800, classes=5), _code(4, 500, classes=5)
    reference = make_pipeline(
        StandardScaler(), PCA(0.95, whiten=True), QuadraticDiscriminantAnalysis(reg_param=0.1)
    ).fit(x[-300:], y[-300:])
    result = analysis.evaluate_readout("paper", x, y, z, truth)
    # releases of scikit-learn differ in dividing by n or n - 1, which may move a point on the border
    assert np.mean(result.predictions == reference.predict(z)) > 0.99


def test_logistic_is_at_the_minimum_of_its_penalised_loss():
    (x, y), (z, truth) = _code(5, 120, units=5, classes=3), _code(6, 60, units=5, classes=3)
    result = analysis.evaluate_readout("logistic", x, y, z, truth, strength=0.1)
    from scipy.optimize import minimize

    x, z = np.sqrt(x), np.sqrt(z)
    z = (z - x.mean(axis=0)) / x.std(axis=0)
    x = (x - x.mean(axis=0)) / x.std(axis=0)

    def loss(flat):
        weights, bias = flat[:15].reshape(5, 3), flat[15:]
        score = x @ weights + bias
        score -= score.max(axis=1, keepdims=True)
        likelihood = score[np.arange(len(y)), y] - np.log(np.exp(score).sum(axis=1))
        return 0.5 * np.sum(weights**2) - 0.1 * likelihood.sum()

    best = minimize(loss, np.zeros(18)).x
    score = z @ best[:15].reshape(5, 3) + best[15:]
    sure = np.diff(np.sort(score, axis=1)[:, -2:], axis=1)[:, 0] > 0.02
    assert sure.mean() > 0.9
    np.testing.assert_array_equal(result.predictions[sure], score.argmax(axis=1)[sure])


def test_knn_votes_of_the_five_nearest():
    (x, y), (z, truth) = _code(7, 60), _code(8, 40)
    result = analysis.evaluate_readout("knn", x, y, z, truth)
    root, probe = np.sqrt(x), np.sqrt(z)
    probe, root = (probe - root.mean(0)) / root.std(0), (root - root.mean(0)) / root.std(0)
    nearest = np.argsort(np.linalg.norm(probe[:, None] - root[None], axis=2), axis=1)[:, :5]
    votes = [np.bincount(y[row], minlength=4).argmax() for row in nearest]
    np.testing.assert_array_equal(result.predictions, votes)
    assert result.accuracy == np.mean(votes == truth)


def test_readout_interval_is_wilsons():
    (x, y), (z, truth) = _code(7, 60), _code(8, 40)
    result = analysis.evaluate_readout("knn", x, y, z, truth)
    interval = analysis.wilson_interval(round(result.accuracy * 40), 40)
    assert (result.ci_low, result.ci_high, result.n_test) == (interval.low, interval.high, 40)


def test_confusion_matrix_hand_worked():
    confusion = analysis.confusion_matrix([3, 3, 5, 5, 5], [3, 5, 5, 7, 5])
    assert confusion["true"].to_numpy().tolist() == [3, 5, 7]
    assert confusion.to_numpy().tolist() == [[1, 1, 0], [0, 2, 1], [0, 0, 0]]


def test_readouts_and_embeddings_are_those_of_one_thread_and_leave_the_limit_as_it_was(monkeypatch):
    limits, fit = [], analysis._readouts._FITTERS["qda"]

    def spied(*given):
        limits.append({library["num_threads"] for library in threadpool_info()})
        return fit(*given)

    monkeypatch.setitem(analysis._readouts._FITTERS, "qda", spied)
    x, labels = _code(3, 80)
    found = []
    for threads in (1, 3):
        with threadpool_limits(threads):
            before = threadpool_info()
            score = analysis.clustering_score(x, labels)
            found.append((score, analysis.embed(x, labels).coordinates.values.tolist()))
            analysis.evaluate_readout("qda", x, labels, x, labels)
            assert threadpool_info() == before
    assert found[0] == found[1] and limits == [{1}, {1}]

"""Readouts: how much of the class a linear, a Gaussian, a neighbour or a neuron-vote rule finds in spike counts.

For scoring a code on images it was not fitted to. Never chooses anything on the test set, and never
touches the network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from homeonet.analysis._assignment import assign_labels, class_votes
from homeonet.analysis._checks import as_features, as_labels
from homeonet.analysis._statistics import wilson_interval
from homeonet.analysis._threads import one_thread
from homeonet.errors import InputError

__all__ = ["READOUTS", "ReadoutResult", "evaluate_readout"]

_STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_VALIDATION_SHARE = 0.2
_NEIGHBOURS = 5
_PCA_VARIANCE = 0.95
#: Shares of the covariance that all classes have in common, of which "qda" takes the best; 1 would be linear.
_SHRINKAGES = (0.01, 0.03, 0.1, 0.3, 0.5, 0.8)
#: Added to each variance, as a share of their mean.
_RIDGE = 1e-3
#: Of the sleep paper: covariance towards the identity, fitted on so many of the last training images.
_PAPER_SHRINKAGE, _PAPER_IMAGES = 0.1, 300


@dataclass(frozen=True)
class ReadoutResult:
    """What one readout scored on the test images.

    Attributes
    ----------
    name : str
        The readout's name, a key of `READOUTS`.
    accuracy, ci_low, ci_high : float
        Share of correct test images with its 95 % Wilson interval, within [0, 1].
    n_test : int
        Number of test images.
    predictions : ndarray, shape (image_test,)
        Predicted class of each test image.
    settings : mapping
        Values the readout was fitted with (such as `C`).
    """

    name: str
    accuracy: float
    ci_low: float
    ci_high: float
    n_test: int
    predictions: np.ndarray
    settings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Options:
    seed: int
    tune: bool
    strength: float


_Fit = tuple[np.ndarray, dict[str, float]]  # class index of each test image, and what was fitted


def evaluate_readout(
    name: str,
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    y_test: np.ndarray,
    *,
    seed: int = 0,
    tune: bool = False,
    strength: float = 0.03,
    n_exc: int | None = None,
) -> ReadoutResult:
    """Fit a readout on the training code and score it on the test code.

    Units whose training value never changes carry nothing and are left out; where none is left every
    image gets the most frequent training class.

    Parameters
    ----------
    name : {"logistic", "qda", "knn", "diehl_cook", "paper"}
        "logistic": √counts, standardised, multinomial logistic regression. "qda": PCA (95 %) of the counts as they
        are, quadratic discriminant whose covariances are shrunk towards the common one, by as much as does best on a
        fifth of the training images held out by class. "knn": the five nearest in standardised √counts.
        "diehl_cook": each excitatory neuron gets the class of its highest mean response, an image the class whose
        neurons fire most on average. "paper", the sleep paper's: standardised, PCA (95 %, whitened), quadratic
        discriminant with covariance 0.9·S + 0.1·I, fitted on the last 300 training images. Standardising each unit
        blows up those that hardly vary, which costs raw pixels ten points; that is why "qda" does not.
    x_train, x_test : array_like, shape (image, unit)
        Spike counts of each image, ≥ 0 ("qda" and "paper" take any real code).
    y_train, y_test : array_like, shape (image,)
        Class labels; every class of the test images must be among the training images.
    seed : int, default 0
        Seed of the images held out ("logistic" where `tune` is true, "qda").
    tune : bool, default False
        "logistic" only: choose C from 0.001 … 1 on a fifth of the training images held out by class,
        then fit all of them again.
    strength : float, default 0.03
        "logistic" only: inverse regularisation C > 0 where `tune` is false.
    n_exc : int, optional
        "diehl_cook" only: the first `n_exc` units are the excitatory ones; all by default.

    Returns
    -------
    ReadoutResult

    Raises
    ------
    InputError
        Unknown readout, values that are not finite, negative counts, shapes that do not fit, or classes
        of the test set that the training set lacks (named).

    References
    ----------
    Friedman (1989). J. Am. Stat. Assoc. 84:165 ("qda"); Massey et al., arXiv 2601.08447 ("paper"); Diehl & Cook
    (2015). Front. Comput. Neurosci. 9:99 ("diehl_cook").

    Examples
    --------
    >>> x = np.array([[9, 0], [8, 1], [0, 7], [1, 9]])
    >>> y = np.array([0, 0, 1, 1])
    >>> evaluate_readout("diehl_cook", x, y, x, y).accuracy
    1.0
    """
    if name not in _FITTERS:
        raise InputError(f"readout is {name!r}; give one of {', '.join(_FITTERS)}")
    if strength <= 0:
        raise InputError(f"strength is {strength}; give C > 0")
    train, test = as_features("x_train", x_train, min_rows=2), as_features("x_test", x_test)
    if train.shape[1] != test.shape[1]:
        raise InputError(
            f"x_train has {train.shape[1]} units and x_test {test.shape[1]}; give the same units"
        )
    y_fit, y_score = as_labels("y_train", y_train, len(train)), as_labels("y_test", y_test, len(test))
    classes, target = np.unique(y_fit, return_inverse=True)
    unseen = np.setdiff1d(y_score, classes)
    if unseen.size and name != "paper":  # few images: a class that none of them has is never found
        raise InputError(
            f"y_train lacks the classes {', '.join(map(str, unseen))} of y_test; train on every class or drop them"
        )
    if name not in ("qda", "paper") and min(train.min(), test.min()) < 0:
        raise InputError(f"spike counts of readout {name!r} are negative; give counts ≥ 0 or use 'qda'")

    if name == "diehl_cook" and n_exc is not None:
        if not 1 <= n_exc <= train.shape[1]:
            raise InputError(f"n_exc is {n_exc}; give 1 to {train.shape[1]}, the number of units")
        train, test = train[:, :n_exc], test[:, :n_exc]
    varying = np.ptp(train, axis=0) > 0
    settings: Mapping[str, float] = {}
    if classes.size == 1 or not varying.any():
        predicted = np.full(len(test), np.bincount(target).argmax())
    else:
        options = _Options(seed, tune, strength)
        with one_thread():
            predicted, settings = _FITTERS[name](train[:, varying], target, test[:, varying], options)
    predictions = classes[predicted]
    score = wilson_interval(int(np.count_nonzero(predictions == y_score)), len(test))
    return ReadoutResult(name, score.estimate, score.low, score.high, len(test), predictions, settings)


def _diehl_cook(train: np.ndarray, target: np.ndarray, test: np.ndarray, options: _Options) -> _Fit:
    assigned = assign_labels(train, target)
    votes = class_votes(test, assigned, target.max() + 1)
    predicted = votes.argmax(axis=1)
    predicted[votes.max(axis=1) <= 0] = np.bincount(target).argmax()  # an image no assigned neuron answers
    return predicted, {"assigned_neurons": int(np.count_nonzero(assigned >= 0))}


def _standardise(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, sd = train.mean(axis=0), train.std(axis=0)
    return (train - mean) / sd, (test - mean) / sd


def _held_out(target: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows to fit on and rows held out by class; None if there are too few."""
    from sklearn.model_selection import train_test_split

    try:
        fit, held = train_test_split(
            np.arange(len(target)), test_size=_VALIDATION_SHARE, random_state=seed, stratify=target
        )
    except ValueError:
        return None
    return fit, held


def _logistic(train: np.ndarray, target: np.ndarray, test: np.ndarray, options: _Options) -> _Fit:
    from sklearn.linear_model import LogisticRegression

    x, z = _standardise(np.sqrt(train), np.sqrt(test))
    # looser than the default: predictions settle long before the last digits of the weights do
    model = LogisticRegression(C=options.strength, tol=1e-3, max_iter=500, warm_start=True)
    if options.tune:
        split = _held_out(target, options.seed)
        if split is None:
            raise InputError(
                f"x_train has {len(x)} images, too few to hold out two per class; give more or set tune=False"
            )
        fit, held = split
        scores = []
        for c in _STRENGTHS:
            model.set_params(C=c).fit(x[fit], target[fit])
            scores.append(model.score(x[held], target[held]))
        model.set_params(C=_STRENGTHS[int(np.argmax(scores))])
    model.fit(x, target)
    return model.predict(z), {"C": model.C}


def _qda(train: np.ndarray, target: np.ndarray, test: np.ndarray, options: _Options) -> _Fit:
    from sklearn.decomposition import PCA

    pca = PCA(n_components=_PCA_VARIANCE, svd_solver="full").fit(train)
    x, z = pca.transform(train), pca.transform(test)
    split, shrinkage = _held_out(target, options.seed), _SHRINKAGES[2]
    if split is not None:
        fit, held = split
        right = [
            np.count_nonzero(_discriminant(x[fit], target[fit], x[held], share) == target[held])
            for share in _SHRINKAGES
        ]
        shrinkage = _SHRINKAGES[int(np.argmax(right))]
    settings = {"components": int(pca.n_components_), "shrinkage": shrinkage}
    return _discriminant(x, target, z, shrinkage), settings


def _discriminant(x: np.ndarray, target: np.ndarray, z: np.ndarray, shrinkage: float) -> np.ndarray:
    """Classes of `z` by Gaussians whose covariances are shrunk towards what the classes have in common."""
    classes = range(target.max() + 1)
    own = [np.cov(x[target == k], rowvar=False, bias=True).reshape(2 * x.shape[1:]) for k in classes]
    common = sum(np.mean(target == k) * covariance for k, covariance in zip(classes, own, strict=True))
    # where no class varies at all, the nearest mean decides
    common = common + _RIDGE * (np.trace(common) / len(common) or 1.0) * np.eye(len(common))
    means = [x[target == k].mean(axis=0) for k in classes]
    mixed = [(1 - shrinkage) * covariance + shrinkage * common for covariance in own]
    priors = np.bincount(target, minlength=len(classes)) / len(target)
    return _gaussian(z, means, mixed, priors)


def _gaussian(
    z: np.ndarray, means: Sequence[np.ndarray], covariances: Sequence[np.ndarray], priors: np.ndarray
) -> np.ndarray:
    """The most probable class of each row."""
    # written out because scikit-learn refuses classes with fewer images than components, which small sets have;
    # the regularised covariance has full rank all the same
    score = np.empty((len(z), len(means)))
    for k, (mean, covariance) in enumerate(zip(means, covariances, strict=True)):
        values, vectors = np.linalg.eigh(covariance)
        distance = np.sum(((z - mean) @ vectors) ** 2 / values, axis=1)
        score[:, k] = np.log(priors[k]) - 0.5 * (distance + np.log(values).sum())
    return score.argmax(axis=1)


def _paper(train: np.ndarray, target: np.ndarray, test: np.ndarray, options: _Options) -> _Fit:
    from sklearn.decomposition import PCA

    train, target = train[-_PAPER_IMAGES:], target[-_PAPER_IMAGES:]
    varying = np.ptp(train, axis=0) > 0
    present, target = np.unique(target, return_inverse=True)
    if not varying.any() or len(present) == 1:
        return np.full(len(test), present[np.bincount(target).argmax()]), {}
    x, z = _standardise(train[:, varying], test[:, varying])
    pca = PCA(n_components=_PCA_VARIANCE, whiten=True, svd_solver="full").fit(x)
    x, z = pca.transform(x), pca.transform(z)
    own = [x[target == k] for k in range(len(present))]
    covariances = [
        (1 - _PAPER_SHRINKAGE) * np.cov(rows, rowvar=False, bias=True).reshape(2 * x.shape[1:])
        + _PAPER_SHRINKAGE * np.eye(x.shape[1])
        for rows in own
    ]
    priors = np.bincount(target) / len(target)
    predicted = _gaussian(z, [rows.mean(axis=0) for rows in own], covariances, priors)
    return present[predicted], {"components": int(pca.n_components_), "images": len(train)}


def _knn(train: np.ndarray, target: np.ndarray, test: np.ndarray, options: _Options) -> _Fit:
    from sklearn.neighbors import KNeighborsClassifier

    if len(train) < _NEIGHBOURS:
        raise InputError(f"x_train has {len(train)} images; 'knn' needs at least {_NEIGHBOURS}")
    x, z = _standardise(np.sqrt(train), np.sqrt(test))
    return KNeighborsClassifier(_NEIGHBOURS).fit(x, target).predict(z), {"k": _NEIGHBOURS}


_FITTERS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray, _Options], _Fit]] = {
    "logistic": _logistic,
    "qda": _qda,
    "knn": _knn,
    "diehl_cook": _diehl_cook,
    "paper": _paper,
}
READOUTS: tuple[str, ...] = tuple(_FITTERS)

"""What can be read out of a network: features of all images, plasticity off, and readouts fitted on some of them.

Changes nothing in the network and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from homeonet.config import Config
from homeonet.data import Dataset
from homeonet.errors import InputError
from homeonet.machine.cores import worker_count
from homeonet.plastic import Network, Structure, read_features
from homeonet.progress import ProgressMeter, meter

if TYPE_CHECKING:
    from homeonet.analysis import ReadoutResult

__all__ = [
    "Evaluation",
    "check_enough",
    "evaluate",
    "shown_images",
    "tunable",
]

#: The readouts of a trained network.
READOUTS = ("logistic", "qda", "knn", "diehl_cook", "paper")
#: What the readout by five nearest neighbours needs.
_FEWEST_TRAIN = 5


@dataclass(frozen=True)
class Evaluation:
    """Spike counts of a network for training and test images, and what readouts make of them.

    Attributes
    ----------
    features_train, features_test : ndarray, shape (n_images, n_neurons)
    readouts : dict of str to ReadoutResult
        Scored on the test images.
    validation : dict of str to ReadoutResult
        The same readouts scored on the validation images; empty where there are none.
    phi : float
        Clustering score of the test features; NaN for a single class, or a single image per class.
    """

    features_train: np.ndarray
    features_test: np.ndarray
    readouts: dict[str, ReadoutResult]
    validation: dict[str, ReadoutResult]
    phi: float


def evaluate(
    network: Network,
    dataset: Dataset,
    *,
    device: str = "auto",
    workers: int | None = 1,
    readouts: tuple[str, ...] = READOUTS,
    progress: ProgressMeter | None = None,
    features: np.ndarray | None = None,
) -> Evaluation:
    """Read features out of a network and score readouts fitted on all training images.

    Parameters
    ----------
    network : Network
    dataset : Dataset
        Readouts are fitted on its training images and scored on its test images, and on its validation
        images where it has some. Colours are taken as luminance.
    device, workers, progress
        See :func:`run`.
    readouts : tuple of str
        Names of readouts.
    features : ndarray, optional
        Spike counts that were read out of the network before, for its test, training and validation images in turn.

    Returns
    -------
    Evaluation
    """
    from homeonet.analysis import clustering_score, evaluate_readout

    dataset = dataset.grey()
    check_enough(dataset)
    if features is None:
        images = shown_images(dataset)
        with meter(progress, "evaluating", len(images)) as advance:
            features = read_features(
                network, images, device=device, workers=worker_count(workers), progress=advance
            )
    n_test, n_train = len(dataset.x_test), len(dataset.x_train)
    test, train, val = np.split(features, [n_test, n_test + n_train])
    labels = np.concatenate([dataset.y_test, dataset.y_val])
    scored, excitatory = np.concatenate([test, val]), _excitatory(network.config)
    results = {}
    for name in readouts:
        units = excitatory if name == "diehl_cook" else slice(None)  # as there, excitatory neurons alone vote
        results[name] = evaluate_readout(
            name,
            train[:, units],
            dataset.y_train,
            scored[:, units],
            labels,
            seed=network.config.seed,
            tune=name == "logistic" and tunable(dataset),
        )
    n_classes = len(np.unique(dataset.y_test))
    return Evaluation(
        train,
        test,
        {name: _scored(result, labels, slice(n_test)) for name, result in results.items()},
        {name: _scored(result, labels, slice(n_test, None)) for name, result in results.items() if len(val)},
        clustering_score(test, dataset.y_test) if 1 < n_classes < n_test else float("nan"),
    )


def _excitatory(config: Config) -> np.ndarray:
    """Which neurons excite others, or at least inhibit none; all if each population inhibits."""
    inhibits = {pathway.source for pathway in config.pathway.values() if pathway.sign == "inhibitory"}
    structure = Structure.of(config)
    found = np.repeat(
        [name not in inhibits for name in structure.neurons],
        [structure.size(name) for name in structure.neurons],
    )
    return found if found.any() else ~found


def _scored(result: ReadoutResult, labels: np.ndarray, part: slice) -> ReadoutResult:
    """A readout's score on a part of the images it was scored on."""
    from homeonet.analysis import wilson_interval

    predictions = result.predictions[part]
    score = wilson_interval(int(np.count_nonzero(predictions == labels[part])), len(predictions))
    return replace(
        result,
        accuracy=score.estimate,
        ci_low=score.low,
        ci_high=score.high,
        n_test=len(predictions),
        predictions=predictions,
    )


def shown_images(dataset: Dataset) -> np.ndarray:
    """All images in the order in which a network is shown them to be evaluated."""
    # validation images come last: whether there are any changes no other image's input spikes
    return np.concatenate([dataset.x_test, dataset.x_train, dataset.x_val])


def check_enough(dataset: Dataset) -> None:
    """Raise InputError if there are too few training images for the readouts."""
    if len(dataset.y_train) < _FEWEST_TRAIN:
        raise InputError(
            f"train = {len(dataset.y_train)}: the readouts need at least {_FEWEST_TRAIN} training images"
        )


def tunable(dataset: Dataset) -> bool:
    """Whether there are enough training images to choose a regularisation on a part of them."""
    return bool(np.unique(dataset.y_train, return_counts=True)[1].min() >= 10)

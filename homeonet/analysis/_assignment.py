"""Diehl and Cook's reading of a code: each neuron votes for the class it answers most.

For a readout without fitted weights. Never sees a test label.
"""

from __future__ import annotations

import numpy as np

from homeonet.analysis._checks import as_features, as_labels

__all__ = ["assign_labels", "class_votes"]

_NO_CLASS = -1


def assign_labels(counts: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Class index to which each neuron responds most on average (ties: the first class).

    Parameters
    ----------
    counts : array_like, shape (image, unit)
        Spike counts, ≥ 0.
    labels : array_like, shape (image,)
        Class labels.

    Returns
    -------
    ndarray of int, shape (unit,)
        Index into `np.unique(labels)`; −1 for a neuron that never fires.

    References
    ----------
    Diehl & Cook (2015). Front. Comput. Neurosci. 9:99.
    """
    x = as_features("counts", counts)
    classes, target = np.unique(as_labels("labels", labels, len(x)), return_inverse=True)
    response = np.stack([x[target == k].mean(axis=0) for k in range(classes.size)])
    return np.where(x.any(axis=0), response.argmax(axis=0), _NO_CLASS)


def class_votes(counts: np.ndarray, assigned: np.ndarray, n_classes: int) -> np.ndarray:
    """Mean response of the neurons assigned to each class.

    Parameters
    ----------
    counts : array_like, shape (image, unit)
        Spike counts, ≥ 0.
    assigned : array_like of int, shape (unit,)
        What `assign_labels` returns.
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray, shape (image, class)
        Spikes per neuron of the class; −1 for a class that has none, so that it never wins.
    """
    x = as_features("counts", counts)
    votes = np.full((len(x), n_classes), -1.0)
    for k in np.unique(assigned[assigned != _NO_CLASS]):
        votes[:, k] = x[:, assigned == k].mean(axis=1)
    return votes

"""How far the classes stand apart in a code: the paper's Φ.

For judging a representation without fitting a readout to it. Never looks at predictions.
"""

from __future__ import annotations

import numpy as np

from homeonet.analysis._checks import as_features, as_labels, in_range
from homeonet.analysis._threads import one_thread
from homeonet.errors import InputError

__all__ = ["clustering_score"]


def clustering_score(features: np.ndarray, labels: np.ndarray, *, variance: float = 0.95) -> float:
    """Φ = (BCSS/(k−1)) / (WCSS/(n−k)) of k classes over n observations, in PCA space.

    Parameters
    ----------
    features : array_like, shape (image, unit)
        Spike counts, rates or any code.
    labels : array_like, shape (image,)
        Class of each observation; at least two classes and more observations than classes.
    variance : float, default 0.95
        Share of the variance that the kept principal components explain, between 0 and 1.

    Returns
    -------
    float
        Dimensionless, ≥ 0, about 1 where classes do not differ; infinite where every class is a single
        point, NaN where all observations are equal (a silent network).

    Raises
    ------
    InputError
        Values that are not finite, a wrong number of labels, or too few classes or observations.

    References
    ----------
    Massey et al., arXiv 2601.08447; Caliński & Harabasz (1974). Commun. Stat. 3, 1–27.
    """
    from sklearn.decomposition import PCA
    from sklearn.metrics import calinski_harabasz_score

    in_range("variance", variance, 0, 1)
    x = as_features("features", features, min_rows=3)
    y = as_labels("labels", labels, len(x))
    classes, membership = np.unique(y, return_inverse=True)
    if not 2 <= classes.size < len(x):
        raise InputError(
            f"labels has {classes.size} classes over {len(x)} observations; give at least 2, and more observations"
        )
    if np.all(x == x[0]):
        return float("nan")
    # scikit-learn answers 1 instead of infinity where nothing varies within the classes
    if all(np.all(x[membership == k] == x[membership == k][0]) for k in range(classes.size)):
        return float("inf")
    with one_thread():
        components = PCA(n_components=variance, svd_solver="full").fit_transform(x)
        return float(calinski_harabasz_score(components, y))

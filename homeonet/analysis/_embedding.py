"""A code in two dimensions, with numbers that say how far the picture can be believed.

For figures of class structure. Never a measure of class structure by itself: the numbers come with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from homeonet.analysis._checks import as_features, as_labels
from homeonet.analysis._clustering import clustering_score
from homeonet.analysis._threads import one_thread
from homeonet.errors import InputError

__all__ = ["Embedding", "embed"]

_NEIGHBOURS = 5


@dataclass(frozen=True)
class Embedding:
    """A two-dimensional picture of a code.

    Attributes
    ----------
    method : str
        How it was made, "tsne" or "pca".
    coordinates : DataArray, shape (image, axis)
        Position of each image; t-SNE's axes have no unit.
    perplexity : float
        What t-SNE used; NaN for PCA.
    trustworthiness : float
        Share, 0 to 1, of neighbours in the picture that are neighbours in the code, penalised by rank.
    neighbour_accuracy : float
        Share of images whose five nearest in the picture (itself left out) mostly have its class; NaN
        without labels. Ties go to the lower class.
    phi : float
        The paper's Φ of the code itself, in PCA space; NaN without labels, for a single class, or a single
        image per class.
    """

    method: str
    coordinates: xr.DataArray
    perplexity: float
    trustworthiness: float
    neighbour_accuracy: float
    phi: float


def embed(
    features: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    method: str = "tsne",
    perplexity: float | None = None,
    seed: int = 0,
) -> Embedding:
    """Place each image in the plane so that similar codes lie close together.

    Parameters
    ----------
    features : array_like, shape (image, unit)
        Spike counts or rates; at least four images, which must not all be equal.
    labels : array_like, shape (image,), optional
        Classes, used for the quality numbers alone.
    method : {"tsne", "pca"}
        t-SNE started from the first two principal components, or those components themselves.
    perplexity : float, optional
        t-SNE's effective number of neighbours, below the number of images; by default the paper's
        min(30, n − 1).
    seed : int, default 0
        Seed of the slight jitter of t-SNE's start, which parts equal images.

    Returns
    -------
    Embedding

    Raises
    ------
    InputError
        Unknown method, too few images, a perplexity out of range, a code that does not vary, or values
        that are not finite.

    References
    ----------
    van der Maaten & Hinton (2008). JMLR 9, 2579–2605; Venna & Kaski (2001). ICANN, 485–491; Massey et al.,
    arXiv 2601.08447.
    """
    from sklearn.manifold import trustworthiness

    x = as_features("features", features, min_rows=4)
    y = None if labels is None else as_labels("labels", labels, len(x))
    if method not in ("tsne", "pca"):
        raise InputError(f"method is {method!r}; give 'tsne' or 'pca'")
    if perplexity is not None and not 0 < perplexity < len(x):
        raise InputError(f"perplexity is {perplexity}; give a value above 0 and below the {len(x)} images")
    if np.all(x == x[0]):
        raise InputError("features are equal for all images; a silent network has no embedding")

    with one_thread():
        plane, used = _plane(x, method, perplexity, seed)
        neighbours = min(_NEIGHBOURS, (len(x) - 1) // 2)
        trust = float(trustworthiness(x, plane, n_neighbors=neighbours))
    return Embedding(
        method=method,
        coordinates=xr.DataArray(plane, dims=("image", "axis"), name=method),
        perplexity=used,
        trustworthiness=trust,
        neighbour_accuracy=float("nan") if y is None else _neighbour_accuracy(plane, y, neighbours),
        phi=clustering_score(x, y) if y is not None and 1 < len(np.unique(y)) < len(y) else float("nan"),
    )


def _plane(x: np.ndarray, method: str, perplexity: float | None, seed: int) -> tuple[np.ndarray, float]:
    """Coordinates, and the perplexity used."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    plane = np.zeros((len(x), 2))
    components = PCA(n_components=min(2, *x.shape), svd_solver="full").fit_transform(x)
    plane[:, : components.shape[1]] = components
    used = float("nan")
    if method == "tsne":
        used = float(min(30, len(x) - 1) if perplexity is None else perplexity)
        # scikit-learn's own "pca" start needs two units and leaves equal images on one point for ever
        start = plane / plane[:, 0].std() + 0.01 * np.random.default_rng(seed).standard_normal(plane.shape)
        plane = TSNE(perplexity=used, init=(1e-4 * start).astype(np.float32)).fit_transform(x)
    return plane, used


def _neighbour_accuracy(plane: np.ndarray, labels: np.ndarray, neighbours: int) -> float:
    from sklearn.neighbors import NearestNeighbors

    _, target = np.unique(labels, return_inverse=True)
    # without an argument, kneighbors leaves each point out of its own neighbours
    nearest = NearestNeighbors(n_neighbors=neighbours).fit(plane).kneighbors(return_distance=False)
    votes = np.stack(
        [np.count_nonzero(target[nearest] == k, axis=1) for k in range(target.max() + 1)], axis=1
    )
    return float(np.mean(votes.argmax(axis=1) == target))

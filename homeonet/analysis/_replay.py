"""Does what neurons do asleep resemble what they did awake? Two measures, each against what chance gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from homeonet.analysis._checks import as_features, as_labels
from homeonet.errors import InputError

__all__ = ["Replay", "pattern_replay"]

_SHUFFLES = 20


@dataclass(frozen=True)
class Replay:
    """How far activity asleep resembles activity awake.

    Attributes
    ----------
    patterns : float
        Mean over the bins asleep of the largest correlation with the mean answer to a class, within [-1, 1].
    shuffled : float
        The same with the answers' neurons shuffled: what chance gives.
    pairs : float
        Correlation over pairs of neurons between their correlation awake and asleep; NaN where nothing varies.
    active : float
        Share of the bins asleep in which any neuron fired; silent bins count in neither measure.
    """

    patterns: float
    shuffled: float
    pairs: float
    active: float


def pattern_replay(awake: np.ndarray, labels: np.ndarray, asleep: np.ndarray, *, seed: int = 0) -> Replay:
    """Compare spike counts in bins of sleep with those in answer to images.

    Each neuron's counts are standardised, awake and asleep by their own mean and spread, so that neurons that always
    fire more make no resemblance.

    Parameters
    ----------
    awake : array_like, shape (image, neuron)
        Spike counts of each image.
    labels : array_like, shape (image,)
        Their classes.
    asleep : array_like, shape (bin, neuron)
        Spike counts of each bin of sleep.
    seed : int, default 0
        Of the shuffles.

    Returns
    -------
    Replay

    Raises
    ------
    InputError
        For shapes that do not fit, or fewer than two classes.

    References
    ----------
    Kudrimoti, Barnes & McNaughton (1999). J. Neurosci. 19:4090 (correlations of pairs); Tatsuno, Lipa & McNaughton
    (2006). J. Neurosci. 26:10727 (templates).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(200) % 4
    >>> awake = rng.poisson(np.eye(4).repeat(5, axis=1)[labels] * 8 + 1)
    >>> found = pattern_replay(awake, labels, awake[::-1])
    >>> bool(found.patterns > 0.8 > 0.5 > found.shuffled)
    True
    """
    images, bins = as_features("awake", awake, min_rows=3), as_features("asleep", asleep, min_rows=3)
    classes, target = np.unique(as_labels("labels", labels, len(images)), return_inverse=True)
    if images.shape[1] != bins.shape[1]:
        raise InputError(
            f"awake has {images.shape[1]} neurons and asleep {bins.shape[1]}; give the same neurons"
        )
    if len(classes) < 2:
        raise InputError(f"labels has {len(classes)} class; give two or more")
    active = bins.sum(axis=1) > 0
    bins = bins[active]
    if len(bins) < 3:
        nan = float("nan")
        return Replay(nan, nan, nan, float(active.mean()))
    images, bins = _standard(images), _standard(bins)
    templates = np.stack([images[target == k].mean(axis=0) for k in range(len(classes))])
    rng = np.random.default_rng(seed)
    shuffled = [_largest(bins, templates[:, rng.permutation(templates.shape[1])]) for _ in range(_SHUFFLES)]
    return Replay(
        _largest(bins, templates), float(np.mean(shuffled)), _pairs(images, bins), float(active.mean())
    )


def _standard(counts: np.ndarray) -> np.ndarray:
    spread = counts.std(axis=0)
    return (counts - counts.mean(axis=0)) / np.where(spread > 0, spread, 1)


def _largest(bins: np.ndarray, templates: np.ndarray) -> float:
    """Mean over bins of the largest correlation with a template."""
    rows = [m - m.mean(axis=1, keepdims=True) for m in (bins, templates)]
    norms = [np.linalg.norm(m, axis=1, keepdims=True) for m in rows]
    unit = [m / np.where(n > 0, n, 1) for m, n in zip(rows, norms, strict=True)]
    return float((unit[0] @ unit[1].T).max(axis=1).mean())


def _pairs(images: np.ndarray, bins: np.ndarray) -> float:
    """Correlation between the correlations of pairs of neurons, of those that vary in both."""
    varies = (images.std(axis=0) > 0) & (bins.std(axis=0) > 0)
    if varies.sum() < 3:
        return float("nan")
    above = np.triu_indices(int(varies.sum()), 1)
    awake, asleep = (np.corrcoef(m[:, varies], rowvar=False)[above] for m in (images, bins))
    if not (awake.std() > 0 and asleep.std() > 0):
        return float("nan")
    return float(np.corrcoef(awake, asleep)[0, 1])

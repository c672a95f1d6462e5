"""Readouts fitted on spike counts, whether they were just read out of a network or stored by a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from homeonet.config import Config
from homeonet.errors import InputError
from homeonet.plastic import Structure

if TYPE_CHECKING:
    from homeonet.analysis import ReadoutResult

__all__ = ["READOUTS", "SpikeCounts", "enough_to_tune", "exciting", "fit_readouts", "units_of"]

#: The readouts of a trained network; "paper" where it is known what it answered while it learnt.
READOUTS = ("logistic", "qda", "knn", "diehl_cook", "paper")
#: Of the last images, how many the sleep paper's code fits its readout on; it holds out the rest.
_SHARE_OF_PAPER = 0.8


@dataclass(frozen=True)
class SpikeCounts:
    """What a network answered to images.

    Attributes
    ----------
    train, scored : ndarray, shape (n_images, n_neurons)
        Of the images that readouts are fitted on, and of those they are scored on.
    y_train, y_scored : ndarray
        Their labels.
    learning : tuple of ndarray, optional
        Of the last images that the network was trained on, as it answered them then, and their labels.
    """

    train: np.ndarray
    y_train: np.ndarray
    scored: np.ndarray
    y_scored: np.ndarray
    learning: tuple[np.ndarray, np.ndarray] | None = None


def fit_readouts(
    config: Config,
    counts: SpikeCounts,
    readouts: Sequence[str] | None = None,
    units: np.ndarray | slice = slice(None),
    voting: np.ndarray | slice = slice(None),
) -> dict[str, ReadoutResult]:
    """Fit each readout and score it.

    Parameters
    ----------
    config : Config
        Of the network: its seed, and how long it is shown images.
    counts : SpikeCounts
    readouts : sequence of str, optional
        Some of `READOUTS`; by default all, "paper" if ``counts.learning`` is given. "paper" is fitted on four fifths of
        those, drawn by the seed, as rates: so does the sleep paper's code.
    units, voting : ndarray of bool or slice
        The neurons that are read, and those that vote in "diehl_cook".

    Raises
    ------
    InputError
        For a readout that is not known, or "paper" without ``counts.learning``.
    """
    from homeonet.analysis import evaluate_readout

    if readouts is None:
        readouts = READOUTS if counts.learning is not None else READOUTS[:-1]
    found = {}
    for name in readouts:
        chosen = voting if name == "diehl_cook" else units
        fit, labels, scored = counts.train, counts.y_train, counts.scored
        if name == "paper":
            fit, labels, scored = _rates_while_learning(config, counts)
        found[name] = evaluate_readout(
            name,
            fit[:, chosen],
            labels,
            scored[:, chosen],
            counts.y_scored,
            seed=config.seed,
            tune=name == "logistic" and enough_to_tune(labels),
        )
    return found


def _rates_while_learning(config: Config, counts: SpikeCounts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What "paper" is fitted on, its labels, and what it is scored on, as rates, whatever the presentations last."""
    if counts.learning is None:
        raise InputError(
            "readout 'paper' is fitted on what a network answered while it learnt, which is not known here: "
            "leave it out, or train the network again"
        )
    learning, labels = counts.learning
    drawn = np.random.default_rng(config.seed).permutation(len(labels))
    drawn = drawn[: max(2, round(_SHARE_OF_PAPER * len(labels)))]
    rates = learning[drawn] / config.input.presentation
    return rates, labels[drawn], counts.scored / config.evaluation.presentation


def units_of(config: Config, populations: Sequence[str]) -> np.ndarray:
    """Which neurons belong to some populations, as a mask over those that are read out."""
    structure = Structure.of(config)
    unknown = [name for name in populations if name not in structure.neurons]
    if unknown:
        raise InputError(f"populations: {unknown[0]!r} is not one of {', '.join(structure.neurons)}")
    return np.repeat(
        [name in populations for name in structure.neurons],
        [structure.size(name) for name in structure.neurons],
    )


def exciting(config: Config) -> np.ndarray:
    """Which neurons excite others, or at least inhibit none; all if each population inhibits."""
    inhibits = {pathway.source for pathway in config.pathway.values() if pathway.sign == "inhibitory"}
    found = units_of(config, [name for name in Structure.of(config).neurons if name not in inhibits])
    return found if found.any() else ~found


def enough_to_tune(labels: np.ndarray) -> bool:
    """Whether there are enough images to choose a regularisation on a part of them."""
    return bool(np.unique(labels, return_counts=True)[1].min() >= 10)

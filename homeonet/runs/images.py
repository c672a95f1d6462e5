"""The images of a configuration, and the order in which a network sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from homeonet.config import Config
from homeonet.data import EVENTS, SERIES, Dataset, load, pinned, selected
from homeonet.errors import InputError
from homeonet.runs.evaluation import check_enough

__all__ = ["load_images", "presentation_order", "with_data"]


def load_images(config: Config, folder: str | Path | None, given: Dataset | None = None) -> Dataset:
    """The images of a configuration, in grey and enough for its readouts; of `given`, if that is a set."""
    if config.data.startswith((SERIES, EVENTS)):
        raise InputError(
            f"data = {config.data!r}: the plastic network sees images; `homeonet train` learns time series and events"
        )
    side = config.input.side
    counts: dict[str, Any] = {"train": config.train, "val": config.val, "test": config.test}
    if given is not None:
        dataset = selected(given, side, seed=config.seed, colour=False, **counts)
    else:
        dataset = load(config.data, size=side, seed=config.seed, folder=folder, colour=False, **counts)
    check_enough(dataset)
    return dataset


def with_data(config: Config, folder: str | Path | None, given: Dataset | None) -> Config:
    """A configuration with the name of its data made one that says what they hold."""
    data = pinned(config.data, folder) if given is None else given.identity
    return config.model_copy(update={"data": data})


def presentation_order(labels: np.ndarray, config: Config) -> np.ndarray:
    """Numbers of the training images in the order in which they are shown, all epochs one after the other.

    Each epoch but the first is shuffled anew; with `input.classes_at_a_time` an epoch shows class after class, with
    `input.tasks` only the first of these groups.
    """
    orders = [np.arange(len(labels))]
    for epoch in range(1, config.epochs):
        orders.append(np.random.default_rng([config.seed, epoch]).permutation(len(labels)))
    if together := config.input.classes_at_a_time:
        task = np.unique(labels, return_inverse=True)[1] // together
        orders = [order[np.argsort(task[order], kind="stable")] for order in orders]
        if config.input.tasks:
            orders = [order[task[order] < config.input.tasks] for order in orders]
    return np.concatenate(orders)

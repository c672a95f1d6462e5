"""The images of a configuration, and the order in which a network sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from homeonet._evaluation import check_enough
from homeonet.config import Config
from homeonet.data import SERIES, Dataset, load
from homeonet.errors import InputError

__all__ = ["load_images", "presentation_order"]


def load_images(config: Config, folder: str | Path | None) -> Dataset:
    """The images of a configuration, enough for its readouts."""
    if config.data.startswith(SERIES):
        raise InputError(
            f"data = {config.data!r}: the plastic network sees images; `homeonet train` learns time series"
        )
    dataset = load(
        config.data,
        size=config.input.side,
        train=config.train,
        val=config.val,
        test=config.test,
        seed=config.seed,
        folder=folder,
    )
    check_enough(dataset)
    return dataset


def presentation_order(images: np.ndarray, config: Config) -> np.ndarray:
    """All epochs one after the other; each but the first is shuffled anew."""
    orders = [np.arange(len(images))]
    for epoch in range(1, config.epochs):
        orders.append(np.random.default_rng([config.seed, epoch]).permutation(len(images)))
    return images[np.concatenate(orders)]

"""What a segment shows: images, checked, as rows of the stimulus."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from homeonet.config import Config
from homeonet.errors import InputError
from homeonet.plastic.mechanisms._poisson import log_silence

__all__ = ["check_images", "stimulus_table"]


def check_images(images: np.ndarray, config: Config) -> None:
    """Raise InputError if a network cannot be shown these images."""
    if images.ndim != 2 or images.shape[1] != config.input.side**2:
        raise InputError(
            f"images have shape {images.shape}, but input.side = {config.input.side} needs "
            f"(n, {config.input.side**2}); load them at that size"
        )
    bad = np.flatnonzero(~np.isfinite(images).all(axis=1) | (images < 0).any(axis=1))
    if len(bad):
        raise InputError(
            f"image {bad[0]} has pixels that are negative or not a number; repair it or leave it out"
        )


def stimulus_table(
    images: Sequence[np.ndarray], row: np.ndarray, n_rows: int, mean_rate: float, dt: float
) -> np.ndarray:
    """The stimulus of one segment: each replica's images from its `row` on, silence after the last."""
    n_pixels = images[0].shape[1]
    table = np.zeros((n_rows, len(images) * n_pixels))
    known: dict[tuple[int, int], np.ndarray] = {}  # replicas that see the same share the work
    for r, (own, first) in enumerate(zip(images, row, strict=True)):
        key = (id(own), int(first))
        if key not in known:
            known[key] = log_silence(own[first : first + n_rows], mean_rate, dt)
        table[: len(known[key]), r * n_pixels : (r + 1) * n_pixels] = known[key]
    return table

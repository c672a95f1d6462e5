"""Networks that a sweep has trained by gradients, and the images that they are looked at with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from homeonet.data import load
from homeonet.gradient.training import TrainConfig, encoded
from homeonet.runs.gradient import TrainResult, load_trained
from homeonet.sweep import SweepResult

__all__ = ["test_images", "trained"]


def trained(found: SweepResult, **place: Any) -> Iterator[tuple[int, TrainResult]]:
    """Seed and trained network of each finished run at a place of a sweep, such as ``case="LIF"``."""
    at = found.results.sel(place)
    for seed in at["seed"].values:
        run = at.sel(seed=seed)
        if str(run["state"].item()) == "done":
            yield int(seed), load_trained(found.folder / "cells" / str(run["cell"].item()))


def test_images(config: TrainConfig, n: int) -> tuple[Tensor, Tensor]:
    """The first `n` test images as a configuration has networks see them, (T, n, ...), and their labels."""
    data = load(config.data, size=config.size, train=config.train, val=config.val, test=n, seed=config.seed)
    images = torch.from_numpy(data.x_test).view(-1, 1, *data.image_shape)
    sequences = encoded(images, config, torch.Generator().manual_seed(config.seed))
    return sequences, torch.from_numpy(data.y_test)

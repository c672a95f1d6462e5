"""From a batch of images to sequences, and random changes of images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from homeonet.errors import InputError
from homeonet.gradient.training._config import TrainConfig

__all__ = ["augmented", "encoded"]


def encoded(images: Tensor, config: TrainConfig, generator: torch.Generator) -> Tensor:
    """Sequences (T, B, ...) of images (B, C, H, W) with pixels in [0, 1], as ``config.encoding`` says."""
    if config.encoding == "direct":
        return images.expand(config.steps, *images.shape)
    if config.encoding == "poisson":
        draws = torch.rand(config.steps, *images.shape, generator=generator)
        return (draws.to(images) < images).to(images.dtype)
    if config.encoding == "columns":
        return images.permute(3, 0, 1, 2)
    pixels = images.flatten(2).permute(2, 0, 1)
    if config.encoding == "permuted":
        # one order for all runs, so that results of different seeds are of one task
        pixels = pixels[torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))]
    return pixels


def augmented(images: Tensor, kinds: Sequence[str], generator: torch.Generator) -> Tensor:
    """Images (B, C, H, W), each changed at random: "crop", "flip", "cutout"."""
    unknown = set(kinds) - {"crop", "flip", "cutout"}
    if unknown:
        raise InputError(f"augment: {', '.join(sorted(unknown))} is unknown; choose from crop, flip, cutout")
    n, _, height, width = images.shape
    if "crop" in kinds:
        margin = max(1, width // 8)
        padded = pad(images, (margin,) * 4)
        rows = torch.randint(0, 2 * margin + 1, (n, 1), generator=generator) + torch.arange(height)
        columns = torch.randint(0, 2 * margin + 1, (n, 1), generator=generator) + torch.arange(width)
        cut = padded[
            torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]
        ]  # channels last
        images = cut.permute(0, 3, 1, 2).contiguous()
    if "flip" in kinds:
        flipped = torch.rand(n, generator=generator) < 0.5
        images = torch.where(flipped.view(-1, 1, 1, 1), images.flip(-1), images)
    if "cutout" in kinds:
        side = max(1, width // 4)
        top = torch.randint(1 - side, height, (n, 1), generator=generator)
        left = torch.randint(1 - side, width, (n, 1), generator=generator)
        row, column = torch.arange(height), torch.arange(width)
        inside_rows = (row >= top) & (row < top + side)
        inside_columns = (column >= left) & (column < left + side)
        images = images * ~(inside_rows[:, :, None] & inside_columns[:, None, :])[:, None]
    return images

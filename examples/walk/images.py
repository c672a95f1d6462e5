"""Draws a folder of 20 × 20 images to begin with, four shapes at random places: python images.py shapes

A folder of one's own looks the same: a folder for each class, in it PNG or JPEG images of any size.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

SIDE, PER_CLASS = 20, 150


def drawn(shape: str, rng: np.random.Generator) -> np.ndarray:
    """One image, with values from 0 to 255."""
    y, x = np.mgrid[:SIDE, :SIDE]
    dy, dx = y - rng.uniform(8, 11), x - rng.uniform(8, 11)
    ring = np.abs(np.hypot(dy, dx) - 6) < 1.5
    cross = (np.minimum(np.abs(dy), np.abs(dx)) < 1.5) & (np.maximum(np.abs(dy), np.abs(dx)) < 7)
    bars = (np.abs(np.abs(dy) - 4) < 1.5) & (np.abs(dx) < 7)
    corner = ((np.abs(dy - 5) < 1.5) & (np.abs(dx) < 7)) | ((np.abs(dx + 5) < 1.5) & (np.abs(dy) < 7))
    mask = {"ring": ring, "cross": cross, "bars": bars, "corner": corner}[shape]
    grey = 200.0 * mask + rng.normal(20, 20, mask.shape)
    return np.clip(grey, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    folder, rng = Path(sys.argv[1] if len(sys.argv) > 1 else "shapes"), np.random.default_rng(1)
    for shape in ("ring", "cross", "bars", "corner"):
        (folder / shape).mkdir(parents=True, exist_ok=True)
        for number in range(PER_CLASS):
            Image.fromarray(drawn(shape, rng)).save(folder / shape / f"{number:03d}.png")
    print(f"{4 * PER_CLASS} images in {folder}")

"""Draws the toy set of triangles, circles, squares and crosses. Reads no file, knows no split."""

from __future__ import annotations

import numpy as np

from homeonet.data._checks import check_seed, check_whole
from homeonet.errors import InputError

__all__ = ["GEOMETRIC_CLASSES", "draw_geometric", "make_geometric"]

GEOMETRIC_CLASSES = ("triangle", "circle", "square", "X")

# Lengths in half-widths of the image, so that drawings look alike at every size. The largest
# shape at the largest offset just touches the border.
_OFFSET = 0.15
_RADIUS = (0.45, 0.72)
_HALF_STROKE = (0.06, 0.13)
# Pixels drawn at a time, to bound memory whatever the size.
_CHUNK_PIXELS = 2**18


def _corners(*degrees: float) -> np.ndarray:
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), -np.sin(angles)], axis=-1)


def _closed(corners: np.ndarray) -> np.ndarray:
    return np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)


_DIAGONAL = _corners(45, 135)
# Straight strokes (n_strokes, end, xy) inscribed in the unit circle, y downwards.
_STROKES = {
    "triangle": _closed(_corners(90, 210, 330)),
    "square": _closed(_corners(45, 135, 225, 315)),
    "X": np.stack([_DIAGONAL, -_DIAGONAL], axis=1),
}


def _distance(shape: str, points: np.ndarray) -> np.ndarray:
    """Distance of points ``(n, pixels, xy)`` from the centre line of a shape of radius 1."""
    if shape == "circle":
        return np.abs(np.linalg.norm(points, axis=-1) - 1)
    nearest = np.full(points.shape[:-1], np.inf, dtype=points.dtype)
    for start, end in _STROKES[shape].astype(points.dtype):
        along = end - start
        fraction = np.clip((points - start) @ along / (along @ along), 0, 1)
        np.minimum(
            nearest, np.linalg.norm(points - start - fraction[..., None] * along, axis=-1), out=nearest
        )
    return nearest


def _coverage(labels: np.ndarray, jitter: np.ndarray, size: int) -> np.ndarray:
    centres = ((np.arange(size, dtype=np.float32) + 0.5) * 2 / size) - 1
    grid = np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2)
    offset = _OFFSET * (2 * jitter[:, None, :2] - 1)
    radius = _RADIUS[0] + (_RADIUS[1] - _RADIUS[0]) * jitter[:, 2:3]
    half_stroke = _HALF_STROKE[0] + (_HALF_STROKE[1] - _HALF_STROKE[0]) * jitter[:, 3:4]
    images = np.empty((len(labels), size * size), dtype=np.float32)
    for label, shape in enumerate(GEOMETRIC_CLASSES):
        chosen = labels == label
        points = (grid - offset[chosen]) / radius[chosen, :, None]
        gap = _distance(shape, points) * radius[chosen] - half_stroke[chosen]
        # An edge through a pixel's centre covers half of it; the ramp is one pixel wide.
        images[chosen] = np.clip(0.5 - gap * size / 2, 0, 1)
    return images


def draw_geometric(
    n: int, size: int, noise_variance: float, stream: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Draw from one stream of random numbers; see `make_geometric` for the rest."""
    draw, noise = (np.random.default_rng([*stream, part]) for part in range(2))
    n_classes = len(GEOMETRIC_CLASSES)
    blocks = np.tile(np.arange(n_classes), (-(-n // n_classes), 1))
    # Each block of four holds every class once. Drawn block by block, all of a block's numbers
    # together, so that the first images do not depend on how many follow.
    keys = draw.random((len(blocks), n_classes, 5), dtype=np.float32)
    order = np.argsort(keys[..., 4], axis=1)
    labels = np.take_along_axis(blocks, order, axis=1).reshape(-1)[:n]
    jitter = keys[..., :4].reshape(-1, 4)[:n]
    images = np.empty((n, size * size), dtype=np.float32)
    step = max(1, _CHUNK_PIXELS // size**2)
    for start in range(0, n, step):
        part = slice(start, start + step)
        clean = _coverage(labels[part], jitter[part], size)
        clean += np.sqrt(noise_variance) * noise.standard_normal(clean.shape, dtype=np.float32)
        np.clip(clean, 0, 1, out=images[part])
    return images, labels


def make_geometric(
    n: int, *, size: int = 15, noise_variance: float = 0.02, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw outlined triangles, circles, squares and crosses.

    Position, size and stroke are jittered uniformly and independently; Gaussian pixel noise is
    added and the result clipped to [0, 1].

    Parameters
    ----------
    n : int
        Images, 1 to a million; every block of four holds each shape once.
    size : int, default 15
        Side of an image in pixels, 8 to 512.
    noise_variance : float, default 0.02
        Variance of the pixel noise before clipping, at least 0.
    seed : int, default 0
        Chooses every random number; the first images do not depend on `n`.

    Returns
    -------
    images : ndarray of float32
        ``(n, size*size)``, in [0, 1].
    labels : ndarray of int64
        ``(n,)``, positions in ``('triangle', 'circle', 'square', 'X')``.

    Raises
    ------
    InputError
        If a parameter is out of range.

    References
    ----------
    Massey et al., Sleep-based homeostatic regularisation, arXiv:2601.08447 (the toy set).

    Examples
    --------
    >>> images, labels = make_geometric(8, seed=1)
    >>> images.shape, sorted(labels.tolist())
    ((8, 225), [0, 0, 1, 1, 2, 2, 3, 3])
    """
    n = check_whole("n", n, 1, 1_000_000)
    size = check_whole("size", size, 8, 512)
    seed = check_seed(seed)
    if not (np.isfinite(noise_variance) and noise_variance >= 0):
        raise InputError(f"noise_variance = {noise_variance!r}: must be finite and at least 0, e.g. 0.02")
    return draw_geometric(n, size, noise_variance, (seed, 0))

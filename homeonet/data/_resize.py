"""Resizes stacks of images as Pillow does, by two matrix products. Knows nothing of data sets."""

from __future__ import annotations

import numpy as np

__all__ = ["resampling_matrix", "resize_images"]

_CHUNK = 4096


def resampling_matrix(n_in: int, n_out: int) -> np.ndarray:
    """Weights by which Pillow's antialiased bilinear filter maps `n_in` pixels to `n_out`.

    Parameters
    ----------
    n_in, n_out : int
        Pixels before and after, at least 1.

    Returns
    -------
    ndarray of float32
        ``(n_out, n_in)``; each row sums to 1.
    """
    from PIL import Image

    # Pillow is linear, so resizing the identity along one axis gives its weights.
    identity = Image.fromarray(np.eye(n_in, dtype=np.float32))
    return np.array(identity.resize((n_in, n_out), Image.Resampling.BILINEAR))


def resize_images(images: np.ndarray, size: int | None, full_scale: float = 255) -> np.ndarray:
    """Scale images to [0, 1], resize them to squares and flatten them.

    Downsampling averages over the area a pixel covers, as torchvision's ``Resize`` does on Pillow
    images, but without rounding to whole grey levels.

    Parameters
    ----------
    images : ndarray
        ``(n, height, width)`` or ``(n, height, width, channels)``, values in 0..full_scale.
    size : int or None
        Side of the result in pixels; None keeps the native shape.
    full_scale : float, default 255
        Value of a white pixel.

    Returns
    -------
    ndarray of float32
        ``(n, size*size)``, in [0, 1]; of several channels ``(n, channels*size*size)``, one channel after the other.
    """
    if images.ndim == 4:
        channels = [resize_images(images[..., c], size, full_scale) for c in range(images.shape[3])]
        return np.concatenate(channels, axis=1)
    n, height, width = images.shape
    if size is None or (height, width) == (size, size):
        return np.divide(images, full_scale, dtype=np.float32).reshape(n, height * width)
    rows = resampling_matrix(height, size)
    columns = resampling_matrix(width, size).T / np.float32(full_scale)
    resized = np.empty((n, size, size), dtype=np.float32)
    for start in range(0, n, _CHUNK):
        chunk = images[start : start + _CHUNK].astype(np.float32)
        np.matmul(rows, chunk @ columns, out=resized[start : start + _CHUNK])
    # Weights sum to 1 only within rounding, so a white area can exceed 1 by an ulp.
    return np.clip(resized, 0, 1, out=resized).reshape(n, size * size)

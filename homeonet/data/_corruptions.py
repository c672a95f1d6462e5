"""Changes images as a camera or a hand might: noise, blur, contrast, rotation, translation. Knows no labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from homeonet.data._checks import check_seed, check_whole
from homeonet.errors import InputError

__all__ = ["CORRUPTIONS", "SEVERITIES", "corrupt"]

#: Strengths at severities 1 to 5. Lengths are in sides of the image, so that a severity means the same at any size.
_STRENGTHS: dict[str, tuple[float, ...]] = {
    "noise": (0.08, 0.12, 0.18, 0.26, 0.38),  # standard deviation; white is 1
    "blur": (0.02, 0.035, 0.05, 0.065, 0.08),  # standard deviation of the Gaussian
    "contrast": (0.4, 0.3, 0.2, 0.1, 0.05),  # what is left of it
    "rotation": (8.0, 16.0, 24.0, 32.0, 40.0),  # degrees
    "translation": (0.04, 0.08, 0.12, 0.16, 0.2),
}
CORRUPTIONS = tuple(_STRENGTHS)
SEVERITIES = (1, 2, 3, 4, 5)


def corrupt(images: np.ndarray, kind: str, severity: int, *, seed: int) -> np.ndarray:
    """Corrupt images, to test a network on what it was not trained on.

    =============  ==========================  ================================================  ======
    kind           severities 1 to 5           what is done                                      source
    =============  ==========================  ================================================  ======
    "noise"        0.08 0.12 0.18 0.26 0.38    Gaussian noise of this standard deviation         [1]_
    "blur"         0.02 0.035 0.05 0.065 0.08  Gaussian filter of this standard deviation,       ours
                                               in sides of the image
    "contrast"     0.4 0.3 0.2 0.1 0.05        factor on each pixel's distance from the mean     [1]_
                                               of its image
    "rotation"     8 16 24 32 40               degrees, about the centre, either way             ours
    "translation"  0.04 0.08 0.12 0.16 0.2     shift in sides of the image, in any direction     ours
    =============  ==========================  ================================================  ======

    Rotated and shifted images are interpolated linearly, and black comes in from outside. Results are clipped to
    [0, 1].

    Parameters
    ----------
    images : ndarray
        In [0, 1]: ``(n, height*width)`` of squares, as in a :class:`Dataset`, or ``(n, ..., height, width)``.
    kind : {'noise', 'blur', 'contrast', 'rotation', 'translation'}
        What is done to the images.
    severity : int
        How much of it, 1 to 5.
    seed : int
        Chooses noise, sense of rotation and direction of shift. They are drawn image by image, so that the first images
        do not depend on how many follow, and are the same at every severity.

    Returns
    -------
    ndarray of float32
        As many as `images`, in their shape; `images` stay as they are.

    Raises
    ------
    InputError
        Unknown kind, severity or seed out of range, images of another shape or outside [0, 1].

    References
    ----------
    .. [1] Hendrycks & Dietterich (2019). Benchmarking neural network robustness to common corruptions and
       perturbations. ICLR (strengths of ImageNet-C).

    Examples
    --------
    >>> image = np.zeros((1, 9), dtype=np.float32)
    >>> image[0, 4] = 1
    >>> corrupt(image, "contrast", 1, seed=0).round(2)
    array([[0.07, 0.07, 0.07, 0.07, 0.47, 0.07, 0.07, 0.07, 0.07]],
          dtype=float32)
    """
    if kind not in _STRENGTHS:
        raise InputError(f"kind = {kind!r}: must be one of {', '.join(CORRUPTIONS)}: choose one of them")
    strength = _STRENGTHS[kind][check_whole("severity", severity, 1, 5) - 1]
    stacked = _stacked(images)
    rng = np.random.default_rng([check_seed(seed), CORRUPTIONS.index(kind)])
    changed = _CHANGES[kind](stacked, strength, rng)
    return np.clip(changed, 0, 1, out=changed).reshape(images.shape)


def _stacked(images: np.ndarray) -> np.ndarray:
    """A view or copy as ``(n, channels, height, width)`` of float32."""
    if not isinstance(images, np.ndarray) or images.ndim < 2 or 0 in images.shape[1:]:
        got = f"shape {images.shape}" if isinstance(images, np.ndarray) else f"type {type(images).__name__}"
        raise InputError(
            f"images of {got}: must be an array (n, height*width) or (n, ..., height, width): reshape them"
        )
    if images.size and not (images.min() >= 0 and images.max() <= 1):
        raise InputError(
            f"images run from {images.min():g} to {images.max():g}, must lie in [0, 1]: "
            "divide by the value of white, e.g. 255"
        )
    if images.ndim == 2:
        side = round(images.shape[1] ** 0.5)
        if side**2 != images.shape[1]:
            raise InputError(
                f"images of shape {images.shape} are not squares: reshape them to (n, height, width)"
            )
        return images.astype(np.float32).reshape(len(images), 1, side, side)
    channels = int(np.prod(images.shape[1:-2]))
    return images.astype(np.float32).reshape(len(images), channels, *images.shape[-2:])


def _noise(images: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    return images + np.float32(strength) * rng.standard_normal(images.shape, dtype=np.float32)


def _blur(images: np.ndarray, strength: float, _: np.random.Generator) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    height, width = images.shape[-2:]
    return gaussian_filter(images, (strength * height, strength * width), mode="nearest", axes=(-2, -1))


def _contrast(images: np.ndarray, strength: float, _: np.random.Generator) -> np.ndarray:
    mean = images.mean(axis=(-2, -1), keepdims=True)
    return mean + np.float32(strength) * (images - mean)


def _rotation(images: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    from scipy.ndimage import rotate

    senses = np.where(rng.random(len(images)) < 0.5, -1, 1)
    changed = np.empty_like(images)
    for image, sense, result in zip(images, senses, changed, strict=True):
        rotate(
            image,
            sense * strength,
            axes=(-2, -1),
            reshape=False,
            order=1,
            mode="grid-constant",
            output=result,
        )
    return changed


def _translation(images: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    from scipy.ndimage import shift

    directions = 2 * np.pi * rng.random(len(images))
    height, width = images.shape[-2:]
    changed = np.empty_like(images)
    for image, direction, result in zip(images, directions, changed, strict=True):
        by = (0, -np.sin(direction) * strength * height, np.cos(direction) * strength * width)
        shift(image, by, order=1, mode="grid-constant", output=result)
    return changed


_CHANGES: dict[str, Callable[[np.ndarray, float, np.random.Generator], np.ndarray]] = {
    "noise": _noise,
    "blur": _blur,
    "contrast": _contrast,
    "rotation": _rotation,
    "translation": _translation,
}

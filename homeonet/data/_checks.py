"""Checks of whole numbers, images and labels. Only refuses: never converts or repairs."""

from __future__ import annotations

import numpy as np

from homeonet.errors import InputError

__all__ = ["check_images", "check_seed", "check_whole"]


def check_whole(parameter: str, value: object, low: int, high: int) -> int:
    """A whole number in a range, both ends allowed.

    Raises
    ------
    InputError
        If it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise InputError(f"{parameter} = {value!r}: must be a whole number from {low} to {high}: change it")
    return int(value)


def check_seed(value: object) -> int:
    """A seed of 32 bits; longer ones could share their random stream with another split's."""
    return check_whole("seed", value, 0, 2**32 - 1)


def _of_objects(array: object) -> bool:
    """Whether it is a list of things that NumPy makes no array of numbers of."""
    return isinstance(array, np.ndarray) and array.dtype == object


def _unequal(array: np.ndarray) -> str:
    """What is wrong with an array of objects, by the lengths of its items where they have some."""
    sizes = [np.size(item) for item in array.ravel()]
    other = next((k for k, size in enumerate(sizes) if size != sizes[0]), None)
    if other is None:
        return "is an array of objects: stack them with np.stack"
    return f"holds items of unequal length, {sizes[0]} values in [0] and {sizes[other]} in [{other}]: cut or pad them"


def check_images(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    image_shape: tuple[int, int],
    class_names: tuple[str, ...],
    split: str = "train",
    channels: int = 1,
) -> None:
    """Refuse images or labels that would fail later, or worse, not fail.

    Parameters
    ----------
    images : ndarray of float32
        ``(n, channels*height*width)``, in [0, 1].
    labels : ndarray of int64
        ``(n,)``, positions in `class_names`.
    image_shape : tuple of int
        ``(height, width)`` in pixels.
    class_names : tuple of str
        One name per class.
    split : {'train', 'val', 'test'}, default 'train'
        Only in ``train`` must every class occur; the others may be empty.
    channels : int, default 1
        Channels of the images.

    Raises
    ------
    InputError
        If a shape or type is wrong, a pixel is not a number or outside [0, 1], a label is not a
        class, or a class is missing from the training images.
    """
    x_name, y_name = f"x_{split}", f"y_{split}"
    for name, array, dtype in ((x_name, images, np.float32), (y_name, labels, np.int64)):
        if not isinstance(array, np.ndarray) or array.dtype != dtype:
            got = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
            wanted = np.dtype(dtype).name
            if _of_objects(array):
                raise InputError(f"{name} {_unequal(array)}, must be an array of {wanted}")
            raise InputError(
                f"{name} is of type {got}, must be an array of {wanted}: use .astype('{wanted}')"
            )
    height, width = image_shape
    if images.ndim != 2 or images.shape[1] != channels * height * width:
        coloured = "" if channels == 1 else f" with {channels} channels"
        raise InputError(
            f"{x_name} has shape {images.shape}, must be (n, {channels * height * width}) for images of "
            f"{height}x{width}{coloured}: flatten each image, or correct image_shape"
        )
    if labels.shape != (len(images),):
        raise InputError(f"{y_name} has shape {labels.shape}, must be ({len(images)},): one label per image")
    if len(images) and np.isnan(images.sum(dtype=np.float64)):
        row, pixel = np.argwhere(np.isnan(images))[0]
        raise InputError(f"{x_name}[{row}, {pixel}] is not a number: drop or repair image {row}")
    if len(images) and not (images.min() >= 0 and images.max() <= 1):
        raise InputError(
            f"{x_name} runs from {images.min():g} to {images.max():g}, must lie in [0, 1]: "
            "divide by the value of white, e.g. 255"
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= len(class_names)))
    if len(wrong):
        raise InputError(
            f"{y_name}[{wrong[0]}] = {labels[wrong[0]]}: must be 0 to {len(class_names) - 1}, one of "
            f"{len(class_names)} classes: renumber the labels or add class names"
        )
    if split == "train":
        missing = np.flatnonzero(np.bincount(labels, minlength=len(class_names)) == 0)
        if len(missing):
            names = ", ".join(repr(class_names[label]) for label in missing)
            raise InputError(
                f"y_train: no training image of class {names} among {len(labels)}: "
                f"take more training images (at least {len(class_names)}) or drop the class"
            )

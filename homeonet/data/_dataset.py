"""The labelled images of three disjoint splits, checked when made. Reads nothing, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from homeonet.data._checks import check_images
from homeonet.errors import InputError

__all__ = ["Dataset"]


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images and labels to train, validate and test on.

    Attributes
    ----------
    name : str
        Name of the set.
    source : str
        Folder or package the images came from.
    image_shape : tuple of int
        ``(height, width)`` in pixels.
    n_classes : int
        Number of classes.
    x_train, x_val, x_test : ndarray of float32
        ``(n, height*width)``, in [0, 1], rows of pixels from the top; validation and test may be
        empty.
    y_train, y_val, y_test : ndarray of int64
        ``(n,)``, 0 to ``n_classes - 1``.
    class_names : tuple of str
        One name a class.

    Raises
    ------
    InputError
        If the parts do not fit together; see `check_images`.
    """

    name: str
    source: str
    image_shape: tuple[int, int]
    n_classes: int
    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.n_classes != len(self.class_names):
            raise InputError(
                f"n_classes = {self.n_classes}: {len(self.class_names)} class_names are given: "
                "name each class once"
            )
        for split in ("train", "val", "test"):
            check_images(
                getattr(self, f"x_{split}"),
                getattr(self, f"y_{split}"),
                image_shape=self.image_shape,
                class_names=self.class_names,
                split=split,
            )

    def __repr__(self) -> str:
        height, width = self.image_shape
        shown = ", ".join(self.class_names[:10]) + (", …" if self.n_classes > 10 else "")
        return (
            f"Dataset {self.name!r} from {self.source}\n"
            f"  images   {height}x{width}, float32 in [0, 1]\n"
            f"  classes  {self.n_classes}: {shown}\n"
            f"  splits   train {len(self.y_train)}, val {len(self.y_val)}, test {len(self.y_test)}"
        )

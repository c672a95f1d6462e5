"""The labelled examples of three disjoint splits, checked when made. Reads no file, changes nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from homeonet.data._checks import check_images
from homeonet.errors import InputError
from homeonet.machine.html import table

__all__ = ["LUMINANCE", "Dataset"]

#: Weights of red, green and blue in grey (ITU-R BT.601, as Pillow's).
LUMINANCE = (0.299, 0.587, 0.114)
#: Hexadecimal digits of the content hash that name a data set in a configuration.
_NAMED_BY = 16


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images, time series or binned events, and labels, to train, validate and test on.

    Make one of your own with :meth:`from_arrays` (images), :meth:`from_series` or :meth:`from_events`.

    Attributes
    ----------
    name : str
        Name of the set.
    source : str
        Folder or package the images came from.
    image_shape : tuple of int
        ``(height, width)`` in pixels; ``(1, T)`` for time series and events, a column per step.
    n_classes : int
        Number of classes.
    x_train, x_val, x_test : ndarray of float32
        ``(n, channels*height*width)``, in [0, 1], channel by channel, each in rows of pixels from the top; validation
        and test may be empty.
    y_train, y_val, y_test : ndarray of int64
        ``(n,)``, 0 to ``n_classes - 1``.
    class_names : tuple of str
        One name per class.
    channels : int, default 1
        1 for grey, 3 for red, green and blue; any number for series; units for events.
    kind : {'images', 'series', 'events'}, default 'images'
    sensor : tuple of int or None, default None
        ``(polarities, height, width)`` of an event camera, whose product is `channels`.

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
    channels: int = 1
    kind: str = "images"
    sensor: tuple[int, int, int] | None = None

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
                channels=self.channels,
            )

    @classmethod
    def from_arrays(
        cls,
        x: Any,
        y: Any,
        x_test: Any = None,
        y_test: Any = None,
        x_val: Any = None,
        y_val: Any = None,
        *,
        class_names: Sequence[str] | None = None,
        full_scale: float | None = None,
        test_share: float = 0.2,
        split_seed: int = 0,
        name: str = "array",
    ) -> Dataset:
        """Images of one's own, of any size, in grey or colour.

        Parameters
        ----------
        x : array_like
            Training images ``(n, h, w)``, ``(n, h, w, 1)`` or ``(n, h, w, 3)``, of any numbers but complex ones.
        y : array_like
            Labels ``(n,)``: whole numbers from 0 on, or names of classes.
        x_test, y_test : array_like, optional
            Test images and labels. Without them a share of `x`, class by class, is set aside by `split_seed`.
        x_val, y_val : array_like, optional
            Validation images; without them a run takes as many as it asks for from the training images.
        class_names : sequence of str, optional
            Names of the classes 0, 1, …; by default the labels that occur.
        full_scale : float, optional
            Value of white. By default 255 for uint8, 65535 for uint16, else 1.
        test_share : float, default 0.2
            In (0, 1), of `x` without `x_test`.
        split_seed : int, default 0
            Chooses that share.
        name : str, default "array"

        Returns
        -------
        Dataset

        Raises
        ------
        InputError
            If a shape, a type, a value or a label is not as above: the message names the argument.

        Examples
        --------
        >>> x = np.zeros((10, 4, 6, 3), np.uint8)
        >>> Dataset.from_arrays(x, np.resize([0, 1], 10)).x_train.shape
        (8, 72)
        """
        from homeonet.data._arrays import images_from_arrays

        return images_from_arrays(
            cls,
            {"x": x, "y": y, "x_test": x_test, "y_test": y_test, "x_val": x_val, "y_val": y_val},
            class_names, full_scale, test_share, split_seed, name,
        )  # fmt: skip

    @classmethod
    def from_series(
        cls,
        x: Any,
        y: Any,
        x_test: Any = None,
        y_test: Any = None,
        x_val: Any = None,
        y_val: Any = None,
        *,
        class_names: Sequence[str] | None = None,
        test_share: float = 0.2,
        split_seed: int = 0,
        name: str = "series",
    ) -> Dataset:
        """Time series of one's own, of one or several channels, for networks trained by gradients.

        Parameters
        ----------
        x, x_test, x_val : array_like
            ``(n, T)`` or ``(n, T, channels)``, finite numbers. Each channel is scaled so that 0 and 1 are the 1st and
            99th percentile of its training values, and cut there.
        y, y_test, y_val, class_names, test_share, split_seed, name
            See :meth:`from_arrays`.

        Returns
        -------
        Dataset

        Raises
        ------
        InputError
            Where :meth:`from_arrays` raises it.
        """
        from homeonet.data._arrays import series_from_arrays

        return series_from_arrays(
            cls,
            {"x": x, "y": y, "x_test": x_test, "y_test": y_test, "x_val": x_val, "y_val": y_val},
            class_names, test_share, split_seed, name,
        )  # fmt: skip

    @classmethod
    def from_events(
        cls,
        x: Sequence[Any],
        y: Any,
        x_test: Sequence[Any] | None = None,
        y_test: Any = None,
        x_val: Sequence[Any] | None = None,
        y_val: Any = None,
        *,
        steps: int,
        n_units: int | None = None,
        sensor: tuple[int, int, int] | None = None,
        size: int | None = None,
        duration: float | None = None,
        class_names: Sequence[str] | None = None,
        test_share: float = 0.2,
        split_seed: int = 0,
        name: str = "events",
    ) -> Dataset:
        """Events of one's own, counted in bins of time, for networks trained by gradients.

        Parameters
        ----------
        x, x_test, x_val : sequence of array_like
            A sample each: pairs ``(t, unit)`` of shape ``(k, 2)``, or an array with the fields t and x, and y and p of
            a camera, as tonic gives them (which need not be installed). Times count from the sample's beginning.
        y, y_test, y_val, class_names, test_share, split_seed, name
            See :meth:`from_arrays`.
        steps : int
            T, the number of bins of equal length.
        n_units : int, optional
            Units of pairs; by default one more than the highest number that occurs.
        sensor : tuple of int, optional
            ``(polarities, height, width)`` of a camera; networks for images then see it as such.
        size : int, optional
            Put the camera's pixels together to this many on a side.
        duration : float, optional
            Length of a sample, in the unit of its times; later events are left out. By default it ends with the last
            event of all training samples.

        Returns
        -------
        Dataset
            Counts divided by the 99th percentile of the bins of training that are not empty, and cut at 1.

        Raises
        ------
        InputError
            If a sample is no such array, or a parameter does not fit it.
        """
        from homeonet.data._events import events_from_samples

        return events_from_samples(
            cls,
            {"x": x, "y": y, "x_test": x_test, "y_test": y_test, "x_val": x_val, "y_val": y_val},
            steps, n_units, sensor, size, duration, class_names, test_share, split_seed, name,
        )  # fmt: skip

    @classmethod
    def from_npz(cls, path: str | os.PathLike[str]) -> Dataset:
        """A data set from a file that :meth:`to_npz` has written.

        Raises
        ------
        InputError
            If the file cannot be read, or is none of those.
        """
        from homeonet.data._stored import read_dataset

        return read_dataset(cls, path)

    def to_npz(self, path: str | os.PathLike[str]) -> None:
        """Write the data set to a file of NumPy, from which :meth:`from_npz` makes the same one.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        from homeonet.data._stored import write_dataset

        write_dataset(self, path)

    @property
    def features(self) -> tuple[int, ...]:
        """What one pixel, or one step of a series, holds: ``(channels,)``, or the shape of an event camera's sensor."""
        return self.sensor or (self.channels,)

    @property
    def pixel_shape(self) -> tuple[int, int, int]:
        """``(channels, height, width)``: what a row of ``x_train`` is as an array."""
        return self.channels, *self.image_shape

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what the set holds, in hexadecimal digits; its name and its source have no part in it."""
        hashed = hashlib.sha256(repr((self.pixel_shape, self.kind, self.sensor, self.class_names)).encode())
        for split in ("train", "val", "test"):
            for array in (getattr(self, f"x_{split}"), getattr(self, f"y_{split}")):
                hashed.update(repr(array.shape).encode())
                hashed.update(np.ascontiguousarray(array).data)
        return hashed.hexdigest()

    @property
    def identity(self) -> str:
        """What the configuration of a run on this set holds as `data`: "array:", "series:" or "events:" and a hash."""
        kind = "array" if self.kind == "images" else self.kind
        return f"{kind}:{self.digest[:_NAMED_BY]}"

    def grey(self) -> Dataset:
        """The set with one channel: colours become luminance, 0.299 R + 0.587 G + 0.114 B; grey stays as it is."""
        if self.channels != 3 or self.kind != "images":
            return self
        weights = np.array(LUMINANCE, dtype=np.float32)
        parts = {
            f"x_{split}": np.clip(
                np.einsum("ncp,c->np", getattr(self, f"x_{split}").reshape(-1, 3, self._n_pixels), weights), 0, 1
            )
            for split in ("train", "val", "test")
        }  # fmt: skip
        return replace(self, channels=1, **parts)

    @property
    def _n_pixels(self) -> int:
        return self.image_shape[0] * self.image_shape[1]

    def _repr_html_(self) -> str:
        title, *lines = repr(self).splitlines()
        rows = [["", ""], *(line.split(maxsplit=1) for line in lines)]
        return table(rows, title)

    def __repr__(self) -> str:
        height, width = self.image_shape
        shown = ", ".join(self.class_names[:10]) + (", …" if self.n_classes > 10 else "")
        what = {
            "images": f"images   {height}x{width}{', colour' if self.channels == 3 else ''}",
            "series": f"series   {width} steps{f' of {self.channels} channels' if self.channels > 1 else ''}",
            "events": f"events   {width} steps of {self.channels} units",
        }[self.kind]
        return (
            f"Dataset {self.name!r} from {self.source}\n"
            f"  {what}, float32 in [0, 1]\n"
            f"  classes  {self.n_classes}: {shown}\n"
            f"  splits   train {len(self.y_train)}, val {len(self.y_val)}, test {len(self.y_test)}"
        )

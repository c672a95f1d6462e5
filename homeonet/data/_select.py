"""From all images of a set to the ones a run asks for: chosen, in grey if wanted, squared and resized. No files."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from homeonet.data._checks import check_seed, check_whole
from homeonet.data._dataset import LUMINANCE, Dataset
from homeonet.data._resize import resize_images
from homeonet.data._sources import RawImages
from homeonet.data._splits import held_out, stratified_subset, train_val
from homeonet.errors import InputError

__all__ = ["chosen_images", "selected", "squared"]


def chosen_images(
    raw: RawImages,
    name: str,
    size: int | None,
    train: int | None,
    val: int | None,
    test: int | None,
    seed: int,
    *,
    colour: bool = True,
) -> Dataset:
    """The images that a run asks for, resized; arguments as of :func:`homeonet.data.load`."""
    seed = check_seed(seed)
    if size is not None:
        size = check_whole("size", size, 2, 512)
    if raw.x_test is None or raw.y_test is None:
        pool, test_pool = held_out(raw.y)
        x_test, y_test = raw.x, raw.y
    else:
        pool, test_pool = np.arange(len(raw.y)), np.arange(len(raw.y_test))
        x_test, y_test = raw.x_test, raw.y_test
    x_val, y_val = raw.x, raw.y
    if raw.x_val is not None and raw.y_val is not None:
        x_val, y_val = raw.x_val, raw.y_val
        chosen_val = stratified_subset(y_val, val)
        chosen_train = pool[train_val(raw.y[pool], train, 0, seed)[0]]
    else:
        chosen_train, chosen_val = (pool[part] for part in train_val(raw.y[pool], train, val, seed))
    chosen_test = test_pool[stratified_subset(y_test[test_pool], test)]
    height, width = raw.x.shape[1:3]
    if size is not None and height != width:
        warnings.warn(
            f"data = {name!r}: images of {height} x {width} pixels are padded with black to squares", stacklevel=3
        )  # fmt: skip
    grey = raw.x.ndim == 4 and not colour

    def finished(images: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        images = images[chosen]
        if grey:
            images = (images @ np.array(LUMINANCE, dtype=np.float32)).astype(np.float32)
        images = images if size is None else squared(images)
        return np.clip(resize_images(images, size, raw.full_scale), 0, 1)

    return Dataset(
        name=name,
        source=raw.source,
        image_shape=(height, width) if size is None else (size, size),
        n_classes=len(raw.class_names),
        x_train=finished(raw.x, chosen_train),
        y_train=raw.y[chosen_train],
        x_val=finished(x_val, chosen_val),
        y_val=y_val[chosen_val],
        x_test=finished(x_test, chosen_test),
        y_test=y_test[chosen_test],
        class_names=raw.class_names,
        channels=1 if grey or raw.x.ndim == 3 else raw.x.shape[3],
    )


def squared(images: np.ndarray) -> np.ndarray:
    """Images ``(n, h, w)`` or ``(n, h, w, c)`` in the middle of black squares of their longer side."""
    height, width = images.shape[1:3]
    side = max(height, width)
    if height == width:
        return images
    top, left = (side - height) // 2, (side - width) // 2
    margins = [(0, 0), (top, side - height - top), (left, side - width - left)]
    return np.pad(images, [*margins, (0, 0)][: images.ndim])


def selected(
    dataset: Dataset,
    size: int | None,
    train: int,
    val: int,
    test: int,
    seed: int,
    *,
    colour: bool = True,
) -> Dataset:
    """What a run takes of a set that was given from Python; arguments as of :func:`homeonet.data.load`, but
    that `size` is the number of steps of events.

    Raises
    ------
    InputError
        If it asks for more than there is: one line says how to ask for all, or `size` is not that of a series.
    """
    given = [len(y) for y in (dataset.y_train, dataset.y_val, dataset.y_test)]
    from_train = 0 if given[1] else val
    if train + from_train > given[0] or (given[1] and val > given[1]) or test > given[2]:
        fitting = max(1, given[0] - (0 if given[1] else min(val, given[0] - 1)))
        most = (min(train, fitting), min(val, given[1] or given[0] - fitting), min(test, given[2]))
        raise InputError(
            f"train = {train}, val = {val}, test = {test}: the data set has {given[0]} training, {given[1]} "
            f"validation and {given[2]} test examples; set train = {most[0]}, val = {most[1]}, test = {most[2]}"
        )
    if dataset.kind == "images":
        raw = _raw(dataset)
        return chosen_images(raw, dataset.name, size, train, val, test, seed, colour=colour)
    n_steps = dataset.image_shape[1]
    if size not in (None, n_steps):
        key = "size" if dataset.kind == "series" else "steps"
        raise InputError(f"{key} = {size}: the {dataset.kind} have {n_steps} steps; set {key} = {n_steps}")
    chosen_train, chosen_val = train_val(dataset.y_train, train, from_train, check_seed(seed))
    x_val, y_val = dataset.x_train, dataset.y_train
    if given[1]:
        x_val, y_val, chosen_val = dataset.x_val, dataset.y_val, stratified_subset(dataset.y_val, val)
    chosen_test = stratified_subset(dataset.y_test, test)
    return replace(
        dataset,
        x_train=dataset.x_train[chosen_train], y_train=dataset.y_train[chosen_train],
        x_val=x_val[chosen_val], y_val=y_val[chosen_val],
        x_test=dataset.x_test[chosen_test], y_test=dataset.y_test[chosen_test],
    )  # fmt: skip


def _raw(dataset: Dataset) -> RawImages:
    def images(split: str) -> np.ndarray:
        x = getattr(dataset, f"x_{split}").reshape(-1, *dataset.pixel_shape)
        return x[:, 0] if dataset.channels == 1 else np.moveaxis(x, 1, 3)

    has_val = len(dataset.y_val) > 0
    return RawImages(
        dataset.source, dataset.class_names, images("train"), dataset.y_train, images("test"), dataset.y_test,
        full_scale=1, x_val=images("val") if has_val else None, y_val=dataset.y_val if has_val else None,
    )  # fmt: skip

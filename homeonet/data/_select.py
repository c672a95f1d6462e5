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

__all__ = ["check_counts", "chosen_images", "selected", "squared"]


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
    own: bool = False,
) -> Dataset:
    """The images that a run asks for, resized; arguments as of :func:`homeonet.data.load`.

    `own` images are counted at once: one message names all that is asked for too much.
    """
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
    if own:
        n_val = 0 if raw.y_val is None else len(raw.y_val)
        check_counts(train, val, test, (len(pool), n_val, len(test_pool)))
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


def check_counts(train: int | None, val: int | None, test: int | None, given: tuple[int, int, int]) -> None:
    """Raise InputError, which says how to ask for all, if more is asked for than the examples `given` in each part.

    Without validation examples of their own those of training are divided.
    """
    n_train, n_val, n_test = given
    asked = (1 if train is None else train, 0 if val is None else val, 0 if test is None else test)
    from_train = 0 if n_val else asked[1]
    if asked[0] + from_train <= n_train and (not n_val or asked[1] <= n_val) and asked[2] <= n_test:
        return
    # a tenth for validation where both cannot be had
    kept = 0 if n_val or not asked[1] else min(asked[1], max(1, n_train // 10))
    most = min(asked[0], n_train - kept), min(asked[1], n_val) if n_val else kept, min(asked[2], n_test)
    raise InputError(
        f"train = {train}, val = {val}, test = {test}: the data set has {n_train} training, {n_val} validation and "
        f"{n_test} test examples; set train = {most[0]}, val = {most[1]}, test = {most[2]}"
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
    n_val = len(dataset.y_val)
    check_counts(train, val, test, (len(dataset.y_train), n_val, len(dataset.y_test)))
    if dataset.kind == "images":
        raw = _raw(dataset)
        return chosen_images(raw, dataset.name, size, train, val, test, seed, colour=colour)
    n_steps = dataset.image_shape[1]
    if size not in (None, n_steps):
        key = "size" if dataset.kind == "series" else "steps"
        raise InputError(f"{key} = {size}: the {dataset.kind} have {n_steps} steps; set {key} = {n_steps}")
    chosen_train, chosen_val = train_val(dataset.y_train, train, 0 if n_val else val, check_seed(seed))
    x_val, y_val = dataset.x_train, dataset.y_train
    if n_val:
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

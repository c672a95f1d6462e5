"""What a finished run has learnt, as the images of a next one: layers stacked by chaining runs."""

from __future__ import annotations

import math

import numpy as np

from homeonet.data._dataset import Dataset
from homeonet.errors import InputError
from homeonet.store import load_records

__all__ = ["PREFIX", "load_features"]

#: ``data = "run:FOLDER"``.
PREFIX = "run:"


def load_features(
    name: str, size: int | None, train: int | None, val: int | None, test: int | None
) -> Dataset:
    """Spike counts of the excitatory neurons of a finished run, one row for each image that it saw.

    Parameters
    ----------
    name : str
        "run:" and the folder of a run of the plastic network.
    size : int or None
        Side of the images: the smallest square that holds all neurons, the rest stays dark; None takes it.
    train, val, test : int or None
        The first ones of the run's; None takes all. A run keeps no counts of validation images, so `val` is 0.

    Raises
    ------
    InputError
        If the folder is not that of a run, `size` is another, or more images are asked for than the run saw.
    """
    folder = name.removeprefix(PREFIX)
    records = load_records(folder)
    try:
        n_units = records["threshold_rise_exc"].size
        parts = {
            s: (records[f"features_{s}"].values, records[f"labels_{s}"].values) for s in ("train", "test")
        }
    except KeyError as error:
        raise InputError(
            f"data = {name!r}: its records lack {error}; give the folder of a run of `homeonet run`"
        ) from None
    side = math.isqrt(n_units - 1) + 1
    if size not in (None, side):
        raise InputError(
            f"data = {name!r}: {n_units} excitatory neurons are images of side {side}; set input.side = {side}"
        )
    if val:
        raise InputError(f"val = {val}: data = {name!r} holds no validation images; set val = 0")
    brightest = max(1, parts["train"][0][:, :n_units].max())
    images, labels = {}, {}
    for split, wanted in (("train", train), ("test", test)):
        counts, y = parts[split]
        if wanted is not None and wanted > len(y):
            raise InputError(f"{split} = {wanted}: the run in {folder} saw {len(y)}; give at most that many")
        x = np.zeros((len(y[:wanted]), side**2), dtype=np.float32)
        # test images can be brighter than any that training has shown
        x[:, :n_units] = np.minimum(counts[:wanted, :n_units] / brightest, 1)
        images[split], labels[split] = x, y[:wanted].astype(np.int64)
    n_classes = int(labels["train"].max()) + 1
    return Dataset(
        name, folder, (side, side), n_classes,
        images["train"], labels["train"], images["train"][:0], labels["train"][:0], images["test"], labels["test"],
        tuple(str(k) for k in range(n_classes)),
    )  # fmt: skip

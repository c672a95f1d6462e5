"""Which classes a readout takes for which.

For the error structure behind an accuracy. Never fits anything.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from homeonet.analysis._checks import as_labels
from homeonet.errors import InputError

__all__ = ["confusion_matrix"]


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray) -> xr.DataArray:
    """Number of test images of each true class that were given each predicted class.

    Parameters
    ----------
    labels, predictions : array_like, shape (image,)
        True and predicted classes; at least one image.

    Returns
    -------
    DataArray of int, shape (true, predicted)
        Coordinates are the classes that occur in either, in order.

    Raises
    ------
    InputError
        Unequal or zero lengths.
    """
    truth = as_labels("labels", labels, np.size(labels))
    guess = as_labels("predictions", predictions, truth.size)
    if truth.size == 0:
        raise InputError("labels is empty; give at least one image")
    classes, index = np.unique(np.concatenate([truth, guess]), return_inverse=True)
    counts = np.zeros((classes.size, classes.size), dtype=int)
    np.add.at(counts, (index[: truth.size], index[truth.size :]), 1)
    return xr.DataArray(
        counts,
        dims=("true", "predicted"),
        coords={"true": classes, "predicted": classes},
        name="images",
    )

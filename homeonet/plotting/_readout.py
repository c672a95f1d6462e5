"""Figures of what a readout found: which classes it confuses, and how the code lies in the plane.

For what `homeonet.analysis` returned. Never fits a readout or an embedding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from homeonet.analysis import Embedding
from homeonet.analysis._checks import as_labels
from homeonet.errors import InputError
from homeonet.plotting._style import MARKERS, SERIES

__all__ = ["plot_confusion", "plot_embedding"]

#: Classes that a column of a legend has room for, or an axis in the usual type.
_ROWS = 12


def plot_confusion(confusion: xr.DataArray, ax: Axes) -> dict[str, Artist | list[Artist]]:
    """Share of each true class given each predicted class, with the number of images in each cell.

    Parameters
    ----------
    confusion : DataArray of int, shape (true, predicted)
        What `homeonet.analysis.confusion_matrix` returns.
    ax : Axes
        Where to draw.

    Returns
    -------
    dict
        `"image"` (rows add up to 1) and `"numbers"`, a list of texts (cells without images have none).

    Raises
    ------
    InputError
        Not a square matrix over (true, predicted).
    """
    if confusion.dims != ("true", "predicted") or confusion.shape[0] != confusion.shape[1]:
        raise InputError(f"confusion has shape {dict(confusion.sizes)}; give what confusion_matrix returns")
    counts = confusion.to_numpy()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    classes = [str(c) for c in confusion["true"].to_numpy()]
    size = min(5.5, 110 / max(len(classes), 1))
    numbers: list[Artist] = [
        ax.text(
            col,
            row,
            str(counts[row, col]),
            ha="center",
            va="center",
            fontsize=size,
            color="white" if share[row, col] > 0.5 else "black",
        )
        for row, col in zip(*np.nonzero(counts), strict=True)
    ]
    many: dict[str, Any] = {"fontsize": size} if len(classes) > _ROWS else {}
    ax.set_xticks(range(len(classes)), classes, rotation=90 if many else 0, **many)
    ax.set_yticks(range(len(classes)), classes, **many)
    ax.set(xlabel="predicted class", ylabel="true class")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.figure.colorbar(image, ax=ax, label="share of true class", shrink=0.8)
    return {"image": image, "numbers": numbers}


def plot_embedding(
    embedding: Embedding,
    labels: np.ndarray,
    ax: Axes,
    *,
    names: Mapping[object, str] | None = None,
) -> dict[str, Artist]:
    """Each image in the plane, with its own colour and marker for each class.

    Parameters
    ----------
    embedding : Embedding
        What `homeonet.analysis.embed` returns.
    labels : array_like, shape (image,)
        Class of each image; up to a hundred have a colour and marker of their own.
    ax : Axes
        Where to draw.
    names : mapping, optional
        Name of each class in the legend; the class itself by default.

    Returns
    -------
    dict
        Dots of each class under its name, and `"quality"`, the line of numbers below.

    Raises
    ------
    InputError
        Not one label for each image.
    """
    plane = embedding.coordinates.to_numpy()
    classes = as_labels("labels", labels, len(plane))
    artists: dict[str, Artist] = {}
    for i, cls in enumerate(np.unique(classes)):
        name = str(cls) if names is None else names.get(cls, str(cls))
        artists[name] = ax.scatter(
            plane[classes == cls, 0],
            plane[classes == cls, 1],
            s=10,
            marker=MARKERS[(i + i // len(SERIES)) % len(MARKERS)],
            color=SERIES[i % len(SERIES)],
            edgecolors="black",
            linewidths=0.2,
            label=name,
            rasterized=True,
        )
    axis = "t-SNE" if embedding.method == "tsne" else "PC"
    ax.set(xlabel=f"{axis} 1 (no unit)" if axis == "t-SNE" else "PC 1", xticks=[], yticks=[])
    ax.set_ylabel(f"{axis} 2 (no unit)" if axis == "t-SNE" else "PC 2")
    ax.margins(0.03)
    ax.legend(
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        title="class",
        handletextpad=0.2,
        columnspacing=0.6,
        markerscale=1.4,
        ncols=math.ceil(len(artists) / _ROWS),
    )
    numbers = [f"trustworthiness {embedding.trustworthiness:.2f}"]
    if np.isfinite(embedding.neighbour_accuracy):
        numbers.append(f"k-NN {100 * embedding.neighbour_accuracy:.0f} %")
    if np.isfinite(embedding.phi):
        numbers.append(f"Φ {embedding.phi:.1f}")
    artists["quality"] = ax.set_title(", ".join(numbers), fontsize=7)
    return artists

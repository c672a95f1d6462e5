"""The figures of a training by gradients: learning curves, activity of the layers, weights, confusion, embedding."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from homeonet.analysis import embed
from homeonet.plotting._readout import plot_confusion, plot_embedding
from homeonet.plotting._style import COLOURS, MARKERS, SERIES, new_figure
from homeonet.plotting._write import write_figures

__all__ = ["draw_training", "plot_layers", "plot_learning", "training_figures"]


def draw_training(
    records: xr.Dataset,
    folder: str | os.PathLike[str],
    *,
    metrics: Mapping[str, object] | None = None,
    formats: Sequence[str] = ("png",),
) -> list[Path]:
    """Draw every figure of a training run.

    Parameters
    ----------
    records : Dataset
        What :func:`homeonet.train` recorded.
    folder : path
        Where to write; made if it is not there.
    metrics : mapping, optional
        ``accuracy.test`` and ``accuracy.raw_pixels`` are drawn beside the learning curves.
    formats : sequence of {"png", "pdf", "svg"}, default ("png",)

    Returns
    -------
    list of Path
        The files written.
    """
    makers = training_figures(records, metrics)
    return write_figures(((name, make()) for name, make in makers.items()), folder, formats)


def training_figures(
    records: xr.Dataset, metrics: Mapping[str, object] | None = None
) -> dict[str, Callable[[], Figure]]:
    """What draws each figure of a training run, by name; parameters as of :func:`draw_training`."""
    makers: dict[str, Callable[[], Figure]] = {"learning": partial(_learning, records, metrics)}
    for name, variable, label in (
        ("layer_rates", "layer_rate", "active share of unit-steps"),
        ("layer_dead", "layer_dead", "share of units never active"),
        ("weights", "weight_norm", "weight norm / first epoch"),
    ):
        makers[name] = partial(_layers, records[variable], label)
    makers["confusion"] = partial(_confusion, records)
    hidden = records["hidden_rate_test"].to_numpy()
    if len(hidden) > 10 and np.ptp(hidden, axis=0).any():
        makers["embedding"] = partial(_embedding, hidden, records["label_test"].to_numpy())
    return makers


def _learning(records: xr.Dataset, metrics: Mapping[str, object] | None) -> Figure:
    figure, axes = new_figure()
    plot_learning(records, axes[0, 0], metrics=metrics)
    return figure


def _layers(values: xr.DataArray, label: str) -> Figure:
    figure, axes = new_figure(height=2.4)
    plot_layers(
        values / values.isel(epoch=0) if values.name == "weight_norm" else values, axes[0, 0], label=label
    )
    return figure


def _confusion(records: xr.Dataset) -> Figure:
    figure, axes = new_figure(height=2.7)
    plot_confusion(records["confusion"].rename(label="true"), axes[0, 0])
    return figure


def _embedding(hidden: np.ndarray, labels: np.ndarray) -> Figure:
    figure, axes = new_figure(height=2.7)
    plot_embedding(embed(hidden, labels), labels, axes[0, 0])
    return figure


def plot_learning(
    records: xr.Dataset, ax: Axes, *, metrics: Mapping[str, Any] | None = None
) -> dict[str, Artist]:
    """Accuracy on training and validation images over epochs, with the test's and the raw pixels' as lines."""
    artists: dict[str, Artist] = {}
    epochs = records["epoch"].to_numpy()
    for k, (name, label) in enumerate((("train_accuracy", "training"), ("val_accuracy", "validation"))):
        values = 100 * records[name].to_numpy()
        if np.isfinite(values).any():
            (artists[label],) = ax.plot(epochs, values, color=SERIES[k], marker=MARKERS[k], label=label)
    for name, label, style in (("accuracy.test", "test", "-"), ("accuracy.raw_pixels", "raw pixels", "--")):
        value = (metrics or {}).get(name)
        if value is not None:
            colour = "black" if label == "test" else COLOURS["baseline"]
            artists[label] = ax.axhline(
                100 * float(value), color=colour, linestyle=style, linewidth=0.8, label=label
            )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="epoch", ylabel="accuracy (%)")
    ax.legend(loc="best")
    return artists


def plot_layers(values: xr.DataArray, ax: Axes, *, label: str) -> dict[str, Artist]:
    """One line per layer or weight over epochs.

    Parameters
    ----------
    values : DataArray, shape (epoch, layer or weight)
    ax : Axes
    label : str
        Label of the vertical axis.
    """
    dimension = next(d for d in values.dims if d != "epoch")
    names = [str(n) for n in values[dimension].to_numpy()]
    artists: dict[str, Artist] = {}
    for k, name in enumerate(names):
        (artists[name],) = ax.plot(
            values["epoch"],
            values.isel({dimension: k}),
            color=SERIES[k % len(SERIES)],
            marker=MARKERS[k % len(MARKERS)],
            label=name if len(names) <= 8 else None,
        )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="epoch", ylabel=label)
    if len(names) <= 8:
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title=dimension)
    return artists

"""Every figure of one run, written to a folder, and the one that compares runs.

For looking at a finished run. Never runs a network or fits a readout; the embedding alone is computed here,
because no run stores it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from homeonet.analysis import (
    PATHWAYS,
    Embedding,
    ReadoutResult,
    confusion_matrix,
    embed,
    receptive_fields,
    wilson_interval,
)
from homeonet.errors import InputError
from homeonet.plotting._accuracy import plot_accuracies
from homeonet.plotting._activity import plot_raster, plot_rates
from homeonet.plotting._comparison import plot_sleep_comparison
from homeonet.plotting._fields import field_scale, plot_receptive_fields
from homeonet.plotting._readout import plot_confusion, plot_embedding
from homeonet.plotting._style import COLUMN_WIDTH, DOUBLE_WIDTH, new_figure, use_style
from homeonet.plotting._weights import plot_total_weight, plot_weight_histograms, plot_weight_trajectories
from homeonet.plotting._write import FORMATS, save_figure, write_figures

__all__ = ["draw_comparison", "draw_run", "run_figures"]

_EMBEDDED_IMAGES = 1000  # t-SNE of these takes seconds; of a whole test set, minutes


def draw_run(
    records: xr.Dataset,
    folder: str | os.PathLike[str],
    *,
    metrics: Mapping[str, object] | None = None,
    formats: Sequence[str] = ("png",),
) -> list[Path]:
    """Draw every figure whose records a run kept.

    Parameters
    ----------
    records : Dataset
        What the run recorded; a figure whose variables are missing is left out, and so is the embedding of
        a code that does not vary.
    folder : path
        Where to write; made if it is not there. A file appears whole or not at all.
    metrics : mapping, optional
        Its entry `baselines`, a mapping of names to accuracies between 0 and 1, is drawn beside the readouts.
    formats : sequence of {"png", "pdf", "svg"}, default ("png",)
        File formats.

    Returns
    -------
    list of Path
        The files written, in the order drawn.

    Raises
    ------
    InputError
        Unknown or no format, a baseline that is no accuracy, or records with nothing to draw.
    """
    return write_figures(_figures(records, metrics or {}), folder, formats)


def draw_comparison(records_by_label: Mapping[str, xr.Dataset], path: str | os.PathLike[str]) -> Path:
    """Draw the weights and rates of several runs over one another, on logarithmic axes.

    Parameters
    ----------
    records_by_label : mapping of str to Dataset
        See `plot_sleep_comparison`.
    path : path
        The PNG, PDF or SVG file to write, whole or not at all.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        Where `plot_sleep_comparison` raises it, or for an unknown file format.
    """
    target = Path(path)
    file_format = target.suffix.removeprefix(".")
    if file_format not in FORMATS:
        raise InputError(f"path = {target.name!r} has no known format; end it in {', '.join(FORMATS)}")
    with use_style():
        figure, axes = new_figure(2, 2, width=DOUBLE_WIDTH, height=3.6)
        for column, (pathway, population) in enumerate((("input_exc", "exc"), ("exc_exc", "inh"))):
            plot_sleep_comparison(
                records_by_label, list(axes[:, column]), pathway=pathway, population=population, log=True
            )
        return save_figure(figure, target, file_format)


def run_figures(
    records: xr.Dataset, metrics: Mapping[str, object] | None = None
) -> dict[str, Callable[[], Figure]]:
    """What draws each figure whose records a run kept, by name; parameters as of :func:`draw_run`."""
    makers: dict[str, Callable[[], Figure]] = {
        name: partial(draw, records)
        for name, (needed, draw) in _DRAWN.items()
        if all(variable in records for variable in needed)
    }
    stored = _stored_pathways(records)
    if stored:
        makers["weight_histograms"] = partial(_histograms, records, stored)
    if "input_exc" in stored and "pre_input_exc" in records and "post_input_exc" in records:
        makers["receptive_fields"] = partial(_fields, records)
    if "prediction" in records and "labels_test" in records:
        for readout in records["readout"].to_numpy():
            makers[f"confusion_{readout}"] = partial(_confusion, records, str(readout))
        makers["accuracy"] = partial(_accuracy, records, metrics or {})
    if (coded := _embedded(records)) is not None:
        makers["embedding"] = lambda: _embedding(embed(*coded), coded[1])
    return makers


def _figures(records: xr.Dataset, metrics: Mapping[str, object]) -> Iterator[tuple[str, Figure]]:
    # the embedding takes as long as all the rest, and another core can do it
    with ThreadPoolExecutor(1) as pool:
        coded = _embedded(records)
        embedding = pool.submit(embed, *coded) if coded else None
        for name, make in run_figures(records, metrics).items():
            if name != "embedding":
                yield name, make()
        if embedding and coded:
            yield "embedding", _embedding(embedding.result(), coded[1])


def _embedding(embedded: Embedding, labels: np.ndarray) -> Figure:
    figure, axes = new_figure(height=2.7)
    plot_embedding(embedded, labels, axes[0, 0])
    return figure


def _trajectories(records: xr.Dataset) -> Figure:
    pathways = [str(p) for p in records["pathway"].to_numpy()]
    figure, panels = _grid(pathways)
    for pathway, ax in panels:
        plot_weight_trajectories(records, ax, pathways=(pathway,))
    return figure


def _histograms(records: xr.Dataset, pathways: list[str]) -> Figure:
    figure, panels = _grid(pathways)
    for pathway, ax in panels:
        plot_weight_histograms(records, ax, pathway=pathway)
    return figure


def _total_weight(records: xr.Dataset) -> Figure:
    figure, axes = new_figure()
    plot_total_weight(records, axes[0, 0])
    return figure


def _rates(records: xr.Dataset) -> Figure:
    figure, axes = new_figure()
    plot_rates(records, axes[0, 0])
    return figure


def _raster(records: xr.Dataset) -> Figure:
    figure, axes = new_figure(height=2.6)
    plot_raster(records, axes[0, 0])
    return figure


_DRAWN: dict[str, tuple[tuple[str, ...], Callable[[xr.Dataset], Figure]]] = {
    "weight_trajectories": (("pathway_mean", "time"), _trajectories),
    "total_weight": (("total_weight", "time"), _total_weight),
    "rates": (("rate", "time"), _rates),
    "raster": (("raster_time", "raster_unit"), _raster),
}


def _fields(records: xr.Dataset) -> Figure:
    fields = {w: receptive_fields(records, which=w, absent=np.nan) for w in ("initial", "final")}
    largest = max(field_scale(values.to_numpy()) for values in fields.values())
    figure, axes = new_figure(1, 2, width=DOUBLE_WIDTH, height=3.2)
    for ax, (which, values) in zip(axes[0], fields.items(), strict=True):
        plot_receptive_fields(values, ax, vmax=largest)
        ax.set_title({"initial": "before", "final": "after"}[which])
    return figure


def _confusion(records: xr.Dataset, readout: str) -> Figure:
    truth, predictions = (
        records["labels_test"].to_numpy(),
        records["prediction"].sel(readout=readout).to_numpy(),
    )
    figure, axes = new_figure(height=2.7)
    plot_confusion(confusion_matrix(truth, predictions), axes[0, 0])
    axes[0, 0].set_title(readout.replace("_", " "))
    return figure


def _accuracy(records: xr.Dataset, metrics: Mapping[str, Any]) -> Figure:
    truth = records["labels_test"].to_numpy()
    results = []
    for readout in map(str, records["readout"].to_numpy()):
        predictions = records["prediction"].sel(readout=readout).to_numpy()
        score = wilson_interval(int(np.count_nonzero(predictions == truth)), truth.size)
        results.append(ReadoutResult(readout, score.estimate, score.low, score.high, truth.size, predictions))
    baselines = metrics.get("baselines") or {}
    figure, axes = new_figure(height=0.9 + 0.3 * (len(results) + len(baselines)))
    plot_accuracies(results, axes[0, 0], baselines=baselines, chance=1 / np.unique(truth).size)
    return figure


def _embedded(records: xr.Dataset) -> tuple[np.ndarray, np.ndarray] | None:
    """Excitatory spike counts and labels of some test images, None where they have no embedding."""
    if "labels_test" not in records or "features_test" not in records:
        return None
    counts = _excitatory_counts(records)
    # a silent network's code has no embedding, and four points are the fewest that have one
    if len(counts) < 4 or np.all(counts == counts[0]):
        return None
    chosen = np.unique(np.linspace(0, len(counts) - 1, _EMBEDDED_IMAGES).astype(int))
    return counts[chosen], records["labels_test"].to_numpy()[chosen]


def _excitatory_counts(records: xr.Dataset) -> np.ndarray:
    counts: np.ndarray = records["features_test"].to_numpy()
    n_exc = int(records.attrs["n_exc"]) if "n_exc" in records.attrs else counts.shape[1]
    return counts[:, :n_exc]


def _stored_pathways(records: xr.Dataset) -> list[str]:
    return [p for p in PATHWAYS if f"w_initial_{p}" in records and f"w_final_{p}" in records]


def _grid(pathways: Sequence[str]) -> tuple[Figure, list[tuple[str, Axes]]]:
    columns = min(2, len(pathways))
    rows = -(-len(pathways) // columns)
    width = DOUBLE_WIDTH if columns == 2 else COLUMN_WIDTH
    figure, axes = new_figure(rows, columns, width=width, height=1.9 * rows)
    for ax in axes.flat[len(pathways) :]:
        ax.remove()
    return figure, list(zip(pathways, axes.flat, strict=False))

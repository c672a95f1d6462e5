"""Figures of sweeps: a result against a parameter with every seed visible, and over two parameters as a map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import CenteredNorm
from matplotlib.image import AxesImage

from homeonet.analysis import mean_interval
from homeonet.errors import InputError
from homeonet.plotting._style import COLOURS, MARKERS, SERIES

__all__ = ["plot_against", "plot_heat_map"]


def plot_against(
    values: Mapping[str, xr.DataArray],
    ax: Axes,
    dim: str,
    *,
    baselines: Mapping[str, xr.DataArray | float] | None = None,
    scale: float = 1.0,
    seed: str = "seed",
) -> dict[str, list[Artist]]:
    """Lines of means over a parameter with their 95 % intervals (Student's t), and one dot per seed.

    A line is of the seeds that were run all along it, if there are two: means of other seeds beside each other would
    differ by their seeds.

    Parameters
    ----------
    values : mapping of str to DataArray with the dimensions `dim` and `seed`
        One series each, at most ten; missing values are left out.
    ax : Axes
    dim : str
        The parameter on the x axis; its coordinate is numeric.
    baselines : mapping of str to DataArray or float, optional
        Drawn as grey lines across, at the mean over all their values, with their range shaded.
    scale : float, default 1
        Factor of the values; 100 for shares in per cent.
    seed : str, default "seed"

    Returns
    -------
    dict of str to list of Artist
        By the names of series and baselines.

    Raises
    ------
    InputError
        For more than ten series, or one without `dim` and `seed`.
    """
    if not 1 <= len(values) <= len(SERIES):
        raise InputError(f"values has {len(values)} series; give 1 to {len(SERIES)}")
    artists: dict[str, list[Artist]] = {}
    for k, (name, series) in enumerate(values.items()):
        points = scale * _all_along(series.transpose(dim, seed))
        x = points[dim].to_numpy()
        mean, low, high = np.array([_interval(at) for at in points.to_numpy()]).T
        style: dict[str, Any] = {"color": SERIES[k], "marker": MARKERS[k]}
        drawn: list[Artist] = [*ax.plot(x, mean, markersize=3.5, label=name, **style)]
        drawn.append(ax.fill_between(x, low, high, color=SERIES[k], alpha=0.18, linewidth=0))
        every = np.repeat(x, points.sizes[seed])
        drawn.append(ax.scatter(every, points.to_numpy().ravel(), s=7, alpha=0.6, linewidths=0, **style))
        artists[name] = drawn
    for k, (name, given) in enumerate((baselines or {}).items()):
        found = scale * np.asarray(given, dtype=float).ravel()
        found = found[np.isfinite(found)]
        if not len(found):
            continue
        line = ax.axhline(
            found.mean(), color=COLOURS["baseline"], linestyle=("--", ":", "-.")[k % 3], label=name, zorder=1
        )
        band = ax.axhspan(
            found.min(), found.max(), color=COLOURS["baseline"], alpha=0.12, linewidth=0, zorder=0
        )
        artists[name] = [line, band]
    return artists


def _all_along(points: xr.DataArray) -> xr.DataArray:
    """Without the seeds, the second dimension, that are not at every place; with all if fewer than two would stay."""
    there = np.isfinite(points.to_numpy().astype(float))
    whole = there[there.any(axis=1)].all(axis=0)
    return points[:, whole] if whole.sum() >= 2 else points


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean, lower and upper end of the values that are there; of one value there is no interval."""
    there = values[np.isfinite(values)]
    if len(there) < 2:
        mean = float(there[0]) if len(there) else np.nan
        return mean, np.nan, np.nan
    found = mean_interval(there)
    return found.estimate, found.low, found.high


def plot_heat_map(
    values: xr.DataArray,
    ax: Axes,
    *,
    x: str,
    y: str,
    label: str,
    scale: float = 1.0,
    form: str = "{:.1f}",
    spread: str | None = None,
    centre: float | None = None,
    reach: float | None = None,
) -> AxesImage:
    """Means over two parameters as a map, each cell with its number.

    Parameters
    ----------
    values : DataArray with the dimensions `x`, `y` and others
        The mean is taken over the others; missing cells stay white.
    ax : Axes
    x, y : str
        Dimensions along the axes, drawn as equal cells in their order.
    label : str
        Label of the colour bar.
    scale : float, default 1
        Factor of the values.
    form : str, default "{:.1f}"
        How a cell's number is written.
    spread : str, optional
        A dimension of repetitions, such as "seed": below each number stands the half-width of its 95 % interval
        (Student's t).
    centre : float, optional
        Of differences, what is no difference: colours diverge from it.
    reach : float, optional
        How far from `centre` the colours end; by default where the values do.

    Returns
    -------
    AxesImage
    """
    others = [name for name in values.dims if name not in (x, y)]
    means = scale * values.mean(others).transpose(y, x)
    colours: dict[str, Any] = {"cmap": "viridis"}
    far = 0.0
    if centre is not None:
        far = reach or float(np.nanmax(np.abs(means - centre)))
        colours = {"cmap": "PuOr", "norm": CenteredNorm(centre, far)}
    image = ax.imshow(means, origin="lower", aspect="auto", **colours)
    ax.set_xticks(range(means.sizes[x]), _labels(means[x]))
    ax.set_yticks(range(means.sizes[y]), _labels(means[y]))
    middle = float(np.nanmean([np.nanmin(means), np.nanmax(means)])) if np.isfinite(means).any() else 0.0
    for (row, column), value in np.ndenumerate(means.to_numpy()):
        if np.isfinite(value):
            dark = value <= middle if centre is None else abs(value - centre) > 0.6 * far
            colour = "white" if dark else "black"
            found = scale * values.isel({x: column, y: row}).to_numpy().ravel()
            text = form.format(value) + (_half_width(found, form) if spread else "")
            ax.text(column, row, text, ha="center", va="center", fontsize=6, color=colour)
    ax.figure.colorbar(image, ax=ax, label=label)
    return image


def _labels(coordinate: xr.DataArray) -> list[str]:
    return [f"{v:g}" if np.issubdtype(coordinate.dtype, np.number) else str(v) for v in coordinate.to_numpy()]


def _half_width(values: np.ndarray, form: str) -> str:
    """The half-width of a mean's interval, on a line of its own; nothing for a single value."""
    _, low, high = _interval(values)
    return "\n±" + form.replace("+", "").format((high - low) / 2) if np.isfinite(low) else ""

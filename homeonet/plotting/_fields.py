"""Figure of receptive fields: one small image per unit, in a grid.

For what `homeonet.analysis.receptive_fields` returns. Never rescales one unit against another.
"""

from __future__ import annotations

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from homeonet.errors import InputError

__all__ = ["field_scale", "plot_receptive_fields"]


def plot_receptive_fields(
    fields: xr.DataArray,
    ax: Axes,
    *,
    max_units: int = 100,
    columns: int | None = None,
    vmax: float | None = None,
) -> AxesImage:
    """Tiles of the first units' input weights on one colour scale, with its bar.

    Parameters
    ----------
    fields : DataArray, shape (unit, row, col)
        Weights ≥ 0, dimensionless; NaN pixels (no synapse) are grey.
    ax : Axes
        Where to draw.
    max_units : int, default 100
        At most this many units, from the first on; at least 1.
    columns : int, optional
        Tiles per row; by default the grid is about square.
    vmax : float, optional
        Weight at the top of the colour scale, > 0; by default the 99.5 % quantile of the shown
        weights, so that one strong synapse does not darken all others. Give both of a pair the same.

    Returns
    -------
    AxesImage
        The tiled image; tiles are one white pixel apart.

    Raises
    ------
    InputError
        Not three dimensions, no unit, or an option that is not positive.
    """
    if fields.ndim != 3 or fields.sizes[fields.dims[0]] == 0:
        raise InputError(f"fields has shape {fields.shape}; give (unit, row, col) with at least one unit")
    if max_units < 1 or (columns is not None and columns < 1) or (vmax is not None and not vmax > 0):
        raise InputError(f"max_units = {max_units}, columns = {columns}, vmax = {vmax}; give positive values")
    shown = np.asarray(fields[:max_units], dtype=float)
    count, height, width = shown.shape
    across = min(columns or int(np.ceil(np.sqrt(count))), count)
    down = -(-count // across)
    # below the scale, so that gaps take the "under" colour and absent synapses the "bad" one
    canvas = np.full((down * (height + 1) - 1, across * (width + 1) - 1), -1.0)
    for i, tile in enumerate(shown):
        top, left = (i // across) * (height + 1), (i % across) * (width + 1)
        canvas[top : top + height, left : left + width] = tile
    image = ax.imshow(
        canvas,
        cmap=matplotlib.colormaps["viridis"].with_extremes(bad="#DDDDDD", under="white"),
        vmin=0,
        vmax=field_scale(shown) if vmax is None else vmax,
        interpolation="nearest",
    )
    ax.set_axis_off()
    ax.figure.colorbar(image, ax=ax, label="weight (dimensionless)", shrink=0.8, pad=0.02, extend="max")
    return image


def field_scale(fields: np.ndarray) -> float:
    """Weight at the top of the colour scale: the 99.5 % quantile of the synapses present, 1 without any."""
    present = np.asarray(fields)[np.isfinite(fields)]
    return (float(np.quantile(present, 0.995)) if present.size else 0.0) or 1.0

"""Forest plots: paired differences from a reference, condition by condition, with intervals and every seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer

from homeonet.analysis import mean_interval
from homeonet.errors import InputError
from homeonet.plotting._style import COLOURS, SERIES

__all__ = ["plot_differences"]


def plot_differences(
    differences: xr.DataArray,
    ax: Axes,
    dim: str,
    *,
    margin: float | None = None,
    colours: Sequence[str] | None = None,
    seed: str = "seed",
    labelled: bool = True,
) -> list[ErrorbarContainer]:
    """One row per condition: the mean of its paired differences with Student's 95 % interval, and one dot per seed.

    Parameters
    ----------
    differences : DataArray with the dimensions `dim` and `seed`
        A condition's value minus the reference's of the same seed; missing values are left out.
    ax : Axes
        Its y axis is that of the conditions, the first on top.
    dim : str
        The conditions; its coordinate names the rows.
    margin : float, optional
        Differences up to this one, either way, are shaded: what would not matter.
    colours : sequence of str, optional
        One for each row, such as one for each group; default: one for all.
    seed : str, default "seed"
    labelled : bool, default True
        Whether rows are named on this axis; not where it shares them with the one to its left.

    Returns
    -------
    list of ErrorbarContainer
        An error bar for each row that has two values or more.

    Raises
    ------
    InputError
        If `differences` lacks a dimension, or there are not as many colours as rows.

    Examples
    --------
    >>> import xarray as xr
    >>> from homeonet.plotting import new_figure
    >>> gains = xr.DataArray([[1.0, 2.0, 3.0]], {"rule": ["BCM"], "seed": [1, 2, 3]}, ("rule", "seed"))
    >>> figure, axes = new_figure(1, 1)
    >>> len(plot_differences(gains, axes[0, 0], "rule", margin=0.5))
    1
    """
    missing = [name for name in (dim, seed) if name not in differences.dims]
    if missing:
        raise InputError(
            f"differences has no dimension {missing[0]!r}; it has {', '.join(map(str, differences.dims))}"
        )
    table = differences.transpose(dim, seed)
    rows = table.sizes[dim]
    colours = [SERIES[0]] * rows if colours is None else list(colours)
    if len(colours) != rows:
        raise InputError(
            f"colours has {len(colours)} entries; give one for each of the {rows} rows of {dim!r}"
        )
    drawn: list[ErrorbarContainer] = []
    for place, (values, colour) in enumerate(zip(table.to_numpy(), colours, strict=True)):
        there = values[np.isfinite(values)]
        ax.plot(
            there, np.full(there.size, place), "o", color=colour, markersize=3, alpha=0.5, markeredgewidth=0
        )
        if there.size > 1:
            found = mean_interval(there)
            ends = [[found.estimate - found.low], [found.high - found.estimate]]
            drawn.append(
                ax.errorbar(
                    found.estimate, place, xerr=ends, fmt="D", markersize=3.5, elinewidth=1.2, color=colour
                )
            )
    ax.axvline(0, color=COLOURS["baseline"], linewidth=0.8, zorder=0)
    if margin is not None:
        ax.axvspan(-margin, margin, color=COLOURS["baseline"], alpha=0.15, linewidth=0, zorder=0)
    ax.set_yticks(range(rows), [str(name) for name in table[dim].to_numpy()] if labelled else [])
    ax.set_ylim(rows - 0.5, -0.5)
    return drawn

"""The one look of every figure: sizes, type, and colours that always mean the same thing.

For figures that fit a journal's column and can be told apart without colour vision. Never draws data, and
never changes matplotlib's settings beyond the `with` block.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from homeonet.analysis import sleep_episodes
from homeonet.errors import InputError

__all__ = [
    "COLOURS",
    "COLUMN_WIDTH",
    "DOUBLE_WIDTH",
    "MARKERS",
    "PATHWAY_NAMES",
    "POPULATION_NAMES",
    "SERIES",
    "STYLE",
    "new_figure",
    "shade_sleep",
    "use_style",
]

COLUMN_WIDTH = 3.4  # inch
DOUBLE_WIDTH = 7.0  # inch
RESOLVED = 1000  # samples that a column at 300 dpi can show side by side

# Okabe & Ito, "Color universal design" (2008); one meaning each, in every figure
COLOURS = MappingProxyType(
    {
        "exc": "#0072B2",
        "inh": "#D55E00",
        "input_exc": "#009E73",
        "exc_exc": "#0072B2",
        "exc_inh": "#CC79A7",
        "inh_exc": "#D55E00",
        "sleep": "#56B4E9",
        "trigger": "#000000",
        "base": "#000000",
        "baseline": "#666666",
        "before": "#999999",
    }
)

# For runs, classes and other series without a meaning of their own; with MARKERS, ten stay distinguishable
SERIES = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#000000",
    "#F0E442",
    "#7F7F7F",
    "#8C510A",
)
MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<", ">", "*")

PATHWAY_NAMES = MappingProxyType(
    {
        "input_exc": "input → exc.",
        "exc_exc": "exc. → exc.",
        "exc_inh": "exc. → inh.",
        "inh_exc": "inh. → exc.",
    }
)

POPULATION_NAMES = MappingProxyType({"exc": "excitatory", "inh": "inhibitory"})

STYLE = MappingProxyType(
    {
        "font.size": 8,
        "font.family": "DejaVu Sans",
        "axes.titlesize": 8,
        "axes.labelsize": 8,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "legend.fontsize": 7,
        "legend.frameon": False,
        "legend.handlelength": 1.4,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.6,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "lines.linewidth": 1.0,
        "figure.dpi": 150,
        "savefig.dpi": 300,
        "pdf.fonttype": 42,
        "svg.hashsalt": "homeonet",
    }
)


@contextmanager
def use_style() -> Iterator[None]:
    """Draw in this package's style within the `with` block; matplotlib's settings come back after it."""
    with matplotlib.rc_context(dict(STYLE)):  # type: ignore[arg-type]  # its keys are literals
        yield


class _Shown(Figure):
    """A figure that a notebook shows, also where pyplot was never imported."""

    def _repr_png_(self) -> bytes:
        written = io.BytesIO()
        self.savefig(written, format="png")
        return written.getvalue()


def new_figure(
    rows: int = 1,
    columns: int = 1,
    *,
    width: float = COLUMN_WIDTH,
    height: float = 2.2,
    **subplots: Any,
) -> tuple[Figure, np.ndarray]:
    """Figure with its axes, outside pyplot: nothing is registered, nothing needs a display.

    Parameters
    ----------
    rows, columns : int, default 1
        Rows and columns of panels.
    width : float, default 3.4
        Width in inches; 3.4 for a column, 7.0 for two.
    height : float, default 2.2
        Height in inches.
    **subplots
        Passed to `Figure.subplots` (such as `sharex=True`).

    Returns
    -------
    figure : Figure
    axes : ndarray of Axes, shape (rows, columns)

    Raises
    ------
    InputError
        A size or a number of panels that is not positive.
    """
    if min(width, height) <= 0 or min(rows, columns) < 1:
        raise InputError(
            f"figure is {width} × {height} inch with {rows} × {columns} panels; give positive sizes"
        )
    figure = _Shown(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **subplots)


def shade_sleep(
    records: xr.Dataset,
    ax: Axes,
    *,
    colour: str = COLOURS["sleep"],
    band: tuple[float, float] = (0.0, 1.0),
) -> PolyCollection | None:
    """Shade the time the network slept.

    Parameters
    ----------
    records : Dataset
        With `asleep(time)`; without it nothing is shaded.
    ax : Axes
        Axes whose x is simulated time in seconds.
    colour : str, default the sleep colour
        Any matplotlib colour.
    band : (float, float), default (0, 1)
        Lower and upper edge as fractions of the height of the axes.

    Returns
    -------
    PolyCollection or None
        None for a run that never slept.
    """
    if "asleep" not in records:
        return None
    episodes = sleep_episodes(records)
    if episodes.sizes["episode"] == 0:
        return None
    spans = np.column_stack([episodes["start"], episodes["duration"]])
    # one collection however many sleeps; its height is in axes fractions, so data limits stay those of the data
    return ax.broken_barh(
        spans.tolist(),
        (band[0], band[1] - band[0]),
        transform=ax.get_xaxis_transform(),
        facecolor=colour,
        # an edge keeps sleeps shorter than a pixel visible, every one of them
        edgecolor=colour,
        alpha=0.25,
        linewidth=0.2,
        zorder=0,
        label="sleep",
    )


def line_width(samples: int) -> float:
    """Width in points of a line of that many samples: thin where its ups and downs would run into one another."""
    return 0.4 if samples > RESOLVED else float(str(STYLE["lines.linewidth"]))

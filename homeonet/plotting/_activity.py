"""Figures of spikes: population rates over a run and a raster of a window of it.

For records of one run. Never computes rates from spikes: it draws what was recorded, averaged where a run is
too long for its samples to be told apart.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from homeonet.analysis._checks import require_variables
from homeonet.errors import InputError
from homeonet.plotting._style import COLOURS, POPULATION_NAMES, RESOLVED, shade_sleep

__all__ = ["plot_raster", "plot_rates", "rate_course"]

_BINS = 150

Course = tuple[np.ndarray, np.ndarray]


def plot_rates(records: xr.Dataset, ax: Axes) -> dict[str, Artist]:
    """Mean firing rate of each population over time, sleep shaded.

    A run of more than 1000 samples is drawn as means over 150 equal stretches of time, awake (solid) and asleep
    (dashed) apart: its jumps between the two would fill the axes.

    Parameters
    ----------
    records : Dataset
        With `rate(time, population)` in Hz; the shading needs `asleep(time)`.
    ax : Axes
        Where to draw.

    Returns
    -------
    dict
        Line of each population under its name, in long runs `"<name> asleep"`, and `"sleep"` where drawn.

    Raises
    ------
    InputError
        `rate`, `population` or `time` missing.
    """
    require_variables(records, "rate", "population", "time")
    artists: dict[str, Artist] = {}
    handles = []
    for population in records["population"].to_numpy():
        key = str(population)
        colour, name = COLOURS.get(key, COLOURS["baseline"]), POPULATION_NAMES.get(key, key)
        awake, asleep = rate_course(records, key)
        (artists[key],) = ax.plot(*awake, color=colour, label=name)
        handles.append(artists[key])
        if asleep is not None:
            (artists[f"{key} asleep"],) = ax.plot(*asleep, color=colour, linestyle="--")
    if len(artists) > len(handles):
        handles.append(Line2D([], [], color=COLOURS["baseline"], linestyle="--", label="mean while asleep"))
    shading = shade_sleep(records, ax)
    if shading is not None:
        artists["sleep"] = shading
        handles.append(shading)
    ax.set(xlabel="simulated time (s)", ylabel="mean rate (Hz)", ylim=(0, None))
    ax.set_xlim(float(records["time"].min()), float(records["time"].max()))
    ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(len(handles), 3))
    return artists


def rate_course(records: xr.Dataset, population: str) -> tuple[Course, Course | None]:
    """Times (s) and rates (Hz) of one population, awake and asleep, as a figure can show them.

    Parameters
    ----------
    records : Dataset
        With `rate(time, population)`, and `asleep(time)` where the run slept.
    population : str
        The population whose rate it is.

    Returns
    -------
    awake : (ndarray, ndarray)
        All samples of a run of at most 1000; else the means over samples awake in 150 stretches of time.
    asleep : (ndarray, ndarray) or None
        Means over samples asleep in the same stretches; None for a short run or one that never slept.
    """
    time = records["time"].to_numpy()
    rate = records["rate"].sel(population=population).to_numpy()
    if time.size <= RESOLVED:
        return (time, rate), None
    asleep = records["asleep"].to_numpy() > 0.5 if "asleep" in records else np.zeros(time.size, dtype=bool)
    stretch = np.arange(time.size) * _BINS // time.size
    means = []
    for state in (~asleep, asleep):
        n = np.bincount(stretch[state], minlength=_BINS)
        some = n > 0
        when, how_fast = (np.bincount(stretch[state], v[state], _BINS)[some] / n[some] for v in (time, rate))
        means.append((when, how_fast))
    return means[0], means[1] if asleep.any() else None


def plot_raster(
    records: xr.Dataset, ax: Axes, *, start: float | None = None, stop: float | None = None
) -> dict[str, Artist]:
    """A dot for each spike in a window, excitatory units below inhibitory ones, sleep shaded.

    Parameters
    ----------
    records : Dataset
        With `raster_time(spike)` in s and `raster_unit(spike)`, and the attributes `n_exc` and `n_inh`.
    ax : Axes
        Where to draw.
    start, stop : float, optional
        Window in seconds of simulated time; by default the recorded one (attributes `raster_start` and
        `raster_stop`, else the first and last spike).

    Returns
    -------
    dict
        `"exc"` and `"inh"` dots, and `"sleep"` where drawn.

    Raises
    ------
    InputError
        A variable or attribute missing, or a window that ends before it starts.
    """
    require_variables(records, "raster_time", "raster_unit")
    if "n_exc" not in records.attrs or "n_inh" not in records.attrs:
        raise InputError("records has no attribute n_exc or n_inh; use records written by a run")
    n_exc, n_inh = int(records.attrs["n_exc"]), int(records.attrs["n_inh"])
    time, unit = records["raster_time"].to_numpy(), records["raster_unit"].to_numpy()
    first, last = (time.min(), time.max()) if time.size else (0.0, 1.0)
    start = float(records.attrs.get("raster_start", first)) if start is None else start
    stop = float(records.attrs.get("raster_stop", last)) if stop is None else stop
    if not start < stop:
        raise InputError(f"raster window is {start} … {stop} s; give a start before the stop")
    shown = (time >= start) & (time <= stop)
    artists: dict[str, Artist] = {}
    for key, members in (("exc", unit < n_exc), ("inh", unit >= n_exc)):
        (artists[key],) = ax.plot(
            time[shown & members],
            unit[shown & members],
            linestyle="none",
            marker=".",
            markersize=1.2,
            markeredgewidth=0,
            color=COLOURS[key],
            rasterized=True,
        )
    shading = shade_sleep(records, ax)
    if shading is not None:
        artists["sleep"] = shading
    ax.set(xlabel="simulated time (s)", ylabel="unit", xlim=(start, stop), ylim=(-1, n_exc + n_inh))
    # names at the side stay readable where dots fill the axes and a legend would cover them
    for key, middle in (("exc", n_exc / 2), ("inh", n_exc + n_inh / 2)):
        ax.annotate(
            f"{key}.",
            (1.01, middle),
            xycoords=ax.get_yaxis_transform(),
            color=COLOURS[key],
            rotation=90,
            va="center",
            annotation_clip=False,
        )
    ax.set_yticks(np.unique([0, n_exc, n_exc + n_inh]))
    ax.xaxis.set_major_locator(MaxNLocator(5))
    return artists

"""Figure of several runs over one another: what sleep does to weights and rates.

For the records of runs that differ in one thing. Never averages over runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullFormatter

from homeonet.analysis._checks import require_variables
from homeonet.errors import InputError
from homeonet.plotting._activity import rate_course
from homeonet.plotting._style import COLOURS, PATHWAY_NAMES, POPULATION_NAMES, SERIES, line_width, shade_sleep

__all__ = ["plot_sleep_comparison"]


def plot_sleep_comparison(
    records_by_label: Mapping[str, xr.Dataset],
    axes: Sequence[Axes],
    *,
    pathway: str = "exc_exc",
    population: str = "exc",
    log: bool = False,
) -> dict[str, dict[str, Artist]]:
    """Mean weight and mean rate of two or more runs over time, the sleep of each in its own colour.

    Parameters
    ----------
    records_by_label : mapping of str to Dataset
        Two to ten runs, each with `pathway_mean(time, pathway)` and `rate(time, population)`.
    axes : sequence of two Axes
        For the weights and for the rates.
    pathway : str, default "exc_exc"
        The pathway whose mean weight is drawn.
    population : str, default "exc"
        The population whose rate is drawn.
    log : bool, default False
        Logarithmic axes, for a run that explodes beside one that does not.

    Returns
    -------
    dict
        For each label a dict with `"weight"` and `"rate"` (lines) and, where it slept, `"sleep"`. Where
        several runs slept, each one's shading has its own share of the height, the first at the bottom. Long
        runs have their rates averaged as in `plot_rates`, with `"rate asleep"` apart.

    Raises
    ------
    InputError
        Fewer than two or more than ten runs, not two axes, or a variable, pathway or population missing.
    """
    if not 2 <= len(records_by_label) <= len(SERIES):
        raise InputError(f"records_by_label has {len(records_by_label)} runs; give 2 to {len(SERIES)}")
    if len(axes) != 2:
        raise InputError(f"axes has {len(axes)} entries; give two, for weights and rates")
    for label, records in records_by_label.items():
        require_variables(records, "time", "pathway_mean", "rate")
        for dim, wanted in (("pathway", pathway), ("population", population)):
            if wanted not in records[dim].to_numpy():
                raise InputError(f"run {label!r} has no {dim} {wanted!r}; give one that every run recorded")
    sleepers = [k for k, r in records_by_label.items() if "asleep" in r and bool(r["asleep"].any())]
    artists: dict[str, dict[str, Artist]] = {}
    for colour, (label, records) in zip(SERIES, records_by_label.items(), strict=False):
        drawn: dict[str, Artist] = {}
        mean = records["pathway_mean"].sel(pathway=pathway)
        (drawn["weight"],) = axes[0].plot(
            records["time"], mean, color=colour, linewidth=line_width(mean.size), label=label
        )
        awake, asleep = rate_course(records, population)
        (drawn["rate"],) = axes[1].plot(*awake, color=colour, label=label)
        if asleep is not None:
            (drawn["rate asleep"],) = axes[1].plot(*asleep, color=colour, linestyle="--")
        if label in sleepers:
            place = sleepers.index(label)
            band = (place / len(sleepers), (place + 1) / len(sleepers))
            for ax in axes:
                shading = shade_sleep(records, ax, colour=colour, band=band)
                if shading is not None:
                    shading.set_label("_")
                    drawn["sleep"] = shading
        artists[label] = drawn
    for ax, ylabel, name in (
        (axes[0], "mean weight\n(dimensionless)", PATHWAY_NAMES.get(pathway, pathway)),
        (axes[1], "mean rate (Hz)", POPULATION_NAMES.get(population, population)),
    ):
        ax.set(ylabel=ylabel)
        ax.margins(x=0)
        if log:
            ax.set_yscale("log")
            low, high = ax.get_ylim()
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,)))
            ax.yaxis.set_major_formatter("{x:g}")
            ax.yaxis.set_minor_formatter(NullFormatter())
        else:
            ax.set_ylim(bottom=0)
        ax.annotate(
            name, (1.01, 0.5), xycoords="axes fraction", rotation=90, va="center", annotation_clip=False
        )
    axes[1].set_xlabel("simulated time (s)")
    handles, _ = axes[0].get_legend_handles_labels()
    if sleepers:
        handles.append(
            Patch(facecolor=COLOURS["before"], alpha=0.4, linewidth=0, label="asleep (in the run's colour)")
        )
    if any("rate asleep" in drawn for drawn in artists.values()):
        handles.append(
            Line2D([], [], color=COLOURS["before"], linestyle="--", label="mean rate while asleep")
        )
    axes[0].legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return artists

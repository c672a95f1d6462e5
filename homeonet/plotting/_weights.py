"""Figures of the weights: their course over a run, their sum against the sleep thresholds, before and after.

For records of one run. Never computes anything but ratios and histograms of what is recorded.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from homeonet.analysis import PATHWAYS
from homeonet.analysis._checks import require_variables
from homeonet.errors import InputError
from homeonet.plotting._style import COLOURS, PATHWAY_NAMES, line_width, shade_sleep

__all__ = ["plot_total_weight", "plot_weight_histograms", "plot_weight_trajectories"]


def plot_weight_trajectories(
    records: xr.Dataset, ax: Axes, *, pathways: tuple[str, ...] | None = None
) -> dict[str, Artist]:
    """Mean weight of each pathway over time, with the spread of the weights and sleep shaded.

    Parameters
    ----------
    records : Dataset
        With `pathway_mean(time, pathway)`; the band from the lowest to the highest recorded quantile needs
        `snapshot_time` and `weight_quantile`, the shading `asleep`.
    ax : Axes
        Where to draw.
    pathways : tuple of str, optional
        Which pathways; all that are recorded by default.

    Returns
    -------
    dict
        Line of each pathway under its name, its band under `"<name> band"`, and `"sleep"`, where drawn.

    Raises
    ------
    InputError
        `pathway_mean` or `time` missing, or a pathway that was not recorded.
    """
    require_variables(records, "pathway_mean", "time", "pathway")
    recorded = [str(p) for p in records["pathway"].to_numpy()]
    chosen = recorded if pathways is None else list(pathways)
    unknown = [p for p in chosen if p not in recorded]
    if unknown:
        raise InputError(f"pathways names {', '.join(unknown)}; give some of {', '.join(recorded)}")
    artists: dict[str, Artist] = {}
    for pathway in chosen:
        colour, name = COLOURS.get(pathway, COLOURS["baseline"]), PATHWAY_NAMES.get(pathway, pathway)
        mean = records["pathway_mean"].sel(pathway=pathway)
        (artists[pathway],) = ax.plot(
            records["time"], mean, color=colour, linewidth=line_width(mean.size), label=name
        )
        if "weight_quantile" in records and "snapshot_time" in records:
            spread = records["weight_quantile"].sel(pathway=pathway).sortby("quantile")
            artists[f"{pathway} band"] = ax.fill_between(
                records["snapshot_time"],
                spread.isel(quantile=0),
                spread.isel(quantile=-1),
                color=colour,
                alpha=0.2,
                linewidth=0,
                label=_band_name(spread) if len(chosen) == 1 else None,
            )
    _add_sleep(records, ax, artists)
    ax.set(xlabel="simulated time (s)", ylabel="weight (dimensionless)", ylim=(0, None))
    ax.margins(x=0)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, columnspacing=1.0)
    return artists


def plot_total_weight(records: xr.Dataset, ax: Axes) -> dict[str, Artist]:
    """Total excitatory weight relative to its start, against the thresholds that begin and end sleep.

    Parameters
    ----------
    records : Dataset
        With `total_weight(time)`. The attribute `w_total_initial` gives W₀ (else the first sample), and
        `alpha_trigger` and `alpha_base` the lines (drawn where present and finite).
    ax : Axes
        Where to draw.

    Returns
    -------
    dict
        `"total"`, and `"trigger"`, `"base"` and `"sleep"` where drawn.

    Raises
    ------
    InputError
        `total_weight` or `time` missing, or W₀ not positive.
    """
    require_variables(records, "total_weight", "time")
    total = records["total_weight"].to_numpy()
    start = float(records.attrs.get("w_total_initial", total[0] if total.size else np.nan))
    if not start > 0:
        raise InputError(f"w_total_initial is {start}; give records whose first total weight is positive")
    artists: dict[str, Artist] = {}
    (artists["total"],) = ax.plot(
        records["time"], total / start, color=COLOURS["exc"], linewidth=line_width(total.size)
    )
    for key, name, colour, dash in (
        ("trigger", "sleep begins", COLOURS["trigger"], "--"),
        ("base", "sleep ends", COLOURS["base"], ":"),
    ):
        alpha = float(records.attrs.get(f"alpha_{key}", np.nan))
        if np.isfinite(alpha) and alpha > 0:
            label = f"{name}: α = {alpha:g}"
            artists[key] = ax.axhline(alpha, color=colour, linestyle=dash, label=label, zorder=3)
    _add_sleep(records, ax, artists)
    ax.set(xlabel="simulated time (s)", ylabel="total weight W/W₀")
    ax.margins(x=0, y=0.1)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, columnspacing=1.0)
    return artists


def plot_weight_histograms(
    records: xr.Dataset, ax: Axes, *, pathway: str, bins: int = 50
) -> dict[str, Artist]:
    """Distribution of one pathway's weights before and after the run.

    Parameters
    ----------
    records : Dataset
        With `w_initial_P(synapse_P)` and `w_final_P(synapse_P)` of that pathway P.
    ax : Axes
        Where to draw; its counts are on a logarithmic scale.
    pathway : str
        The pathway whose weights are drawn.
    bins : int, default 50
        Number of bins from zero to the largest weight, at least 1; both histograms share them.

    Returns
    -------
    dict
        Artists of the histograms `"before"` and `"after"`.

    Raises
    ------
    InputError
        The pathway's weights missing, or fewer than one bin.
    """
    if bins < 1:
        raise InputError(f"bins is {bins}; give at least 1")
    if pathway not in PATHWAYS:
        raise InputError(f"pathway is {pathway!r}; give one of {', '.join(PATHWAYS)}")
    require_variables(records, f"w_initial_{pathway}", f"w_final_{pathway}")
    weights = {
        "before": records[f"w_initial_{pathway}"].to_numpy(),
        "after": records[f"w_final_{pathway}"].to_numpy(),
    }
    largest = max((float(w.max()) for w in weights.values() if w.size), default=0.0)
    edges = np.linspace(0, largest or 1.0, bins + 1)
    colours = {"before": COLOURS["before"], "after": COLOURS[pathway]}
    artists: dict[str, Artist] = {}
    for when, values in weights.items():
        counts, _ = np.histogram(values, edges)
        artists[when] = ax.stairs(
            counts, edges, color=colours[when], fill=when == "before", label=when, baseline=0.5
        )
    ax.set_yscale("log")
    ax.set(xlabel="weight (dimensionless)", ylabel="synapses", title=PATHWAY_NAMES[pathway])
    ax.set_xlim(0, edges[-1])
    ax.set_ylim(bottom=0.5)
    ax.legend()
    return artists


def _band_name(spread: xr.DataArray) -> str:
    low, high = (100 * float(spread["quantile"][i]) for i in (0, -1))
    return f"{low:g}–{high:g} % of synapses"


def _add_sleep(records: xr.Dataset, ax: Axes, artists: dict[str, Artist]) -> None:
    shading = shade_sleep(records, ax)
    if shading is not None:
        artists["sleep"] = shading

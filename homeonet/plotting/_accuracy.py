"""Figure of accuracies with their intervals, beside the baselines they are seen against.

For what `homeonet.analysis` returned. Never computes an interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes

from homeonet.analysis import Interval, ReadoutResult
from homeonet.errors import InputError
from homeonet.plotting._style import COLOURS

__all__ = ["plot_accuracies"]


def plot_accuracies(
    results: Mapping[str, ReadoutResult | Interval] | Sequence[ReadoutResult],
    ax: Axes,
    *,
    baselines: Mapping[str, float | ReadoutResult | Interval] | None = None,
    chance: float | None = None,
) -> dict[str, Artist]:
    """A row for each accuracy with its confidence interval, baselines grey below them.

    Parameters
    ----------
    results : mapping of str to ReadoutResult or Interval, or sequence of ReadoutResult
        Accuracies between 0 and 1; a sequence is labelled by readout.
    ax : Axes
        Where to draw.
    baselines : mapping of str to float, ReadoutResult or Interval, optional
        What the results are seen against (raw pixels, frozen weights); plain numbers have no interval.
    chance : float, optional
        Accuracy of guessing, between 0 and 1, as a dotted line.

    Returns
    -------
    dict
        The error-bar container of each row under its name, and `"chance"` where drawn.

    Raises
    ------
    InputError
        No results, or an accuracy outside [0, 1].
    """
    named = dict(results) if isinstance(results, Mapping) else {r.name: r for r in results}
    if not named:
        raise InputError("results is empty; give at least one accuracy")
    rows: list[tuple[str, float | ReadoutResult | Interval, str, str]]
    rows = [(name, value, COLOURS["exc"], "o") for name, value in named.items()]
    rows += [(name, value, COLOURS["baseline"], "s") for name, value in (baselines or {}).items()]
    artists: dict[str, Any] = {}
    for y, (name, value, colour, marker) in enumerate(rows):
        middle, low, high = (100 * v for v in _ends(name, value))
        artists[name] = ax.errorbar(
            middle,
            y,
            xerr=[[middle - low], [high - middle]],
            color=colour,
            marker=marker,
            markersize=4,
            capsize=2,
            linewidth=1,
        )
        ax.annotate(
            f"{middle:.1f}", (middle, y), (0, 4), textcoords="offset points", ha="center", fontsize=6.5
        )
    if chance is not None:
        artists["chance"] = ax.axvline(100 * chance, color=COLOURS["baseline"], linestyle=":")
        ax.annotate(
            "chance",
            (100 * chance, 1.0),
            xycoords=ax.get_xaxis_transform(),
            color=COLOURS["baseline"],
            ha="center",
            va="bottom",
        )
    ax.set_yticks(range(len(rows)), [row[0].replace("_", " ") for row in rows])
    ax.set(ylim=(len(rows) - 0.5, -0.7), xlim=(0, 100), xlabel=f"test accuracy (%){_level(named)}")
    return artists


def _ends(name: str, value: float | ReadoutResult | Interval) -> tuple[float, float, float]:
    if isinstance(value, ReadoutResult):
        ends = value.accuracy, value.ci_low, value.ci_high
    elif isinstance(value, Interval):
        ends = value.estimate, value.low, value.high
    else:
        ends = float(value), float(value), float(value)
    if not 0 <= ends[0] <= 1:
        raise InputError(f"accuracy of {name!r} is {ends[0]}; give a share between 0 and 1")
    return ends


def _level(results: Mapping[str, ReadoutResult | Interval]) -> str:
    levels = {value.level if isinstance(value, Interval) else 0.95 for value in results.values()}
    return f", {100 * levels.pop():g} % interval" if len(levels) == 1 else ""

"""All claims and their verdicts on one page.

Every claim of the five papers that can be measured here: its sentence, how each case came out (filled: the whole 95
% interval meets the rule; cross: the whole interval violates it; open: undecided) and the verdict. Rules and numbers
are in `homeonet claims`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from homeonet.claims import ClaimRow, load_registry
from homeonet.cli.main import figure_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure

STUDY = "claims"
# colours of Okabe and Ito: told apart without colour vision, and each has its own mark
VERDICTS = {"holds": "#009E73", "partly": "#E69F00", "does not hold": "#D55E00"}
CASES = {"passes": ("o", True), "undecided": ("o", False), "fails": ("x", True)}
MOST = 12


def draw(rows: Sequence[ClaimRow]) -> Figure:
    """A line per claim, under the name of its paper."""
    shown = [row for row in rows if row.claim.untestable is None]
    sources = list(dict.fromkeys(row.claim.source for row in shown))
    lines = len(shown) + 1.4 * len(sources)
    figure, axes = new_figure(width=DOUBLE_WIDTH, height=0.3 + 0.145 * lines)
    ax = axes[0, 0]
    ax.set(xlim=(0, 100), ylim=(lines, -0.5))
    ax.axis("off")
    place = 0.0
    for name in sources:
        source = load_registry().sources[name]
        title = textwrap.shorten(source.title, 100, placeholder=" …")
        ax.text(0, place + 0.2, f"{title}, {source.reference}", fontsize=6.5, fontweight="bold", va="center")
        place += 1.2
        for row in (row for row in shown if row.claim.source == name):
            line(row, ax, place)
            place += 1
        place += 0.2
    return figure


def line(row: ClaimRow, ax: Axes, place: float) -> None:
    """Sentence, marks of the cases, and verdict."""
    colour = VERDICTS.get(row.verdict.verdict, "#999999")
    ax.text(0, place, row.claim.claim, fontsize=6, va="center")
    ax.text(88, place, str(row.verdict), fontsize=6, va="center", color=colour, fontweight="bold")
    for k, outcome in enumerate(row.verdict.outcomes[:MOST]):
        marker, filled = CASES[outcome]
        style = {"markersize": 3.2, "color": colour, "markeredgewidth": 0.8}
        ax.plot(70 + 1.35 * k, place, marker, fillstyle="full" if filled else "none", **style)
    if len(row.verdict.outcomes) > MOST:
        ax.text(
            70 + 1.35 * MOST,
            place,
            f"+{len(row.verdict.outcomes) - MOST}",
            fontsize=5,
            va="center",
            ha="center",
        )
    ax.axhline(place + 0.5, color="#DDDDDD", linewidth=0.4)


def main() -> None:
    """Draw it as ``homeonet figure verdicts`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

"""All claims and their verdicts on one page.

Every claim of the five papers that can be measured here: its sentence, what was measured (the mean of its only case
with the interval that it was judged by, else the range of the means of its cases), how each case came out (filled: the
whole interval meets the rule; cross: the whole interval violates it; open: undecided; bar: void, for its treatment was
not applied; +n: as many cases more, of no other kind) and the verdict; of an undecided claim, the number of seeds n
that would decide it if means and spreads stay. A claim does not hold if what was measured is certain to be less than
what would matter, be it more than nothing. Units, rules and cases are in `homeonet claims`.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from homeonet.claims import ClaimRow, load_registry
from homeonet.claims._table import number
from homeonet.cli.main import figure_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure

STUDY = "claims"
# colours of Okabe and Ito: told apart without colour vision, and each has its own word
SHORT = {
    "holds": ("holds", "#009E73"),
    "holds here in part": ("in part", "#C78700"),
    "does not hold": ("does not hold", "#D55E00"),
    "undecided": ("undecided", "#666666"),
    "void": ("void", "#CC79A7"),
    "not measured": ("not measured", "#999999"),
}
MARKS = {"passes": ("o", "full"), "undecided": ("o", "none"), "fails": ("x", "full"), "void": ("_", "full")}
MOST = 6
LETTERS = 40
LINE, GAP = 0.088, 0.035  # in inches
#: In per cent of a column's width.
NUMBER, FIRST_MARK, STEP, VERDICT = 59.0, 72.3, 1.6, 83.5


def draw(rows: Sequence[ClaimRow]) -> Figure:
    """Two columns of claims, each under the name of its paper."""
    papers: dict[str, list[ClaimRow]] = {}
    for row in rows:
        if row.claim.untestable is None:
            papers.setdefault(row.claim.source, []).append(row)
    columns = balanced({name: 2 * LINE + sum(map(height, those)) for name, those in papers.items()})
    tallest = max(sum(2 * LINE + sum(map(height, papers[name])) for name in column) for column in columns)
    figure, axes = new_figure(1, 2, width=DOUBLE_WIDTH, height=tallest + 0.1)
    figure.set_layout_engine("none")  # texts lie on a grid of their own
    for k, (ax, names) in enumerate(zip(axes[0], columns, strict=True)):
        ax.set_position((0.005 + 0.5 * k, 0.005, 0.49, 0.99))
        ax.set(xlim=(0, 100), ylim=(tallest, -0.05))
        ax.axis("off")
        place = 0.0
        for name in names:
            source = load_registry().sources[name]
            title = f"{textwrap.shorten(source.title, 62, placeholder=' …')}, {source.reference}"
            ax.text(0, place + LINE, title, fontsize=5.2, fontweight="bold", va="center")
            place += 2 * LINE
            for row in papers[name]:
                line(row, ax, place)
                place += height(row)
    return figure


def balanced(heights: Mapping[str, float]) -> list[list[str]]:
    """The papers in two columns whose heights differ least."""
    chosen = min(
        (set(some) for k in range(1, len(heights) + 1) for some in itertools.combinations(heights, k)),
        key=lambda left: max(
            sum(heights[name] for name in left), sum(heights[n] for n in heights if n not in left)
        ),
    )
    first = next(iter(heights)) in chosen
    return [[name for name in heights if (name in chosen) is side] for side in (first, not first)]


def height(row: ClaimRow) -> float:
    """Of a claim's lines, in inches."""
    return LINE * len(textwrap.wrap(row.claim.claim, LETTERS)) + GAP


def line(row: ClaimRow, ax: Axes, place: float) -> None:
    """Sentence, number, marks of the cases, and verdict."""
    word, colour = SHORT[row.verdict.verdict]
    middle = place + height(row) / 2
    ax.text(0, middle, textwrap.fill(row.claim.claim, LETTERS), fontsize=5.2, va="center", linespacing=1.0)
    ax.text(NUMBER, middle, measured(row), fontsize=4.8, va="center", ha="center")
    outcomes = row.verdict.outcomes
    shown = MOST if len(outcomes) <= MOST else MOST - 1
    drawn = list(outcomes[:shown])
    if len(outcomes) > shown:  # one of each kind first, then the others as they come
        first = [outcomes.index(kind) for kind in dict.fromkeys(outcomes)]
        others = [k for k in range(len(outcomes)) if k not in first]
        drawn = [outcomes[k] for k in (*first, *others)[:shown]]
    for k, outcome in enumerate(drawn):
        marker, style = MARKS[outcome]
        there = FIRST_MARK + STEP * k
        ax.plot(there, middle, marker, fillstyle=style, markersize=2.4, color=colour, markeredgewidth=0.7)
    if len(outcomes) > shown:
        more = f"+{len(outcomes) - shown}"
        ax.text(FIRST_MARK + STEP * (shown + 0.25), middle, more, fontsize=4, va="center", ha="center")
    if row.verdict.verdict == "undecided":
        needed = row.verdict.needed or 10**6
        word += f", n = {float(f'{needed:.2g}'):g}" if needed < 10**4 else ", n > 10⁴"
    style = (
        {"fontsize": 4.2} if row.verdict.verdict == "undecided" else {"fontsize": 4.8, "fontweight": "bold"}
    )
    ax.text(VERDICT, middle, word, va="center", color=colour, **style)
    ax.axhline(place + height(row), color="#DDDDDD", linewidth=0.4)


def measured(row: ClaimRow) -> str:
    """The mean of a claim's only case with its interval, or the range of the means of its cases."""
    if not row.cases:
        return ""
    if len(row.cases) > 1:
        means = sorted(case.mean for case in row.cases)
        return " to ".join(dict.fromkeys(brief(mean, row.cases[0].unit) for mean in (means[0], means[-1])))
    (case,) = row.cases
    mean, low, high = (brief(value, case.unit) for value in (case.mean, case.low, case.high))
    return mean if case.low == case.high else f"{mean} [{low}, {high}]"


def brief(value: float, unit: str) -> str:
    """Accuracies as everywhere, all else with two digits at least."""
    if unit in ("points", "%"):
        return number(value, unit)
    return f"{value:.0f}" if 10 <= abs(value) < 10**6 else f"{value:.2g}"


def main() -> None:
    """Draw it as ``homeonet figure verdicts`` does."""
    figure_main(__file__)


if __name__ == "__main__":
    main()

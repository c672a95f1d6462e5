"""What scripts of figures share about axes."""

from __future__ import annotations

from matplotlib.axis import Axis
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

__all__ = ["plain_log"]


def plain_log(axis: Axis) -> None:
    """Numbers such as 0.2 or 5 on a logarithmic axis that spans little, powers of ten on one that spans much."""
    low, high = sorted(axis.get_view_interval())
    if high < 200 * low:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)) if high > 6 * low else MaxNLocator(4))
        axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())

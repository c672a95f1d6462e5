"""The figures of a run by their names: ``result.plot.rates()``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from matplotlib.figure import Figure

from homeonet.plotting._style import use_style

__all__ = ["NamedFigures"]


class NamedFigures:
    """Draws the figures that a run has the records for, one by one.

    Parameters
    ----------
    makers : mapping of str to callable
        What `run_figures` or `training_figures` gives.

    Examples
    --------
    >>> result.plot                                 # doctest: +SKIP
    weight_trajectories, total_weight, rates, raster, accuracy, embedding
    >>> result.plot.rates().savefig("rates.pdf")    # doctest: +SKIP
    """

    def __init__(self, makers: Mapping[str, Callable[[], Figure]]) -> None:
        self._makers = dict(makers)

    def __getattr__(self, name: str) -> Callable[[], Figure]:
        makers = self.__dict__.get("_makers", {})
        if name not in makers:
            raise AttributeError(f"this run has no figure {name!r}; it has {', '.join(makers)}")

        def draw() -> Figure:
            with use_style():
                return makers[name]()

        draw.__name__ = name
        return draw

    def __dir__(self) -> list[str]:
        return sorted(self._makers)

    def __repr__(self) -> str:
        return ", ".join(self._makers)

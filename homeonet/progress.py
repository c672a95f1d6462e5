"""Progress meters, which a caller hands in: the package shows nothing by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

__all__ = ["ProgressMeter", "bar", "meter"]

#: Called with a label and a total, gives a context whose value takes increments.
ProgressMeter = Callable[[str, float], AbstractContextManager[Callable[[float], Any]]]


def meter(
    progress: ProgressMeter | None, label: str, total: float
) -> AbstractContextManager[Callable[[float], Any]]:
    """The progress meter, or one that shows nothing."""
    return progress(label, total) if progress else nullcontext(lambda _: None)


@contextmanager
def bar(label: str, total: float) -> Iterator[Callable[[float], Any]]:
    """A progress bar for notebooks and scripts: ``homeonet.run(config, out, progress=bar)``.

    In a notebook that has ipywidgets it is a widget, elsewhere a line of text on standard error.
    """
    from tqdm.auto import tqdm

    unit = " simulated s" if "training" in label else " images"
    with tqdm(
        total=total, desc=label, unit=unit, bar_format="{desc} {percentage:3.0f}% |{bar}| {remaining} left"
    ) as shown:
        yield shown.update

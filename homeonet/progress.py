"""Progress meters, which a caller hands in: the package shows nothing by itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

__all__ = ["ProgressMeter", "meter"]

#: Called with a label and a total, gives a context whose value takes increments.
ProgressMeter = Callable[[str, float], AbstractContextManager[Callable[[float], Any]]]


def meter(
    progress: ProgressMeter | None, label: str, total: float
) -> AbstractContextManager[Callable[[float], Any]]:
    """The progress meter, or one that shows nothing."""
    return progress(label, total) if progress else nullcontext(lambda _: None)

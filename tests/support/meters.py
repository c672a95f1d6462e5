"""Progress meters that interrupt what they are told of."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

__all__ = ["interrupted_after"]


def interrupted_after(calls: int, label: str | None = None) -> Callable[[str, float], AbstractContextManager]:
    """A meter that is told `calls` times, of what is labelled so if a label is given, and then stops as Ctrl-C does."""

    @contextlib.contextmanager
    def meter(told_of: str, total: float) -> Iterator[Callable[[float], None]]:
        count = 0

        def advance(_: float) -> None:
            nonlocal count
            count += 1
            if label in (None, told_of) and count > calls:
                raise KeyboardInterrupt

        yield advance

    return meter

"""Ctrl-C that waits for a batch to end, so that what a checkpoint holds belongs together."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from homeonet.machine.interrupts import on_interrupt

__all__ = ["interrupt_deferred"]


@contextmanager
def interrupt_deferred() -> Iterator[None]:
    """Raise the KeyboardInterrupt of a Ctrl-C within the block at its end; that of a second one at once.

    Outside the main thread, where Python handles no signals, and where a program has a handler of its own, nothing is
    changed.
    """
    here = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    if not here or before not in (signal.default_int_handler, on_interrupt):
        yield
        return
    interrupted = False

    def remember(number: int, frame: object) -> None:
        nonlocal interrupted
        if interrupted:
            raise KeyboardInterrupt
        interrupted = True

    signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if interrupted:
        raise KeyboardInterrupt

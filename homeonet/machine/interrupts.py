"""Ctrl-C in a command: where modules are being imported, one line and the end; elsewhere KeyboardInterrupt.

An import that is interrupted leaves modules half made: what follows is an error of some library about something else,
or the interruption is lost in a callback of the interpreter's. Nothing needs to be put in order there: results appear
whole or not at all, and locks are freed by the system.
"""

import os
import signal
import threading
from types import FrameType

__all__ = ["answer_interrupts", "interrupts_answered", "leave", "on_interrupt", "remedy"]

_CODE = 130
_IMPORTING = "<frozen importlib._bootstrap"
_RESUMES = False


def remedy() -> str:
    """What to do after an interruption."""
    return "what was done is kept: the same command continues it" if _RESUMES else "run it again"


def leave(*_: object) -> None:
    """End this process now, with one line."""
    try:
        os.write(2, f"homeonet: interrupted; {remedy()}\n".encode())
    finally:
        os._exit(_CODE)


def on_interrupt(_: int, frame: FrameType | None) -> None:
    """The handler of SIGINT."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORTING):
            leave()
        frame = frame.f_back
    raise KeyboardInterrupt


def answer_interrupts(*, resumes: bool) -> None:
    """Handle SIGINT from now on, unless the process has a handler of its own or ignores it."""
    global _RESUMES  # noqa: PLW0603
    _RESUMES = resumes
    here = threading.current_thread() is threading.main_thread()  # no other may say how signals are handled
    if here and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, on_interrupt)


class interrupts_answered:  # noqa: N801
    """A block in which SIGINT is handled so."""

    def __init__(self, *, resumes: bool) -> None:
        self._resumes = resumes

    def __enter__(self) -> None:
        self._before = signal.getsignal(signal.SIGINT)
        answer_interrupts(resumes=self._resumes)

    def __exit__(self, *_: object) -> None:
        if signal.getsignal(signal.SIGINT) is not self._before:
            signal.signal(signal.SIGINT, self._before)

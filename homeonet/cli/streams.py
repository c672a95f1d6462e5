"""Standard streams that are there: a command may be started with some of them closed."""

from __future__ import annotations

import io
import os
import sys

__all__ = ["open_standard_streams"]


def open_standard_streams() -> None:
    """Connect each standard stream that is closed to the null device.

    Otherwise the next file that is opened gets its descriptor, and what a child process says to its standard error
    is written into that file; and Python prints to standard output what is meant for a standard error that is None.
    """
    for descriptor, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, mode)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
            os.set_inheritable(descriptor, True)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None or stream.closed:
            # never closed: it lasts as long as the process
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        # where the locale has no sign for it, a question mark and not an error at the end of the work
        sys.stdout.reconfigure(errors="replace")

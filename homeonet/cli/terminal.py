"""What a command does at the terminal: its streams, progress, tables, and how it ends."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from homeonet.errors import HomeonetError
from homeonet.machine.interrupts import interrupts_answered, remedy

__all__ = ["open_standard_streams", "print_accuracies", "progress_bar", "run_main"]


def run_main(call: Callable[[], int | None], *, resumes: bool = True) -> int:
    """Run `call`, turning the errors a user can cause into one line and an exit code.

    Parameters
    ----------
    call : callable
        Returns an exit code, or None for 0.
    resumes : bool, default True
        Whether the same command, given again after an interruption, continues where it stopped.
    """
    open_standard_streams()
    warnings.showwarning = lambda message, *_, **__: print(f"homeonet: warning: {message}", file=sys.stderr)
    try:
        with interrupts_answered(resumes=resumes):
            return call() or 0
    except HomeonetError as error:
        print(f"homeonet: error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"homeonet: interrupted; {remedy()}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader of our output has gone; keep Python from complaining at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def open_standard_streams() -> None:
    """Connect each standard stream that is closed to the null device.

    Otherwise the next file that is opened gets its descriptor, and what a child process says to its standard error
    is written into that file; and Python prints to standard output what is meant for a standard error that is None.
    """
    for descriptor, flag in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, flag)
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


@contextlib.contextmanager
def progress_bar(label: str, total: float, *, position: int = 0) -> Iterator[Callable[[float], Any]]:
    """A progress meter on standard error: rate and time left; silent where nobody watches."""
    from tqdm import tqdm

    unit = "s" if "training" in label else "images"
    form = "{desc}: {percentage:3.0f}% |{bar}| {n:.0f}/{total:.0f} {unit} [{elapsed}<{remaining}, {rate_fmt}]"
    with tqdm(
        total=total,
        desc=label,
        unit="simulated s" if unit == "s" else unit,
        bar_format=form,
        position=position,
        disable=not sys.stderr.isatty(),
        leave=False,
    ) as bar:
        yield bar.update


def print_accuracies(rows: list[list[str]]) -> None:
    """Print a table of accuracies; the first row is its header."""
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table

    table = Table(caption="accuracies are in %, with 95 % Wilson intervals")
    for k, title in enumerate(rows[0]):
        table.add_column(title, justify="left" if k == 0 else "right", no_wrap=True)
    for row in rows[1:]:
        table.add_row(*row)
    console = Console()
    needed = Measurement.get(console, console.options.update(width=200), table).maximum
    # a number cut off is worse than a line that wraps
    Console(width=max(needed, console.width)).print(table)

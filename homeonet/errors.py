"""The errors a user can cause, and their exit codes. Nothing else is raised on purpose."""

from __future__ import annotations

from homeonet.machine.text import one_line

__all__ = ["BusyError", "DiskFullError", "HomeonetError", "InputError", "RunawayError"]


class HomeonetError(Exception):
    """A failure with a remedy in its message, which is one printable line of bounded length whatever it quotes.

    Attributes
    ----------
    exit_code : int
        What the command line exits with.
    """

    exit_code = 1

    def __init__(self, message: object = "") -> None:
        super().__init__(one_line(str(message)))


class InputError(HomeonetError, ValueError):
    """A parameter, file or argument that cannot be used: names it, its value and the remedy."""

    exit_code = 2


class BusyError(InputError):
    """Another process holds what is asked for; it may be free later."""


class DiskFullError(InputError):
    """There is no space left to write results."""


class RunawayError(HomeonetError):
    """The network exploded, fell silent or produced a value that is not a number.

    Attributes
    ----------
    replica : int
        Which one of those that ran together.
    """

    def __init__(self, message: str, replica: int = 0) -> None:
        super().__init__(message)
        self.replica = replica

    def __reduce__(self) -> tuple[type, tuple[str, int]]:
        return type(self), (str(self), self.replica)

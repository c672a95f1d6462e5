"""The errors a user can cause, and their exit codes. Nothing else is raised on purpose."""

from __future__ import annotations

__all__ = ["BusyError", "DiskFullError", "HomeonetError", "InputError", "RunawayError", "one_line"]

#: Characters of a message.
_LONGEST_LINE = 2000


def one_line(text: str, longest: int = _LONGEST_LINE) -> str:
    """A text without line breaks and control characters, its middle left out where it is too long."""
    text = text[: 4 * longest] + text[-longest:] if len(text) > 5 * longest else text
    text = " ".join(part for line in text.splitlines() if (part := line.strip()))
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]} … {text[-half:]}"


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

"""What a study measured of the claims: written by it, read by `homeonet claims`."""

from __future__ import annotations

import dataclasses
import json
import math
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from homeonet._version import __version__
from homeonet.analysis import mean_interval
from homeonet.errors import InputError
from homeonet.store import require_writable, write_json
from homeonet.store.checksums import read_verified, sealed

__all__ = [
    "Check",
    "Measured",
    "StudyClaims",
    "load_measured",
    "measured_over_seeds",
    "study_command",
    "write_measured",
]


@dataclass(frozen=True)
class Check:
    """Whether a treatment was applied, or a network in a state to be treated: a value and what it has to be.

    Parameters
    ----------
    what
        Such as ``"share of time asleep at 20 %, least of the seeds"``.
    value
        Missing (None or NaN), it passes nothing.
    at_least, at_most
        One of them, or both.
    """

    what: str
    value: float | None
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        if self.at_least is None and self.at_most is None:
            raise InputError(f"the check {self.what!r} has no bound; give at_least, at_most or both")
        if self.value is not None and not math.isfinite(self.value):
            object.__setattr__(self, "value", None)

    @property
    def passed(self) -> bool:
        """Whether the value is there and within the bounds."""
        if self.value is None:
            return False
        low, high = self.at_least, self.at_most
        return (low is None or self.value >= low) and (high is None or self.value <= high)

    def __str__(self) -> str:
        ends = (("at least", self.at_least), ("at most", self.at_most))
        bounds = " and ".join(f"{words} {end:g}" for words, end in ends if end is not None)
        found = "missing" if self.value is None else f"{self.value:.3g}"
        return f"{self.what}: {found}, has to be {bounds}"


@dataclass(frozen=True)
class Measured:
    """One quantity in one case: a mean over `n` seeds with its 95 % interval.

    Parameters
    ----------
    case
        What it was measured on, such as ``"MNIST, T = 4"``.
    mean, low, high
        A deterministic quantity has all three alike.
    n
        Number of seeds.
    unit
        Such as ``"points"``, ``"%"`` or ``""`` for a ratio.
    values
        One per seed, in the order of the seeds, where the interval is over seeds.
    checks
        That what the claim is about took place; with one that failed, the case says nothing of the claim.
    """

    case: str
    mean: float
    low: float
    high: float
    n: int = 1
    unit: str = ""
    values: tuple[float, ...] = ()
    checks: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        if not self.n >= 1:
            raise InputError(f"n = {self.n} of the case {self.case!r}; at least one value is needed")
        if not self.low <= self.mean <= self.high:
            given = f"mean = {self.mean}, low = {self.low}, high = {self.high}"
            raise InputError(f"{given} of the case {self.case!r}; give finite numbers, low ≤ mean ≤ high")


@dataclass(frozen=True)
class StudyClaims:
    """What one run of a study measured: its command, its scale, and the cases of each claim."""

    study: str
    command: str
    version: str
    scale: str
    measured: Mapping[str, Sequence[Measured]]


def measured_over_seeds(case: str, values: Sequence[float] | np.ndarray, unit: str = "") -> Measured:
    """The mean of one value per seed, with Student's t interval; values that are missing (NaN) are left out.

    A single value is its own interval. Of three to five seeds, which is what most studies have, a bootstrap interval
    of 95 % holds the mean in about 75 to 83 % of cases only, too seldom for a verdict.

    Raises
    ------
    InputError
        If no value is left.
    """
    present = np.asarray(values, dtype=float).ravel()
    present = present[np.isfinite(present)]
    if not len(present):
        raise InputError(f"no value of the case {case!r} is there; run the study again")
    if len(present) == 1:
        only = float(present[0])
        return Measured(case, only, only, only, 1, unit)
    found = mean_interval(present)
    return Measured(case, found.estimate, found.low, found.high, len(present), unit, tuple(present.tolist()))


def study_command(arguments: Sequence[str] | None = None) -> str:
    """How to run the study again in a shell: its file and options, without where it writes and on how many processes.

    Files of the source are named from its root, those elsewhere by their names: a path of one machine says nothing.
    """
    script, *given = sys.argv if arguments is None else arguments
    for name in ("--out", "--workers", "--scheduler"):
        if name in given:
            del given[given.index(name) : given.index(name) + 2]
        given = [word for word in given if not word.startswith(f"{name}=")]
    file = Path(script).resolve()
    given = [_portable(word, file.parents[2]) for word in given]
    return shlex.join(["python", "/".join(["studies", *file.parts[-2:]]), *given])


def _portable(word: str, source: Path) -> str:
    """A word of a command line, a path in it without the machine's folders."""
    option, equals, value = word.rpartition("=") if word.startswith("--") else ("", "", word)
    path = Path(value)
    if not path.is_absolute():
        return word
    inside = path.is_relative_to(source)
    return f"{option}{equals}{path.relative_to(source).as_posix() if inside else path.name}"


def write_measured(
    folder: str | Path,
    *,
    study: str,
    scale: str,
    measured: Mapping[str, Sequence[Measured]],
    command: str | None = None,
) -> Path:
    """Write ``claims.json`` into `folder`, whole or not at all.

    Parameters
    ----------
    folder
        The results of the study.
    study
        Its name, that of its folder.
    scale
        Data, sizes, epochs and seeds, in words.
    measured
        The cases of each claim, by the claim's id.
    command
        Default: that of the running program.
    """
    path = Path(folder) / "claims.json"
    require_writable(path.parent)
    cases = {name: [dataclasses.asdict(case) for case in found] for name, found in measured.items()}
    content = {"study": study, "command": command or study_command(), "version": __version__}
    with sealed(path.parent, [path.name]):
        write_json(path, content | {"scale": scale, "measured": cases})
    return path


def _case(content: Mapping[str, Any]) -> Measured:
    checks = tuple(Check(**check) for check in content.get("checks", ()))
    return Measured(**{**content, "values": tuple(content.get("values", ())), "checks": checks})


def load_measured(path: str | Path) -> StudyClaims:
    """Read a file of `write_measured`.

    Raises
    ------
    InputError
        If it is not there, or not such a file.
    """
    try:
        content = json.loads(read_verified(path))
        cases = {name: [_case(case) for case in found] for name, found in content["measured"].items()}
        if not all(math.isfinite(case.mean) for found in cases.values() for case in found):
            raise ValueError
        words = {name: str(content[name]) for name in ("study", "command", "version", "scale")}
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); run the study that writes it") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path} does not hold the claims of a study; run the study again") from None
    return StudyClaims(**words, measured=cases)

"""Checks that a treatment was applied and a network fit to be treated; a case in which one fails is void."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr

from homeonet.claims import Check, Measured

__all__ = ["above_chance", "alive", "checked", "reaches", "slept"]


def checked(cases: Iterable[Measured], *checks: Check) -> list[Measured]:
    """The cases with these checks beside their own."""
    return [dataclasses.replace(case, checks=(*case.checks, *checks)) for case in cases]


def slept(
    fraction: xr.DataArray, ratio: float | xr.DataArray, *, name: str = "", share: float = 0.5
) -> Check:
    """That the network slept: in every run at least a share (default: half) of the time that its ratio asks for.

    Parameters
    ----------
    fraction
        Of all time that was slept, of each run.
    ratio
        Of sleep to wake time; r asks for r / (1 + r) of all time.
    name
        Of the network, where there are several.
    """
    what = f"time asleep{f' of {name}' if name else ''} ÷ what the ratio asks for, least of the runs"
    return Check(what, _least(fraction * (1 + ratio) / ratio), at_least=share)


def alive(name: str, rates: xr.DataArray | Sequence[float], *, at_least: float = 1.0) -> Check:
    """That neurons fire: a mean rate, in Hz, of at least 1 (default) in every run.

    A network that falls silent by what is done to it is a result: look at it before.
    """
    return Check(f"rate of {name}, Hz, least of the runs", _least(rates), at_least=at_least)


def above_chance(
    name: str, accuracy: xr.DataArray | Sequence[float], *, classes: int = 10, times: float = 2.0
) -> Check:
    """That a network had learnt before it was treated: in every run at least `times` what guessing scores.

    `accuracy` is in per cent.
    """
    return reaches(name, accuracy, 100 * times / classes)


def reaches(name: str, accuracy: xr.DataArray | Sequence[float], at_least: float) -> Check:
    """That a network had learnt before it was treated: in every run as much as is said, in per cent."""
    return Check(f"accuracy of {name}, %, least of the runs", _least(accuracy), at_least=at_least)


def _least(values: xr.DataArray | Sequence[float]) -> float | None:
    """The least of the values that are there; None where none is."""
    found = np.asarray(values, dtype=float)
    found = found[np.isfinite(found)]
    return float(found.min()) if found.size else None

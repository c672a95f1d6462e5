"""Checks that a treatment was applied and a network fit to be treated; a case in which one fails is void."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr

from homeonet.claims import Check, Measured

__all__ = ["above_chance", "alive", "checked", "slept"]


def checked(cases: Iterable[Measured], *checks: Check) -> list[Measured]:
    """The cases with these checks beside their own."""
    return [dataclasses.replace(case, checks=(*case.checks, *checks)) for case in cases]


def slept(fraction: xr.DataArray | Sequence[float], asked: float, *, share: float = 0.5) -> Check:
    """That the network slept: in every seed at least a share (default: half) of the time that was asked for.

    Parameters
    ----------
    fraction
        Of all time that was slept, one per seed.
    asked
        The fraction that was asked for; a ratio of sleep to wake time r asks for r / (1 + r).
    """
    return Check("fraction of time asleep, least of the seeds", _least(fraction), at_least=share * asked)


def alive(name: str, rates: xr.DataArray | Sequence[float], *, at_least: float = 1.0) -> Check:
    """That neurons fire: a mean rate, in Hz, of at least 1 (default) in every seed."""
    return Check(f"rate of {name}, Hz, least of the seeds", _least(rates), at_least=at_least)


def above_chance(
    name: str, accuracy: xr.DataArray | Sequence[float], *, classes: int = 10, times: float = 2.0
) -> Check:
    """That a network had learnt before it was treated: in every seed at least `times` what guessing scores.

    `accuracy` is in per cent, one per seed.
    """
    least = _least(accuracy)
    return Check(f"accuracy of {name}, %, least of the seeds", least, at_least=100 * times / classes)


def _least(values: xr.DataArray | Sequence[float]) -> float | None:
    """The least of the values that are there; None where none is."""
    found = np.asarray(values, dtype=float)
    found = found[np.isfinite(found)]
    return float(found.min()) if found.size else None

"""Whether a network was fit to be treated, and was treated."""

from __future__ import annotations

import xarray as xr

from homeonet.claims import Check
from homeonet.study.checks import above_chance, alive, slept
from homeonet.study.sleep import ratio_of

__all__ = ["fit", "treated"]


def fit(awake: xr.Dataset) -> tuple[Check, ...]:
    """That a network lives and has learnt without sleep. One that falls silent asleep is a result."""
    rates = (alive(f"{name} without sleep", awake[name]) for name in ("exc", "inh"))
    return (*rates, above_chance("QDA without sleep", awake["qda"]))


def treated(asleep: xr.Dataset, share: float) -> Check:
    """That it slept for its share of the time, but for the last sleep that did not come."""
    return slept(asleep["slept"] / 100, ratio_of(share), name=f"{100 * share:g} %", share=0.85)

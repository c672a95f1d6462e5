"""Sleep whose share of the time is what a study sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homeonet.errors import InputError
from homeonet.study.options import Scale

__all__ = [
    "BY_THE_CLOCK",
    "INTERVAL",
    "KEPT",
    "NETWORKS",
    "TARGETS_AT_START",
    "ClockScale",
    "ratio_of",
    "share_of",
]

#: Seconds awake between two sleeps.
INTERVAL = 35.0
#: Sleep by the clock alone, for its full length: neither weights nor a longest sleep cut it short.
BY_THE_CLOCK: Mapping[str, Any] = {
    "sleep.trigger": "interval",
    "sleep.alpha_base": 0.0,
    "sleep.interval": f"{INTERVAL:g} s",
    "sleep.longest": f"{INTERVAL:g} s",
}
#: Weights of the sleep paper's network shrink towards where they began instead of towards nothing: inhibition lives.
TARGETS_AT_START: Mapping[str, float] = {
    "input_exc.w_target": 0.15,
    "exc_exc.w_target": 0.30,
    "exc_inh.w_target": 0.60,
    "inh_exc.w_target": 0.50,
}
#: Networks that studies of sleep compare: the paper's, that of its released code, and this project's own.
NETWORKS: Mapping[str, Mapping[str, Any]] = {
    "paper": {"preset": "massey2026", **TARGETS_AT_START},
    "released": {"preset": "massey2026_released"},
    "homeonet": {"preset": "homeonet"},
}

#: What studies of one network's code keep of each run, by their own names, and the titles of tables' columns.
KEPT: Mapping[str, tuple[str, str]] = {
    "accuracy": ("accuracy.qda", "QDA, %"),
    "logistic": ("accuracy.logistic", "logistic, %"),
    "frozen": ("accuracy.frozen.qda", "frozen, QDA, %"),
    "raw_pixels": ("accuracy.raw_pixels.qda", "raw pixels, QDA, %"),
    "slept": ("sleep_fraction", "asleep, %"),
}


@dataclass(frozen=True)
class ClockScale(Scale):
    """A thousand images, shown once: the scale of studies whose networks sleep by the clock."""

    data: str = "mnist"
    train: int = 1000
    test: int = 1000
    epochs: int = 1


def ratio_of(share: float) -> float:
    """`sleep.ratio` for a share of all time asleep, with `BY_THE_CLOCK`.

    Parameters
    ----------
    share : float
        Between 0 and 0.5, that is as much sleep as waking.

    Examples
    --------
    >>> ratio_of(0.2), ratio_of(0.5)
    (0.25, 1.0)
    """
    if not 0 <= share <= 0.5:
        raise InputError(f"share = {share:g}; give a share of time asleep between 0 and 0.5")
    return round(share / (1 - share), 6)


def share_of(ratio: float) -> float:
    """The share of all time that is asleep at a `sleep.ratio`, with `BY_THE_CLOCK`."""
    return round(ratio / (1 + ratio), 4)

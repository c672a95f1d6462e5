"""The networks of `study.py` and what is changed in one of them, as parameters of a grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeonet.study.sleep import BY_THE_CLOCK, ratio_of
from homeonet.study.sleep import NETWORKS as COMPARED

__all__ = ["CONTROLS", "NETWORKS", "REFERENCE", "SHARES", "SHARE_OF_CONTROLS"]

#: Shares of all time that are slept.
SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
_INHIBITION_KEPT = {"exc_inh.renormalised": False, "inh_exc.renormalised": False}

#: The name that tables and figures use, and the parameters; the share is crossed with them.
NETWORKS: Mapping[str, Mapping[str, Any]] = {
    "released": {**COMPARED["released"], **BY_THE_CLOCK},
    "paper": {**COMPARED["paper"], **BY_THE_CLOCK},
    "paper, targets 0.01": {"preset": "massey2026", **BY_THE_CLOCK},
    "paper, targets 0.01, inhibition protected": {
        "preset": "massey2026",
        **BY_THE_CLOCK,
        **_INHIBITION_KEPT,
    },
    "homeonet": {**COMPARED["homeonet"], **BY_THE_CLOCK},
}

#: The share at which one thing is changed at a time, and in which network.
SHARE_OF_CONTROLS, REFERENCE = 0.1, "paper"
_EXCITATORY = ("input_exc", "exc_exc", "exc_inh")
_ALL_WATCHED = {"exc_inh.watched": True, "inh_exc.watched": True}
_BASE = {**NETWORKS[REFERENCE], "sleep.ratio": ratio_of(SHARE_OF_CONTROLS)}
CONTROLS: Mapping[str, Mapping[str, Any]] = {
    "no sleep": {**_BASE, "sleep.ratio": 0.0},
    "sleep": _BASE,
    "no noise": {**_BASE, "noise.sigma": "0 mV"},
    "no decay": {**_BASE, "sleep.renormalisation": "none"},
    "no plasticity asleep": {**_BASE, "sleep.plastic": False},
    "inhibition not renormalised": {**_BASE, **_INHIBITION_KEPT},
    "excitation not renormalised": {**_BASE, **{f"{name}.renormalised": False for name in _EXCITATORY}},
    "normalisation at once": {**_BASE, "sleep.renormalisation": "normalise"},
    "scaling": {**_BASE, "sleep.renormalisation": "scaling"},
    "λ = 0.999": {**_BASE, "sleep.decay": 0.999},
    "λ = 0.99997": {**_BASE, "sleep.decay": 0.99997},
    "ends with E onto E at its start": {**_BASE, "sleep.alpha_base": 1.0},
    "ends with all weights at their start": {**_BASE, **_ALL_WATCHED, "sleep.alpha_base": 1.0},
    "STDP reversed": {**_BASE, **{f"{name}.rule": "stdp_reversed" for name in _EXCITATORY}},
}

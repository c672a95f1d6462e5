"""Spike traces on neurons, from which all plasticity rules read: low-pass filtered spike trains.

A trace rises by one at each spike ("all" pairs) or is set to one ("nearest" pair), after the synapses of that
step were updated, so that two spikes in the same step do not see each other. Traces on neurons rather than on
synapses cost one update per neuron and can be carried between segments.

Source: Morrison, Diesmann & Gerstner 2008 (all-to-all and nearest-neighbour pairing).
"""

from __future__ import annotations

import math

from homeonet.plastic.mechanisms._equations import Mechanism, Place

__all__ = ["decaying", "trace"]


def trace(name: str) -> Mechanism:
    """The trace called `name` ("x_plus", "x_minus" or "x_istdp") with time constant ``tau_<name>``."""
    keep = "" if name == "x_istdp" else "keep_trace*"
    return Mechanism(
        equations=f"d{name}/dt = -{name}/tau_{name} : 1",
        constants={f"tau_{name}": "second"} | ({"keep_trace": "1"} if keep else {}),
        reset=f"{name} = {keep}{name} + 1",
        state={name: 0.0},
        values=_values,
    )


def decaying(place: Place, tau: float) -> float:
    """The time constant with which a trace of a population decays by ``exp(-dt/tau)`` in a step.

    Euler's steps would make it ``1 - dt/tau``, and the window of a rule that reads traces of inputs, which are exact,
    and of populations a mixture of two.
    """
    if place.structure.integrator(place.population) != "euler":
        return tau
    return place.dt / -math.expm1(-place.dt / tau)


def _values(place: Place) -> dict[str, float]:
    config = place.config
    return {
        "tau_x_plus": decaying(place, config.stdp.tau_plus),
        "tau_x_minus": decaying(place, config.stdp.tau_minus),
        "tau_x_istdp": decaying(place, config.istdp.tau),
        "keep_trace": float(config.stdp.pairing == "all"),
    }

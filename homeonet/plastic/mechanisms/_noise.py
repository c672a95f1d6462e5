"""Membrane noise that can be confined to sleep, where it is what replays activity.

Each step adds a normal number of standard deviation ``sigma * sqrt(dt / 1 ms)`` to the membrane, so that the
stationary standard deviation, ``sigma * sqrt(dt/1 ms) / sqrt(1 - exp(-2 dt/tau_m))``, hardly depends on dt.

Source: Massey et al. 2026: xi ~ N(0, sigma^2) added to V in each step of 1 ms, in sleep only.
"""

from __future__ import annotations

import math

from homeonet.plastic.mechanisms._equations import Mechanism, Place

__all__ = ["membrane_noise"]

_EQUATIONS = """
noise = noise_scale*normal_draw(noise_awake + (1 - noise_awake)*asleep,
                                draw_key(noise_stream, t_in_timesteps), unit) : volt/second
"""


def membrane_noise() -> Mechanism:
    """Subexpression `noise` in volt/second; needs `unit` in the group."""
    return Mechanism(
        equations=_EQUATIONS,
        linked=("asleep",),
        parameters={"noise_scale": "volt/second", "noise_awake": "1", "noise_stream": "1"},
        values=_values,
    )


def _values(place: Place) -> dict[str, float]:
    config, dt = place.config, place.dt
    per_step = config.noise.sigma * math.sqrt(dt / 1e-3)
    return {
        "noise_scale": per_step / _gain(place),
        "noise_awake": float(
            config.noise.during == "always" and (config.evaluation.noise or not place.evaluation)
        ),
        "noise_stream": place.stream(f"noise/{place.population}"),
    }


def _gain(place: Place) -> float:
    """What one step of the integrator turns a constant rate of change into; in a user's neuron, that of Euler's."""
    tau_m: float | None = getattr(place.section, "tau_m", None)
    if place.config.simulation.method == "euler" or tau_m is None:
        return place.dt
    return tau_m * -math.expm1(-place.dt / tau_m)

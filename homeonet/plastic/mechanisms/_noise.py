"""Membrane noise that can be confined to sleep, where it is what replays activity.

Each step adds a normal number of standard deviation ``sigma * sqrt(dt / 1 ms)`` to the membrane, so that the
stationary standard deviation, ``sigma * sqrt(dt/1 ms) / sqrt(1 - exp(-2 dt/tau_m))``, hardly depends on dt.

Source: Massey et al. 2026: xi ~ N(0, sigma^2) added to V in each step of 1 ms, in sleep only.
"""

from __future__ import annotations

import math

from homeonet.config import Config
from homeonet.plastic.mechanisms._equations import Mechanism

__all__ = ["membrane_noise", "noise_values"]

_EQUATIONS = """
noise = noise_scale*normal_draw(noise_awake + (1 - noise_awake)*asleep,
                                draw_key(noise_stream, t_in_timesteps), unit) : volt/second
"""


def membrane_noise() -> Mechanism:
    """Subexpression `noise` in volt/second; needs `asleep` and `unit` in the group."""
    return Mechanism(
        equations=_EQUATIONS,
        parameters={"noise_scale": "volt/second", "noise_awake": "1", "noise_stream": "1"},
    )


def noise_values(config: Config, tau_m: float, stream: int) -> dict[str, float]:
    """Values of the parameters for a population with membrane time constant `tau_m`."""
    dt = config.simulation.dt
    per_step = config.noise.sigma * math.sqrt(dt / 1e-3)
    # what one step of the integrator turns a constant rate of change into
    gain = dt if config.simulation.method == "euler" else tau_m * -math.expm1(-dt / tau_m)
    return {
        "noise_scale": per_step / gain,
        "noise_awake": float(config.noise.during == "always"),
        "noise_stream": stream,
    }

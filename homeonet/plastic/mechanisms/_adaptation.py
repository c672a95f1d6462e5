"""Adaptive threshold (intrinsic plasticity): each spike raises the neuron's threshold, which then decays.

Source: Massey et al. 2026, released code (+3 mV at each spike, 100 ms, threshold clipped at 0 mV); Diehl & Cook 2015
use the same form with a decay so slow that it equalises rates over a whole training set.
"""

from __future__ import annotations

from homeonet.plastic.mechanisms._equations import Mechanism, Place

__all__ = ["adaptive_threshold"]


def adaptive_threshold(base: str = "v_threshold") -> Mechanism:
    """State `theta` in volt, added to the threshold `base` up to `theta_max`."""
    return Mechanism(
        equations="dtheta/dt = -theta/tau_theta : volt",
        constants={"theta_plus": "volt", "theta_max": "volt", "tau_theta": "second"},
        threshold=f"v > {base} + clip(theta, 0*volt, theta_max)",
        reset="theta += theta_plus",
        state={"theta": 0.0},
        values=_values,
    )


def _values(place: Place) -> dict[str, float]:
    population = place.section
    frozen = place.evaluation and place.config.evaluation.freeze_threshold  # thresholds stay where they are
    return {
        "theta_plus": 0.0 if frozen else population.theta_plus,
        "theta_max": population.theta_max,
        "tau_theta": 1e12 if frozen else population.tau_theta,
    }

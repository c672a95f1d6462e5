"""Leaky integrate-and-fire membrane with exponential synapses, current-based or conductance-based.

Refractoriness is a count of steps, `hold`, and not a time stamp, so that it can be carried between segments;
while it runs the membrane relaxes to the reset potential, where it already is. Exponential Euler takes the drive
(and the conductances) as constant within a step, at their values at its beginning, and is exact but for that.

Source: Massey et al. 2026 (arXiv 2601.08447), released code: ``dV/dt = (-(V - V_rest) + R I)/tau_m``,
``dI/dt = (-I + W s)/tau_syn``. Here ``g = R I`` in volt.
"""

from __future__ import annotations

from homeonet.plastic.mechanisms._equations import Action, Mechanism, Place

__all__ = ["membrane"]

_CURRENT = "conductance_sum = 0 : 1\ndrive = g_e - g_i : volt"

# Relative conductances, scaled so that at rest a unit of g drives as much as in the current-based model.
_CONDUCTANCE = """
conductance_sum = g_e/(E_exc - E_leak) + g_i/(E_leak - E_inh) : 1
drive = g_e*E_exc/(E_exc - E_leak) + g_i*E_inh/(E_leak - E_inh) : volt
"""

_MEMBRANE = """
dv/dt = (ready*(E_leak + drive) + (1 - ready)*v_reset - (1 + ready*conductance_sum)*v)/tau_m
        + ready*noise : volt
dg_e/dt = -g_e/tau_g_exc : volt
dg_i/dt = -g_i/tau_g_inh : volt
dhold/dt = -1/dt : 1
ready = int(hold < 0.5) : 1
"""

_CONSTANTS = {
    "tau_m": "second",
    "tau_g_exc": "second",
    "tau_g_inh": "second",
    "E_leak": "volt",
    "E_exc": "volt",
    "E_inh": "volt",
    "v_reset": "volt",
    "v_threshold": "volt",
    "v_floor": "volt",
    "hold_steps": "1",
}


#: The released code clips the membrane from below.
_FLOOR = "v = clip(v, v_floor, inf*volt)"


def membrane(synapse: str) -> Mechanism:
    """The membrane of a population; `synapse` is "current" or "conductance"."""
    return Mechanism(
        equations=_MEMBRANE + (_CURRENT if synapse == "current" else _CONDUCTANCE),
        constants=_CONSTANTS,
        threshold="hold < 0.5",
        reset="v = v_reset\nhold = hold_steps",
        actions=(Action("", _FLOOR, "after_groups"),),
        state={"v": 0.0, "g_e": 0.0, "g_i": 0.0, "hold": 0.0},
        values=_values,
    )


def _values(place: Place) -> dict[str, float]:
    population = place.section
    return {
        "v": population.e_leak,
        "tau_m": population.tau_m,
        "tau_g_exc": population.tau_g_exc,
        "tau_g_inh": population.tau_g_inh,
        "E_leak": population.e_leak,
        "E_exc": population.e_exc,
        "E_inh": population.e_inh,
        "v_reset": population.v_reset,
        "v_threshold": population.v_threshold,
        "v_floor": population.v_floor,
        # a spike is found at the end of its step: refractoriness covers the steps after it
        "hold_steps": round(population.refractory / place.dt),
    }

"""Neurons as text, for tests that need one."""

from __future__ import annotations

#: This project's own neuron with current-based synapses, as a user would write it down.
LIF = {
    "equations": """
        dv/dt = (ready*(E_L + g_e - g_i) + (1 - ready)*v_r - v)/tau_m + ready*noise : volt
        dg_e/dt = -g_e/tau_g : volt
        dg_i/dt = -g_i/tau_g : volt
        drise/dt = -rise/tau_rise : volt
    """,
    "threshold": "v > v_th + clip(rise, 0*mV, 55*mV)",
    "reset": "v = v_r\nrise += 3*mV",
    "parameters": {
        "E_L": "-70 mV",
        "v_r": "-80 mV",
        "v_th": "-55 mV",
        "tau_m": "30 ms",
        "tau_g": "30 ms",
        "tau_rise": "0.1 s",
    },
    "initial": {"v": "-70 mV"},
}

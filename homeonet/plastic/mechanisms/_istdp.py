"""Rules for inhibitory synapses: Vogels' rule with a target rate, and an antisymmetric rule.

===========================  ========================================  ===================================
rule (w is the magnitude)    at a presynaptic spike                    at a postsynaptic spike
===========================  ========================================  ===================================
``istdp``                    ``w += eta (x_istdp_post - alpha)``       ``w += eta x_istdp_pre``
``istdp_antisymmetric``      ``w -= eta a_plus x_plus_post``           ``w += eta a_minus x_minus_pre``
===========================  ========================================  ===================================

``alpha = 2 rho_target tau``: at the target rate, potentiation and depression cancel.

Sources: ``istdp`` Vogels, Sprekeler, Zenke, Clopath & Gerstner 2011, eq. S7; ``istdp_antisymmetric`` the mirror
image of ``stdp_reversed``, without a target rate: a control. (The released code of Massey et al. 2026 lets the
magnitude of inhibition follow ``stdp_elapsed``, as that of excitation.)
"""

from __future__ import annotations

from homeonet.config import Config
from homeonet.plastic.mechanisms._rules import Rule

__all__ = ["ISTDP", "ISTDP_ANTISYMMETRIC", "istdp_alpha"]

ISTDP = Rule(
    pre="+ {eta}*(x_istdp_post - {alpha})",
    post="+ {eta}*x_istdp_pre",
    source_traces=("x_istdp",),
    target_traces=("x_istdp",),
    source="Vogels et al. 2011, eq. S7",
)

ISTDP_ANTISYMMETRIC = Rule(
    pre="- {eta}*{a_plus}*x_plus_post",
    post="+ {eta}*{a_minus}*x_minus_pre",
    source_traces=("x_minus",),
    target_traces=("x_plus",),
    source="the mirror image of stdp_reversed",
)


def istdp_alpha(config: Config) -> float:
    """Vogels' depression offset, 2 * rho_target * tau (dimensionless)."""
    return 2 * config.istdp.rho_target * config.istdp.tau

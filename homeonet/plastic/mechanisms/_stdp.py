"""Rules for excitatory synapses: pair STDP of either sign, and the rule with a presynaptic offset.

=======================  ====================================  =========================================
rule                     at a presynaptic spike                at a postsynaptic spike
=======================  ====================================  =========================================
``stdp``                 ``w -= eta a_minus x_minus_post``     ``w += eta a_plus x_plus_pre``
``stdp_reversed``        ``w += eta a_plus x_plus_post``       ``w -= eta a_minus x_minus_pre``
``presynaptic_offset``                                         ``w += eta (x_plus_pre - x_target)(w_max - w)``
=======================  ====================================  =========================================

Weights are clamped to [w_min, w_max]. Potentiation always has the window tau_plus, depression tau_minus.

Sources: ``stdp`` Song, Miller & Abbott 2000; ``stdp_reversed`` the sign in the released code of Massey et al.
2026, which pairs spikes as ``stdp_elapsed`` does (`_stdp_elapsed.py`); ``presynaptic_offset`` Diehl & Cook 2015,
eq. 3 with mu = 1.
"""

from __future__ import annotations

from homeonet.plastic.mechanisms._rules import Rule

__all__ = ["PRESYNAPTIC_OFFSET", "STDP", "STDP_REVERSED"]

STDP = Rule(
    pre="- {eta}*{a_minus}*x_minus_post",
    post="+ {eta}*{a_plus}*x_plus_pre",
    source_traces=("x_plus",),
    target_traces=("x_minus",),
    source="Song, Miller & Abbott 2000",
)

STDP_REVERSED = Rule(
    pre="+ {eta}*{a_plus}*x_plus_post",
    post="- {eta}*{a_minus}*x_minus_pre",
    source_traces=("x_minus",),
    target_traces=("x_plus",),
    source="the sign in the released code of Massey et al. 2026",
)

PRESYNAPTIC_OFFSET = Rule(
    pre="",
    post="+ {eta}*(x_plus_pre - {x_target})*({w_max} - w)",
    source_traces=("x_plus",),
    target_traces=(),
    source="Diehl & Cook 2015, eq. 3 with mu = 1",
)

"""The rules that come with the package, by the names that a pathway's `rule` may have."""

from __future__ import annotations

from homeonet.plastic.mechanisms._istdp import ISTDP, ISTDP_ANTISYMMETRIC
from homeonet.plastic.mechanisms._rules import Rule
from homeonet.plastic.mechanisms._stdp import PRESYNAPTIC_OFFSET, STDP, STDP_REVERSED
from homeonet.plastic.mechanisms._stdp_elapsed import STDP_ELAPSED

__all__ = ["RULES"]

RULES = {
    "static": Rule(),
    "stdp": STDP,
    "stdp_reversed": STDP_REVERSED,
    "stdp_elapsed": STDP_ELAPSED,
    "presynaptic_offset": PRESYNAPTIC_OFFSET,
    "istdp": ISTDP,
    "istdp_antisymmetric": ISTDP_ANTISYMMETRIC,
}

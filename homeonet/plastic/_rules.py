"""What a plasticity rule is: two changes of the weight, and the traces they read."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Rule", "rule_named"]


@dataclass(frozen=True)
class Rule:
    """Changes of `w` at presynaptic and postsynaptic spikes, as Brian2 text.

    Names in braces are parameters of the pathway; they live on the target population and are read through
    ``_post``, so that one replica shares them and several have their own.
    """

    pre: str = ""
    post: str = ""
    source_traces: tuple[str, ...] = ()
    target_traces: tuple[str, ...] = ()

    @property
    def plastic(self) -> bool:
        """Whether the rule changes weights at all."""
        return bool(self.pre or self.post)


def rule_named(name: str) -> Rule:
    """The rule of a configuration's `rule` field."""
    from homeonet.plastic import _istdp, _stdp

    return {
        "static": Rule(),
        "stdp": _stdp.STDP,
        "stdp_reversed": _stdp.STDP_REVERSED,
        "presynaptic_offset": _stdp.PRESYNAPTIC_OFFSET,
        "istdp": _istdp.ISTDP,
        "istdp_antisymmetric": _istdp.ISTDP_ANTISYMMETRIC,
    }[name]

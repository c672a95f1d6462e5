"""Networks of one to three recurrent layers of excitation and inhibition, as whole configurations."""

from __future__ import annotations

from typing import Any

from homeonet import Config, load_config
from homeonet.study.sleep import BY_THE_CLOCK, TARGETS_AT_START

__all__ = ["BASES", "layered", "populations"]

#: Of each network: its preset, what differs from it, and the density of the synapses from one layer to the next.
BASES: dict[str, dict[str, Any]] = {
    "paper": {
        "preset": "massey2026",
        "set": {**BY_THE_CLOCK, **TARGETS_AT_START},
        "between": {"density": 0.3},
    },
    "homeonet": {
        "preset": "homeonet",
        "set": dict(BY_THE_CLOCK),
        "between": {"density": 0.15, "rule": "offset", "renormalised": True},
    },
}
#: The rule of homeonet's inputs, whose offset is that of rates near 150 Hz, for neurons that fire at some 20 Hz.
_OFFSET = {
    "source_text": "Diehl & Cook 2015, eq. 3 with mu = 1",
    "pre_traces": {"x": {"tau": "10 ms"}},
    "parameters": {"x_target": 0.2},
    "on_post": "w += eta*(x - x_target)*(w_max - w)",
}


def layered(name: str, depth: int) -> Config:
    """The network `name` of `BASES` with `depth` layers; layer k has the populations of `populations`.

    Each further layer is like the first, with the excitatory neurons of the layer below for an input; sleep acts on
    all of them.
    """
    base = BASES[name]
    tables: dict[str, Any] = {}
    if depth > 1 and base["between"].get("rule") == "offset":
        tables["rule.offset"] = _OFFSET
    for layer in range(2, depth + 1):
        exc, inh = populations(layer)
        below = populations(layer - 1)[0]
        tables[f"population.{exc}"] = {"like": "exc"}
        tables[f"population.{inh}"] = {"like": "inh"}
        ends = {f"{below}_{exc}": (below, exc), f"{exc}_{exc}": (exc, exc)}
        ends |= {f"{exc}_{inh}": (exc, inh), f"{inh}_{exc}": (inh, exc)}
        likes = ("input_exc", "exc_exc", "exc_inh", "inh_exc")
        for (pathway, (source, target)), like in zip(ends.items(), likes, strict=True):
            more = base["between"] if like == "input_exc" else {}
            tables[f"pathway.{pathway}"] = {"like": like, "source": source, "target": target, **more}
    first = load_config(base["preset"], base["set"])  # what further layers are like
    return first.replace(**tables) if tables else first


def populations(layer: int) -> tuple[str, str]:
    """Names of a layer's excitatory and inhibitory population, counted from 1."""
    number = "" if layer == 1 else str(layer)
    return f"exc{number}", f"inh{number}"

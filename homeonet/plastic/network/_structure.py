"""What of a configuration is compiled into a program, as opposed to handed to it as data.

Two configurations with equal structures run on the same binary. Keep this small: everything in it costs a
compilation when it changes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from homeonet.config import PATHWAYS, Config, Pathway
from homeonet.plastic.mechanisms._rules import Rule, compiled_text, own_rule, rule_named

__all__ = ["SAMPLE_PERIOD", "STIMULUS_ROWS", "TOTALS_PERIOD", "Structure"]

#: Images that one segment can show.
STIMULUS_ROWS = 256
#: Time between samples of the controller and of the weight sums, in seconds.
SAMPLE_PERIOD = 0.2
#: Time between updates of the weight totals that the controller reads, in seconds.
TOTALS_PERIOD = 0.1


@dataclass(frozen=True)
class Structure:
    """Sizes and the choice of mechanisms.

    Parameters
    ----------
    n_input, n_exc, n_inh : int
        Neurons of one replica.
    replicas : int
        Independent copies in one network.
    synapse_exc, synapse_inh : {"current", "conductance"}
        Synapses onto each population.
    method : {"exponential_euler", "euler"}
        Integration of the membrane.
    in_degree : tuple of (str, int)
        Synapses onto each neuron, a pathway.
    rules : tuple of (str, str)
        Plasticity rule, a pathway.
    renormalisation : {"power_law", "scaling", "normalise", "none"}
        What sleep does to the weights.
    plastic_asleep : bool
        Whether the rules stay on in sleep.
    ahsar : bool
        Whether thresholds follow the rates of their populations.
    precision : {"float64", "float32"}
        Of the populations' and pathways' state and arithmetic; "float32" on a GPU alone.
    own_rules : tuple of (str, str)
        What is compiled of the user's rules that pathways have, by name.
    """

    n_input: int
    n_exc: int
    n_inh: int
    replicas: int
    synapse_exc: str
    synapse_inh: str
    method: str
    in_degree: tuple[tuple[str, int], ...]
    rules: tuple[tuple[str, str], ...]
    renormalisation: str
    plastic_asleep: bool
    ahsar: bool
    precision: str = "float64"
    own_rules: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, config: Config, replicas: int = 1) -> Structure:
        """The structure of a configuration."""
        sizes = {"input": config.input.side**2, "exc": config.exc.n, "inh": config.inh.n}
        return cls(
            n_input=sizes["input"],
            n_exc=sizes["exc"],
            n_inh=sizes["inh"],
            replicas=replicas,
            synapse_exc=config.exc.synapse,
            synapse_inh=config.inh.synapse,
            method=config.simulation.method,
            in_degree=tuple(
                (
                    name,
                    _in_degree(
                        getattr(config, name), sizes[source] - (source == target), config.exc_inh.density
                    ),
                )
                for name, (source, target) in PATHWAYS.items()
            ),
            rules=tuple((name, getattr(config, name).rule) for name in PATHWAYS),
            renormalisation=config.sleep.renormalisation,
            plastic_asleep=config.sleep.plastic,
            ahsar=config.ahsar.enabled,
            precision=config.simulation.precision,
            own_rules=tuple(
                (name, compiled_text(rule))
                for name, rule in sorted(config.rule.items())
                if name in {getattr(config, pathway).rule for pathway in PATHWAYS}
            ),
        )

    def frozen(self) -> Structure:
        """The same network with constant weights and thresholds and without sleep: what evaluation runs, in float64."""
        return replace(
            self,
            rules=tuple((name, "static") for name, _ in self.rules),
            renormalisation="none",
            plastic_asleep=True,
            ahsar=False,
            precision="float64",
            own_rules=(),
        )

    def size(self, population: str) -> int:
        """Neurons of a population ("input", "exc", "inh") in one replica."""
        return {"input": self.n_input, "exc": self.n_exc, "inh": self.n_inh}[population]

    def n_synapses(self, pathway: str) -> int:
        """Synapses of a pathway in one replica."""
        return dict(self.in_degree)[pathway] * self.size(PATHWAYS[pathway][1])

    def plastic_pathways(self, target: str | None = None) -> list[str]:
        """Pathways with a rule that changes weights, onto `target` or onto any population."""
        return [
            name for name, _ in self.rules if self.rule(name).plastic and target in (None, PATHWAYS[name][1])
        ]

    def rule(self, pathway: str) -> Rule:
        """The rule of a pathway, built in or the user's."""
        name, own = dict(self.rules)[pathway], dict(self.own_rules)
        return own_rule(name, own[name]) if name in own else rule_named(name)

    def has_own_rule(self, pathway: str) -> bool:
        """Whether the rule of a pathway is the user's."""
        return dict(self.rules)[pathway] in dict(self.own_rules)

    def to_json(self) -> str:
        """Canonical text of this structure; `from_json` reads it back."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Structure:
        """The structure that `to_json` wrote."""
        fields = json.loads(text)
        pairs = {
            name: tuple(tuple(pair) for pair in fields[name]) for name in ("in_degree", "rules", "own_rules")
        }
        return cls(**{**fields, **pairs})

    @property
    def key(self) -> str:
        """A hash that names this structure."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]


def _in_degree(pathway: Pathway, n_sources: int, reciprocal_density: float) -> int:
    """Synapses onto a neuron: a fixed number, so that it does not depend on the seed."""
    candidates = n_sources * (1 - reciprocal_density) if pathway.avoid_reciprocal else n_sources
    return max(1, round(pathway.density * candidates))

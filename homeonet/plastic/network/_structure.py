"""What of a configuration is compiled: sizes and the choice of mechanisms. Everything else is data.

Two configurations with the same structure run the same compiled program. Keep this small: everything in it costs a
compilation when it changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property

from homeonet.config import Config, OwnPopulation, Pathway, PoissonPopulation, Population
from homeonet.plastic.mechanisms._built_in import RULES
from homeonet.plastic.mechanisms._own_homeostasis import OwnHomeostasis, compiled_homeostasis
from homeonet.plastic.mechanisms._own_neuron import compiled_neuron
from homeonet.plastic.mechanisms._rules import Rule, compiled_text, own_rule
from homeonet.plastic.mechanisms._sleep import compiled_controller, sensed_populations, weighed_pathways

__all__ = [
    "STIMULUS_ROWS",
    "PathwayStructure",
    "PopulationStructure",
    "RecordStructure",
    "Structure",
]

#: Images that one segment can show.
STIMULUS_ROWS = 256


@dataclass(frozen=True)
class PopulationStructure:
    """A population of one replica.

    Parameters
    ----------
    name : str
    n : int
        Neurons or inputs.
    kind : str
        "current" or "conductance", neurons with synapses of that kind; "input", "images" or "nothing", inputs by what
        they show; else the name of the user's neuron.
    """

    name: str
    n: int
    kind: str

    @property
    def is_input(self) -> bool:
        """Whether its spikes come from outside."""
        return self.kind in ("input", "images", "nothing")

    @property
    def is_own(self) -> bool:
        """Whether the neuron is the user's."""
        return not self.is_input and self.kind not in ("current", "conductance")


@dataclass(frozen=True)
class PathwayStructure:
    """A pathway of one replica.

    Parameters
    ----------
    name, source, target : str
    sign : {"excitatory", "inhibitory"}
    n_synapses : int
    in_degree : int
        Synapses onto each neuron; 0 where the configuration lists the synapses.
    rule : str
    renormalised : bool
        Whether sleep acts on its weights.
    plastic_asleep : bool
        Whether its rule stays on in sleep.
    watched : bool
        Whether its weights are part of the controller's W.
    """

    name: str
    source: str
    target: str
    sign: str
    n_synapses: int
    in_degree: int
    rule: str
    renormalised: bool
    plastic_asleep: bool
    watched: bool


@dataclass(frozen=True)
class RecordStructure:
    """State of some neurons of a population that is recorded each `every` seconds.

    Parameters
    ----------
    name, population : str
    variables : tuple of str
    neurons : tuple of int
    every : float
    """

    name: str
    population: str
    variables: tuple[str, ...]
    neurons: tuple[int, ...]
    every: float


@dataclass(frozen=True)
class Structure:
    """Sizes and the choice of mechanisms.

    Parameters
    ----------
    populations : tuple of PopulationStructure
        Inputs and neurons, in their order.
    pathways : tuple of PathwayStructure
        In the order of their sources, then of their targets.
    replicas : int
        Independent copies in one network.
    method : {"exponential_euler", "euler"}
        Integration of the membrane.
    renormalisation : {"power_law", "scaling", "normalise", "none"}
        What sleep does to the weights.
    ahsar : bool
        Whether thresholds follow the rates of their populations.
    precision : {"float64", "float32"}
        Precision of the populations' and pathways' state and arithmetic; "float32" on a GPU alone.
    own_rules : tuple of (str, str)
        What is compiled of the user's rules that pathways have, by name.
    own_neurons : tuple of (str, str)
        What is compiled of the user's neurons that populations have, by name.
    own_homeostasis : tuple of (str, str)
        What is compiled of the user's homeostasis, by name.
    own_controller : str
        What is compiled of the user's sleep controller; "" for the one that is built in.
    signals : tuple of str
        Third factors with a value for each image.
    records : tuple of RecordStructure
        State that is recorded.
    """

    populations: tuple[PopulationStructure, ...]
    pathways: tuple[PathwayStructure, ...]
    replicas: int
    method: str
    renormalisation: str
    ahsar: bool
    precision: str = "float64"
    own_rules: tuple[tuple[str, str], ...] = ()
    own_neurons: tuple[tuple[str, str], ...] = ()
    own_homeostasis: tuple[tuple[str, str], ...] = ()
    own_controller: str = ""
    signals: tuple[str, ...] = ()
    records: tuple[RecordStructure, ...] = ()

    @classmethod
    def of(cls, config: Config, replicas: int = 1) -> Structure:
        """The structure of a configuration."""
        populations = (
            PopulationStructure("input", config.input.side**2, "input"),
            *(
                PopulationStructure(name, config.size(name), _kind(found))
                for name, found in config.population.items()
            ),
        )
        rank = {population.name: k for k, population in enumerate(populations)}
        pathways = sorted(config.pathway, key=lambda name: _place(config.pathway[name], rank, name))
        return cls(
            populations=populations,
            pathways=tuple(_pathway(config, name) for name in pathways),
            replicas=replicas,
            method=config.simulation.method,
            renormalisation=config.sleep.renormalisation,
            ahsar=config.ahsar.enabled,
            precision=config.simulation.precision,
            own_rules=tuple(
                (name, compiled_text(rule))
                for name, rule in sorted(config.rule.items())
                if name in {pathway.rule for pathway in config.pathway.values()}
            ),
            own_neurons=tuple(
                (name, compiled_neuron(text))
                for name, text in sorted(config.neuron.items())
                if name in {getattr(found, "neuron", "") for found in config.population.values()}
            ),
            own_homeostasis=tuple(
                (name, compiled_homeostasis(config, name))
                for name, text in sorted(config.homeostasis.items())
                if text.enabled
            ),
            own_controller=compiled_controller(config),
            signals=tuple(sorted(config.signal)),
            records=tuple(_record(config, name) for name, found in config.record.items() if found.state),
        )

    def frozen(self) -> Structure:
        """The same network with constant weights and thresholds and without sleep: what evaluation runs, in float64."""
        return replace(
            self,
            pathways=tuple(
                replace(pathway, rule="static", renormalised=False, plastic_asleep=True)
                for pathway in self.pathways
            ),
            renormalisation="none",
            ahsar=False,
            precision="float64",
            own_rules=(),
            own_homeostasis=(),
            own_controller="",
            signals=(),
            records=(),
        )

    @cached_property
    def population(self) -> Mapping[str, PopulationStructure]:
        """Populations by name."""
        return {population.name: population for population in self.populations}

    @cached_property
    def pathway(self) -> Mapping[str, PathwayStructure]:
        """Pathways by name."""
        return {pathway.name: pathway for pathway in self.pathways}

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Names of the populations whose spikes come from outside."""
        return tuple(population.name for population in self.populations if population.is_input)

    @cached_property
    def neurons(self) -> tuple[str, ...]:
        """Names of the populations of neurons, whose spikes are recorded."""
        return tuple(population.name for population in self.populations if not population.is_input)

    @property
    def n_neurons(self) -> int:
        """Neurons of one replica."""
        return sum(self.size(name) for name in self.neurons)

    def size(self, population: str) -> int:
        """Neurons or inputs of a population in one replica."""
        return self.population[population].n

    def n_synapses(self, pathway: str) -> int:
        """Synapses of a pathway in one replica."""
        return self.pathway[pathway].n_synapses

    def onto(self, population: str) -> list[str]:
        """Names of the pathways onto a population."""
        return [pathway.name for pathway in self.pathways if pathway.target == population]

    @property
    def watched(self) -> list[str]:
        """Names of the pathways that are part of the controller's W."""
        return [pathway.name for pathway in self.pathways if pathway.watched]

    def plastic_pathways(self, target: str | None = None) -> list[str]:
        """Pathways with a rule that changes weights, onto `target` or onto any population."""
        return [
            pathway.name
            for pathway in self.pathways
            if self.rule(pathway.name).plastic and target in (None, pathway.target)
        ]

    def is_renormalised(self, pathway: str) -> bool:
        """Whether sleep changes the weights of a pathway."""
        wanted = self.renormalisation != "none" and self.pathway[pathway].renormalised
        return wanted and self.rule(pathway).plastic

    def rule(self, pathway: str) -> Rule:
        """The rule of a pathway, built in or the user's."""
        name, own = self.pathway[pathway].rule, dict(self.own_rules)
        return own_rule(name, own[name]) if name in own else RULES[name]

    @property
    def homeostasis(self) -> list[OwnHomeostasis]:
        """The user's homeostasis."""
        return [OwnHomeostasis(name, text) for name, text in self.own_homeostasis]

    @cached_property
    def lif(self) -> tuple[str, ...]:
        """Names of the populations of this project's own neurons, whose thresholds adapt."""
        return tuple(name for name in self.neurons if not self.population[name].is_own)

    @property
    def weighed(self) -> tuple[str, ...]:
        """Names of the pathways whose total weights the controller reads: those watched, and what the user's names."""
        return weighed_pathways(self.watched, self.own_controller)

    @property
    def sensed(self) -> tuple[str, ...]:
        """Names of the populations whose rates the user's controller reads."""
        return sensed_populations(self.own_controller)

    def neuron(self, population: str) -> str:
        """What is compiled of the user's neuron of a population."""
        return dict(self.own_neurons)[self.population[population].kind]

    def integrator(self, population: str) -> str:
        """How the state of a population is integrated."""
        if self.population[population].is_input:
            return "exact"
        own = self.population[population].is_own
        return str(json.loads(self.neuron(population))["method"]) if own else self.method

    def third_factors(self, population: str) -> list[str]:
        """Third factors that rules of the pathways onto a population read."""
        return sorted(
            {name for pathway in self.onto(population) for name in self.rule(pathway).third_factors}
        )

    def has_own_rule(self, pathway: str) -> bool:
        """Whether the rule of a pathway is the user's."""
        return self.pathway[pathway].rule in dict(self.own_rules)

    def to_json(self) -> str:
        """Canonical text of this structure; `from_json` reads it back."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Structure:
        """The structure that `to_json` wrote."""
        fields = json.loads(text)
        fields["populations"] = tuple(PopulationStructure(**found) for found in fields["populations"])
        fields["pathways"] = tuple(PathwayStructure(**found) for found in fields["pathways"])
        for name in ("own_rules", "own_neurons", "own_homeostasis"):
            fields[name] = tuple(tuple(pair) for pair in fields[name])
        fields["signals"] = tuple(fields["signals"])
        fields["records"] = tuple(
            RecordStructure(
                **{**found, "variables": tuple(found["variables"]), "neurons": tuple(found["neurons"])}
            )
            for found in fields["records"]
        )
        return cls(**fields)

    @property
    def key(self) -> str:
        """A hash that names this structure."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]


def _kind(population: Population | PoissonPopulation | OwnPopulation) -> str:
    if isinstance(population, PoissonPopulation):
        return population.shows
    return population.neuron if isinstance(population, OwnPopulation) else population.synapse


def _record(config: Config, name: str) -> RecordStructure:
    found = config.record[name]
    population = str(found.population)
    indices = tuple(found.indices(config.size(population)))
    return RecordStructure(name, population, tuple(found.state), indices, float(found.every or 0))


def _place(pathway: Pathway, rank: Mapping[str, int], name: str) -> tuple[int, int, str]:
    return rank[pathway.source], rank[pathway.target], name


def _pathway(config: Config, name: str) -> PathwayStructure:
    pathway = config.pathway[name]
    degree = 0 if pathway.sources is not None else _in_degree(config, name)
    return PathwayStructure(
        name=name,
        source=pathway.source,
        target=pathway.target,
        sign=pathway.sign,
        n_synapses=degree * config.size(pathway.target) if degree else len(pathway.sources or ()),
        in_degree=degree,
        rule=pathway.rule,
        renormalised=pathway.renormalised,
        plastic_asleep=pathway.plastic_asleep and config.sleep.plastic,
        watched=pathway.watched,
    )


def _in_degree(config: Config, name: str) -> int:
    """Synapses onto a neuron: a fixed number, so that it does not depend on the seed."""
    pathway = config.pathway[name]
    candidates: float = config.size(pathway.source) - (pathway.source == pathway.target)
    if pathway.avoid_reciprocal:
        candidates *= 1 - config.pathway[config.back(name)[0]].density
    return max(1, round(pathway.density * candidates))

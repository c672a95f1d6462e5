"""The model of a structure as text: what each population and pathway is made of. Nothing here needs Brian2.

From it the network is made (`_network.py`), the arrays that it is handed (`_arrays.py`) and the page that a reader gets
(`_page.py`): the same text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from homeonet.plastic.mechanisms._adaptation import adaptive_threshold
from homeonet.plastic.mechanisms._ahsar import counted_spikes
from homeonet.plastic.mechanisms._equations import Action, Mechanism, Place, combine
from homeonet.plastic.mechanisms._istdp import istdp_alpha
from homeonet.plastic.mechanisms._neuron import membrane
from homeonet.plastic.mechanisms._noise import membrane_noise
from homeonet.plastic.mechanisms._own_neuron import own_neuron
from homeonet.plastic.mechanisms._poisson import poisson_input
from homeonet.plastic.mechanisms._rate_sensor import sensed_spikes
from homeonet.plastic.mechanisms._renormalisation import (
    homeostasis,
    renormalisation_statement,
    tally_statement,
)
from homeonet.plastic.mechanisms._rules import every_event
from homeonet.plastic.mechanisms._third_factors import IMAGE_END, image_end, third_factors
from homeonet.plastic.mechanisms._traces import trace
from homeonet.plastic.network._structure import Structure

__all__ = ["PathwayText", "pathway_text", "population_mechanism"]

_PATHWAY_PARAMETERS = (
    "gain",
    "eta",
    "w_min",
    "w_max",
    "w_target",
    "inverse_w_target",
    "a_plus",
    "a_minus",
    "x_target",
    "alpha",
)
# synapses cannot read linked variables of their target: the gate is copied to a plain one
_GATE = Mechanism(
    equations="plasticity : 1",
    linked=("asleep",),
    actions=(Action("", "plasticity = 1 - asleep", "before_groups"),),
    state={"plasticity": 1.0},
)


@dataclass(frozen=True)
class PathwayText:
    """What the synapses of a pathway do, as Brian2 statements.

    Attributes
    ----------
    transmit : str
        What a presynaptic spike adds to the target.
    on_pre, on_post : str
        What a presynaptic and a postsynaptic spike do to the weight; "" for nothing.
    on_events : dict of str to (str, str)
        What happens at events of the target: by a name of its own, the event and the statements, in order.
    state : tuple of str
        Variables of each synapse beside its weight.
    """

    transmit: str
    on_pre: str
    on_post: str
    on_events: Mapping[str, tuple[str, str]]
    state: tuple[str, ...] = ()


def population_mechanism(population: str, structure: Structure) -> Mechanism:
    """A population with all that its pathways need of it: inputs have traces alone, neurons all the rest."""
    found = structure.population[population]
    if found.is_input:
        return combine([poisson_input(found.kind), *_traces_of(population, structure)])
    incoming = structure.onto(population)
    renormalised = any(structure.is_renormalised(name) for name in incoming)
    rules = [structure.rule(name) for name in incoming]
    return combine(
        [
            *_neurons(population, structure),
            *_traces_of(population, structure),
            homeostasis(incoming, structure.renormalisation, renormalised=renormalised),
            counted_spikes(population) if structure.ahsar and not found.is_own else Mechanism(),
            sensed_spikes() if population in structure.sensed else Mechanism(),
            *([_GATE] if not all(structure.pathway[name].plastic_asleep for name in incoming) else []),
            *([image_end()] if any(rule.image_end.strip() for rule in rules) else []),
            third_factors(structure.third_factors(population), structure.signals),
            *(own.on_population(population, incoming) for own in structure.homeostasis),
            *(_parameters(name, per_neuron=_read_by_own(name, structure)) for name in incoming),
        ]
    )


def _neurons(population: str, structure: Structure) -> list[Mechanism]:
    found = structure.population[population]
    if found.is_own:
        compiled = structure.neuron(population)
        noisy = json.loads(compiled)["noise"]
        return [own_neuron(compiled), *([membrane_noise()] if noisy else [])]
    base = f"v_threshold + rise_{population}" if structure.ahsar else "v_threshold"
    return [membrane(found.kind), adaptive_threshold(base), membrane_noise()]


def _read_by_own(pathway: str, structure: Structure) -> bool:
    """Whether a user's statements read the parameters of a pathway."""
    return structure.has_own_rule(pathway) or any(own.acts_on(pathway) for own in structure.homeostasis)


def pathway_text(pathway: str, structure: Structure) -> PathwayText:
    """The statements of a pathway."""
    found, rule = structure.pathway[pathway], structure.rule(pathway)
    names = {name: f"{pathway}_{name}_post" for name in _PATHWAY_PARAMETERS} | {"pathway": pathway}
    gate = "" if found.plastic_asleep else "plasticity_post"
    receptor = "g_i_post" if found.sign == "inhibitory" else "g_e_post"
    on_events = {"tally": ("tally", tally_statement(pathway))}
    if structure.is_renormalised(pathway):
        form = renormalisation_statement(structure.renormalisation).format(**names)
        on_events["renormalise"] = ("renormalise", form)
    for event, text in ((every_event(found.rule), rule.every), (IMAGE_END, rule.image_end)):
        if text.strip():
            on_events[event] = (event, rule.change(text, names, gate))
    for own in structure.homeostasis:
        if own.acts_on(pathway):
            on_events |= {event: (event, statements) for event, statements in own.on_pathway(pathway, names)}
    return PathwayText(
        f"{receptor} += w*{names['gain']}",
        rule.change(rule.pre, names, gate),
        rule.change(rule.post, names, gate),
        on_events,
        rule.state,
    )


def _parameters(pathway: str, *, per_neuron: bool) -> Mechanism:
    """A pathway's parameters, as variables of its target."""
    units = {f"{pathway}_{name}": "volt" if name == "gain" else "1" for name in _PATHWAY_PARAMETERS}

    def values(place: Place) -> dict[str, float]:
        config = place.config
        own, stdp = config.pathway[pathway], config.stdp
        known = {name: getattr(own, name) for name in ("gain", "eta", "w_min", "w_max", "w_target")}
        known |= {"inverse_w_target": 1 / own.w_target, "alpha": istdp_alpha(config)}
        known |= {name: getattr(stdp, name) for name in ("a_plus", "a_minus", "x_target")}
        return {f"{pathway}_{name}": value for name, value in known.items()}

    if per_neuron:
        return Mechanism(values=values, of_neurons=units)
    return Mechanism(values=values, parameters=units)


def _traces_of(population: str, structure: Structure) -> Iterable[Mechanism]:
    """The traces a population needs, for all pathways that it feeds or receives: each once, however many read it."""
    names: set[str] = set()
    own: dict[tuple[str, str], Mechanism] = {}
    for pathway in structure.pathways:
        rule = structure.rule(pathway.name)
        names |= set(rule.source_traces if pathway.source == population else ())
        names |= set(rule.target_traces if pathway.target == population else ())
        if pathway.source == population:
            own[pathway.rule, "source"] = rule.on_source
        if pathway.target == population:
            own[pathway.rule, "target"] = rule.on_target
    return [*(trace(name) for name in sorted(names)), *own.values()]

"""The model of a structure as text: what each population and pathway is made of. Nothing here needs Brian2.

From it the network is made (`_network.py`), the arrays that it is handed (`_arrays.py`) and the page that a reader gets
(`_page.py`): the same text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from homeonet.plastic.mechanisms import _ahsar, _neuron, _poisson
from homeonet.plastic.mechanisms._adaptation import adaptive_threshold
from homeonet.plastic.mechanisms._equations import Mechanism, Place, combine
from homeonet.plastic.mechanisms._istdp import istdp_alpha
from homeonet.plastic.mechanisms._noise import membrane_noise
from homeonet.plastic.mechanisms._renormalisation import (
    homeostasis,
    renormalisation_statement,
    tally_statement,
)
from homeonet.plastic.mechanisms._traces import trace
from homeonet.plastic.network._structure import Structure

__all__ = ["PathwayText", "gated_population", "pathway_text", "population_mechanism"]

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


@dataclass(frozen=True)
class PathwayText:
    """What the synapses of a pathway do, as Brian2 statements.

    Attributes
    ----------
    transmit : str
        What a presynaptic spike adds to the target.
    on_pre, on_post : str
        What a presynaptic and a postsynaptic spike do to the weight; "" for nothing.
    renormalise : str
        What sleep does to the weight; "" for nothing.
    tally : str
        Adds the weight to its neuron's sum.
    """

    transmit: str
    on_pre: str
    on_post: str
    renormalise: str
    tally: str


def population_mechanism(population: str, structure: Structure) -> Mechanism:
    """A population with all that its pathways need of it: inputs have traces alone, neurons all the rest."""
    found = structure.population[population]
    if found.is_input:
        return combine([_poisson.poisson_input(found.kind), *_traces_of(population, structure)])
    incoming = structure.onto(population)
    return combine(
        [
            _neuron.membrane(found.kind),
            adaptive_threshold(f"v_threshold + rise_{population}" if structure.ahsar else "v_threshold"),
            membrane_noise(),
            *_traces_of(population, structure),
            homeostasis(incoming, structure.renormalisation),
            _ahsar.counted_spikes(population) if structure.ahsar else Mechanism(),
            _gate(gated_population(population, structure)),
            *(_parameters(pathway, per_neuron=structure.has_own_rule(pathway)) for pathway in incoming),
        ]
    )


def gated_population(population: str, structure: Structure) -> bool:
    """Whether some pathway onto a population does not learn asleep."""
    return not all(structure.pathway[name].plastic_asleep for name in structure.onto(population))


def pathway_text(pathway: str, structure: Structure) -> PathwayText:
    """The statements of a pathway."""
    found, rule = structure.pathway[pathway], structure.rule(pathway)
    names = {name: f"{pathway}_{name}_post" for name in _PATHWAY_PARAMETERS} | {"pathway": pathway}
    gate = "" if found.plastic_asleep else "plasticity_post"
    renormalised = structure.is_renormalised(pathway)
    form = renormalisation_statement(structure.renormalisation).format(**names) if renormalised else ""
    receptor = "g_i_post" if found.sign == "inhibitory" else "g_e_post"
    return PathwayText(
        f"{receptor} += w*{names['gain']}",
        rule.change(rule.pre, names, gate),
        rule.change(rule.post, names, gate),
        form,
        tally_statement(pathway),
    )


def _gate(gated: bool) -> Mechanism:
    # synapses cannot read linked variables of their target: the gate is copied to a plain one
    return Mechanism(
        equations="asleep : 1 (linked)" + ("\nplasticity : 1" if gated else ""),
        state={"plasticity": 1.0} if gated else {},
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

    kind = {"of_neurons": units} if per_neuron else {"parameters": units}
    return Mechanism(values=values, **kind)


def _traces_of(population: str, structure: Structure) -> Iterable[Mechanism]:
    """The traces a population needs, for all pathways that it feeds or receives: each once, however many read it."""
    names: set[str] = set()
    own: dict[tuple[str, str], Mechanism] = {}
    for pathway in structure.pathways:
        rule = structure.rule(pathway.name)
        names |= set(rule.source_traces if pathway.source == population else ())
        names |= set(rule.target_traces if pathway.target == population else ())
        sides = ((pathway.source, rule.on_source), (pathway.target, rule.on_target))
        own |= {(pathway.rule, side.equations): side for group, side in sides if group == population}
    return [*(trace(name) for name in sorted(names)), *own.values()]

"""The model of a structure as text: what each population and pathway is made of. Nothing here needs Brian2.

From it the network is made (`_network.py`) and the page that a reader gets (`_page.py`): the same text.
"""

from __future__ import annotations

from dataclasses import dataclass

from homeonet.config import PATHWAYS
from homeonet.plastic.mechanisms import _ahsar, _neuron, _poisson
from homeonet.plastic.mechanisms._adaptation import adaptive_threshold
from homeonet.plastic.mechanisms._equations import Mechanism, combine
from homeonet.plastic.mechanisms._noise import membrane_noise
from homeonet.plastic.mechanisms._renormalisation import (
    homeostasis,
    renormalisation_statement,
    tally_statement,
)
from homeonet.plastic.mechanisms._traces import trace
from homeonet.plastic.network._structure import Structure

__all__ = ["PathwayText", "input_mechanism", "pathway_parameters", "pathway_text", "population_mechanism"]

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


def input_mechanism(structure: Structure) -> Mechanism:
    """The input population, with the traces that rules read."""
    return combine([_poisson.poisson_input(), *_traces_of("input", structure)])


def population_mechanism(population: str, structure: Structure) -> Mechanism:
    """A population ("exc" or "inh") with all that its pathways need of it."""
    incoming = [name for name, (_, target) in PATHWAYS.items() if target == population]
    return combine(
        [
            _neuron.membrane(structure.synapse_exc if population == "exc" else structure.synapse_inh),
            adaptive_threshold(f"v_threshold + rise_{population}" if structure.ahsar else "v_threshold"),
            membrane_noise(),
            *_traces_of(population, structure),
            homeostasis(incoming, structure.renormalisation),
            _ahsar.counted_spikes(population) if structure.ahsar else Mechanism(),
            Mechanism(
                # synapses cannot read linked variables of their target: the gate is copied to a plain one
                equations="asleep : 1 (linked)" + ("" if structure.plastic_asleep else "\nplasticity : 1"),
                parameters=_parameters_of([name for name in incoming if not structure.has_own_rule(name)]),
                of_neurons=_parameters_of([name for name in incoming if structure.has_own_rule(name)]),
            ),
        ]
    )


def pathway_text(pathway: str, structure: Structure) -> PathwayText:
    """The statements of a pathway."""
    source, _ = PATHWAYS[pathway]
    rule = structure.rule(pathway)
    names = {name: f"{pathway}_{name}_post" for name in _PATHWAY_PARAMETERS} | {"pathway": pathway}
    gate = "" if structure.plastic_asleep else "plasticity_post"
    renormalised = rule.plastic and structure.renormalisation != "none"
    form = renormalisation_statement(structure.renormalisation).format(**names) if renormalised else ""
    receptor = "g_i_post" if source == "inh" else "g_e_post"
    return PathwayText(
        f"{receptor} += w*{names['gain']}",
        rule.change(rule.pre, names, gate),
        rule.change(rule.post, names, gate),
        form,
        tally_statement(pathway),
    )


def pathway_parameters(pathway: str) -> dict[str, str]:
    """Names (as variables of the target population) and units of a pathway's parameters."""
    units = {"gain": "volt"}
    return {f"{pathway}_{name}": units.get(name, "1") for name in _PATHWAY_PARAMETERS}


def _parameters_of(pathways: list[str]) -> dict[str, str]:
    return {name: unit for pathway in pathways for name, unit in pathway_parameters(pathway).items()}


def _traces_of(population: str, structure: Structure) -> list[Mechanism]:
    """The traces a population needs, for all pathways that it feeds or receives: each once, however many read it."""
    names: set[str] = set()
    own: dict[tuple[str, str], Mechanism] = {}
    for pathway, rule_name in structure.rules:
        rule, (source, target) = structure.rule(pathway), PATHWAYS[pathway]
        names |= set(rule.source_traces if source == population else ())
        names |= set(rule.target_traces if target == population else ())
        sides = ((source, rule.on_source), (target, rule.on_target))
        own |= {(rule_name, side.equations): side for group, side in sides if group == population}
    return [*(trace(name) for name in sorted(names)), *own.values()]

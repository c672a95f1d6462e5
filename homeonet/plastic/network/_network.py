"""Assembles the mechanisms into one Brian2 network: inputs, populations, pathways, a controller.

R replicas stand side by side as one block-diagonal network. Nothing here runs, and no value of a parameter
appears here: the same objects serve the runtime targets and code generation.
"""

from __future__ import annotations

import brian2
import numpy as np
from brian2 import second

from homeonet.plastic.mechanisms import _ahsar, _neuron, _poisson, _sleep
from homeonet.plastic.mechanisms._equations import Mechanism, declare_values
from homeonet.plastic.mechanisms._renormalisation import EVENTS
from homeonet.plastic.mechanisms._times import SAMPLE_PERIOD, TOTALS_PERIOD
from homeonet.plastic.network._connectivity import Connections, replica_of_unit, sums_over_replicas
from homeonet.plastic.network._model import gated_population, pathway_text, population_mechanism
from homeonet.plastic.network._random_functions import RANDOM_FUNCTIONS
from homeonet.plastic.network._structure import STIMULUS_ROWS, Structure

__all__ = ["build_network", "sampled_variables"]


def sampled_variables(structure: Structure) -> dict[str, list[str]]:
    """What is recorded every `SAMPLE_PERIOD`, a monitor."""
    sampled = {
        "samples": ["asleep", "wake_step"],
        "weight_samples": [f"total_{pathway}" for pathway in structure.pathway],
    }
    return sampled | ({"ahsar_samples": _ahsar.ahsar_samples(structure.neurons)} if structure.ahsar else {})


def build_network(structure: Structure, connections: Connections) -> brian2.Network:
    """Make all Brian2 objects of a structure.

    Parameters
    ----------
    structure : Structure
    connections : dict
        Source and target indices a pathway, as from ``connect``.

    Returns
    -------
    brian2.Network
        With a group for each population, ``controller`` and ``totals`` (and ``ahsar``), a Synapses object for each
        pathway, all under their names, and the monitors ``spikes_NAME`` and those of `sampled_variables`.
    """
    totals = brian2.NeuronGroup(
        structure.replicas,
        "\n".join(f"total_{pathway} : 1" for pathway in structure.pathway),
        dt=TOTALS_PERIOD * second,
        name="totals",
    )
    controller = brian2.NeuronGroup(
        structure.replicas, _sleep.controller(structure.watched), name="controller"
    )
    for pathway in structure.watched:
        setattr(controller, f"total_{pathway}", brian2.linked_var(totals, f"total_{pathway}"))
    controller.run_regularly(_sleep.CONTROLLER_STEP, when="start", name="controller_step")
    ahsar = _ahsar_group(structure, controller, totals) if structure.ahsar else None
    sampled = {"samples": controller, "weight_samples": totals, "ahsar_samples": ahsar}
    stimulus = _stimulus(structure)
    groups = {name: _input_group(name, structure, controller, stimulus) for name in structure.inputs}
    groups |= {name: _population_group(name, structure, controller, ahsar) for name in structure.neurons}
    objects = [totals, controller, *groups.values()]
    objects += [_synapses(pathway, structure, groups, connections) for pathway in structure.pathway]
    objects += _weight_totals(structure, groups, totals)
    if ahsar is not None:
        objects += [ahsar, *_spike_counts(structure, groups, ahsar)]
    objects += [
        *(brian2.SpikeMonitor(groups[name], name=f"spikes_{name}") for name in structure.neurons),
        *(
            brian2.StateMonitor(sampled[name], names, record=True, dt=SAMPLE_PERIOD * second, name=name)
            for name, names in sampled_variables(structure).items()
        ),
    ]
    return brian2.Network(objects)


def _link(
    group: brian2.NeuronGroup,
    controller: brian2.NeuronGroup,
    structure: Structure,
    population: str,
    *names: str,
) -> None:
    index = None if structure.replicas == 1 else replica_of_unit(structure, population)
    for name in names:
        setattr(group, name, brian2.linked_var(controller, name, index=index))


def _stimulus(structure: Structure) -> brian2.TimedArray:
    """The images of a segment, as log-probabilities of silence; all replicas side by side."""
    n = structure.replicas * structure.size("input")
    return brian2.TimedArray(np.zeros((STIMULUS_ROWS, n)), dt=1 * second, name="stimulus")


def _input_group(
    name: str, structure: Structure, controller: brian2.NeuronGroup, stimulus: brian2.TimedArray
) -> brian2.NeuronGroup:
    mechanism = population_mechanism(name, structure)
    group = brian2.NeuronGroup(
        structure.replicas * structure.size(name),
        _with_values(mechanism, structure),
        threshold=mechanism.threshold,
        reset=mechanism.reset,
        events={"onset": _poisson.ONSET_CONDITION},
        method="exact",
        name=name,
        namespace={"stimulus": stimulus, **RANDOM_FUNCTIONS},
    )
    onset = _poisson.draw(structure.population[name].kind)
    group.run_on_event("onset", onset, when="after_resets")
    _link(group, controller, structure, name, "asleep", "wake_step")
    return group


def _with_values(mechanism: Mechanism, structure: Structure) -> str:
    values = declare_values(mechanism, structure.replicas)
    return f"{mechanism.equations}\n{values}\nunit : integer (constant)"


def _ahsar_group(
    structure: Structure, controller: brian2.NeuronGroup, totals: brian2.NeuronGroup
) -> brian2.NeuronGroup:
    equations, step = (text(structure.neurons) for text in (_ahsar.ahsar_equations, _ahsar.ahsar_step))
    ahsar = brian2.NeuronGroup(structure.replicas, equations, clock=totals.clock, name="ahsar")
    for name in ("asleep", "wake_step"):
        setattr(ahsar, name, brian2.linked_var(controller, name))
    ahsar.run_regularly(step, when="groups", name="ahsar_step")  # sums are taken before
    return ahsar


def _population_group(
    population: str,
    structure: Structure,
    controller: brian2.NeuronGroup,
    ahsar: brian2.NeuronGroup | None,
) -> brian2.NeuronGroup:
    incoming = structure.onto(population)
    mechanism = population_mechanism(population, structure)
    renormalised = any(structure.is_renormalised(name) for name in incoming)
    group = brian2.NeuronGroup(
        structure.replicas * structure.size(population),
        _with_values(mechanism, structure),
        threshold=mechanism.threshold,
        reset=mechanism.reset,
        events={name: EVENTS[name] for name in (("tally", "renormalise") if renormalised else ("tally",))},
        method=structure.method,
        name=population,
        namespace=RANDOM_FUNCTIONS,
    )
    if incoming:
        group.run_on_event("tally", "\n".join(f"sum_{name} = 0" for name in incoming), when="before_synapses")
    if gated_population(population, structure):
        group.run_regularly("plasticity = 1 - asleep", when="before_groups", name=f"{population}_gate")
    group.run_regularly(_neuron.FLOOR, when="after_groups", name=f"{population}_floor")
    _link(group, controller, structure, population, "asleep")
    if ahsar is not None:
        _link(group, ahsar, structure, population, "count_asleep", f"rise_{population}")
    return group


def _synapses(
    pathway: str, structure: Structure, groups: dict[str, brian2.NeuronGroup], connections: Connections
) -> brian2.Synapses:
    found = structure.pathway[pathway]
    text = pathway_text(pathway, structure)
    on_pre = {"pre": f"{text.transmit}\n{text.on_pre}"}
    on_post = {"post": text.on_post} if text.on_post else {}
    on_event = {"pre": "spike", "tally": "tally"} | ({"post": "spike"} if text.on_post else {})
    on_post["tally"] = text.tally
    if text.renormalise:
        on_post["renormalise"] = text.renormalise
        on_event["renormalise"] = "renormalise"
    synapses = brian2.Synapses(
        groups[found.source],
        groups[found.target],
        "w : 1",
        on_pre=on_pre,
        on_post=on_post,
        on_event=on_event,
        name=pathway,
    )
    for order, event in enumerate(("pre", "post", "tally", "renormalise")):
        if event in on_event:
            getattr(synapses, event).order = order
    sources, targets = connections[pathway]
    synapses.connect(i=sources, j=targets)
    return synapses


def _weight_totals(
    structure: Structure, groups: dict[str, brian2.NeuronGroup], totals: brian2.NeuronGroup
) -> list[brian2.Synapses]:
    sums = []
    for population in structure.neurons:
        if incoming := structure.onto(population):
            equations = "\n".join(f"total_{name}_post = sum_{name}_pre : 1 (summed)" for name in incoming)
            sums.append(_sums(population, structure, groups, totals, equations))
    return sums


def _spike_counts(
    structure: Structure, groups: dict[str, brian2.NeuronGroup], ahsar: brian2.NeuronGroup
) -> list[brian2.Synapses]:
    return [
        _sums(name, structure, groups, ahsar, f"count_{name}_post = n_spikes_pre : 1 (summed)")
        for name in structure.neurons
    ]


def _sums(
    population: str,
    structure: Structure,
    groups: dict[str, brian2.NeuronGroup],
    target: brian2.NeuronGroup,
    equations: str,
) -> brian2.Synapses:
    """Sums over the neurons of a replica, on the slow clock of their target."""
    synapses = brian2.Synapses(groups[population], target, equations, name=f"{target.name}_{population}")
    sources, targets = sums_over_replicas(structure)[synapses.name]
    synapses.connect(i=sources, j=targets)
    return synapses

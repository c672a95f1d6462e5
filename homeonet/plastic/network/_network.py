"""Assembles the mechanisms into one Brian2 network: inputs, populations, pathways, a controller.

R replicas stand side by side as one block-diagonal network. Nothing here runs, and no value of a parameter
appears here: the same objects serve the runtime targets and code generation.
"""

from __future__ import annotations

import brian2
import numpy as np
from brian2 import second

from homeonet.plastic.mechanisms import _ahsar, _rate_sensor, _sleep
from homeonet.plastic.mechanisms._equations import declare_values
from homeonet.plastic.mechanisms._times import SAMPLE_PERIOD, TOTALS_PERIOD
from homeonet.plastic.network._connectivity import Connections, replica_of_unit, sums_over_replicas
from homeonet.plastic.network._model import pathway_text, population_mechanism
from homeonet.plastic.network._random_functions import RANDOM_FUNCTIONS
from homeonet.plastic.network._structure import STIMULUS_ROWS, Structure

__all__ = ["build_network", "sampled_variables"]


def sampled_variables(structure: Structure) -> dict[str, list[str]]:
    """What is recorded every `SAMPLE_PERIOD`, by monitor."""
    sampled = {
        "samples": ["asleep", "wake_step"],
        "weight_samples": [f"total_{pathway}" for pathway in structure.pathway],
    }
    return sampled | ({"ahsar_samples": _ahsar.ahsar_samples(structure.lif)} if structure.ahsar else {})


def build_network(structure: Structure, connections: Connections) -> brian2.Network:
    """Make all Brian2 objects of a structure.

    Parameters
    ----------
    structure : Structure
    connections : dict
        Indices of sources and targets by pathway, as from ``connect``.

    Returns
    -------
    brian2.Network
        With a group for each population, ``controller`` and ``totals`` (and ``ahsar``), a Synapses object for each
        pathway, all under their names, and the monitors ``spikes_NAME`` and those of `sampled_variables`.
    """
    totals = brian2.NeuronGroup(
        structure.replicas,
        "\n".join(f"total_{pathway} : 1" for pathway in structure.pathway)
        + _rate_sensor.sensor_equations(structure.sensed),
        dt=TOTALS_PERIOD * second,
        name="totals",
    )
    if structure.sensed:  # after the sums
        totals.run_regularly(_rate_sensor.sensor_step(structure.sensed), when="groups", name="totals_step")
    controller = brian2.NeuronGroup(
        structure.replicas, _sleep.controller(structure.watched, structure.own_controller), name="controller"
    )
    for pathway in structure.weighed:
        setattr(controller, f"total_{pathway}", brian2.linked_var(totals, f"total_{pathway}"))
    for population in structure.sensed:
        setattr(controller, f"rate_{population}", brian2.linked_var(totals, f"rate_{population}"))
    controller.run_regularly(
        _sleep.controller_step(structure.own_controller), when="start", name="controller_step"
    )
    ahsar = _ahsar_group(structure, controller, totals) if structure.ahsar else None
    sampled = {"samples": controller, "weight_samples": totals, "ahsar_samples": ahsar}
    stimulus = _stimulus(structure)
    groups = {
        name: _population_group(name, structure, controller, ahsar, stimulus) for name in structure.population
    }
    objects = [totals, controller, *groups.values()]
    objects += [_synapses(pathway, structure, groups, connections) for pathway in structure.pathway]
    objects += _totals_of(structure, groups, totals)
    if ahsar is not None:
        objects += [ahsar, *_spike_counts(structure, groups, ahsar)]
    objects += [
        *(brian2.SpikeMonitor(groups[name], name=f"spikes_{name}") for name in structure.neurons),
        *(
            brian2.StateMonitor(sampled[name], names, record=True, dt=SAMPLE_PERIOD * second, name=name)
            for name, names in sampled_variables(structure).items()
        ),
        *(
            brian2.StateMonitor(
                groups[found.population],
                found.variables,
                record=list(found.neurons),
                dt=found.every * second,
                name=f"record_{found.name}",
            )
            for found in structure.records
        ),
    ]
    return brian2.Network(objects)


def _link(
    group: brian2.NeuronGroup, source: brian2.NeuronGroup, structure: Structure, population: str, *names: str
) -> None:
    index = None if structure.replicas == 1 else replica_of_unit(structure, population)
    for name in names:
        setattr(group, name, brian2.linked_var(source, name, index=index))


def _stimulus(structure: Structure) -> brian2.TimedArray:
    """The images of a segment, as log-probabilities of silence, then the signals; all replicas side by side."""
    n = structure.replicas * (structure.size("input") + len(structure.signals))
    return brian2.TimedArray(np.zeros((STIMULUS_ROWS, n)), dt=1 * second, name="stimulus")


def _population_group(
    name: str,
    structure: Structure,
    controller: brian2.NeuronGroup,
    ahsar: brian2.NeuronGroup | None,
    stimulus: brian2.TimedArray,
) -> brian2.NeuronGroup:
    mechanism = population_mechanism(name, structure)
    values = declare_values(mechanism, structure.replicas)
    group = brian2.NeuronGroup(
        structure.replicas * structure.size(name),
        f"{mechanism.equations}\n{values}\nunit : integer (constant)",
        threshold=mechanism.threshold,
        reset=mechanism.reset,
        events=dict(mechanism.events),
        method=structure.integrator(name),
        name=name,
        namespace={"stimulus": stimulus, **RANDOM_FUNCTIONS},
    )
    for number, action in enumerate(mechanism.actions):
        if action.event:
            group.run_on_event(action.event, action.statements, when=action.slot)
        else:
            group.run_regularly(action.statements, when=action.slot, name=f"{name}_action_{number}")
    _link(group, controller, structure, name, *mechanism.linked)
    if ahsar is not None and name in structure.lif:
        _link(group, ahsar, structure, name, "count_asleep", f"rise_{name}")
    return group


def _ahsar_group(
    structure: Structure, controller: brian2.NeuronGroup, totals: brian2.NeuronGroup
) -> brian2.NeuronGroup:
    equations, step = (text(structure.lif) for text in (_ahsar.ahsar_equations, _ahsar.ahsar_step))
    ahsar = brian2.NeuronGroup(structure.replicas, equations, clock=totals.clock, name="ahsar")
    for name in ("asleep", "wake_step"):
        setattr(ahsar, name, brian2.linked_var(controller, name))
    ahsar.run_regularly(step, when="groups", name="ahsar_step")  # sums are taken before
    return ahsar


def _synapses(
    pathway: str, structure: Structure, groups: dict[str, brian2.NeuronGroup], connections: Connections
) -> brian2.Synapses:
    found, text = structure.pathway[pathway], pathway_text(pathway, structure)
    on_post = {"post": text.on_post} if text.on_post else {}
    on_post |= {name: statements for name, (_, statements) in text.on_events.items()}
    on_event = {"pre": "spike"} | ({"post": "spike"} if text.on_post else {})
    on_event |= {name: event for name, (event, _) in text.on_events.items()}
    synapses = brian2.Synapses(
        groups[found.source],
        groups[found.target],
        "\n".join(f"{name} : 1" for name in ("w", *text.state)),
        on_pre={"pre": f"{text.transmit}\n{text.on_pre}"},
        on_post=on_post,
        on_event=on_event,
        name=pathway,
    )
    for order, name in enumerate(("pre", "post", *text.on_events)):
        if name in on_event:
            getattr(synapses, name).order = order
    sources, targets = connections[pathway]
    synapses.connect(i=sources, j=targets)
    return synapses


def _totals_of(
    structure: Structure, groups: dict[str, brian2.NeuronGroup], totals: brian2.NeuronGroup
) -> list[brian2.Synapses]:
    sums = []
    for population in structure.neurons:
        equations = [
            f"total_{name}_post = sum_{name}_pre : 1 (summed)" for name in structure.onto(population)
        ]
        if population in structure.sensed:
            equations.append(_rate_sensor.spikes_so_far(population))
        if equations:
            sums.append(_sums(population, structure, groups, totals, "\n".join(equations)))
    return sums


def _spike_counts(
    structure: Structure, groups: dict[str, brian2.NeuronGroup], ahsar: brian2.NeuronGroup
) -> list[brian2.Synapses]:
    return [
        _sums(name, structure, groups, ahsar, f"count_{name}_post = n_spikes_pre : 1 (summed)")
        for name in structure.lif
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

"""A whole model on one page, as the compiled text has it: what a methods section needs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from homeonet.config import Config
from homeonet.config.rule_text import Trace
from homeonet.plastic.mechanisms import _ahsar, _rate_sensor, _sleep
from homeonet.plastic.mechanisms._equations import Mechanism
from homeonet.plastic.mechanisms._times import SAMPLE_PERIOD, TOTALS_PERIOD
from homeonet.plastic.network._model import pathway_text, population_mechanism
from homeonet.plastic.network._structure import Structure

__all__ = ["model_page"]

_ORDER = """
In each step, in this order:
 1. the controller decides whether the network sleeps; wake steps are counted
 2. with a slow clock, every {totals:g} s: sums of weights{rates}{ahsar}
 3. states advance by one step ({method}); then the membrane's floor
 4. thresholds: spikes of inputs and populations; events tally and renormalise
 5. synapses: what a spike transmits and changes (presynaptic, then postsynaptic), the tally, sleep's renormalisation
 6. resets: membrane, refractoriness, threshold, traces; so rules see traces from before the step's spikes
 7. a new image: the inputs' next spikes are drawn anew
Recorded every {samples:g} s. Random numbers are counted by stream, step and unit, and have no state.
"""


_EVENT_TITLES = {"tally": "at tally", "renormalise": "renormalisation, asleep"}


def model_page(config: Config) -> str:
    """The model of a configuration: equations with units, values, sources, pathways, controller, order of a step.

    Parameters
    ----------
    config : Config

    Returns
    -------
    str
        Plain text. Names in statements are those of the program: `_pre` and `_post` are of a synapse's source and
        target, and a pathway's or rule's parameters are variables of the target.
    """
    structure = Structure.of(config)
    parts = [
        f"{config.preset}: {_sizes(structure)}; steps of {1e3 * config.simulation.dt:g} ms",
        *(_part(name, _population(name, structure, config)) for name in structure.population),
        *(_part(_title(name), _pathway(name, structure, config)) for name in structure.pathway),
        *(_part(f"homeostasis {name}", _homeostasis(name, config)) for name, _ in structure.own_homeostasis),
        _part("sleep controller", _controller(config, structure)),
    ]
    if structure.ahsar:
        values = _values(config.to_dict()["ahsar"])
        step = _block(_ahsar.ahsar_step(structure.lif), "every 100 ms")
        parts.append(_part("AHSAR (Chen et al. 2025)", [step, values]))
    order = _ORDER.format(
        totals=TOTALS_PERIOD,
        samples=SAMPLE_PERIOD,
        method=config.simulation.method.replace("_", " "),
        rates="".join(f", rate of {name}" for name in structure.sensed),
        ahsar=", thresholds by AHSAR" if structure.ahsar else "",
    )
    return "\n\n".join([*parts, order.strip()]) + "\n"


def _sizes(structure: Structure) -> str:
    titles = {"exc": "excitatory", "inh": "inhibitory"}
    inputs = [
        f"{structure.size(name)} inputs" + ("" if name == "input" else f" {name}")
        for name in structure.inputs
    ]
    neurons = [f"{structure.size(name)} {titles.get(name, name)}" for name in structure.neurons]
    return ", ".join([*inputs, " and ".join(neurons) + " neurons"])


def _population(name: str, structure: Structure, config: Config) -> Iterator[str]:
    found, mechanism = structure.population[name], population_mechanism(name, structure)
    linked = [f"{variable} : 1 (linked)" for variable in mechanism.linked]
    yield _block("\n".join([mechanism.equations.strip(), *linked]), "equations")
    yield _block("\n".join(f"{event}: {when}" for event, when in mechanism.events.items()), "events")
    for action in mechanism.actions:
        yield _block(
            action.statements, f"at {action.event}" if action.event else f"in each step, {action.slot}"
        )
    yield _block(mechanism.threshold, "spike when")
    yield _block(mechanism.reset, "at a spike")
    yield _units(mechanism, structure)
    tables = config.to_dict()
    yield _values(tables["input"] if name == "input" else tables["population"][name])
    if not found.is_input:
        yield _values(config.to_dict()["noise"], "noise")


def _pathway(name: str, structure: Structure, config: Config) -> Iterator[str]:
    found, text, values = structure.pathway[name], pathway_text(name, structure), config.to_dict()
    own = config.rule.get(found.rule)
    origin = own.source_text if own else structure.rule(name).source
    each = f"{found.in_degree} synapses onto each neuron, " if found.in_degree else ""
    yield f"  {found.source} → {found.target}, {found.sign}, {each}{found.n_synapses} in all"
    yield f"  rule {found.rule}" + (f" ({origin})" if origin else "")
    yield _block(f"{text.transmit}\n{text.on_pre}", "at a presynaptic spike")
    yield _block(text.on_post, "at a postsynaptic spike")
    for event, statements in text.on_events.values():
        yield _block(statements, _EVENT_TITLES.get(event, f"at {event}"))
    yield _values(values["pathway"][name])
    if own:
        yield _values(own.parameters, "parameters of the rule")
        yield _time_constants({**own.pre_traces, **own.post_traces})
    elif found.rule != "static":
        section = "istdp" if found.rule == "istdp" else "stdp"
        yield _values(values[section], section)


def _homeostasis(name: str, config: Config) -> Iterator[str]:
    text = config.homeostasis[name]
    if text.source_text:
        yield f"  {text.source_text}"
    yield f"  {text.when}, every {text.every:g} s"
    for what, acted_on in (
        ("on_weights", config.pathways_of(name)),
        ("on_neurons", config.populations_of(name)),
    ):
        yield _block(getattr(text, what), f"{what.replace('_', ' ')} of {', '.join(acted_on)}")
    yield _values(text.parameters, "parameters")
    yield _time_constants(text.traces)


def _controller(config: Config, structure: Structure) -> Iterator[str]:
    own = config.controller.get(config.sleep.trigger)
    if source := "Massey et al. 2026, section 2.2.4" if own is None else own.source_text:
        yield f"  {source}"
    yield _block(_sleep.controller(structure.watched, structure.own_controller), "equations")
    yield _block(_sleep.controller_step(structure.own_controller), "at the start of each step")
    yield _block(_rate_sensor.sensor_step(structure.sensed), f"every {1e3 * TOTALS_PERIOD:g} ms")
    if own is not None:
        yield _values(own.parameters, f"parameters of {config.sleep.trigger}")
        yield _values(own.state, "its state at the start")
    yield _values(config.to_dict()["sleep"])


def _title(pathway: str) -> str:
    return f"pathway {pathway}"


def _part(title: str, lines: Iterator[str] | list[str]) -> str:
    return f"{title}\n{'-' * len(title)}\n" + "\n".join(line for line in lines if line)


def _block(text: str, title: str) -> str:
    lines = textwrap.dedent(text).strip()
    return f"  {title}:\n{textwrap.indent(lines, '    ')}" if lines else ""


def _units(mechanism: Mechanism, structure: Structure) -> str:
    declared = {**mechanism.constants, **mechanism.parameters, **mechanism.of_neurons}
    of_pathways = tuple(f"{pathway}_" for pathway in structure.pathway)  # they stand with their pathway
    listed = ", ".join(
        f"{name} ({unit})" for name, unit in declared.items() if not name.startswith(of_pathways)
    )
    return textwrap.fill(listed, 118, initial_indent="  values of: ", subsequent_indent="    ")


def _time_constants(traces: Mapping[str, Trace]) -> str:
    return _values(
        {name: f"{1e3 * trace.tau:g} ms" for name, trace in traces.items()}, "time constants of traces"
    )


def _values(section: Mapping[str, object], title: str = "configuration") -> str:
    listed = ", ".join(
        f"{name} = {value}" for name, value in section.items() if not isinstance(value, (dict, tuple))
    )
    if not listed:
        return ""
    return textwrap.fill(listed, 118, initial_indent=f"  {title}: ", subsequent_indent="    ")

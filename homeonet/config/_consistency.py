"""What the parts of a configuration must agree in: names, ends of pathways, whole numbers of steps, mechanisms.

Every function raises ValueError with the parameter, its value and the remedy.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from homeonet.config._sections import OwnPopulation, PoissonPopulation, Population
from homeonet.config.rule_text import ASLEEP, BUILT_IN_RULES
from homeonet.config.statements import check_name
from homeonet.errors import one_line
from homeonet.machine.text import close_matches, shown

if TYPE_CHECKING:
    from homeonet.config._config import Config

__all__ = ["BUILT_IN_TRIGGERS", "check_consistency"]

#: Sleep controllers that are built in: by the clock, by W, or by both.
BUILT_IN_TRIGGERS = ("interval", "threshold", "either")
_KINDS_OF_NEURON = ("lif", "poisson", "current", "conductance", "images", "nothing", "input")
#: What Brian2 or the network calls something of its own.
_TAKEN = ("ahsar", "controller", "defaultclock", "input", "stimulus", "totals", "network")
_TAKEN_BEGINNINGS = (
    "initial_",
    "rule_",
    "samples",
    "spikes_",
    "sum_",
    "tau_",
    "total_",
    "totals_",
    "weight_",
)
_TAKEN_ENDS = (
    "_floor",
    "_gate",
    "_resetter",
    "_samples",
    "_stateupdater",
    "_step",
    "_thresholder",
    "_post",
    "_pre",
)
_STATE_OF_LIF = ("v", "g_e", "g_i", "theta")


def check_consistency(config: Config) -> None:
    """Raise ValueError for the first thing in which parts of a configuration do not agree."""
    _names_are_free(config)
    _neurons_are_there(config)
    _pathways_lead_somewhere(config)
    _times_are_steps(config)
    _rules_are_there(config)
    _third_factors_are_there(config)
    _homeostasis_acts_somewhere(config)
    _controller_is_there(config)
    _recordings_are_of_something(config)
    _thresholds_can_move(config)
    _tasks_are_there(config)


def _names_are_free(config: Config) -> None:
    for kind, names in (("population", config.population), ("pathway", config.pathway)):
        for name in names:
            check_name(name)
            clash = (
                name in _TAKEN
                or name in type(config).model_fields
                or (name in config.population and kind == "pathway")
            )
            if clash or name.startswith(_TAKEN_BEGINNINGS) or name.endswith(_TAKEN_ENDS):
                raise ValueError(f"{kind}.{name} has a name that the network needs; choose another")


def _neurons_are_there(config: Config) -> None:
    for name in config.neuron:
        check_name(name)
        if name in _KINDS_OF_NEURON:
            raise ValueError(f"neuron.{name} is built in; give yours another name")
    for name, population in config.population.items():
        if not isinstance(population, OwnPopulation):
            continue
        text = config.neuron.get(population.neuron)
        if text is None:
            known = ("lif", "poisson", *config.neuron)
            raise ValueError(
                f"{name}.neuron = {shown(population.neuron)} is not known; choose one of {', '.join(known)}, or write "
                f"it under [neuron.{one_line(population.neuron, 40)}]"
            )
        _known(
            f"{name}.parameters",
            population.parameters,
            text.parameters,
            f"parameter of neuron.{population.neuron}",
        )
        for pathway, found in config.pathway.items():
            receptor = "g_i" if found.sign == "inhibitory" else "g_e"
            if found.target == name and text.state.get(receptor) != "volt":
                raise ValueError(
                    f"neuron.{population.neuron} has no state {receptor} in volt, which the pathway {pathway} raises; "
                    f"write for example d{receptor}/dt = -{receptor}/(5*ms) : volt"
                )


def _pathways_lead_somewhere(config: Config) -> None:
    neurons = [name for name, found in config.population.items() if not isinstance(found, PoissonPopulation)]
    if not neurons:
        raise ValueError("population: none has neurons; add one, for example [population.exc] with n = 200")
    for name, pathway in config.pathway.items():
        for end, known in (("source", ["input", *config.population]), ("target", neurons)):
            given = getattr(pathway, end)
            if given not in known:
                close = close_matches(given, known)
                hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(known)}"
                raise ValueError(
                    f"{name}.{end} = {shown(given)} is no population that a pathway can have as {end}; {hint}"
                )
        back = config.back(name)
        if pathway.avoid_reciprocal and len(back) != 1:
            raise ValueError(
                f"{name}.avoid_reciprocal must be false: there is no pathway from {pathway.target} back to "
                f"{pathway.source} that could be avoided, or more than one"
            )
        sizes = {"input": config.input.side**2} | {n: config.size(n) for n in config.population}
        for end in ("source", "target"):
            index, size = getattr(pathway, f"{end}s"), sizes[getattr(pathway, end)]
            if index is not None and max(index) >= size:
                raise ValueError(
                    f"{name}.{end}s has the neuron {max(index)}, but {getattr(pathway, end)} has {size}, "
                    "counted from 0"
                )
    if config.sleep.ratio and not any(pathway.watched for pathway in config.pathway.values()):
        raise ValueError(
            "no pathway is watched: the controller has no W; set watched = true for one at least"
        )


def _times_are_steps(config: Config) -> None:
    for name, seconds in (
        ("input.presentation", config.input.presentation),
        ("evaluation.presentation", config.evaluation.presentation),
        ("sleep.interval", config.sleep.interval),
        ("sleep.every", config.sleep.every),
        ("ahsar.window", config.ahsar.window),
        *(
            (f"{name}.refractory", found.refractory)
            for name, found in config.population.items()
            if isinstance(found, Population)
        ),
        *((f"neuron.{name}.refractory", text.refractory) for name, text in config.neuron.items()),
        *((f"homeostasis.{name}.every", text.every) for name, text in config.homeostasis.items()),
        *((f"rule.{name}.every", text.every) for name, text in config.rule.items() if text.every is not None),
        *(
            (f"record.{name}.every", text.every)
            for name, text in config.record.items()
            if text.every is not None
        ),
    ):
        steps = seconds / config.simulation.dt
        too_short = round(steps) < 1 and not name.endswith("refractory")
        if abs(steps - round(steps)) > 1e-6 or too_short:
            raise ValueError(
                f"{name} = {seconds:g} s is not a whole number of time steps of "
                f"{config.simulation.dt * 1e3:g} ms; change it or simulation.dt"
            )
    per_second = 1 / config.simulation.dt
    if abs(per_second - round(per_second)) > 1e-6 or round(per_second) % 10:
        raise ValueError(
            f"simulation.dt = {config.simulation.dt * 1e3:g} ms must divide 100 ms, for example 0.5 ms"
        )


def _rules_are_there(config: Config) -> None:
    for name in config.rule:
        if name in BUILT_IN_RULES:
            raise ValueError(f"rule.{name} is built in; give yours another name")
        check_name(name)
    for pathway, found in config.pathway.items():
        wanted = found.rule
        if wanted not in (*BUILT_IN_RULES, *config.rule):
            own = f", or write it under [rule.{one_line(wanted, 40)}]"
            raise ValueError(
                f"{pathway}.rule = {shown(wanted)} is not known; choose one of "
                f"{', '.join((*BUILT_IN_RULES, *config.rule))}{own}"
            )
        if wanted == "stdp_elapsed" and config.stdp.pairing != "nearest":
            raise ValueError(
                f"{pathway}.rule = 'stdp_elapsed' knows the last spikes alone; set stdp.pairing = 'nearest' "
                f"(it is {config.stdp.pairing!r}), or take another rule"
            )


def _third_factors_are_there(config: Config) -> None:
    for name in config.signal:
        check_name(name)
    for name, rule in config.rule.items():
        _known(f"rule.{name}.third_factors", rule.third_factors, (ASLEEP, *config.signal), "[signal.NAME]")


def _homeostasis_acts_somewhere(config: Config) -> None:
    neurons = {
        name: found for name, found in config.population.items() if not isinstance(found, PoissonPopulation)
    }
    for name, text in config.homeostasis.items():
        check_name(name)
        _known(f"homeostasis.{name}.pathways", text.pathways or (), config.pathway, "pathway")
        _known(f"homeostasis.{name}.populations", text.populations or (), neurons, "population of neurons")
        for population in config.populations_of(name):
            found = neurons[population]
            state = (
                config.neuron[found.neuron].state if isinstance(found, OwnPopulation) else {"theta": "volt"}
            )
            text.check_neurons(f"homeostasis.{name}", set(state))


def _controller_is_there(config: Config) -> None:
    neurons = [k for k, found in config.population.items() if not isinstance(found, PoissonPopulation)]
    for name, text in config.controller.items():
        check_name(name)
        _known(f"controller.{name} reads rate_NAME", text.rates, neurons, "population of neurons")
        _known(f"controller.{name} reads W_NAME", text.pathways, config.pathway, "pathway")
        if name in BUILT_IN_TRIGGERS:
            raise ValueError(f"controller.{name} is built in; give yours another name")
    known = (*BUILT_IN_TRIGGERS, *config.controller)
    if config.sleep.trigger not in known:
        raise ValueError(
            f"sleep.trigger = {shown(config.sleep.trigger)} is not known; choose one of {', '.join(known)}, or write "
            f"it under [controller.{one_line(config.sleep.trigger, 40)}]"
        )


def _recordings_are_of_something(config: Config) -> None:
    for name, record in config.record.items():
        where = f"record.{name}"
        check_name(name)
        if record.pathway is not None:
            _known(f"{where}.pathway", [record.pathway], config.pathway, "pathway")
            continue
        neurons = [k for k, found in config.population.items() if not isinstance(found, PoissonPopulation)]
        population = str(record.population)
        _known(f"{where}.population", [population], neurons, "population of neurons")
        found = config.population[population]
        state = config.neuron[found.neuron].state if isinstance(found, OwnPopulation) else _STATE_OF_LIF
        _known(f"{where}.variables", set(record.variables) - {"spikes"}, state, f"state of {population}")
        most = config.size(population)
        if any(index >= most for index in record.indices(most)):
            raise ValueError(
                f"{where}.neurons has the neuron {max(record.indices(most))}, but {population} has {most}, counted "
                "from 0"
            )


def _known(where: str, given: Collection[str], known: Collection[str], what: str) -> None:
    for name in given:
        if name not in known:
            close = close_matches(name, known)
            hint = (
                f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(known) or 'none'}"
            )
            raise ValueError(f"{where}: {one_line(name, 60)} is no {what}; {hint}")


def _thresholds_can_move(config: Config) -> None:
    for name, population in config.population.items() if config.ahsar.enabled else ():
        if isinstance(population, OwnPopulation):
            raise ValueError(
                f"ahsar.enabled = true moves thresholds of lif neurons, and that of {name} is text of "
                f"neuron.{population.neuron}; set ahsar.enabled = false, and write a [homeostasis.NAME] with on_neurons"
            )
        if not isinstance(population, Population):
            continue
        span = config.ahsar.span
        reach = population.v_threshold - population.e_leak
        if reach <= 0:
            raise ValueError(
                f"ahsar.enabled = true needs {name}.v_threshold ({population.v_threshold * 1e3:g} mV) above "
                f"{name}.e_leak ({population.e_leak * 1e3:g} mV)"
            )
        lowest = population.e_leak + (1 - span) * reach
        if lowest <= population.v_reset:
            raise ValueError(
                f"ahsar.span = {span:g} lets the threshold of {name} fall to {lowest * 1e3:g} mV, which must stay "
                f"above {name}.v_reset ({population.v_reset * 1e3:g} mV); lower one of them"
            )


def _tasks_are_there(config: Config) -> None:
    if config.input.tasks and not config.input.classes_at_a_time:
        raise ValueError(
            f"input.tasks = {config.input.tasks} needs input.classes_at_a_time: the classes of each task, for example 2"
        )

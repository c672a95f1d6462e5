"""What users add to a model as text beside learning rules: neurons, homeostasis, sleep controllers, signals.

Each is a table of TOML, or a dict of the same fields; checked before anything is compiled.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from homeonet.config._units import Milliseconds, OwnValue
from homeonet.config.parameters import ReadOnly, Table
from homeonet.config.rule_text import ASLEEP, Trace
from homeonet.config.statements import (
    LONGEST,
    RESERVED,
    UNITS,
    check_expression,
    check_name,
    check_statements,
    names_in,
)
from homeonet.errors import one_line

__all__ = ["ControllerText", "HomeostasisText", "NeuronText", "SignalText"]

_OF_WEIGHTS = ("w", "w_min", "w_max", "w_target", "eta", "total", "total_start")
_READ_BY_CONTROLLER = frozenset({"W", "W_start", "awake_for", "asleep_for", "asleep", "step"})
#: The mean rate of a population, as a controller's text reads it.
_RATE = re.compile(r"\brate_[a-z]\w*")
#: The total weight of a pathway, now or at the start, as a controller's text reads it.
_WEIGHT = re.compile(r"\bW_(?:start_)?([a-z]\w*)")
_OF_CONTROLLER = _READ_BY_CONTROLLER | {
    "wake_step",
    "steps_asleep",
    "steps_awake",
    "may_sleep",
    "last_wake_step",
}


class _Text(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    source_text: str = Field("", max_length=LONGEST)


_LINE = re.compile(
    r"(?:d(?P<changing>\w+)/dt\s*=\s*(?P<rate>[^:]+)|(?P<given>\w+)\s*=\s*(?P<value>[^:]+)|(?P<held>\w+)\s*)"
    r":\s*(?P<unit>[\w*/ .()-]+)"
)
_NEURON_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")
#: What the text of a neuron may read beside what it defines.
_OF_NEURON = frozenset({"noise", "ready", "asleep", "learning"})
_TAKEN = RESERVED | _OF_NEURON | {"w", "hold", "hold_steps", "plasticity", "n_spikes", "wake_step"}
_TAKEN_BEGINNINGS = (
    "sum_",
    "initial_",
    "rule_",
    "homeostasis_",
    "signal",
    "tally_",
    "x_",
    "tau_x_",
    "noise_",
)


class NeuronText(_Text):
    """A neuron: Brian2's `equations`, a line for each with its unit, `threshold`, `reset` and `parameters`.

    Excitatory pathways raise `g_e`, in volt, and inhibitory ones `g_i`: equations say how these decay and what they do.
    They may read `noise` (volt/second, of [noise]), `ready` (1, and 0 while refractory), `asleep` (1 or 0) and
    `learning` (1, and 0 where features are read out). State variables begin at `initial`, else at 0; those that are
    `kept` begin as training left them where features are read out.
    """

    equations: str = Field(max_length=LONGEST)
    threshold: str = Field(max_length=LONGEST)
    reset: str = Field("", max_length=LONGEST)
    refractory: Milliseconds = Field(0.0, ge=0)
    parameters: Table[OwnValue] = Field(default_factory=ReadOnly)
    initial: Table[OwnValue] = Field(default_factory=ReadOnly)
    kept: tuple[str, ...] = ()
    method: Literal["euler", "exponential_euler", "rk2", "rk4", "exact"] = "euler"

    @cached_property
    def lines(self) -> list[re.Match[str]]:
        """The equations, one match each."""
        joined: list[str] = []
        for line in self.equations.splitlines():
            text = line.partition("#")[0].strip()
            if text and joined and ":" not in joined[-1]:
                joined[-1] += f" {text}"
            elif text:
                joined.append(text)
        found = [_LINE.fullmatch(line) for line in joined]
        for line, match in zip(joined, found, strict=True):
            if match is None:
                raise ValueError(
                    f"equations: {one_line(repr(line), 120)} is not an equation with a unit; write for example "
                    "dv/dt = (E_L - v + g_e - g_i)/tau_m : volt"
                )
        return [match for match in found if match is not None]

    @cached_property
    def state(self) -> dict[str, str]:
        """State variables and their units."""
        return {
            m["changing"] or m["held"]: m["unit"].strip() for m in self.lines if m["changing"] or m["held"]
        }

    @model_validator(mode="after")
    def _defined(self) -> Self:
        given = [m["given"] for m in self.lines if m["given"]]
        names = [*self.state, *given, *self.parameters]
        for name in names:
            if name in _TAKEN or name.startswith(_TAKEN_BEGINNINGS) or len(name) > 40:
                raise ValueError(f"{one_line(name, 60)} is a reserved name; choose another")
            if not _NEURON_NAME.fullmatch(name) or name.endswith(("_pre", "_post")):
                raise ValueError(
                    f"{one_line(name, 60)} is no name; use letters, digits and single underscores"
                )
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice or len(self.lines) != len(self.state) + len(set(given)):
            raise ValueError(f"{(twice or ['a variable'])[0]} is defined twice; give each a name of its own")
        if not self.state:
            raise ValueError("equations have no state; write for example dv/dt = -v/(10*ms) : volt")
        known = {*names, *_OF_NEURON, *UNITS}
        for m in self.lines:
            check_expression(f"equations, unit of {m[1] or m[3] or m[5]}", m["unit"], UNITS)
            if text := m["rate"] or m["value"]:
                check_expression(f"equations, {m['changing'] or m['given']}", text.strip(), known)
        check_expression("threshold", self.threshold, known)
        check_statements("reset", self.reset, known, self.state)
        for where in ("initial", "kept"):
            strange = sorted(set(getattr(self, where)) - set(self.state))
            if strange:
                raise ValueError(
                    f"{where}: {one_line(strange[0], 60)} is no state; there are {', '.join(self.state)}"
                )
        return self

    @property
    def reads_noise(self) -> bool:
        """Whether the equations have noise."""
        return any("noise" in names_in(text.strip()) for m in self.lines if (text := m["rate"] or m["value"]))


class HomeostasisText(_Text):
    """Homeostasis: statements each `every`, asleep, awake or always, on weights and on neurons.

    `on_weights` changes `w` of the synapses of `pathways`, by default of all that learn and are renormalised. It sees
    `w_min`, `w_max`, `w_target` and `eta` of the pathway, `total`, the sum of the neuron's weights by that pathway,
    and `total_start`, the mean such sum at the start, `parameters` and `traces` of the neuron's spikes. `on_neurons`
    changes state of the neurons of `populations`, by default of all onto which a pathway leads: `theta` in volt, the
    rise of the threshold, or what a neuron of one's own defines; it sees parameters, traces and units.
    """

    enabled: bool = True
    when: Literal["asleep", "awake", "always"] = "asleep"
    every: Milliseconds = Field(gt=0)
    pathways: tuple[str, ...] | None = None
    populations: tuple[str, ...] | None = None
    traces: Table[Trace] = Field(default_factory=ReadOnly)
    parameters: Table[float] = Field(default_factory=ReadOnly)
    on_weights: str = Field("", max_length=LONGEST)
    on_neurons: str = Field("", max_length=LONGEST)

    @field_validator("traces", "parameters")
    @classmethod
    def _named(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            check_name(name, RESERVED | {*_OF_WEIGHTS, "theta", ASLEEP})
        return value

    @model_validator(mode="after")
    def _statements(self) -> Self:
        names = [*self.traces, *self.parameters]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"{twice[0]} is defined twice, as a trace and a parameter; give each a name of its own"
            )
        for name, trace in self.traces.items():
            check_expression(f"traces.{name}.rise", trace.rise, set(names))
        if not (self.on_weights.strip() or self.on_neurons.strip()):
            raise ValueError(
                'it does nothing; give on_weights or on_neurons, for example on_weights = "w *= 0.999"'
            )
        check_statements("on_weights", self.on_weights, {*names, *_OF_WEIGHTS})
        return self

    def check_neurons(self, where: str, state: set[str]) -> None:
        """Raise ValueError if `on_neurons` does not fit a population with these state variables."""
        names = {*self.traces, *self.parameters}
        check_statements(f"{where}.on_neurons", self.on_neurons, {*names, *state, *UNITS}, state)

    @property
    def reads_totals(self) -> bool:
        """Whether sums of weights are read."""
        return bool({"total", "total_start"} & names_in(self.on_weights))


class ControllerText(_Text):
    """A sleep controller: when the network `falls` asleep and when it `wakes`, as conditions looked at in each step.

    They see `W`, the total weight of the watched pathways, and `W_start`, its value at the start; `W_NAME` and
    `W_start_NAME`, those of the pathway NAME, watched or not; `rate_NAME`, the mean rate of the neurons of population
    NAME in the last 100 ms, in Hz; `awake_for` and `asleep_for`, in seconds; `asleep`, 1 or 0; `step`, the time step in
    seconds; `parameters`, and `state`, which begins with the values given and which the statements `each_step` change.
    """

    parameters: Table[float] = Field(default_factory=ReadOnly)
    state: Table[float] = Field(default_factory=ReadOnly)
    each_step: str = Field("", max_length=LONGEST)
    falls: str = Field(max_length=LONGEST)
    wakes: str = Field(max_length=LONGEST)

    @field_validator("parameters", "state")
    @classmethod
    def _named(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            check_name(name, RESERVED | _OF_CONTROLLER)
        return value

    @cached_property
    def rates(self) -> list[str]:
        """Populations whose rates are read."""
        return sorted(name.removeprefix("rate_") for name in self._read(_RATE))

    @cached_property
    def pathways(self) -> list[str]:
        """Pathways whose total weights are read."""
        return sorted({_WEIGHT.sub(r"\1", name) for name in self._read(_WEIGHT) - _READ_BY_CONTROLLER})

    def _read(self, pattern: re.Pattern[str]) -> set[str]:
        """Names of this form in all texts, without the controller's own."""
        texts = (self.each_step, self.falls, self.wakes)
        found = {match[0] for text in texts for match in pattern.finditer(text)}
        return found - {*self.parameters, *self.state}

    @model_validator(mode="after")
    def _statements(self) -> Self:
        names = {
            *self.parameters,
            *self.state,
            *_READ_BY_CONTROLLER,
            *self._read(_RATE),
            *self._read(_WEIGHT),
        }
        if twice := sorted(set(self.parameters) & set(self.state)):
            raise ValueError(
                f"{twice[0]} is defined twice, as a parameter and a state; give each a name of its own"
            )
        check_statements("each_step", self.each_step, names, self.state)
        for where in ("falls", "wakes"):
            if not getattr(self, where).strip():
                raise ValueError(
                    f'{where} is empty; give a condition, for example {where} = "awake_for > 35"'
                )
            check_expression(where, getattr(self, where), names)
        return self


class SignalText(_Text):
    """A number for each image, in the order in which they are shown, that rules read as a third factor."""

    values: tuple[float, ...] = Field(min_length=1, max_length=10_000_000)

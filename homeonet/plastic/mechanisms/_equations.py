"""How mechanisms are written down and put together: text with units, parameters, and the values they take.

A mechanism is equation text, the names of what is in it and the function that gives their values. Values are data,
never text, so changing one recompiles nothing. Constants have one value for all replicas; parameters may differ
between replicas: with one replica they are shared as well, with several each neuron carries its replica's. What
enters a differential equation is a constant, so that one replica and many run the same arithmetic, bit for bit. What
a user's statements read is one value per neuron: Brian2 moves what is shared out of loops, and groups products anew
as it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from homeonet.plastic.mechanisms._random import stream_id

if TYPE_CHECKING:
    from homeonet.config import Config

__all__ = ["Action", "Mechanism", "Place", "combine", "declare_values", "values_of"]

Values = Mapping[str, "float | np.ndarray"]


class Sizes(Protocol):
    """What a mechanism may know of the structure of its network."""

    @property
    def replicas(self) -> int:
        """Independent copies in one network."""
        ...

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the signals that change with the image."""
        ...

    def size(self, population: str) -> int:
        """Neurons or inputs of a population in one replica."""
        ...

    def integrator(self, population: str) -> str:
        """How the state of a population is integrated."""
        ...


@dataclass(frozen=True)
class Place:
    """Where a mechanism acts: a population of a replica, whose values it is asked for.

    Attributes
    ----------
    config : Config
        The replica's configuration.
    structure : Sizes
    population : str
    weights : dict of str to ndarray
        Initial weights of the replica's pathways.
    evaluation : bool
        Whether features are read out, without sleep, instead of training.
    replica : int
        Number of the replica.
    """

    config: Config
    structure: Sizes
    population: str
    weights: Mapping[str, np.ndarray]
    evaluation: bool = False
    replica: int = 0

    @property
    def section(self) -> Any:
        """The population's part of the configuration."""
        return self.config.input if self.population == "input" else self.config.population[self.population]

    @property
    def dt(self) -> float:
        """The time step in seconds."""
        return self.config.simulation.dt

    def stream(self, purpose: str) -> int:
        """The stream of random numbers of a purpose; evaluation has streams of its own."""
        return stream_id(self.config.seed, f"{'test' if self.evaluation else 'train'}/{purpose}")


def _no_values(place: Place) -> Values:
    return {}


class Action(NamedTuple):
    """Statements that neurons run at an event, or in each step where `event` is "", in one of Brian2's slots."""

    event: str
    statements: str
    slot: str


@dataclass(frozen=True)
class Mechanism:
    """One mechanism of a population.

    Parameters
    ----------
    equations : str
        Brian2 equations, a unit on every line.
    constants, parameters, of_neurons : dict of str to str
        Names and units; constants are the same in all replicas, `of_neurons` are one value per neuron in any case.
    threshold : str
        A condition that must hold for a spike, or "".
    reset : str
        Statements executed at a spike.
    linked : tuple of str
        Variables of the replica's controller that are read.
    events : dict of str to str
        Custom events and their conditions.
    actions : tuple of Action
        Statements at events, or in each step.
    state : dict of str to float
        State variables of the equations, and their values before the first step.
    values : callable
        Given a `Place`, returns the values there of constants, parameters and `of_neurons`, and of state that does not
        begin as `state` says: numbers, or arrays with one value per neuron.
    """

    equations: str = ""
    constants: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    of_neurons: dict[str, str] = field(default_factory=dict)
    threshold: str = ""
    reset: str = ""
    linked: tuple[str, ...] = ()
    events: Mapping[str, str] = field(default_factory=dict)
    actions: tuple[Action, ...] = ()
    state: Mapping[str, float] = field(default_factory=dict)
    values: Callable[[Place], Values] = _no_values


def combine(mechanisms: list[Mechanism]) -> Mechanism:
    """Put mechanisms of one population together; conditions are joined by "and"."""
    return Mechanism(
        equations="\n".join(m.equations.strip() for m in mechanisms if m.equations),
        constants={name: unit for m in mechanisms for name, unit in m.constants.items()},
        parameters={name: unit for m in mechanisms for name, unit in m.parameters.items()},
        of_neurons={name: unit for m in mechanisms for name, unit in m.of_neurons.items()},
        threshold=" and ".join(m.threshold for m in mechanisms if m.threshold),
        reset="\n".join(m.reset.strip() for m in mechanisms if m.reset),
        linked=tuple(dict.fromkeys(name for m in mechanisms for name in m.linked)),
        events={name: condition for m in mechanisms for name, condition in m.events.items()},
        actions=tuple(dict.fromkeys(action for m in mechanisms for action in m.actions)),
        state={name: value for m in mechanisms for name, value in m.state.items()},
        values=lambda place: {name: value for m in mechanisms for name, value in m.values(place).items()},
    )


def values_of(mechanism: Mechanism, place: Place) -> dict[str, np.ndarray]:
    """Everything a mechanism declares, with the length it has in a network of as many replicas as the structure has.

    Raises
    ------
    KeyError
        If the mechanism does not say the value of something that it declares.
    """
    given = {**mechanism.state, **mechanism.values(place)}
    n, shared = place.structure.size(place.population), place.structure.replicas == 1
    lengths = dict.fromkeys(mechanism.constants, 1) | dict.fromkeys(mechanism.parameters, 1 if shared else n)
    lengths |= dict.fromkeys([*mechanism.of_neurons, *mechanism.state], n)

    def sized(value: float | np.ndarray, length: int) -> np.ndarray:
        return value if isinstance(value, np.ndarray) else np.full(length, value, dtype=float)

    return {name: sized(given[name], length) for name, length in lengths.items()}


def declare_values(mechanism: Mechanism, replicas: int) -> str:
    """Equation lines that declare constants, parameters and what is linked."""
    own = "shared, constant" if replicas == 1 else "constant"
    lines = [f"{name} : {unit} (shared, constant)" for name, unit in mechanism.constants.items()]
    lines += [f"{name} : {unit} ({own})" for name, unit in mechanism.parameters.items()]
    lines += [f"{name} : 1 (linked)" for name in mechanism.linked]
    return "\n".join(lines + [f"{name} : {unit} (constant)" for name, unit in mechanism.of_neurons.items()])

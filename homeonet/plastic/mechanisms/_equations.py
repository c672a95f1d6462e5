"""How mechanisms are written down and put together: text with units, parameters, and the values they take.

A mechanism is equation text plus the names of what is in it. Values are data, never text, so changing one
recompiles nothing. Constants have one value for all replicas; parameters may differ between replicas: with one
replica they are shared as well, with several each neuron carries its replica's. What enters a differential
equation is a constant, so that one replica and many run the same arithmetic, bit for bit. What a user's statements read
is one value per neuron: Brian2 moves what is shared out of loops, and groups products anew as it does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Mechanism", "combine", "declare_values"]


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
    """

    equations: str = ""
    constants: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    of_neurons: dict[str, str] = field(default_factory=dict)
    threshold: str = ""
    reset: str = ""


def combine(mechanisms: list[Mechanism]) -> Mechanism:
    """Put mechanisms of one population together; conditions are joined by "and"."""
    return Mechanism(
        equations="\n".join(m.equations.strip() for m in mechanisms if m.equations),
        constants={name: unit for m in mechanisms for name, unit in m.constants.items()},
        parameters={name: unit for m in mechanisms for name, unit in m.parameters.items()},
        of_neurons={name: unit for m in mechanisms for name, unit in m.of_neurons.items()},
        threshold=" and ".join(m.threshold for m in mechanisms if m.threshold),
        reset="\n".join(m.reset.strip() for m in mechanisms if m.reset),
    )


def declare_values(mechanism: Mechanism, replicas: int) -> str:
    """Equation lines that declare constants and parameters."""
    own = "shared, constant" if replicas == 1 else "constant"
    lines = [f"{name} : {unit} (shared, constant)" for name, unit in mechanism.constants.items()]
    lines += [f"{name} : {unit} ({own})" for name, unit in mechanism.parameters.items()]
    return "\n".join(lines + [f"{name} : {unit} (constant)" for name, unit in mechanism.of_neurons.items()])

"""How mechanisms are written down and put together: text with units, parameters, and the values they take.

A mechanism is equation text plus the names of its parameters. Parameters are data, never text: with one
replica they are shared constants, with several each neuron carries its replica's value, so changing one
recompiles nothing. Only this module knows the difference.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Mechanism", "combine", "declare_parameters"]


@dataclass(frozen=True)
class Mechanism:
    """One mechanism of a population.

    Parameters
    ----------
    equations : str
        Brian2 equations, a unit on every line.
    parameters : dict of str to str
        Parameter names and their units.
    threshold : str
        A condition that must hold for a spike, or "".
    reset : str
        Statements executed at a spike.
    """

    equations: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    threshold: str = ""
    reset: str = ""


def combine(mechanisms: list[Mechanism]) -> Mechanism:
    """Put mechanisms of one population together; conditions are joined by "and"."""
    return Mechanism(
        equations="\n".join(m.equations.strip() for m in mechanisms if m.equations),
        parameters={name: unit for m in mechanisms for name, unit in m.parameters.items()},
        threshold=" and ".join(m.threshold for m in mechanisms if m.threshold),
        reset="\n".join(m.reset.strip() for m in mechanisms if m.reset),
    )


def declare_parameters(parameters: dict[str, str], replicas: int) -> str:
    """Equation lines that declare parameters: shared for one replica, per neuron for several."""
    flags = "(shared, constant)" if replicas == 1 else "(constant)"
    return "\n".join(f"{name} : {unit} {flags}" for name, unit in parameters.items())

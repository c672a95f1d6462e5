"""A GPU's program in single precision: state, weights and their arithmetic as float, the rest as it was.

Brian2's C++ keeps every array and number in the one type of its preferences, but not all may be short: the keys of
random numbers have 52 bits, steps and spikes are counted beyond 2**24, and a threshold that decays over a day loses
less in a step than a float can hold. So the code that Brian2 wrote is taken line by line: what belongs to populations
and pathways becomes float, but for those; inputs, controller, sums over replicas and all that the host sees stay
double.
"""

from __future__ import annotations

import re

from brian2.core.variables import ArrayVariable

from homeonet.plastic.network._structure import Structure

__all__ = ["in_single_precision", "is_single"]

#: Of populations, and yet double; and what is made from them before the loop over neurons.
_DOUBLE = re.compile(r"_?(theta|tau_theta|n_spikes|n_fired|\w+_stream)")
_FROM_DOUBLE = re.compile(r"\b(tau_theta|\w+_stream|draw_key)\b")
_POINTER = re.compile(r"\bdouble(\* *(?:__restrict|const)? +\w+ = (\w+))")
_DECLARATION = re.compile(r"^\s*(?:const )?double (\w+)(?: = (.*))?;$")
_DRAW = re.compile(r"\bnormal_draw\(")
_LITERAL = re.compile(r"(?<![\w.])(\d+\.\d*(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)(?![\w.])")


def is_single(variable: ArrayVariable, structure: Structure) -> bool:
    """Whether an array of doubles is one of floats on the device."""
    owner = variable.owner.name
    if owner in structure.inputs:
        return variable.name.startswith("x_")
    return owner in (*structure.neurons, *structure.pathway) and not _DOUBLE.fullmatch(variable.name)


def in_single_precision(code: str, phase: str, arrays: set[str], structure: Structure) -> str:
    """The code of a phase with pointers to the `arrays` that are float; that of a population or pathway computes in it.

    Parameters
    ----------
    code
        The file that Brian2 wrote for the phase.
    phase
        Its name, which begins with that of its group.
    arrays
        Names of the arrays that are float on the device.
    structure
        The network's structure.
    """

    def pointer(found: re.Match[str]) -> str:
        return ("float" if found[2] in arrays else "double") + found[1]

    code = _POINTER.sub(pointer, code)
    named = [name for name in (*structure.population, *structure.pathway) if phase.startswith(f"{name}_")]
    if not named or max(named, key=len) in structure.inputs:
        return code
    # limits of a clip are doubles: its comparisons would be in double precision
    code = re.sub(r"const double (a_min|a_max)", r"const float \1", code)
    head, body = re.split(r"(?=^HOMEONET_PHASE)", code, maxsplit=1, flags=re.MULTILINE)
    return head + "\n".join(_single(line) for line in body.split("\n"))


def _single(line: str) -> str:
    short = _DRAW.sub("(float)normal_draw(", _LITERAL.sub(r"\1f", line))
    found = _DECLARATION.match(line)
    if found is None:
        return short
    name, value = found.groups()
    made_before = name.startswith("_lio_") and _FROM_DOUBLE.search(value or "")
    if name == "_time" or _DOUBLE.fullmatch(name) or made_before:
        return line
    return short.replace("double", "float", 1)

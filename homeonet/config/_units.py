"""Quantities with units at the boundary: text such as ``"3 mV"`` in, SI floats inside, text out.

Text is read by a grammar, a plain number and a unit, and never evaluated. Never used inside a simulation: there
Brian2 checks the units of every equation.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from homeonet.machine.text import NUMBER, shown

__all__ = [
    "Hertz",
    "Milliseconds",
    "Millivolts",
    "OwnValue",
    "Seconds",
    "format_quantity",
    "parse_quantity",
    "unit_and_factor",
]

# unit: (dimension, factor to SI, an example value for messages)
_UNITS = {
    "mV": ("voltage", 1e-3, 3),
    "ms": ("time", 1e-3, 20),
    "s": ("time", 1.0, 1),
    "Hz": ("frequency", 1.0, 10),
}
_BASES = {
    "voltage": ("V", "volt", "volts"),
    "time": ("s", "sec", "second", "seconds"),
    "frequency": ("Hz", "hertz"),
}
_PREFIXES = {
    1e-12: ("p", "pico"),
    1e-9: ("n", "nano"),
    1e-6: ("u", "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}", "micro"),
    1e-3: ("m", "milli"),
    1e-2: ("c", "centi"),
    1e-1: ("d", "deci"),
    1.0: ("", ""),
    1e3: ("k", "kilo"),
    1e6: ("M", "mega"),
    1e9: ("G", "giga"),
}
#: Every unit that is read, to its dimension and its factor to SI: symbols with prefixes' symbols, names with names.
_KNOWN = {
    prefix + base: (dimension, factor)
    for dimension, (symbol, *names) in _BASES.items()
    for factor, (*short, long) in _PREFIXES.items()
    for prefixes, bases in ((short, [symbol]), ([long], names))
    for prefix in prefixes
    for base in bases
} | {
    name: ("time", factor)
    for names, factor in ((("min", "minute", "minutes"), 60.0), (("h", "hour", "hours"), 3600.0))
    for name in names
}
_QUANTITY = re.compile(rf"\s*(?P<number>{NUMBER})(?:\s*\*\s*|\s*)(?P<unit>[^\W\d_]*)\s*")
_LONGEST = 64


#: Units of a mechanism's own parameters: symbol to the name that Brian2 has for it.
_BRIAN2 = {"V": "volt", "A": "amp", "S": "siemens", "s": "second", "Hz": "hertz", "ohm": "ohm", "F": "farad"}
_FREE = {
    prefix + symbol: (name, factor)
    for symbol, name in _BRIAN2.items()
    for factor, (*short, _) in _PREFIXES.items()
    for prefix in short
    if factor not in (1e-2, 1e-1)
} | {name: (name, 1.0) for name in _BRIAN2.values()}
_FACTOR = re.compile(r"\s*([*/]?)\s*([^\W\d_]+)(?:\s*\*\*\s*([+-]?\d))?\s*")


class SIFloat(float):
    """A float known to be in SI units; lets an already validated model be validated again."""


def parse_quantity(value: Any, unit: str) -> SIFloat:
    """Turn ``"3 mV"`` into a float in SI units.

    Parameters
    ----------
    value : str
        A plain number and a unit. (A result of this function is returned as it is.)
    unit : {"mV", "ms", "s", "Hz"}
        The unit the parameter is usually given in; any other of its dimension is converted.

    Returns
    -------
    float
        The value in volt, second or hertz.

    Raises
    ------
    ValueError
        If the text is not a quantity, has no unit or has another dimension.

    Examples
    --------
    >>> parse_quantity("3000 uV", "mV")
    0.003
    """
    if isinstance(value, SIFloat):
        return value
    dimension, _, example = _UNITS[unit]
    remedy = f'write for example "{example} {unit}"'
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} has no unit; {remedy}")
    found = _QUANTITY.fullmatch(value) if len(value) <= _LONGEST else None
    if found is None:
        raise ValueError(f"{shown(value)} is not a number and a unit; {remedy}")
    if not found["unit"]:
        raise ValueError(f"{shown(value)} has no unit; {remedy}")
    if found["unit"] not in _KNOWN:
        raise ValueError(
            f"{shown(value)} is not a number and a unit: {shown(found['unit'])} is not known; {remedy}"
        )
    given, factor = _KNOWN[found["unit"]]
    if given != dimension:
        raise ValueError(
            f"{shown(value)} has the wrong dimension; it must be convertible to {unit}: {remedy}"
        )
    # 15 digits: removes the last-bit noise of the conversion, so that "3 mV" is exactly 0.003
    si = float(f"{float(found['number']) * factor:.15g}")
    if not math.isfinite(si):
        raise ValueError(f"{shown(value)} is too large to be a number; {remedy}")
    return SIFloat(si)


def unit_and_factor(value: Any) -> tuple[float, str]:
    """A plain number, or a number with any unit, as a value in SI units and the unit as Brian2 writes it.

    Raises
    ------
    ValueError
        If it is neither, or too large.

    Examples
    --------
    >>> unit_and_factor("4 nS"), unit_and_factor("0.02 ms**-1"), unit_and_factor(3)
    ((4e-09, 'siemens'), (20.0, 'second**-1'), (3.0, '1'))
    """
    remedy = 'write a number, or for example "4 nS" or "0.02 ms**-1"'
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value), "1"
    found = (
        re.match(rf"\s*({NUMBER})(.*)", value, re.DOTALL)
        if isinstance(value, str) and len(value) <= _LONGEST
        else None
    )
    if found is None:
        raise ValueError(f"{shown(value)} is not a number with a unit; {remedy}")
    factors, rest = [], found[2]
    while rest.strip():
        part = _FACTOR.match(rest)
        if part is None or part[2] not in _FREE:
            raise ValueError(
                f"{shown(value)} is not a number with a unit: {shown(rest.strip())} is not known; {remedy}"
            )
        name, factor = _FREE[part[2]]
        power = int(part[3] or 1) * (-1 if part[1] == "/" else 1)
        factors.append((name, factor, power))
        rest = rest[part.end() :]
    si = float(f"{float(found[1]) * math.prod(factor**power for _, factor, power in factors):.15g}")
    if not math.isfinite(si):
        raise ValueError(f"{shown(value)} is too large to be a number; {remedy}")
    return si, "*".join(name if power == 1 else f"{name}**{power}" for name, _, power in factors) or "1"


def format_quantity(value: float, unit: str) -> str:
    """Write an SI value in ``unit``, as the shortest text that reads back to the same number."""
    scaled = float(f"{value / _UNITS[unit][1]:.15g}")
    return f"{scaled:g} {unit}" if float(f"{scaled:g}") == scaled else f"{scaled!r} {unit}"


@dataclass(frozen=True)
class _In:
    """Makes a pydantic field one of a quantity of the dimension of `unit`, in which it prints itself."""

    unit: str

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda value: parse_quantity(value, self.unit),
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: format_quantity(value, self.unit)
            ),
        )


#: Fields of a configuration, SI units within: read from text with any unit of the dimension, written in this one.
Millivolts = Annotated[float, _In("mV")]
Milliseconds = Annotated[float, _In("ms")]
Seconds = Annotated[float, _In("s")]
Hertz = Annotated[float, _In("Hz")]


def _checked_value(value: Any) -> Any:
    unit_and_factor(value)
    return value


#: A plain number, or text of a number with a unit such as "4 nS" or "0.02 ms**-1"; kept as it was written.
OwnValue = Annotated[float | str, BeforeValidator(_checked_value)]

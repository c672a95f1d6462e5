"""Quantities with units at the boundary: text such as ``"3 mV"`` in, SI floats inside, text out.

Never used inside a simulation: there Brian2 checks the units of every equation.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer

__all__ = ["format_quantity", "parse_quantity", "quantity"]

# unit: (SI base unit for pint, factor to SI, an example value for messages)
_UNITS = {
    "mV": ("volt", 1e-3, 3),
    "ms": ("second", 1e-3, 20),
    "s": ("second", 1.0, 1),
    "Hz": ("hertz", 1.0, 10),
}


class SIFloat(float):
    """A float known to be in SI units; lets an already validated model be validated again."""


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint

    return pint.UnitRegistry()


def parse_quantity(value: Any, unit: str) -> SIFloat:
    """Turn ``"3 mV"`` into a float in SI units.

    Parameters
    ----------
    value : str
        A number and a unit. (A result of this function is returned as it is.)
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
    """
    if isinstance(value, SIFloat):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} has no unit; {_remedy(unit)}")
    return _parsed(value, unit)


def _remedy(unit: str) -> str:
    return f'write for example "{_UNITS[unit][2]} {unit}"'


@lru_cache(maxsize=4096)
def _parsed(value: str, unit: str) -> SIFloat:
    """Of the cells of a grid most have the same texts, and pint takes a while for each."""
    si, remedy = _UNITS[unit][0], _remedy(unit)
    registry = _registry()
    try:
        parsed = registry.Quantity(value)
    except Exception:  # pint raises many kinds of errors, among them tokenizer errors of Python itself
        raise ValueError(f"{value!r} is not a number and a unit; {remedy}") from None
    if parsed.unitless:
        raise ValueError(f"{value!r} has no unit; {remedy}")
    if not parsed.is_compatible_with(unit):
        raise ValueError(f"{value!r} has the wrong dimension; it must be convertible to {unit}: {remedy}")
    # 15 digits: removes the last-bit noise of the conversion, so that "3 mV" is exactly 0.003
    return SIFloat(f"{parsed.to(si).magnitude:.15g}")


def format_quantity(value: float, unit: str) -> str:
    """Write an SI value in ``unit``, as the shortest text that reads back to the same number."""
    scaled = float(f"{value / _UNITS[unit][1]:.15g}")
    return f"{scaled:g} {unit}" if float(f"{scaled:g}") == scaled else f"{scaled!r} {unit}"


def quantity(unit: str, **bounds: float) -> Any:
    """A pydantic field type for a quantity of the dimension of ``unit``, bounds in SI units."""
    return Annotated[
        float,
        Field(**bounds),
        BeforeValidator(lambda value: parse_quantity(value, unit)),
        PlainSerializer(lambda value: format_quantity(value, unit)),
    ]

"""Single values set anew in a configuration, by dotted names: found, read as what they replace, refused with a hint."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from homeonet.config._network_tables import KINDS, long_name, short_name, with_tables
from homeonet.config.parameters import dotted
from homeonet.errors import InputError, one_line
from homeonet.machine.text import close_matches, is_number, plain, shown

if TYPE_CHECKING:
    from homeonet.config._config import Config

__all__ = ["is_whole_table", "overridden"]


def overridden(config: Config, overrides: dict[str, Any]) -> dict[str, Any]:
    """The tables of `config` with dotted names set anew; ``rule.NAME`` and the like are whole tables, or false."""
    for name in overrides:
        if not isinstance(name, str):
            raise InputError(f"{shown(name)} is not a parameter; names are text, such as sleep.ratio")
    overrides = _grouped(config, overrides)
    whole = {name: value for name, value in overrides.items() if is_whole_table(name)}
    whole |= _other_neurons(config, overrides)
    split = ((*name.split("."), value) for name, value in whole.items())
    tables = with_tables(config.to_dict(), split)
    for given, value in overrides.items():
        name = long_name(given, tables)
        if given in whole or (name.endswith(".neuron") and name.removesuffix(".neuron") in whole):
            continue
        *sections, key = name.split(".")
        table: Any = tables
        for section in sections:
            table = table.get(section) if isinstance(table, dict) else None
        # what a table of a mechanism leaves out has its default
        left_out = (
            len(sections) == 2
            and sections[0] in KINDS
            and key in _fields(config, sections[0], sections[1], key)
        )
        if not isinstance(table, dict) or not (key in table or left_out) or isinstance(table.get(key), dict):
            raise InputError(f"{one_line(given, 200)} is not a parameter; {_suggest(given, tables)}")
        table[key] = _coerce(given, plain(value), table.get(key, value))
    return tables


def _fields(config: Config, kind: str, name: str, key: str) -> Iterable[str]:
    """What a table of a mechanism may have; of one that is new, whatever is asked for."""
    known = getattr(config, kind).get(name)
    return [key] if known is None else type(known).model_fields


def _other_neurons(config: Config, overrides: dict[str, Any]) -> dict[str, Any]:
    """Tables of the populations that get another neuron, with other parameters, by an override such as exc.neuron."""
    tables, found = config.to_dict(), {}
    for given, value in overrides.items():
        kind, _, rest = long_name(given, tables).partition(".")
        name, _, key = rest.partition(".")
        known = config.population.get(name) if kind == "population" and key == "neuron" else None
        if known is not None and value != known.neuron:
            found[f"population.{name}"] = {"neuron": value}
    return found


def _grouped(config: Config, overrides: dict[str, Any]) -> dict[str, Any]:
    """Single values of a table that is not there yet, such as homeostasis.mine.every, as one whole table."""
    grouped: dict[str, Any] = {}
    for given, value in overrides.items():
        kind, _, rest = given.partition(".")
        name, *keys = rest.split(".")
        if kind not in KINDS or not keys or name in getattr(config, kind):
            grouped[given] = value
            continue
        table = grouped.setdefault(f"{kind}.{name}", {})
        for key in keys[:-1]:
            table = table.setdefault(key, {}) if isinstance(table, dict) else {}
        if isinstance(table, dict):
            table[keys[-1]] = plain(value)
    return grouped


def is_whole_table(name: str) -> bool:
    """Whether a dotted name is that of a mechanism, a population or a pathway."""
    kind, _, rest = name.partition(".")
    return kind in KINDS and bool(rest) and "." not in rest


def _coerce(name: str, value: Any, current: Any) -> Any:
    """Read command-line text as the type that the parameter has now."""
    if not isinstance(value, str) or isinstance(current, str):
        return value
    if isinstance(current, bool):
        return {"true": True, "false": False}.get(value.lower(), value)
    if not is_number(value.strip()):
        raise InputError(f"{name} = {shown(value)}: must be a plain number; write for example {current!r}")
    try:
        return int(value)
    except ValueError:
        return float(value)


def _suggest(name: str, tables: dict[str, Any]) -> str:
    close = close_matches(name, [short_name(known) for known in dotted(tables)])
    return f"did you mean {', '.join(close)}?" if close else "`homeonet presets NAME` prints all of them"

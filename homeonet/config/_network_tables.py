"""Tables of populations and pathways as files have them: made whole before they are validated.

A table may be written short: `like` copies another one of its kind, `false` takes one away, and the populations and
pathways of the presets may stand as [exc] or [input_exc], as they did before a network could have any.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from homeonet.errors import InputError, one_line
from homeonet.machine.text import close_matches, shown

__all__ = [
    "CLASSIC_PATHWAYS",
    "KINDS",
    "TEXT_KINDS",
    "long_name",
    "short_name",
    "with_tables",
    "without_short_tables",
]

#: Tables of tables, by name: what a user may add to a model.
KINDS = ("population", "pathway", "neuron", "rule", "homeostasis", "controller", "signal", "record")
#: Those of them that a model may be without.
TEXT_KINDS = KINDS[2:]
#: Pathways of the presets as ``(source, target)``, by name.
CLASSIC_PATHWAYS: dict[str, tuple[str, str]] = {
    "input_exc": ("input", "exc"),
    "exc_exc": ("exc", "exc"),
    "exc_inh": ("exc", "inh"),
    "inh_exc": ("inh", "exc"),
}
_WATCHED = ("input_exc", "exc_exc")
_CLASSIC = {"exc": "population", "inh": "population"} | dict.fromkeys(CLASSIC_PATHWAYS, "pathway")


def without_short_tables(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Complete tables with [exc] as [population.exc], [input_exc] as [pathway.input_exc], ends and sign said."""
    found = {name: value for name, value in tables.items() if name not in _CLASSIC}
    for name, kind in _CLASSIC.items():
        if name not in tables:
            continue
        own: Any = tables[name]
        if kind == "pathway" and isinstance(own, dict):
            source, target = CLASSIC_PATHWAYS[name]
            sign = "inhibitory" if source == "inh" else "excitatory"
            own = {"source": source, "target": target, "sign": sign, "watched": name in _WATCHED} | own
        found[kind] = found.get(kind, {}) | {name: own}
    return found


def long_name(name: str, tables: Mapping[str, Any]) -> str:
    """The whole name of "exc.n" where `tables` have no section exc, but a population or a pathway of that name."""
    first = name.partition(".")[0]
    for kind in ("population", "pathway"):
        if first not in tables and first in tables.get(kind, {}):
            return f"{kind}.{name}"
    return name


def short_name(name: str) -> str:
    """The name under which errors speak of a parameter: exc.n for population.exc.n."""
    kind, _, rest = name.partition(".")
    return rest if kind in ("population", "pathway") and "." in rest else name


def with_tables(tables: Mapping[str, Any], added: Iterable[tuple[str, str, Any]]) -> dict[str, Any]:
    """`tables` with whole tables `added` as ``(kind, name, value)``: made `like` another, or taken away by false.

    Raises
    ------
    InputError
        If there is nothing of the name that `like` gives or that is to be taken away.
    """
    whole = {name: dict(value) if name in KINDS else value for name, value in tables.items()}
    for kind, name, given in added:
        value = copy.deepcopy(given)  # single values may be set in it
        those = whole.setdefault(kind, {})
        if value is False or value == "false":
            if name not in those:
                raise InputError(
                    f"{kind}.{one_line(name, 80)} = false: there is none to take away{_known(those)}"
                )
            del those[name]
        elif kind == "population" and name in those and _is_other_neuron(value, those[name]):
            those[name] = {
                "n": those[name].get("n"),
                **value,
            }  # its parameters are others: all but the size begin anew
        elif isinstance(value, Mapping) and "like" in value:
            model = value["like"]
            if not isinstance(model, str) or model not in those:
                raise InputError(
                    f"{kind}.{one_line(name, 80)}.like = {shown(model)} is not there{_known(those, model)}"
                )
            those[name] = dict(those[model]) | {key: own for key, own in value.items() if key != "like"}
        else:
            those[name] = value
    return whole


def _known(those: Mapping[str, Any], name: Any = "") -> str:
    close = close_matches(str(name), those) if name else []
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; there are {', '.join(those)}" if those else ""


def is_whole(kind: str, value: Any, present: Any) -> bool:
    """Whether a table of a file stands for itself, and does not change single values of the one that is there."""
    if present is None or value is False or not isinstance(value, Mapping):
        return True
    return "like" in value or (kind == "population" and _is_other_neuron(value, present))


def _is_other_neuron(value: Any, present: Any) -> bool:
    both = isinstance(value, Mapping) and isinstance(present, Mapping)
    return both and value.get("neuron", present.get("neuron")) != present.get("neuron")

"""What all configurations share: TOML files, dotted names, read-only tables, and errors that name the parameter."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel

from homeonet.errors import InputError, one_line
from homeonet.machine.text import shown

__all__ = ["ReadOnly", "Table", "dotted", "explain", "read_toml"]

#: Of a file and of its tables; far beyond any configuration, and short of what takes long to refuse.
_MOST_BYTES = 4_000_000
_DEEPEST = 16


class ReadOnly(dict[str, Any]):
    """A table of a configuration, which stays as it was validated; TypeError for whoever would change it."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a configuration does not change; make another one with other values")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        return ReadOnly, (dict(self),)


_Value = TypeVar("_Value")
#: A field of a configuration that maps names to values.
Table = Annotated[dict[str, _Value], AfterValidator(ReadOnly)]


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; raises InputError for one that cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise InputError(f"{path} has more than {_MOST_BYTES // 10**6} MB; give a file of parameters")
        # some editors begin a file with a byte-order mark
        tables = tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a readable .toml file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML ({error}); correct it") from None
    except RecursionError:
        raise _too_deep(path) from None
    level: list[Any] = [tables]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
    if level:
        raise _too_deep(path)
    return tables


def _too_deep(path: Path) -> InputError:
    return InputError(f"{path} is nested more than {_DEEPEST} deep; write sections and flat lists")


def dotted(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one, with names such as "sleep.ratio"; an empty table stays."""
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        name = f"{prefix}{key}"
        flat |= dotted(value, f"{name}.") if isinstance(value, dict) and value else {name: value}
    return flat


def explain(item: Any) -> str:
    """One of pydantic's errors as a line that names the parameter, its value and the remedy."""
    name = one_line(".".join(str(part) for part in item["loc"]), 200) or "configuration"
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "missing":
        return f"{name} is missing; add it or name a preset to start from"
    if item["type"] == "extra_forbidden":
        return f"{name} is not a parameter; remove it or correct its name"
    given = item["input"]
    if isinstance(given, float) and math.isnan(given):
        message = "must be a number"
    text = shown(given)
    value = "" if isinstance(given, (dict, BaseModel)) or text in message else f" = {text}"
    return f"{name}{value}: {message}"

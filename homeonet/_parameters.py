"""What all configurations share: TOML files, dotted names, and errors that name the parameter."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from homeonet.errors import InputError

__all__ = ["dotted", "explain", "read_toml"]


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; raises InputError for one that cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a readable .toml file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML ({error}); correct it") from None


def dotted(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one, with names such as "sleep.ratio"; an empty table stays."""
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        name = f"{prefix}{key}"
        flat |= dotted(value, f"{name}.") if isinstance(value, dict) and value else {name: value}
    return flat


def explain(item: Any) -> str:
    """One of pydantic's errors as a line that names the parameter, its value and the remedy."""
    name = ".".join(str(part) for part in item["loc"]) or "configuration"
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "missing":
        return f"{name} is missing; add it or name a preset to start from"
    if item["type"] == "extra_forbidden":
        return f"{name} is not a parameter; remove it or correct its name"
    given = item["input"]
    if isinstance(given, float) and math.isnan(given):
        message = "must be a number"
    shown = "" if isinstance(given, (dict, BaseModel)) or repr(given) in message else f" = {given!r}"
    return f"{name}{shown}: {message}"

"""A configuration as a table: each constant with its unit, where it is from, and what differs from the preset."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

from homeonet.machine import html

__all__ = ["config_table"]

_TABLE = re.compile(r"\[(?P<table>[^\]]+)\]\s*(?:#.*)?")
_VALUE = re.compile(r"(?P<key>[\w-]+)\s*=[^#]*#\s*(?P<source>.+)")


@lru_cache
def _sources(preset: str) -> dict[str, str]:
    """What the comments of a preset's file say of its constants, by dotted name."""
    path = resources.files("homeonet.config") / "presets" / f"{preset}.toml"
    found, within = {}, ""
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        if table := _TABLE.fullmatch(line.strip()):
            within = f"{table['table']}."
        elif value := _VALUE.fullmatch(line.strip()):
            found[within + value["key"]] = value["source"]
    return found


def config_table(title: str, preset: str, values: Mapping[str, object], usual: Mapping[str, object]) -> str:
    """HTML of what differs from the preset, with all constants folded below.

    Parameters
    ----------
    title
    preset
        Its name, by which the sources of constants are found.
    values, usual
        Constants of the configuration and of the preset by dotted names, quantities as text with their unit; `usual`
        is empty where there is no such preset.
    """
    sources = _sources(preset)
    head, rows, differing = ["parameter", "value", "from"], [], []
    for name, value in values.items():
        if usual and usual.get(name) != value:
            before = f"; {preset} has {usual[name]}" if name in usual else ""
            differing.append([name, value, f"changed{before}"])
            rows.append(differing[-1])
        else:
            rows.append([name, value, sources.get(name, "")])
    first = html.table([head, *differing], title) if differing else f"<b>{html.escape(title)}</b>"
    return first + html.folded(f"all {len(rows)} constants", html.table([head, *rows]))

"""What docs/glossary.md names is there: keys with the range and value it gives, metrics, names of Python, commands."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from homeonet import load_config
from homeonet.cli.main import _parser
from homeonet.config import Config
from homeonet.gradient.homeostasis._named import homeostasis_named
from homeonet.gradient.training import TrainConfig
from homeonet.runs.readouts import READOUTS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith(("| term |", "| name |", "| verdict |"))
]
CONFIG = load_config("massey2026")
COMMANDS = next(action.choices for action in _parser()._actions if isinstance(action.choices, dict))
OF_RUNS = ("sleep_fraction", "phi", "train_seconds", "train_wall_seconds", "compile_seconds", "features_test")
BASELINES = ("frozen", "raw_pixels", "noisy_pixels", "random_relu")
METRICS = {
    *OF_RUNS,
    *(f"accuracy.{name}" for name in (*READOUTS, *BASELINES)),
    *(f"accuracy.{name}.{end}" for name in READOUTS for end in ("ci_low", "ci_high")),
    *(f"accuracy.val.{name}" for name in READOUTS),
}


def codes(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def plastic_field(key: str) -> tuple[Any, FieldInfo] | None:
    """The value that the preset has for a key, as TOML has it, and the field that checks it."""
    *tables, last = key.split(".")
    found: Any = CONFIG
    for name in tables:
        found = getattr(found, name, None)
    if not isinstance(found, BaseModel) or last not in type(found).model_fields:
        return None
    value = found.model_dump()[last]
    return None if isinstance(value, dict) else (value, type(found).model_fields[last])


def gradient_value(key: str) -> tuple[Any] | None:
    first, *rest = key.split(".")
    if not rest and first in TrainConfig.model_fields:
        return (TrainConfig.model_fields[first].default,)
    if first == "homeostasis" and len(rest) == 2:
        parameters = inspect.signature(type(homeostasis_named(rest[0]))).parameters
        return (parameters[rest[1]].default,) if rest[1] in parameters else None
    return (None,) if first in ("neuron_options", "net_options") and len(rest) == 1 else None


def is_there(code: str) -> bool:
    if code.startswith("homeonet "):
        _, command, *options = code.split()
        return command in COMMANDS and set(options) <= set(COMMANDS[command]._option_string_actions)
    if code.startswith("["):
        return code.strip("[]").split(".")[0] in (*Config.model_fields, "case")
    if code.startswith("homeonet."):
        module = importlib.import_module("homeonet")
        for name in code.split(".")[1:]:
            try:
                module = getattr(module, name)
            except AttributeError:
                module = importlib.import_module(f"{module.__name__}.{name}")
        return True
    known = plastic_field(code) is not None or gradient_value(code) is not None
    return known or code in METRICS


@pytest.mark.parametrize(
    "code", sorted({code for code in codes(TEXT) if re.fullmatch(r"[a-z_]+(\.\w+)+", code)})
)
def test_dotted_names_are_there(code: str) -> None:
    assert is_there(code) or code.endswith((".md", ".json", ".nc"))


@pytest.mark.parametrize("row", [row for row in ROWS if len(row) >= 4], ids=lambda row: row[0])
def test_where_it_is_set_is_there_with_its_range_and_value(row: list[str]) -> None:
    found = [code for code in codes(row[-1]) if not code.endswith("/") and code != "third_factors"]
    assert all(is_there(code) for code in found)
    keys = [code for code in found if plastic_field(code) or gradient_value(code)]
    if len(row) < 5 or not keys or "=" in row[-1]:
        return
    (key,) = keys
    field = plastic_field(key)
    default = gradient_value(key) if field is None else field[:1]
    assert default is not None
    assert row[3] == (str(default[0]).lower() if isinstance(default[0], bool) else str(default[0]))
    interval = re.search(r"([\[(])(\S+), (\S+)([\])])", row[2])
    if field is not None and interval is not None:
        limits = {kind: value for item in field[1].metadata for kind, value in vars_of(item).items()}
        scale = 1e3 if row[2].startswith(("mV", "ms")) else 1.0
        low, high = (float(text.replace("∞", "inf")) / scale for text in interval.group(2, 3))
        assert limits.get("ge" if interval[1] == "[" else "gt") == low
        assert limits.get("le" if interval[4] == "]" else "lt", float("inf")) == high


def vars_of(item: Any) -> dict[str, Any]:
    """The bounds that an annotation of a field holds."""
    return {kind: getattr(item, kind) for kind in ("ge", "gt", "le", "lt") if hasattr(item, kind)}


def test_every_section_of_a_configuration_has_an_entry() -> None:
    wheres = " ".join(code for row in ROWS for code in codes(row[-1]))
    named = set(re.split(r"[\s.\[\]]+", wheres))
    of_tables = {"population": "exc", "pathway": "input_exc"}
    for section in Config.model_fields:
        assert of_tables.get(section, section) in named, section

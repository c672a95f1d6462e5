"""What a run of the plastic network is made of: validated parameters with units.

Every constant of a run is here and nowhere else. Presets are TOML files in ``homeonet/config/presets``; a
configuration is a preset plus overrides, prints itself as TOML, and its canonical hash names its run.
This module simulates nothing and imports neither brian2 nor torch.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Self

import tomli_w
from pydantic import Field, ValidationError, model_validator

from homeonet.config._sections import (
    AHSAR,
    ISTDP,
    STDP,
    Evaluation,
    Guard,
    Input,
    Noise,
    Pathway,
    Population,
    Section,
    Simulation,
    Sleep,
)
from homeonet.config.parameters import dotted, explain, read_toml
from homeonet.config.rule_text import BUILT_IN_RULES, RuleText, check_name
from homeonet.errors import InputError
from homeonet.machine.text import close_matches, is_number, one_line, plain, shown

__all__ = [
    "PATHWAYS",
    "Config",
    "Pathway",
    "Population",
    "load_config",
    "preset_names",
]

#: The pathways of the network as ``(source, target)``, by name.
PATHWAYS: dict[str, tuple[str, str]] = {
    "input_exc": ("input", "exc"),
    "exc_exc": ("exc", "exc"),
    "exc_inh": ("exc", "inh"),
    "inh_exc": ("inh", "exc"),
}


class Config(Section):
    """All constants of one run of the plastic network. Frozen; see :func:`load_config`."""

    preset: str
    data: str
    train: int = Field(ge=1, le=10**9)
    val: int = Field(ge=0, le=10**9)
    test: int = Field(ge=1, le=10**9)
    epochs: int = Field(ge=1, le=1000)
    seed: int = Field(ge=0, lt=2**31)
    simulation: Simulation
    input: Input
    exc: Population
    inh: Population
    input_exc: Pathway
    exc_exc: Pathway
    exc_inh: Pathway
    inh_exc: Pathway
    stdp: STDP
    istdp: ISTDP
    noise: Noise
    sleep: Sleep
    ahsar: AHSAR
    guard: Guard
    evaluation: Evaluation
    rule: dict[str, RuleText] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _times_are_steps(self) -> Self:
        for name, seconds in (
            ("input.presentation", self.input.presentation),
            ("evaluation.presentation", self.evaluation.presentation),
            ("sleep.interval", self.sleep.interval),
            ("sleep.every", self.sleep.every),
            ("ahsar.window", self.ahsar.window),
            ("exc.refractory", self.exc.refractory),
            ("inh.refractory", self.inh.refractory),
        ):
            steps = seconds / self.simulation.dt
            too_short = round(steps) < 1 and not name.endswith("refractory")
            if abs(steps - round(steps)) > 1e-6 or too_short:
                raise ValueError(
                    f"{name} = {seconds:g} s is not a whole number of time steps of "
                    f"{self.simulation.dt * 1e3:g} ms; change it or simulation.dt"
                )
        for name in ("input_exc", "exc_exc", "exc_inh"):
            if getattr(self, name).avoid_reciprocal:
                raise ValueError(
                    f"{name}.avoid_reciprocal must be false: only inh_exc can avoid reciprocal pairs"
                )
        per_second = 1 / self.simulation.dt
        if abs(per_second - round(per_second)) > 1e-6 or round(per_second) % 10:
            raise ValueError(
                f"simulation.dt = {self.simulation.dt * 1e3:g} ms must divide 100 ms, for example 0.5 ms"
            )
        return self

    @model_validator(mode="after")
    def _rules_are_there(self) -> Self:
        for name in self.rule:
            if name in BUILT_IN_RULES:
                raise ValueError(f"rule.{name} is built in; give yours another name")
            check_name(name)
        for pathway in PATHWAYS:
            wanted = getattr(self, pathway).rule
            if wanted not in (*BUILT_IN_RULES, *self.rule):
                own = f", or write it under [rule.{one_line(wanted, 40)}]"
                raise ValueError(
                    f"{pathway}.rule = {shown(wanted)} is not known; choose one of "
                    f"{', '.join((*BUILT_IN_RULES, *self.rule))}{own}"
                )
        return self

    @model_validator(mode="after")
    def _thresholds_can_move(self) -> Self:
        for name in ("exc", "inh") if self.ahsar.enabled else ():
            population, span = getattr(self, name), self.ahsar.span
            reach = population.v_threshold - population.e_leak
            if reach <= 0:
                raise ValueError(
                    f"ahsar.enabled = true needs {name}.v_threshold ({population.v_threshold * 1e3:g} mV) above "
                    f"{name}.e_leak ({population.e_leak * 1e3:g} mV)"
                )
            lowest = population.e_leak + (1 - span) * reach
            if lowest <= population.v_reset:
                raise ValueError(
                    f"ahsar.span = {span:g} lets the threshold of {name} fall to {lowest * 1e3:g} mV, which must stay "
                    f"above {name}.v_reset ({population.v_reset * 1e3:g} mV); lower one of them"
                )
        return self

    def to_dict(self) -> dict[str, Any]:
        """Plain values, quantities as text with their unit; what TOML files hold."""
        tables = self.model_dump()
        if not self.rule:
            del tables["rule"]
        return tables

    def to_toml(self) -> str:
        """The whole configuration as TOML, readable by :func:`load_config`."""
        return tomli_w.dumps(self.to_dict())

    @property
    def run_id(self) -> str:
        """Sixteen hexadecimal digits that name this configuration (canonical SHA-256)."""
        tables = self.to_dict()
        if not self.ahsar.enabled:  # then its constants have no part in the run
            del tables["ahsar"]
        if self.simulation.precision == "float64":  # as in all runs that do not say
            del tables["simulation"]["precision"]
        canonical = json.dumps(tables, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def replace(self, **overrides: Any) -> Config:
        """A copy with other values; keys as for ``--set``, dots written as double underscores.

        Examples
        --------
        >>> load_config("massey2026").replace(sleep__ratio=0.0, noise__sigma="1 mV").sleep.ratio
        0.0
        """
        return apply_overrides(self, {key.replace("__", "."): value for key, value in overrides.items()})


def preset_names() -> list[str]:
    """The presets that come with the package."""
    folder = resources.files("homeonet.config") / "presets"
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def load_config(source: str | Path, overrides: dict[str, Any] | None = None) -> Config:
    """Read a preset by name, or a TOML file, and apply overrides.

    Parameters
    ----------
    source : str or Path
        A preset's name, or the path of a TOML file. A file that names a `preset` starts from it and
        holds only what differs; otherwise it must be complete.
    overrides : dict, optional
        Dotted parameter names to values: ``{"sleep.ratio": 0.15, "noise.sigma": "3 mV"}``. Quantities
        are text with a unit.

    Returns
    -------
    Config

    Raises
    ------
    InputError
        For an unknown preset or key, a missing or wrong unit, a value out of its range.
    """
    text = str(source)
    if text in preset_names():
        return apply_overrides(_preset(text), overrides) if overrides else _preset(text)
    if text.lower().endswith(".toml") or isinstance(source, Path):
        tables = read_toml(Path(source))
        base = tables.get("preset")
        if base is None:
            raise InputError(
                f'{source} names no preset; add for example preset = "massey2026" as its first line'
            )
        if isinstance(base, str) and base in preset_names():
            own = {"rule": tables.pop("rule")} if "rule" in tables else {}
            differing = {name: value for name, value in dotted(tables).items() if value != {}}
            return apply_overrides(load_config(base), differing | (overrides or {}), own)
    else:
        raise InputError(
            f"preset = {shown(text)} is not known; choose one of {', '.join(preset_names())}, or give the path of "
            "a .toml file"
        )
    # files that were complete before there was AHSAR have it off
    return apply_overrides(
        _validate({"ahsar": _preset("massey2026").to_dict()["ahsar"]} | tables), overrides or {}
    )


@lru_cache
def _preset(name: str) -> Config:
    tables = tomllib.loads(
        (resources.files("homeonet.config") / "presets" / f"{name}.toml").read_text(encoding="utf-8")
    )
    return _validate(tables | {"preset": name})


def apply_overrides(config: Config, overrides: dict[str, Any], own: dict[str, Any] | None = None) -> Config:
    """A copy of `config` with dotted names set anew, and tables `own` of mechanisms; InputError as `load_config`."""
    tables = config.to_dict() | (own or {})
    for name, value in overrides.items():
        if not isinstance(name, str):
            raise InputError(f"{shown(name)} is not a parameter; names are text, such as sleep.ratio")
        *sections, key = name.split(".")
        table: Any = tables
        for section in sections:
            table = table.get(section) if isinstance(table, dict) else None
        if not isinstance(table, dict) or key not in table or isinstance(table[key], dict):
            raise InputError(f"{one_line(name, 200)} is not a parameter; {_suggest(name, tables)}")
        table[key] = _coerce(name, plain(value), table[key])
    return _validate(tables)


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


def _validate(tables: dict[str, Any]) -> Config:
    try:
        return Config.model_validate(tables)
    except ValidationError as error:
        raise InputError("; ".join(explain(item) for item in error.errors())) from None


def _suggest(name: str, tables: dict[str, Any]) -> str:
    close = close_matches(name, dotted(tables))
    return f"did you mean {', '.join(close)}?" if close else "`homeonet presets NAME` prints all of them"

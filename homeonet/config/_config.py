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
from typing import TYPE_CHECKING, Any, Self

import tomli_w
from pydantic import Field, ValidationError, model_validator

from homeonet.config._network_tables import (
    CLASSIC_PATHWAYS,
    KINDS,
    long_name,
    short_name,
    with_tables,
    without_short_tables,
)
from homeonet.config._sections import (
    AHSAR,
    ISTDP,
    STDP,
    Evaluation,
    Guard,
    Input,
    Neurons,
    Noise,
    Pathway,
    PoissonPopulation,
    Population,
    Section,
    Simulation,
    Sleep,
)
from homeonet.config.parameters import dotted, explain, read_toml
from homeonet.config.rule_text import BUILT_IN_RULES, RuleText, check_name
from homeonet.errors import InputError, one_line
from homeonet.machine.text import close_matches, is_number, plain, shown

__all__ = [
    "PATHWAYS",
    "Config",
    "Pathway",
    "PoissonPopulation",
    "Population",
    "load_config",
    "preset_names",
]

#: The pathways of the presets as ``(source, target)``, by name.
PATHWAYS = CLASSIC_PATHWAYS

#: What Brian2 or the network calls something of its own.
_TAKEN = ("ahsar", "controller", "defaultclock", "input", "stimulus", "totals", "network")
_TAKEN_BEGINNINGS = (
    "initial_",
    "rule_",
    "samples",
    "spikes_",
    "sum_",
    "tau_",
    "total_",
    "totals_",
    "weight_",
)
_TAKEN_ENDS = (
    "_floor",
    "_gate",
    "_resetter",
    "_samples",
    "_stateupdater",
    "_step",
    "_thresholder",
    "_post",
    "_pre",
)


class Config(Section):
    """All constants of one run of the plastic network. Frozen; see :func:`load_config`.

    Populations and pathways are attributes too: ``config.exc`` is ``config.population["exc"]``.
    """

    preset: str
    data: str
    train: int = Field(ge=1, le=10**9)
    val: int = Field(ge=0, le=10**9)
    test: int = Field(ge=1, le=10**9)
    epochs: int = Field(ge=1, le=1000)
    seed: int = Field(ge=0, lt=2**31)
    simulation: Simulation
    input: Input
    population: dict[str, Neurons]
    pathway: dict[str, Pathway]
    stdp: STDP
    istdp: ISTDP
    noise: Noise
    sleep: Sleep
    ahsar: AHSAR
    guard: Guard
    evaluation: Evaluation
    rule: dict[str, RuleText] = Field(default_factory=dict)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            for table in ("population", "pathway"):
                if name in self.__dict__.get(table, {}):
                    return self.__dict__[table][name]
            return super().__getattr__(name)

    def __hash__(self) -> int:
        return hash(self.run_id)

    @model_validator(mode="before")
    @classmethod
    def _spelt_out(cls, tables: Any) -> Any:
        return without_short_tables(tables) if isinstance(tables, dict) else tables

    @model_validator(mode="after")
    def _names_are_free(self) -> Self:
        for kind, names in (("population", self.population), ("pathway", self.pathway)):
            for name in names:
                check_name(name)
                clash = (
                    name in _TAKEN
                    or name in type(self).model_fields
                    or (name in self.population and kind == "pathway")
                )
                if clash or name.startswith(_TAKEN_BEGINNINGS) or name.endswith(_TAKEN_ENDS):
                    raise ValueError(f"{kind}.{name} has a name that the network needs; choose another")
        return self

    @model_validator(mode="after")
    def _pathways_lead_somewhere(self) -> Self:
        neurons = [
            name for name, found in self.population.items() if not isinstance(found, PoissonPopulation)
        ]
        if not neurons:
            raise ValueError(
                "population: none has neurons; add one, for example [population.exc] with n = 200"
            )
        for name, pathway in self.pathway.items():
            for end, known in (("source", ["input", *self.population]), ("target", neurons)):
                given = getattr(pathway, end)
                if given not in known:
                    close = close_matches(given, known)
                    hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(known)}"
                    raise ValueError(
                        f"{name}.{end} = {shown(given)} is no population that a pathway can have as {end}; {hint}"
                    )
            back = self.back(name)
            if pathway.avoid_reciprocal and len(back) != 1:
                raise ValueError(
                    f"{name}.avoid_reciprocal must be false: there is no pathway from {pathway.target} back to "
                    f"{pathway.source} that could be avoided, or more than one"
                )
            sizes = {"input": self.input.side**2} | {n: self.size(n) for n in self.population}
            for end in ("source", "target"):
                index, size = getattr(pathway, f"{end}s"), sizes[getattr(pathway, end)]
                if index is not None and max(index) >= size:
                    raise ValueError(
                        f"{name}.{end}s has the neuron {max(index)}, but {getattr(pathway, end)} has {size}, "
                        "counted from 0"
                    )
        if self.sleep.ratio and not any(pathway.watched for pathway in self.pathway.values()):
            raise ValueError(
                "no pathway is watched: the controller has no W; set watched = true for one at least"
            )
        return self

    def back(self, name: str) -> list[str]:
        """Pathways that lead back along a pathway, and avoid nothing themselves."""
        ends = (self.pathway[name].target, self.pathway[name].source)
        return [k for k, p in self.pathway.items() if (p.source, p.target) == ends and not p.avoid_reciprocal]

    def size(self, population: str) -> int:
        """Neurons of a population, or inputs."""
        found = None if population == "input" else self.population[population]
        return (getattr(found, "n", 0) if found else 0) or self.input.side**2

    @model_validator(mode="after")
    def _times_are_steps(self) -> Self:
        for name, seconds in (
            ("input.presentation", self.input.presentation),
            ("evaluation.presentation", self.evaluation.presentation),
            ("sleep.interval", self.sleep.interval),
            ("sleep.every", self.sleep.every),
            ("ahsar.window", self.ahsar.window),
            *(
                (f"{name}.refractory", found.refractory)
                for name, found in self.population.items()
                if isinstance(found, Population)
            ),
        ):
            steps = seconds / self.simulation.dt
            too_short = round(steps) < 1 and not name.endswith("refractory")
            if abs(steps - round(steps)) > 1e-6 or too_short:
                raise ValueError(
                    f"{name} = {seconds:g} s is not a whole number of time steps of "
                    f"{self.simulation.dt * 1e3:g} ms; change it or simulation.dt"
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
        for pathway, found in self.pathway.items():
            wanted = found.rule
            if wanted not in (*BUILT_IN_RULES, *self.rule):
                own = f", or write it under [rule.{one_line(wanted, 40)}]"
                raise ValueError(
                    f"{pathway}.rule = {shown(wanted)} is not known; choose one of "
                    f"{', '.join((*BUILT_IN_RULES, *self.rule))}{own}"
                )
        return self

    @model_validator(mode="after")
    def _thresholds_can_move(self) -> Self:
        for name, population in self.population.items() if self.ahsar.enabled else ():
            if not isinstance(population, Population):
                continue
            span = self.ahsar.span
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
        tables = self.model_dump(exclude_none=True)
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
        names, pathways = list(tables["population"]), tables["pathway"]
        # as they were written before a network could have any populations and pathways, so that the hash is the same
        tables |= {name: _without_defaults(found) for name, found in tables.pop("population").items()}
        for name, ends in PATHWAYS.items():
            if name in pathways and (pathways[name]["source"], pathways[name]["target"]) == ends:
                sign = "inhibitory" if ends[0] == "inh" else "excitatory"
                usual = {
                    "source": ends[0],
                    "target": ends[1],
                    "sign": sign,
                    "watched": name in ("input_exc", "exc_exc"),
                }
                pathways[name] = {k: v for k, v in pathways[name].items() if usual.get(k) != v}
        tables |= {name: _without_defaults(found) for name, found in tables.pop("pathway").items()}
        if names != ["exc", "inh"]:
            tables["order"] = names
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


def _without_defaults(section: dict[str, Any]) -> dict[str, Any]:
    """A population or pathway without what came later and is as it was before."""
    usual = {"neuron": "lif", "renormalised": True, "plastic_asleep": True}
    return {name: value for name, value in section.items() if usual.get(name) != value}


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
            preset = load_config(base)
            added = _taken_out(tables, preset.to_dict())
            differing = {name: value for name, value in dotted(tables).items() if value != {}}
            return apply_overrides(preset, added | differing | (overrides or {}))
    else:
        raise InputError(
            f"preset = {shown(text)} is not known; choose one of {', '.join(preset_names())}, or give the path of "
            "a .toml file"
        )
    # files that were complete before there was AHSAR have it off
    return apply_overrides(
        _validate({"ahsar": _preset("massey2026").to_dict()["ahsar"]} | tables), overrides or {}
    )


def _taken_out(tables: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Take whole tables out of those of a file: what adds to or takes from a model, by dotted name."""
    added: dict[str, Any] = {}
    for kind in KINDS:
        for name, value in list(tables.get(kind, {}).items() if isinstance(tables.get(kind), dict) else ()):
            if name not in known.get(kind, {}) or value is False or "like" in value:
                added[f"{kind}.{name}"] = tables[kind].pop(name)
    return added


@lru_cache
def _preset(name: str) -> Config:
    tables = tomllib.loads(
        (resources.files("homeonet.config") / "presets" / f"{name}.toml").read_text(encoding="utf-8")
    )
    return _validate(tables | {"preset": name})


def apply_overrides(config: Config, overrides: dict[str, Any]) -> Config:
    """A copy of `config` with dotted names set anew; ``rule.NAME`` and the like are whole tables, or false for none."""
    for name in overrides:
        if not isinstance(name, str):
            raise InputError(f"{shown(name)} is not a parameter; names are text, such as sleep.ratio")
    whole = {name: value for name, value in overrides.items() if _is_whole_table(name)}
    split = ((*name.split("."), value) for name, value in whole.items())
    tables = with_tables(config.to_dict(), split)
    for given, value in overrides.items():
        if given in whole:
            continue
        name = long_name(given, tables)
        *sections, key = name.split(".")
        table: Any = tables
        for section in sections:
            table = table.get(section) if isinstance(table, dict) else None
        if not isinstance(table, dict) or key not in table or isinstance(table[key], dict):
            raise InputError(f"{one_line(given, 200)} is not a parameter; {_suggest(given, tables)}")
        table[key] = _coerce(given, plain(value), table[key])
    return _validate(tables)


def _is_whole_table(name: str) -> bool:
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


def _validate(tables: dict[str, Any]) -> Config:
    try:
        return Config.model_validate(tables)
    except ValidationError as error:
        raise InputError("; ".join(_explained(item) for item in error.errors())) from None


def _explained(item: Any) -> str:
    kind, *rest = item["loc"] or ("",)
    if kind == "population" and len(rest) > 1:
        rest = [rest[0], *rest[2:]]  # after the name comes the kind of neuron that was tried
    if kind in ("population", "pathway") and rest:
        return explain(item | {"loc": tuple(rest)}, like=kind)
    return explain(item)


def _suggest(name: str, tables: dict[str, Any]) -> str:
    close = close_matches(name, [short_name(known) for known in dotted(tables)])
    return f"did you mean {', '.join(close)}?" if close else "`homeonet presets NAME` prints all of them"

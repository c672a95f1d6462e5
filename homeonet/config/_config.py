"""What a run of the plastic network is made of: validated parameters with units.

Every constant of a run is here and nowhere else. Presets are TOML files in ``homeonet/config/presets``; a
configuration is a preset plus overrides, prints itself as TOML, and its canonical hash names its run.
This module simulates nothing and imports neither brian2 nor torch.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import tomli_w
from pydantic import Field, ValidationError, model_validator

from homeonet.config._consistency import check_consistency
from homeonet.config._network_tables import (
    CLASSIC_PATHWAYS,
    KINDS,
    TEXT_KINDS,
    is_whole,
    without_short_tables,
)
from homeonet.config._overrides import is_whole_table, overridden
from homeonet.config._sections import (
    AHSAR,
    ISTDP,
    STDP,
    EvaluationSettings,
    Guard,
    Input,
    Neurons,
    Noise,
    Pathway,
    PoissonPopulation,
    Population,
    Recording,
    Section,
    Simulation,
    Sleep,
)
from homeonet.config._table import config_table
from homeonet.config.mechanism_text import ControllerText, HomeostasisText, NeuronText, SignalText
from homeonet.config.parameters import ReadOnly, Table, dotted, explain, read_toml
from homeonet.config.rule_text import RuleText
from homeonet.errors import InputError, one_line
from homeonet.machine.text import shown

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


class Config(Section):
    """All constants of one run of the plastic network; see :func:`load_config`.

    It does not change, tables and lists included: :meth:`replace` gives a changed copy. Configurations are equal, and
    have one hash, where all of their values are.

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
    population: Table[Neurons]
    pathway: Table[Pathway]
    stdp: STDP
    istdp: ISTDP
    noise: Noise
    sleep: Sleep
    ahsar: AHSAR
    guard: Guard
    evaluation: EvaluationSettings
    neuron: Table[NeuronText] = Field(default_factory=ReadOnly)
    rule: Table[RuleText] = Field(default_factory=ReadOnly)
    homeostasis: Table[HomeostasisText] = Field(default_factory=ReadOnly)
    controller: Table[ControllerText] = Field(default_factory=ReadOnly)
    signal: Table[SignalText] = Field(default_factory=ReadOnly)
    record: Table[Recording] = Field(default_factory=ReadOnly)

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
    def _consistent(self) -> Self:
        check_consistency(self)
        return self

    def back(self, name: str) -> list[str]:
        """Pathways that lead back along a pathway, and avoid nothing themselves."""
        ends = (self.pathway[name].target, self.pathway[name].source)
        return [k for k, p in self.pathway.items() if (p.source, p.target) == ends and not p.avoid_reciprocal]

    def pathways_of(self, homeostasis: str) -> list[str]:
        """Pathways on whose weights a user's homeostasis acts."""
        text = self.homeostasis[homeostasis]
        if not text.on_weights.strip():
            return []
        chosen = [
            name for name, found in self.pathway.items() if found.renormalised and found.rule != "static"
        ]
        return chosen if text.pathways is None else list(text.pathways)

    def populations_of(self, homeostasis: str) -> list[str]:
        """Populations on whose neurons a user's homeostasis acts."""
        text = self.homeostasis[homeostasis]
        if not text.on_neurons.strip():
            return []
        return (
            list(dict.fromkeys(found.target for found in self.pathway.values()))
            if text.populations is None
            else list(text.populations)
        )

    def size(self, population: str) -> int:
        """Neurons of a population, or inputs."""
        found = None if population == "input" else self.population[population]
        return (getattr(found, "n", 0) if found else 0) or self.input.side**2

    def to_dict(self) -> dict[str, Any]:
        """Plain values, quantities as text with their unit; what TOML files hold."""
        tables = self.model_dump(exclude_none=True, exclude=set(TEXT_KINDS))
        for kind in TEXT_KINDS:
            if found := getattr(self, kind):
                tables[kind] = {name: text.model_dump(exclude_defaults=True) for name, text in found.items()}
        return tables

    def to_toml(self) -> str:
        """The whole configuration as TOML, readable by :func:`load_config`."""
        return tomli_w.dumps(self.to_dict())

    def _repr_html_(self) -> str:
        usual = dotted(_preset(self.preset).to_dict()) if self.preset in preset_names() else {}
        return config_table(f"{self.preset}, run {self.run_id}", self.preset, dotted(self.to_dict()), usual)

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
        if not self.input.classes_at_a_time:  # as in all runs that do not say
            del tables["input"]["classes_at_a_time"]
        if not self.input.tasks:
            del tables["input"]["tasks"]
        if self.evaluation.noise:
            del tables["evaluation"]["noise"]
        if self.simulation.precision == "float64":
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
        if base is None and isinstance(tables.get("neuron"), str):
            raise InputError(
                f"{source} is of a network trained by gradients; give it to `homeonet train`, or name a preset for one "
                "grown by local plasticity"
            )
        if base is None:
            raise InputError(
                f'{source} names no preset; add for example preset = "massey2026" as its first line'
            )
        if isinstance(base, str) and base in preset_names():
            preset = load_config(base)
            added = _taken_out(tables, preset.to_dict())
            differing = {name: value for name, value in dotted(tables).items() if value != {}}
            in_file, given = added | differing, overrides or {}
            if any(is_whole_table(name) for name in given if isinstance(name, str)):
                return apply_overrides(apply_overrides(preset, in_file), given)
            return apply_overrides(preset, in_file | given)
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
            if is_whole(kind, value, known.get(kind, {}).get(name)):
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
    return _validate(overridden(config, overrides))


def _validate(tables: dict[str, Any]) -> Config:
    try:
        return Config.model_validate(tables)
    except ValidationError as error:
        raise InputError("; ".join(dict.fromkeys(_explained(error.errors())))) from None


def _explained(errors: list[Any]) -> Iterator[str]:
    missing: dict[tuple[str, str], list[str]] = {}
    for item in errors:
        kind, *rest = item["loc"] or ("",)
        if kind == "population" and len(rest) > 1:
            rest = [rest[0], *rest[2:]]  # after the name comes the kind of neuron that was tried
        if item["loc"] == () and item["type"] == "value_error":
            yield str(item["msg"].removeprefix("Value error, "))  # it names the parameter
        elif kind in ("population", "pathway") and item["type"] == "missing" and len(rest) == 2:
            missing.setdefault((kind, str(rest[0])), []).append(str(rest[1]))
        elif kind in ("population", "pathway") and rest:
            yield explain(item | {"loc": tuple(rest)})
        else:
            yield explain(item)
    for (kind, name), keys in missing.items():
        yield (
            f'{kind}.{one_line(name, 40)} lacks {", ".join(keys)}; add them, or write like = "…" to copy another '
            f"{kind}"
        )

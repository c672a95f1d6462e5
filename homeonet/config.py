"""What a run of the plastic network is made of: validated parameters with units.

Every constant of a run is here and nowhere else. Presets are TOML files in ``homeonet/presets``; a
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
from typing import Any, Literal, Self

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from homeonet._parameters import dotted, explain, read_toml
from homeonet._units import quantity
from homeonet.errors import InputError

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


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Simulation(_Section):
    """How time advances. `method` integrates the membrane: exponential Euler (exact for a constant
    drive) or plain Euler (as the released code of Massey et al. 2026)."""

    dt: quantity("ms", gt=0, le=5e-3)
    method: Literal["exponential_euler", "euler"]


class Input(_Section):
    """Rate-coded images: each is scaled to the mean firing rate `mean_rate` over its pixels and shown
    for `presentation`. A pixel fires at most once a step: an image whose brightest pixels would fire more
    often has a lower mean rate."""

    side: int = Field(ge=4, le=128)
    mean_rate: quantity("Hz", gt=0, le=1000)
    presentation: quantity("s", gt=0, le=100)


class Population(_Section):
    """Leaky integrate-and-fire neurons with an adaptive threshold.

    `synapse` is "current" (g in volt drives the membrane) or "conductance" (g relative to the leak).
    Each spike raises the threshold by `theta_plus`, which decays with `tau_theta`; the rise that counts
    is at most `theta_max`.
    """

    n: int = Field(ge=1, le=1_000_000)
    synapse: Literal["current", "conductance"]
    tau_m: quantity("ms", gt=0)
    e_leak: quantity("mV", ge=-1, le=1)
    v_reset: quantity("mV", ge=-1, le=1)
    v_threshold: quantity("mV", ge=-1, le=1)
    v_floor: quantity("mV", ge=-1, le=1)
    refractory: quantity("ms", ge=0)
    tau_g_exc: quantity("ms", gt=0)
    tau_g_inh: quantity("ms", gt=0)
    e_exc: quantity("mV", ge=-1, le=1)
    e_inh: quantity("mV", ge=-1, le=1)
    theta_plus: quantity("mV", ge=0)
    theta_max: quantity("mV", ge=0)
    tau_theta: quantity("s", gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.v_floor <= self.v_reset < self.v_threshold:
            raise ValueError(
                f"v_floor ({self.v_floor * 1e3:g} mV) <= v_reset ({self.v_reset * 1e3:g} mV) < v_threshold "
                f"({self.v_threshold * 1e3:g} mV) must hold"
            )
        if self.synapse == "conductance" and not self.e_inh < self.e_leak < self.e_exc:
            raise ValueError(
                f"with conductance-based synapses e_inh ({self.e_inh * 1e3:g} mV) < e_leak "
                f"({self.e_leak * 1e3:g} mV) < e_exc ({self.e_exc * 1e3:g} mV) must hold"
            )
        return self


class Noise(_Section):
    """Membrane noise: each step of 1 ms adds a normal number of standard deviation `sigma` (scaled with
    the square root of the time step), asleep only or always."""

    sigma: quantity("mV", ge=0)
    during: Literal["sleep", "always"]


class STDP(_Section):
    """The window shared by all pathways with a pair rule. `pairing` is "all" or "nearest" spike."""

    tau_plus: quantity("ms", gt=0)
    tau_minus: quantity("ms", gt=0)
    a_plus: float = Field(ge=0)
    a_minus: float = Field(ge=0)
    x_target: float = Field(ge=0)
    pairing: Literal["all", "nearest"]


class ISTDP(_Section):
    """Vogels et al. (2011): trace time constant and target rate of the postsynaptic neurons."""

    tau: quantity("ms", gt=0)
    rho_target: quantity("Hz", ge=0)


class Pathway(_Section):
    """One projection with a fixed in-degree ``round(density * sources)``.

    Weights are magnitudes in [`w_min`, `w_max`]: their sign is in the target variable, so clamping them
    is sign clamping. They start at `w_initial`, spread uniformly by ± `w_spread` * `w_initial`. A spike
    raises g by weight * `gain`. `eta` is the learning rate of `rule`, in weight units. `w_target` is the
    fixed point of the renormalisation asleep.
    """

    density: float = Field(gt=0, le=1)
    w_initial: float = Field(ge=0)
    w_spread: float = Field(ge=0, le=1)
    w_min: float = Field(ge=0)
    w_max: float = Field(gt=0)
    w_target: float = Field(gt=0)
    gain: quantity("mV", gt=0)
    rule: Literal["static", "stdp", "stdp_reversed", "presynaptic_offset", "istdp", "istdp_antisymmetric"]
    eta: float = Field(ge=0)
    avoid_reciprocal: bool

    @model_validator(mode="after")
    def _within(self) -> Self:
        if not self.w_min < self.w_max:
            raise ValueError(f"w_min ({self.w_min:g}) must be below w_max ({self.w_max:g})")
        if not self.w_min <= self.w_initial <= self.w_max:
            raise ValueError(f"w_initial ({self.w_initial:g}) must lie in [w_min, w_max]")
        return self


class Sleep(_Section):
    """When the network sleeps and what sleep does.

    Sleep starts after `interval` of wake time, when the total excitatory weight exceeds `alpha_trigger`
    times its initial value, or at either; it lasts at most ``min(ratio * interval, longest)`` and ends
    early at `alpha_base` times the initial value. A `ratio` of 0 means no sleep at all. Asleep, every
    `every`, the weights of plastic pathways follow `renormalisation`, with `decay` (λ) per millisecond.
    """

    ratio: float = Field(ge=0, lt=1)
    trigger: Literal["interval", "threshold", "either"]
    interval: quantity("s", gt=0)
    longest: quantity("s", gt=0)
    shortest_wake: quantity("s", gt=0)
    alpha_trigger: float = Field(gt=0)
    alpha_base: float = Field(ge=0)
    renormalisation: Literal["power_law", "scaling", "normalise", "none"]
    decay: float = Field(gt=0, lt=1)
    every: quantity("ms", gt=0)
    plastic: bool

    @model_validator(mode="after")
    def _base_below_trigger(self) -> Self:
        if not self.alpha_base < self.alpha_trigger:
            raise ValueError(
                f"alpha_base ({self.alpha_base:g}) must be below alpha_trigger ({self.alpha_trigger:g})"
            )
        return self


class Guard(_Section):
    """A run ends with an error when, over `window`, a population fires above `max_rate` or below
    `min_rate` while awake (0 switches the lower bound off)."""

    max_rate: quantity("Hz", gt=0)
    min_rate: quantity("Hz", ge=0)
    window: quantity("s", ge=0.1, le=1000)


class Evaluation(_Section):
    """How features are read out, with plasticity and sleep off: each image is shown for `presentation`;
    `freeze_threshold` keeps the thresholds as training left them."""

    presentation: quantity("s", gt=0, le=100)
    freeze_threshold: bool


class Config(_Section):
    """All constants of one run of the plastic network. Frozen; see :func:`load_config`."""

    preset: str
    data: str
    train: int = Field(ge=1)
    val: int = Field(ge=0)
    test: int = Field(ge=1)
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
    guard: Guard
    evaluation: Evaluation

    @model_validator(mode="after")
    def _times_are_steps(self) -> Self:
        for name, seconds in (
            ("input.presentation", self.input.presentation),
            ("evaluation.presentation", self.evaluation.presentation),
            ("sleep.interval", self.sleep.interval),
            ("sleep.every", self.sleep.every),
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

    def to_dict(self) -> dict[str, Any]:
        """Plain values, quantities as text with their unit; what TOML files hold."""
        return self.model_dump()

    def to_toml(self) -> str:
        """The whole configuration as TOML, readable by :func:`load_config`."""
        return tomli_w.dumps(self.to_dict())

    @property
    def run_id(self) -> str:
        """Sixteen hexadecimal digits that name this configuration (canonical SHA-256)."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
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
    folder = resources.files("homeonet") / "presets"
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
    if text.endswith(".toml") or isinstance(source, Path):
        tables = read_toml(Path(source))
        base = tables.get("preset")
        if base is None:
            raise InputError(
                f'{source} names no preset; add for example preset = "massey2026" as its first line'
            )
        if base in preset_names():
            differing = {name: value for name, value in dotted(tables).items() if value != {}}
            return apply_overrides(load_config(base), differing | (overrides or {}))
    else:
        raise InputError(
            f"preset = {text!r} is not known; choose one of {', '.join(preset_names())}, or give the path of "
            "a .toml file"
        )
    return apply_overrides(_validate(tables), overrides or {})


@lru_cache
def _preset(name: str) -> Config:
    tables = tomllib.loads((resources.files("homeonet") / "presets" / f"{name}.toml").read_text())
    return _validate(tables | {"preset": name})


def apply_overrides(config: Config, overrides: dict[str, Any]) -> Config:
    """A copy of `config` with dotted names set to new values; raises InputError as `load_config`."""
    tables = config.to_dict()
    for name, value in overrides.items():
        section, _, key = name.rpartition(".")
        table = tables.get(section) if section else tables
        if not isinstance(table, dict) or key not in table or isinstance(table[key], dict):
            raise InputError(f"{name} is not a parameter; {_suggest(name, tables)}")
        table[key] = _coerce(value, table[key])
    return _validate(tables)


def _coerce(value: Any, current: Any) -> Any:
    """Read command-line text as the type that the parameter has now."""
    if not isinstance(value, str) or isinstance(current, str):
        return value
    if isinstance(current, bool):
        return {"true": True, "false": False}.get(value.lower(), value)
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def _validate(tables: dict[str, Any]) -> Config:
    try:
        return Config.model_validate(tables)
    except ValidationError as error:
        raise InputError("; ".join(explain(item) for item in error.errors())) from None


def _suggest(name: str, tables: dict[str, Any]) -> str:
    import difflib

    known = list(dotted(tables))
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f"did you mean {', '.join(close)}?" if close else "`homeonet presets NAME` prints all of them"

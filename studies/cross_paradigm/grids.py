"""What `study.py` compares: kinds of networks, each under every homeostasis that it can have."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from homeonet.config import load_config
from homeonet.config.parameters import dotted, read_toml
from homeonet.errors import InputError
from homeonet.machine.text import is_number
from homeonet.study.options import UNGUARDED
from homeonet.sweep import Grid

__all__ = ["COLUMNS", "ROWS", "STEPS", "grids_of", "own_columns", "place_of"]

#: Excitatory and inhibitory neurons of the presets; gradient-trained networks have as many hidden neurons.
UNITS = 250
#: Time steps of an image in gradient-trained networks.
STEPS = 10
#: No homeostasis at all: neither sleep nor adapting thresholds nor inhibitory plasticity.
_NONE: dict[str, Any] = {
    "sleep.ratio": 0.0,
    "exc.theta_plus": "0 mV",
    "inh.theta_plus": "0 mV",
    "inh_exc.rule": "static",
}
_PLASTIC: dict[str, dict[str, Any]] = {
    "none": _NONE,
    "sleep": {k: v for k, v in _NONE.items() if k != "sleep.ratio"},
    # without noise nothing fires asleep: what is left of sleep is that each neuron's weights get their sum back
    "normalisation": {k: v for k, v in _NONE.items() if k != "sleep.ratio"}
    | {"sleep.renormalisation": "normalise", "noise.sigma": "0 mV"},
    "adaptive threshold": {k: v for k, v in _NONE.items() if not k.endswith("theta_plus")},
    "iSTDP": _NONE | {"inh_exc.rule": "istdp", "inh_exc.eta": 0.005},
    "AHSAR": _NONE | {"ahsar.enabled": True},
    "preset": {},
}
_GRADIENT: dict[str, dict[str, Any]] = {
    "none": {},
    "sleep": {"homeostasis.sleep.ratio": 0.1},
    "normalisation": {"neuron_options.variant": "mem_bn"},
    "adaptive threshold": {"homeostasis.threshold_adaptation.per": "unit"},
    "MP-Init": {"homeostasis.mp_init.momentum": 0.9},
    "AHSAR": {"homeostasis.ahsar.target_rate": 0.15},
}
#: Of Mem-BN, which HD-LIF alone has; the other neurons have no normalisation of their membranes.
_ONLY = {"normalisation": "HD-LIF"}
#: Learning online, a network runs once per step, and thresholds move once per run: a batch is to weigh as elsewhere.
_ONLINE = {
    "adaptive threshold": {"homeostasis.threshold_adaptation.rate": 0.01 / STEPS},
    "AHSAR": {f"homeostasis.ahsar.{k}": v / STEPS for k, v in (("strength", 0.05), ("relaxation", 0.01))}
    | {"homeostasis.ahsar.diffusion": 0.1 / STEPS},
}
_NETWORKS: dict[str, dict[str, Any]] = {
    "STDP (massey2026)": {"preset": "massey2026"},
    "STDP (homeonet)": {"preset": "homeonet"},
    "SG-SNN": {"neuron": "lif", "neuron_options.decay": 0.95},
    "recurrent SG-SNN": {"neuron": "recurrentlif", "neuron_options.decay": 0.95},
    "TrLIF": {"neuron": "trlif", "neuron_options.mp_init": False},
    "HD-LIF": {"neuron": "hdlif", "paradigm": "online"},
    "DSN": {"neuron": "dsn", "paradigm": "parallel"},
}
ROWS = tuple(_NETWORKS)
#: They have no weights between spiking neurons, on which STDP could act asleep: what is left is the power law.
_FEED_FORWARD = ("SG-SNN", "TrLIF", "HD-LIF", "DSN")
_NO_STDP = {"homeostasis.sleep.stdp": False}
COLUMNS = (
    "none", "sleep", "normalisation", "adaptive threshold", "iSTDP", "MP-Init", "AHSAR", "preset"
)  # fmt: skip


def grids_of(options: argparse.Namespace, data: str, pixels: int) -> dict[str, Grid]:
    """The networks that are wanted, by their kind, "plastic" or "gradient", under all their homeostasis."""
    kinds = {"plastic" if "preset" in _NETWORKS[name] else "gradient" for name in options.networks}
    return {kind: _grid(kind, options, data, pixels) for kind in sorted(kinds, reverse=True)}


def _grid(kind: str, options: argparse.Namespace, data: str, pixels: int) -> Grid:
    fixed: dict[str, Any] = {"train": options.train, "test": options.test}
    if kind == "plastic":
        fixed["evaluation.presentation"] = "0.5 s"  # of both presets, so that they count over the same time
        fixed |= UNGUARDED
        side = "input.side"
    else:
        fixed |= {"net": "sg_snn", "net_options.hidden": UNITS, "steps": STEPS, "epochs": options.epochs}
        fixed |= {"batch": 50, "val": 0}
        side = "size"
    return Grid(
        fixed | {"data": data, side: pixels},
        {"seed": options.seeds},
        _cases(kind, options.networks, options.homeostasis, options.own[kind]),
    )


def own_columns(given: Sequence[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """What users compare with the rest, by kind of network and by a name.

    Parameters
    ----------
    given : sequence of str
        Files of mechanisms for the STDP networks, and ``module:Class.option=value`` of homeostasis for the others.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {"plastic": {}, "gradient": {}}
    for text in given:
        if text.lower().endswith(".toml"):
            load_config(text)  # what is wrong in it is said at once
            tables = {name: value for name, value in read_toml(Path(text)).items() if name != "preset"}
            changes = {name: value for name, value in dotted(tables).items() if value != {}}
            found["plastic"][Path(text).stem.replace("_", " ")] = _NONE | changes
            continue
        dotted_name, _, value = text.partition("=")
        where, _, option = dotted_name.partition(".")
        if ":" not in where or not option or not value:
            raise InputError(
                f"--own {text}: give a .toml file, or for example own_plugin:Ratchet.ceiling=0.1"
            )
        column = found["gradient"].setdefault(where.partition(":")[2], {})
        column[f"homeostasis.{where}.{option}"] = float(value) if is_number(value) else value
    return found


def place_of(case: str) -> tuple[str, str]:
    """Network and homeostasis of a case of a grid."""
    network, _, homeostasis = case.partition(", ")
    return network, homeostasis


def _cases(
    kind: str, networks: list[str], wanted: list[str], own: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    cases = {}
    for network, parameters in _NETWORKS.items():
        if network not in networks or ("preset" in parameters) != (kind == "plastic"):
            continue
        for name, changes in ((_PLASTIC if kind == "plastic" else _GRADIENT) | own).items():
            if name not in wanted or (kind == "gradient" and _ONLY.get(name, network) != network):
                continue
            online = _ONLINE.get(name, {}) if parameters.get("paradigm") == "online" else {}
            asleep = _NO_STDP if name == "sleep" and network in _FEED_FORWARD else {}
            cases[f"{network}, {name}"] = parameters | changes | online | asleep
    return cases

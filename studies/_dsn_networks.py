"""The networks that `dsn.py` compares on images read as sequences: equal but for their neurons and their widths."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import xarray as xr
from _gradient_study import Scale, accuracies, gain, interval_text
from _sweeping import difference

from homeonet.analysis import compare_conditions
from homeonet.claims import Measured, measured_over_seeds
from homeonet.gradient.training import build, train_config

__all__ = ["NEURONS", "DSNScale", "accuracy_claims", "accuracy_rows", "cases", "rates"]

NEURONS: dict[str, dict[str, Any]] = {
    "DSN": {"neuron": "dsn"},
    "DSN, N = 1": {"neuron": "dsn", "neuron_options.levels": 1},
    "DSN, static": {"neuron": "dsn", "neuron_options.decay": "static"},
    "LIF": {"neuron": "lif"},
    "PSN": {"neuron": "psn"},
    "sliding PSN": {"neuron": "slidingpsn"},
}
_NETS = {"columns": "columns", "pixels": "sequence", "permuted": "sequence"}


@dataclass(frozen=True)
class DSNScale(Scale):
    """With the sequences, the network's size, and what is timed and written."""

    encoding: str = field(default="columns", metadata={"help": "columns, pixels or permuted"})
    size: int = field(default=28, metadata={"help": "side of the images"})
    width: int = field(default=24, metadata={"help": "width of the DSN's network; the paper's: 128"})
    lengths: tuple[int, ...] = field(
        default=(32, 128, 512, 2048, 4096, 16384), metadata={"help": "T to time a training step at"}
    )
    rounds: int = field(default=4, metadata={"help": "rounds of timing"})
    text: str = field(default="", metadata={"help": "a text, plain or .gz, for the language model"})
    updates: int = field(default=400, metadata={"help": "updates of the language model"})
    tested: int = field(default=30000, metadata={"help": "characters it reads when tested"})


def cases(options: Any, fixed: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A case a neuron, of the width that brings its network nearest to the number of parameters of the DSN's.

    And PSN once more as wide as DSN: its T × T matrices weigh heavily in a small network.
    """
    fixed = dict(fixed) | {"net": _NETS.get(options.encoding, "columns"), "encoding": options.encoding}

    def parameters(neuron: Mapping[str, Any], width: int) -> int:
        config = train_config(**fixed, **neuron, **{"net_options.width": width})
        return sum(p.numel() for p in build(config, 10)[0].parameters())

    wanted, found = parameters(NEURONS["DSN"], options.width), {}
    for name, neuron in NEURONS.items():
        count = partial(parameters, neuron)
        above = bisect_left(range(2, 2 * options.width), wanted, key=count) + 2
        width = min((above - 1, above), key=lambda w, count=count: abs(count(max(w, 1)) - wanted))
        found[name] = neuron | {"net_options.width": max(width, 1)}
    found["PSN, as wide"] = NEURONS["PSN"] | {"net_options.width": options.width}
    net = {"net": fixed["net"], "encoding": options.encoding}
    return {name: net | case for name, case in found.items()}


def rates(results: xr.Dataset) -> xr.DataArray:
    """Share of unit-steps with any output, mean over layers."""
    layers = [name for name in results if str(name).startswith("rate.")]
    return xr.concat([results[name] for name in layers], "layer").mean("layer")


def accuracy_rows(results: xr.Dataset, chosen: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """A line a network: its width and parameters, accuracy, paired difference from DSN, rate."""
    values, active = accuracies(results), rates(results)
    tests = compare_conditions(values, "case", reference="DSN")
    rows = [["network", "width", "parameters", "accuracy, %", "− DSN", "active share"]]
    for name, case in chosen.items():
        here, n = {"case": name}, int(results["parameters"].sel(case=name).max())
        row = [
            name,
            str(case["net_options.width"]),
            f"{n:,}".replace(",", " "),
            interval_text(values.sel(here)),
        ]
        rows.append([*row, difference(tests.sel(here)), interval_text(active.sel(here), ".3f")])
    return rows


def accuracy_claims(results: xr.Dataset, where: str) -> dict[str, Sequence[Measured]]:
    """Differences of accuracy at equal parameters, and ratios of rates."""
    values, active = accuracies(results), rates(results)
    pairs = {
        "dsn-accuracy-lif": ("DSN", "LIF"),
        "dsn-accuracy-psn": ("DSN", "PSN"),
        "dsn-accuracy-sliding": ("DSN", "sliding PSN"),
        "dsn-binary": ("DSN, N = 1", "PSN"),
        "dsn-decay": ("DSN", "DSN, static"),
    }
    found: dict[str, Sequence[Measured]] = {
        name: [gain(f"{where}, {first} − {second}", values, {"case": first}, {"case": second})]
        for name, (first, second) in pairs.items()
    }
    found["dsn-rate"] = [
        measured_over_seeds(f"{where}, {name}", (active.sel(case=name) / active.sel(case="LIF")).values)
        for name in ("DSN", "DSN, N = 1")
    ]
    return found

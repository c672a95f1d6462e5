"""The networks that `study.py` compares on sequences: equal but for their neurons and their widths."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import xarray as xr

from homeonet.analysis import compare_conditions
from homeonet.claims import Check, Measured, measured_over_seeds
from homeonet.cli.study import run_grid
from homeonet.data import SERIES, load
from homeonet.errors import InputError
from homeonet.gradient.training import build, train_config
from homeonet.study.checks import above_chance, checked
from homeonet.study.intervals import difference, interval_text
from homeonet.study.measured import accuracies, gain
from homeonet.study.options import Scale, training
from homeonet.sweep import Grid

__all__ = [
    "HEAD",
    "DSNScale",
    "Task",
    "accuracy_claims",
    "accuracy_rows",
    "networks",
    "scale_of_tasks",
    "tasks_of",
]

HEAD = ["task", "network", "width", "parameters", "accuracy, %", "− DSN", "active share"]

NEURONS: dict[str, dict[str, Any]] = {
    "DSN": {"neuron": "dsn"},
    "DSN, N = 1": {"neuron": "dsn", "neuron_options.levels": 1},
    "DSN, static": {"neuron": "dsn", "neuron_options.decay": "static"},
    "LIF": {"neuron": "lif"},
    "PSN": {"neuron": "psn"},
    "sliding PSN": {"neuron": "slidingpsn"},
}
_NETS = {"columns": "columns", "pixels": "sequence", "permuted": "sequence", "series": "sequence"}


@dataclass(frozen=True)
class DSNScale(Scale):
    """The scale of the study, with the sequences, the network's size, and the text."""

    encoding: str = field(default="columns", metadata={"help": "columns, pixels, permuted or series"})
    size: int = field(default=28, metadata={"help": "side of the images"})
    more: tuple[str, ...] = field(
        default=("mnist:permuted:14", "series:Crop:46", "series:ElectricDevices:96"),
        metadata={"help": "further tasks, DATA:ENCODING:SIDE or series:NAME:T; nothing for none"},
    )
    more_epochs: int = field(default=20, metadata={"help": "epochs of the further tasks"})
    width: int = field(default=24, metadata={"help": "width of the DSN's network; the paper's: 128"})
    text: str = field(default="", metadata={"help": "a text, plain or .gz, for the language model"})
    updates: int = field(default=400, metadata={"help": "updates of the language model"})
    tested: int = field(default=30000, metadata={"help": "characters it reads when tested"})


@dataclass(frozen=True)
class Task:
    """Sequences to tell apart: what is fixed in all training runs, the folder of these, and the number of classes."""

    name: str
    folder: str
    fixed: Mapping[str, Any]
    classes: int


def tasks_of(options: Any) -> list[Task]:
    """The data that were asked for first, then the further tasks; all data are there."""
    tasks = [_task(options, "sweep", options.data, options.encoding, options.size, options.epochs)]
    for text in options.more:
        data, encoding, size = (text.split(":") + [""] * 2)[:3]
        if text.count(":") != 2 or not size.isdecimal():
            raise InputError(f"more = {text!r}; give DATA:ENCODING:SIDE or series:NAME:T")
        if f"{data}:" == SERIES:
            data, encoding = f"{data}:{encoding}", "series"
        folder = f"sweep_{text.replace(':', '_')}"
        tasks.append(_task(options, folder, data, encoding, int(size), options.more_epochs))
    return tasks


def _task(options: Any, folder: str, data: str, encoding: str, size: int, epochs: int) -> Task:
    if data.startswith(SERIES):
        encoding = "series"
    if encoding not in _NETS:
        raise InputError(f"encoding = {encoding!r}; choose from {', '.join(_NETS)}")
    fixed = training(options) | {"data": data, "epochs": epochs, "size": size, "batch": 32, "lr": 3e-3}
    fixed |= {"encoding": encoding, "net": _NETS[encoding]}
    sizes = {name: fixed[name] for name in ("size", "train", "val", "test")}
    classes = load(data, **sizes).n_classes
    named = data.removeprefix(SERIES) if encoding == "series" else f"{data}, {encoding}"
    name = f"{named}, T = {train_config(**fixed).sequence_steps}"
    return Task(name, folder, fixed, classes)


def scale_of_tasks(options: Any, tasks: Sequence[Task]) -> str:
    """Sizes, and each task with its epochs, in words."""
    seeds = " ".join(map(str, options.seeds))
    told = "; ".join(f"{task.name}, {task.fixed['epochs']} epochs" for task in tasks)
    return f"{options.train} training and {options.test} test images or series, seeds {seeds}; {told}"


def _cases(task: Task, options: Any) -> dict[str, dict[str, Any]]:
    """One case per neuron, of the width that brings its network nearest to the number of parameters of the DSN's.

    And PSN once more as wide as DSN: its T × T matrices weigh heavily in a small network.
    """

    def parameters(neuron: Mapping[str, Any], width: int) -> int:
        config = train_config(**task.fixed, **neuron, **{"net_options.width": width})
        return sum(p.numel() for p in build(config, task.classes)[0].parameters())

    neurons = NEURONS
    if task.fixed["net"] == "sequence":
        n_steps = train_config(**task.fixed).sequence_steps
        neurons = {name: _with_memory(neuron, n_steps) for name, neuron in NEURONS.items()}
    wanted, found = parameters(neurons["DSN"], options.width), {}
    for name, neuron in neurons.items():
        count = partial(parameters, neuron)
        above = bisect_left(range(2, 2 * options.width), wanted, key=count) + 2
        width = min((above - 1, above), key=lambda w, count=count: abs(count(max(w, 1)) - wanted))
        found[name] = neuron | {"net_options.width": max(width, 1)}
    found["PSN, as wide"] = neurons["PSN"] | {"net_options.width": options.width}
    return found


def _with_memory(neuron: Mapping[str, Any], n_steps: int) -> dict[str, Any]:
    """Neurons that remember many steps at the start, where what is to be told apart lies many steps back."""
    if neuron["neuron"] == "dsn":
        return dict(neuron) | {"neuron_options.longest_memory": float(n_steps)}
    if neuron["neuron"] == "lif":
        return dict(neuron) | {"neuron_options.decay": 0.98, "neuron_options.gain": 0.1}
    return dict(neuron)


def networks(task: Task, options: Any) -> tuple[dict[str, dict[str, Any]], xr.Dataset]:
    """The cases of a task and their results; what is missing is run."""
    chosen = _cases(task, options)
    grid = Grid(dict(task.fixed), {"seed": options.seeds}, chosen)
    return chosen, run_grid(grid, options.out / task.folder, options).results


def _rates(results: xr.Dataset) -> xr.DataArray:
    """Share of unit-steps with any output, by layer."""
    layers = [name for name in results if str(name).startswith("rate.")]
    return xr.concat([results[name] for name in layers], "layer")


def accuracy_rows(
    task: Task, chosen: Mapping[str, Mapping[str, Any]], results: xr.Dataset
) -> list[list[str]]:
    """A line per network: its width and parameters, accuracy, paired difference from DSN, rate; and the raw values."""
    values, active = accuracies(results), _rates(results).mean("layer")
    tests = compare_conditions(values, "case", reference="DSN")
    rows = []
    for name, case in chosen.items():
        here, n = {"case": name}, int(results["parameters"].sel(case=name).max())
        row = [task.name, name, str(case["net_options.width"]), f"{n:,}".replace(",", " ")]
        row += [interval_text(values.sel(here)), difference(tests.sel(here))]
        rows.append([*row, interval_text(active.sel(here), ".3f")])
    raw = interval_text(accuracies(results, "accuracy.raw_pixels"))
    return [*rows, [task.name, "raw values, logistic", "", "", raw, "", ""]]


#: A network with more of DSN's parameters is not its equal: where T is long, a single PSN unit has.
_ALIKE = 1.2
#: A LIF network is no rival where a layer of it is all but silent; the paper's is active in 15 % of its outputs.
_ALIVE = 0.01


def accuracy_claims(found: Mapping[str, xr.Dataset]) -> dict[str, list[Measured]]:
    """Differences of accuracy at equal parameters, where there are such networks, and ratios of rates, of all tasks."""
    pairs = {
        "dsn-accuracy-lif": ("DSN", "LIF"),
        "dsn-accuracy-psn": ("DSN", "PSN"),
        "dsn-accuracy-sliding": ("DSN", "sliding PSN"),
        "dsn-binary": ("DSN, N = 1", "PSN"),
        "dsn-decay": ("DSN", "DSN, static"),
    }
    measured: dict[str, list[Measured]] = {name: [] for name in (*pairs, "dsn-rate")}
    for task, results in found.items():
        values, layers = accuracies(results), _rates(results)
        active, sizes = layers.mean("layer"), results["parameters"].max("seed")
        quiet = layers.sel(case="LIF").dropna("seed", how="all").min()
        fit = (
            Check("share of active outputs of LIF, least of layers and seeds", float(quiet), at_least=_ALIVE),
            above_chance("LIF", values.sel(case="LIF"), classes=int(results["classes"].max())),
        )
        for name, (first, second) in pairs.items():
            if float(sizes.sel(case=second) / sizes.sel(case=first)) > _ALIKE:
                continue
            case = f"{task}, {first} − {second}"
            found_gain = gain(case, values, {"case": first}, {"case": second})
            measured[name] += checked([found_gain], *(fit if second == "LIF" else ()))
        for name in ("DSN", "DSN, N = 1"):
            ratio = (active.sel(case=name) / active.sel(case="LIF")).values
            measured["dsn-rate"] += checked([measured_over_seeds(f"{task}, {name}", ratio)], *fit)
    return measured

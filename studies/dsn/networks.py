"""The networks that `study.py` compares on sequences: equal but for their neurons and their widths."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import xarray as xr
from characters import READERS

from homeonet.analysis import compare_conditions
from homeonet.claims import Check, Measured, measured_over_seeds
from homeonet.cli.study import run_grid
from homeonet.data import SERIES, load
from homeonet.errors import InputError
from homeonet.gradient.training import build, train_config
from homeonet.study.checks import above_chance, checked
from homeonet.study.intervals import difference, interval_text
from homeonet.study.measured import accuracies, gain
from homeonet.study.options import Scale, some_of, training
from homeonet.sweep import Grid

__all__ = [
    "DSNScale",
    "Task",
    "accuracy_claims",
    "accuracy_rows",
    "networks",
    "scale_of_tasks",
    "tasks_of",
]

_HEAD = ["task", "network", "seeds", "width", "parameters", "accuracy, %", "− DSN", "active share"]

NEURONS: dict[str, dict[str, Any]] = {
    "DSN": {"neuron": "dsn"},
    "DSN, N = 1": {"neuron": "dsn", "neuron_options.levels": 1},
    "DSN, static": {"neuron": "dsn", "neuron_options.decay": "static"},
    "LIF": {"neuron": "lif"},
    "PSN": {"neuron": "psn"},
    "sliding PSN": {"neuron": "slidingpsn"},
}
#: PSN once more: its T × T matrices weigh heavily in a small network.
AS_WIDE = "PSN, as wide"
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
    more_epochs: int = field(default=10, metadata={"help": "epochs of the further tasks"})
    width: int = field(default=24, metadata={"help": "width of the DSN's network; the paper's: 128"})
    text: str = field(default="", metadata={"help": "a text, plain or .gz, for the language model"})
    neurons: tuple[str, ...] = some_of((*NEURONS, AS_WIDE))
    readers: tuple[str, ...] = some_of(READERS, empty=True)
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
    if encoding == "series":  # an archive has what it has
        whole = load(data, size=size)
        fixed["test"] = min(options.test, len(whole.y_test))
        fixed["train"] = min(options.train, len(whole.y_train) - options.val)
    sizes = {name: fixed[name] for name in ("size", "train", "val", "test")}
    classes = load(data, **sizes).n_classes
    named = data.removeprefix(SERIES) if encoding == "series" else f"{data}, {encoding}"
    name = f"{named}, T = {train_config(**fixed).sequence_steps}"
    return Task(name, folder, fixed, classes)


def scale_of_tasks(data: xr.Dataset) -> str:
    """The tasks of a dataset in words, with their sizes and epochs, and the seeds."""
    told = [
        f"{task} ({int(here['train'])} training and {int(here['test'])} test examples, {int(here['epochs'])} epochs)"
        for task, here in ((str(task), data.sel(task=task)) for task in data["task"].values)
    ]
    return f"{'; '.join(told)}; seeds {' '.join(map(str, data['seed'].values))}"


def _cases(task: Task, options: Any) -> dict[str, dict[str, Any]]:
    """One case per neuron, of the width that brings its network nearest to the number of parameters of the DSN's.

    PSN also as wide as DSN.
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
        if name not in options.neurons:
            continue
        count = partial(parameters, neuron)
        above = bisect_left(range(2, 2 * options.width), wanted, key=count) + 2
        width = min((above - 1, above), key=lambda w, count=count: abs(count(max(w, 1)) - wanted))
        found[name] = neuron | {"net_options.width": max(width, 1)}
    if AS_WIDE in options.neurons:
        found[AS_WIDE] = neurons["PSN"] | {"net_options.width": options.width}
    return found


def _with_memory(neuron: Mapping[str, Any], n_steps: int) -> dict[str, Any]:
    """Neurons that remember many steps at the start, where what is to be told apart lies many steps back."""
    if neuron["neuron"] == "dsn":
        return dict(neuron) | {"neuron_options.longest_memory": float(n_steps)}
    if neuron["neuron"] == "lif":
        return dict(neuron) | {"neuron_options.decay": 0.98, "neuron_options.gain": 0.1}
    return dict(neuron)


def networks(task: Task, options: Any) -> xr.Dataset:
    """All that is kept of a task, by neuron and seed; what is missing is run."""
    chosen = _cases(task, options)
    grid = Grid(dict(task.fixed), {"seed": options.seeds}, chosen)
    results = run_grid(grid, options.out / task.folder, options).results.rename(case="neuron")
    rates = xr.concat([results[name] for name in results if str(name).startswith("rate.")], "layer")
    width = [chosen[str(name)]["net_options.width"] for name in results["neuron"].values]
    found = {
        "accuracy": accuracies(results),
        "active": rates.mean("layer"),
        "least_active": rates.min("layer"),
        "raw": accuracies(results, "accuracy.raw_pixels").isel(neuron=0, drop=True),
        "parameters": results["parameters"].max("seed"),
        "width": ("neuron", width),
        "classes": task.classes,
        **{name: int(task.fixed[name]) for name in ("train", "test", "epochs")},
    }
    return xr.Dataset({k: v.rename(None) if isinstance(v, xr.DataArray) else v for k, v in found.items()})


def accuracy_rows(data: xr.Dataset) -> list[list[str]]:
    """A line per task and network: size, accuracy, paired difference from DSN, rate; and one of the raw values."""
    rows = [_HEAD]
    for task in map(str, data["task"].values):
        here = data.sel(task=task)
        here = here.sel(neuron=here["parameters"].dropna("neuron")["neuron"])
        tests = compare_conditions(here["accuracy"], "neuron", reference="DSN")
        for name in map(str, here["neuron"].values):
            at = here.sel(neuron=name).dropna("seed", subset=["accuracy"])
            row = [
                task,
                name,
                f"{at.sizes['seed']}",
                f"{int(at['width'])}",
                f"{int(at['parameters']):,}".replace(",", " "),
            ]
            row += [interval_text(at["accuracy"]), difference(tests.sel(neuron=name))]
            rows.append([*row, interval_text(at["active"], ".3f")])
        rows.append(
            [task, "raw values, logistic", "", "", "", interval_text(here["raw"].dropna("seed")), "", ""]
        )
    return rows


#: A network with more of DSN's parameters is not its equal: where T is long, a single PSN unit has.
_ALIKE = 1.2
#: A LIF network is no rival where a layer of it is all but silent; the paper's is active in 15 % of its outputs.
_ALIVE = 0.01


def accuracy_claims(data: xr.Dataset) -> dict[str, list[Measured]]:
    """Differences of accuracy at equal parameters, where there are such networks, and ratios of rates, of all tasks."""
    pairs = {
        "dsn-accuracy-lif": ("DSN", "LIF"),
        "dsn-accuracy-psn": ("DSN", "PSN"),
        "dsn-accuracy-sliding": ("DSN", "sliding PSN"),
        "dsn-binary": ("DSN, N = 1", "PSN"),
        "dsn-decay": ("DSN", "DSN, static"),
    }
    measured: dict[str, list[Measured]] = {name: [] for name in (*pairs, "dsn-rate")}
    for task in map(str, data["task"].values):
        here = data.sel(task=task)
        values, active, sizes = here["accuracy"], here["active"], here["parameters"]
        ran = set(map(str, values.dropna("neuron", how="all")["neuron"].values))
        quiet = here["least_active"].sel(neuron="LIF").min()
        fit = (
            Check("share of active outputs of LIF, least of layers and seeds", float(quiet), at_least=_ALIVE),
            above_chance("LIF", values.sel(neuron="LIF").dropna("seed"), classes=int(here["classes"])),
        )
        for name, (first, second) in pairs.items():
            if not {first, second} <= ran:
                continue
            if float(sizes.sel(neuron=second) / sizes.sel(neuron=first)) > _ALIKE:
                continue
            case = f"{task}, {first} − {second}"
            found_gain = gain(case, values, {"neuron": first}, {"neuron": second})
            measured[name] += checked([found_gain], *(fit if second == "LIF" else ()))
        for name in sorted({"DSN", "DSN, N = 1"} & ran):
            ratio = (active.sel(neuron=name) / active.sel(neuron="LIF")).values
            measured["dsn-rate"] += checked([measured_over_seeds(f"{task}, {name}", ratio)], *fit)
    return measured

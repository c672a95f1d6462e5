"""The command ``homeonet train``: options, and what is printed. All work is in ``homeonet.runs.gradient``."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Mapping
from typing import Any

from homeonet.cli.options import parse_assignments, whole_number
from homeonet.cli.terminal import progress_bar
from homeonet.machine.optional import require_gradient
from homeonet.machine.text import is_number

__all__ = ["add_train"]

_LONGEST_LITERAL = 10_000

_EPILOG = """examples:
  homeonet train lif --out results/lif                            (embedded MNIST images, a small conv net)
  homeonet train trlif --data fashion --train 55000 --val 5000 --test 10000 --epochs 5 --out results/trlif
  homeonet train hdlif --paradigm online --out results/online
  homeonet train dsn --net sequence --encoding pixels --paradigm parallel --out results/pixels
  homeonet train lif --net sg_snn --size 15 --steps 25 --set neuron_options.decay=0.95 --out results/sg
  homeonet train lif --net sg_snn --homeostasis sleep --set net_options.spiking_output=true --out results/sleep
  homeonet train lif --homeostasis ahsar --set homeostasis.ahsar.target_rate=0.1 --out results/ahsar
  homeonet train own_neuron:AdaptiveLIF --homeostasis own_plugin:Ratchet --out results/own   (classes of your own)
  torchrun --nproc-per-node 2 -m homeonet train lif --devices 2 --out results/two   (data-parallel)

Any parameter of homeonet.gradient.training.TrainConfig can be given with --set NAME=VALUE.
"""
#: Options that are fields of the configuration, with their help.
_FIELDS: dict[str, tuple[type, str]] = {
    "net": (str, "conv (default), sg_snn, vgg, resnet18, resnet19, resnet34, sew18, columns, sequence"),
    "data": (
        str,
        "mnist5k (default; comes with the package), mnist, fashion, kmnist, … (see `homeonet data`), images:FOLDER "
        "with one folder per class, array:FILE.npz, or series:NAME, time series in NAME.npz",
    ),
    "encoding": (str, "direct (default), poisson, columns, pixels, permuted; of time series: series"),
    "paradigm": (str, "bptt (default), online, online_random, parallel"),
    "steps": (int, "time steps T of the encodings direct and poisson; default 4"),
    "size": (int, "side of the images in pixels, or length of the time series; default 28"),
    "train": (int, "training images; default 3600"),
    "val": (int, "validation images, taken from the training set; default 400"),
    "test": (int, "test images, of the official test set where there is one; default 1000"),
    "epochs": (int, "passes through the training images; default 5"),
    "batch": (int, "images per batch; default 64"),
    "lr": (float, "learning rate at the start; default 0.002"),
    "seed": (int, "seed of weights, order, augmentation and encoding; default 1"),
}


def add_train(commands: Any) -> None:
    """Add ``train`` to the subcommands."""
    train = commands.add_parser(
        "train",
        help="train a spiking network by gradients",
        description="Trains a network of LIF, TrLIF, HD-LIF, DSN, PSN or sliding PSN neurons on images or time "
        "series, with or without homeostasis, and writes config.toml, metrics.json, epochs.csv, records.nc, "
        "model.safetensors and figures. Interrupted, the same command continues where it stopped. It needs torch: "
        "the extra `gradient` of this package.",
        epilog=_EPILOG,
    )
    train.add_argument(
        "neuron", help="lif, trlif, hdlif, dsn, psn, slidingpsn, recurrentlif; module:class; or a TOML file"
    )
    for name, (kind, text) in _FIELDS.items():
        train.add_argument(
            f"--{name}",
            type=whole_number if kind is int else kind,
            help=text,
            metavar=name.upper() if kind is str else "N",
        )
    train.add_argument(
        "--homeostasis",
        action="append",
        default=[],
        metavar="NAME",
        help="ahsar, mp_init, sleep, threshold_adaptation or module:class (repeatable)",
    )
    train.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any other parameter (repeatable)"
    )
    train.add_argument(
        "--out", metavar="DIR", required=True, help="folder of results; appears when it is complete"
    )
    train.add_argument(
        "--data-folder", metavar="DIR", help="look for images here first (then $HOMEONET_DATA)"
    )
    train.add_argument("--accelerator", default="auto", help="cpu, cuda, mps or auto (default)")
    train.add_argument(
        "--devices", type=whole_number, default=1, metavar="N", help="processes that train data-parallel"
    )
    train.add_argument("--tensorboard", action="store_true", help="also log the epochs for TensorBoard")
    train.add_argument("--no-figures", action="store_true", help="write no figures")
    train.add_argument("--no-baselines", action="store_true", help="leave the raw-pixel baseline out")
    train.set_defaults(call=_train)


def _train(options: argparse.Namespace) -> None:
    require_gradient("`homeonet train`")
    from homeonet.gradient.training import load_train_config, train_config
    from homeonet.machine.allocator import keep_freed_memory
    from homeonet.runs.gradient import train

    keep_freed_memory()
    values: dict[str, Any] = {
        name: getattr(options, name) for name in _FIELDS if getattr(options, name) is not None
    }
    values |= {f"homeostasis.{name}": {} for name in options.homeostasis}
    values |= {name: _value(text) for name, text in parse_assignments(options.set).items()}
    if options.neuron.lower().endswith(".toml"):
        config = load_train_config(options.neuron, **values)
    else:
        config = train_config(neuron=options.neuron, **values)
    result = train(
        config,
        options.out,
        accelerator=options.accelerator,
        devices=options.devices,
        data_folder=options.data_folder,
        figures=not options.no_figures,
        baselines=not options.no_baselines,
        tensorboard=options.tensorboard,
        progress=progress_bar,
    )
    if result.folder is not None:
        _print(result.metrics)
        done = "already complete, nothing was run again:" if result.found_complete else "written to"
        print(f"{done} {result.folder}")


def _value(text: str) -> Any:
    """A number, a truth value or a list as Python writes it; else the text itself."""
    if text in ("true", "false"):
        return text == "true"
    literal = text in ("True", "False", "None") or text[:1] in tuple("[({'\"")
    if not is_number(text) and (not literal or len(text) > _LONGEST_LITERAL):
        return text
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text


def _print(metrics: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from homeonet.runs.rows import trained_rows

    table = Table(caption="accuracies are in %, with a 95 % Wilson interval", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for title, cell in trained_rows(metrics)[1:]:
        table.add_row(title, cell)
    Console().print(table)

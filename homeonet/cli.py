"""The command line: thin, and the only place that prints.

Exit codes: 0 done, 1 the run failed, 2 the input cannot be used, 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from homeonet._claims_command import add_claims
from homeonet._cuda_option import add_cuda_arch
from homeonet._figure_command import add_figure
from homeonet._interrupts import interrupts_answered, remedy
from homeonet._streams import open_standard_streams
from homeonet._sweep_command import add_sweep
from homeonet._text import whole_number
from homeonet._train_command import add_train
from homeonet._version import __version__
from homeonet.errors import HomeonetError, InputError

__all__ = ["main", "parse_assignments", "progress_bar", "run_main"]

_EPILOG = """examples:
  homeonet run massey2026 --out results/sleep
  homeonet run massey2026 --set sleep.ratio=0 --out results/no_sleep
  homeonet run homeonet --data mnist --train 6000 --test 10000 --out results/mnist
  homeonet run massey2026 --set sleep.ratio=0.15 --set noise.sigma="3 mV" --seed 7 --out results/seed7
  homeonet presets massey2026 > mine.toml   (edit it, then: homeonet run mine.toml --out results/mine)
"""


_EVALUATE_EPILOG = """examples:
  homeonet evaluate results/sleep                      (the images it was trained on)
  homeonet evaluate results/mnist --data fashion --train 6000 --test 10000
"""
_PRESETS_EPILOG = """examples:
  homeonet presets
  homeonet presets massey2026 > mine.toml   (edit it, then: homeonet run mine.toml --out results/mine)
"""
_DATA_EPILOG = """examples:
  homeonet data
  homeonet data images:pictures             (what a folder of images, or array:FILE.npz, holds)
  homeonet data --data-folder ~/datasets    (with ~/datasets/MNIST/raw/train-images-idx3-ubyte and so on)
  HOMEONET_DATA=~/datasets homeonet run massey2026 --data mnist --out results/mnist
"""
_DOCTOR_EPILOG = """examples:
  homeonet doctor
  CXX=clang++ homeonet doctor               (another compiler)
"""


class _Parser(argparse.ArgumentParser):
    """Shows its examples as they are written, and makes an error one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"homeonet: error: {message}; see `{self.prog} --help`\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the command ``homeonet``; returns the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_main(lambda: _call(given), resumes=given[:1] in (["run"], ["train"], ["sweep"]))


def _call(arguments: Sequence[str]) -> int | None:
    parser = _parser()
    options = parser.parse_args(arguments)
    if not hasattr(options, "call"):
        parser.print_help()
        return 2
    return options.call(options)


def run_main(call: Callable[[], int | None], *, resumes: bool = True) -> int:
    """Run `call`, turning the errors a user can cause into one line and an exit code.

    Parameters
    ----------
    call : callable
        Returns an exit code, or None for 0.
    resumes : bool, default True
        Whether the same command, given again after an interruption, continues where it stopped.
    """
    open_standard_streams()
    warnings.showwarning = lambda message, *_, **__: print(f"homeonet: warning: {message}", file=sys.stderr)
    try:
        with interrupts_answered(resumes=resumes):
            return call() or 0
    except HomeonetError as error:
        print(f"homeonet: error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"homeonet: interrupted; {remedy()}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader of our output has gone; keep Python from complaining at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


@contextlib.contextmanager
def progress_bar(label: str, total: float, *, position: int = 0) -> Iterator[Callable[[float], Any]]:
    """A progress meter on standard error: rate and time left; silent where nobody watches."""
    from tqdm import tqdm

    unit = "s" if "training" in label else "images"
    form = "{desc}: {percentage:3.0f}% |{bar}| {n:.0f}/{total:.0f} {unit} [{elapsed}<{remaining}, {rate_fmt}]"
    with tqdm(
        total=total,
        desc=label,
        unit="simulated s" if unit == "s" else unit,
        bar_format=form,
        position=position,
        disable=not sys.stderr.isatty(),
        leave=False,
    ) as bar:
        yield bar.update


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="homeonet",
        description="Homeostasis in spiking networks: recurrent networks that learn by STDP, sleep and wake, and "
        "networks trained by gradients.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"homeonet {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_run(commands)
    add_train(commands)
    add_sweep(commands)
    _add_evaluate(commands)
    add_figure(commands)
    add_claims(commands)
    presets = commands.add_parser(
        "presets", help="list the presets, or print one with all its constants", epilog=_PRESETS_EPILOG
    )
    presets.add_argument(
        "name", nargs="?", help="print this preset as TOML, with the source of each constant"
    )
    presets.add_argument(
        "--equations",
        action="store_true",
        help="print its whole model instead: equations with units, rules, pathways, controller, order of a step; NAME "
        "may also be a .toml file",
    )
    presets.set_defaults(call=_presets)
    data = commands.add_parser(
        "data", help="list which images are found where, and how to get the rest", epilog=_DATA_EPILOG
    )
    data.add_argument("name", nargs="?", help="read this set, such as images:FOLDER, and print what it holds")
    data.add_argument("--data-folder", metavar="DIR", help="look here first")
    data.set_defaults(call=_data)
    doctor = commands.add_parser(
        "doctor", help="versions, compiler, devices, and a self-test of a few seconds", epilog=_DOCTOR_EPILOG
    )
    doctor.set_defaults(call=_doctor)
    return parser


def _add_run(commands: argparse._SubParsersAction[_Parser]) -> None:
    run = commands.add_parser(
        "run",
        help="train, evaluate and record one network",
        description="Trains a network on images, reads it out beside its baselines (raw pixels, the same network "
        "with frozen random weights), and writes config.toml, metrics.json, records.nc and figures/. "
        "Interrupted, the same command continues where it stopped.",
        epilog=_EPILOG,
    )
    run.add_argument("preset", help="a preset (see `homeonet presets`) or a TOML file")
    run.add_argument(
        "--data",
        help="mnist5k (comes with the package), mnist, fashion, kmnist, … (see `homeonet data`), images:FOLDER with "
        "one folder per class, or array:FILE.npz",
    )
    run.add_argument("--train", type=whole_number, metavar="N", help="training images")
    run.add_argument(
        "--test",
        type=whole_number,
        metavar="N",
        help="test images, of the official test set where there is one",
    )
    run.add_argument("--epochs", type=whole_number, metavar="N", help="passes through the training images")
    run.add_argument(
        "--seed",
        type=whole_number,
        metavar="S",
        help="seed of connectivity, weights, inputs, noise and split",
    )
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help='any constant, with its unit: --set sleep.ratio=0.15 --set noise.sigma="3 mV" (repeatable)',
    )
    target = run.add_mutually_exclusive_group(required=True)
    target.add_argument("--out", metavar="DIR", help="folder of results; appears when it is complete")
    target.add_argument(
        "--explain", action="store_true", help="run nothing: print the whole model of this run on one page"
    )
    _add_common(run)
    run.add_argument("--no-figures", action="store_true", help="write no figures")
    run.add_argument("--no-baselines", action="store_true", help="leave the baselines out")
    run.set_defaults(call=_run)


def _add_evaluate(commands: argparse._SubParsersAction[_Parser]) -> None:
    evaluate = commands.add_parser(
        "evaluate",
        help="read a trained network out on some data, plasticity off",
        epilog=_EVALUATE_EPILOG,
    )
    evaluate.add_argument("folder", help="the folder of a finished run")
    evaluate.add_argument("--data", help="default: the data it was trained on")
    evaluate.add_argument("--train", type=whole_number, metavar="N", help="images the readouts are fitted on")
    evaluate.add_argument("--test", type=whole_number, metavar="N", help="images they are scored on")
    _add_common(evaluate)
    evaluate.set_defaults(call=_evaluate)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-folder", metavar="DIR", help="look for images here first (then $HOMEONET_DATA)"
    )
    parser.add_argument(
        "--device",
        default="auto",
        help="cpp (compiled C++), cuda (an NVIDIA GPU: pays for sweeps with many replicas), brian2cuda (the same by "
        "brian2cuda's program, for comparison), runtime (Brian2 in Python: no compiler needed, very slow) or auto "
        "(cpp where there is a compiler); default auto",
    )
    add_cuda_arch(parser)
    parser.add_argument(
        "--workers",
        type=whole_number,
        metavar="N",
        help="processes that evaluate at a time; training is one process on one core, beside which the baselines are "
        "measured if N > 1; changes no result; default: all usable cores",
    )


def _run(options: argparse.Namespace) -> None:
    from homeonet.config import load_config
    from homeonet.runs import run

    overrides: dict[str, Any] = {
        name: getattr(options, name)
        for name in ("data", "train", "test", "epochs", "seed")
        if getattr(options, name) is not None
    }
    overrides |= parse_assignments(options.set)
    if options.explain:
        _print_model(options.preset, overrides)
        return
    config = load_config(options.preset, overrides)
    result = run(
        config,
        options.out,
        device=options.device,
        workers=options.workers,
        figures=not options.no_figures,
        baselines=not options.no_baselines,
        data_folder=options.data_folder,
        progress=progress_bar,
    )
    from homeonet._report import print_runs

    print_runs({config.preset: result.metrics})
    done = "already complete, nothing was run again:" if result.found_complete else "written to"
    print(f"{done} {result.folder}")


def parse_assignments(assignments: Sequence[str]) -> dict[str, str]:
    """What ``--set NAME=VALUE`` was given, by name."""
    values = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise InputError(f'--set {assignment!r} has no "="; write for example --set sleep.ratio=0.15')
        values[name.strip()] = value.strip()
    return values


def _evaluate(options: argparse.Namespace) -> None:
    from homeonet._report import print_accuracies
    from homeonet.config import apply_overrides
    from homeonet.data import load
    from homeonet.runs import evaluate, load_network

    network = load_network(options.folder)
    given = {k: getattr(options, k) for k in ("data", "train", "test") if getattr(options, k) is not None}
    config = apply_overrides(network.config, given)
    dataset = load(
        config.data,
        size=config.input.side,
        train=config.train,
        test=config.test,
        seed=config.seed,
        folder=options.data_folder,
        colour=False,
    )
    found = evaluate(
        network,
        dataset,
        device=options.device,
        workers=options.workers,
        progress=progress_bar,
    )
    print_accuracies(f"{options.folder} on {dataset.name}", found.readouts)


def _presets(options: argparse.Namespace) -> None:
    from importlib import resources

    from homeonet.config import preset_names

    folder = resources.files("homeonet") / "presets"
    if options.equations:
        _print_model(options.name)
        return
    if options.name is None:
        for name in preset_names():
            first = (folder / f"{name}.toml").read_text(encoding="utf-8").splitlines()[0]
            print(f"{name:20s} {first.removeprefix('# ')}")
        return
    if options.name not in preset_names():
        raise InputError(f"preset {options.name!r} is not known; choose one of {', '.join(preset_names())}")
    text = (folder / f"{options.name}.toml").read_text(encoding="utf-8")
    # named, so that a copy of it is this very configuration, and needs to hold only what differs
    print(text.replace("\n\n", f'\n\npreset = "{options.name}"\n', 1), end="")


def _print_model(source: str | None, overrides: dict[str, Any] | None = None) -> None:
    from homeonet.config import load_config, preset_names
    from homeonet.plastic import model_page

    if source is None:
        raise InputError(
            f"--equations needs the model's name: one of {', '.join(preset_names())}, or a .toml file"
        )
    print(model_page(load_config(source, overrides)), end="")


def _data(options: argparse.Namespace) -> None:
    from homeonet.data import describe, inventory

    if options.name is not None:
        print(describe(options.name, options.data_folder))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title="data sets")
    for column in ("name", "found", "images", "where, or how to get it"):
        table.add_column(column, overflow="fold")
    for row in inventory(options.data_folder):
        images = "any number" if row.found and row.images is None else f"{row.images:,}" if row.found else ""
        table.add_row(
            row.name, "yes" if row.found else "no", images, str(row.where) if row.found else row.remedy
        )
    Console().print(table)


def _doctor(_: argparse.Namespace) -> int:
    from homeonet._doctor import examine

    return 0 if examine() else 1

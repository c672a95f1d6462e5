"""The command lines of studies: ``--quick`` or ``--full``, and each of their numbers by itself."""

from __future__ import annotations

import argparse
import operator
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import reduce
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["QUICK", "UNGUARDED", "Scale", "options_of", "scale_of", "some_of", "study_options", "training"]

#: A network that explodes or falls silent has an accuracy too: the guard is off, for no rate is beyond these.
UNGUARDED = {"guard.max_rate": "1001 Hz", "guard.min_rate": "0 Hz"}


@dataclass(frozen=True)
class Scale:
    """How much a study trains: images, epochs and seeds. Every field is an option of the command line.

    A study with more options has a subclass, whose fields say in their metadata what "help" is printed, or are made
    by `some_of`.
    """

    data: str = "fashion"
    train: int = 4000
    val: int = 0
    test: int = 10000
    epochs: int = 3
    seeds: tuple[int, ...] = (1, 2, 3)


#: A minute on two cores, from embedded images.
QUICK = Scale("mnist5k", train=400, val=100, test=300, epochs=1, seeds=(1, 2))
_HELP = {
    "data": "images",
    "train": "training images",
    "val": "of them kept for validation",
    "test": "test images",
    "epochs": "epochs",
    "seeds": "seeds",
}


def some_of(known: Iterable[str] | Iterable[float], *, empty: bool = False) -> Any:
    """A field of a scale: some of what a study compares, or nothing if `empty`; all of it by default."""
    among = tuple(known)
    return field(default=among, metadata={"among": among, "least": "*" if empty else "+"})


def study_options(
    description: str, name: str, full: Scale, quick: Scale = QUICK, *, earlier: bool = False
) -> argparse.Namespace:
    """The command line of a study: ``--quick`` or ``--full``, each of whose numbers can be set by itself.

    With `earlier`, it takes seeds that were run before (`homeonet.study.figure_data.with_earlier`).
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quick", action="store_true", help="embedded images, few of them: a minute")
    which.add_argument("--full", action="store_true", help="the committed scale (default); resumes")
    for item in fields(full):
        value = getattr(full, item.name)
        several = isinstance(value, tuple)
        kind = type(value[0] if several else value)
        known = item.metadata.get("among")
        least = item.metadata.get("least") or ("*" if kind is str else "+")
        given: dict[str, Any] = {"nargs": least, "metavar": "S"} if several else {"metavar": "N"}
        what = item.metadata.get("help") or _HELP.get(item.name, "")
        if known:
            given["choices"], what = known, f"some of {'; '.join(map(str, known))}"
        default = ("all" if value == known else " ".join(map(str, value))) if several else str(value)
        parser.add_argument(f"--{item.name}", type=kind, help=f"{what}; default: {default}", **given)
    _add_how_to_run(parser, earlier)
    options = parser.parse_args()
    for option, value in asdict(quick if options.quick else full).items():
        if getattr(options, option) is None:
            setattr(options, option, list(value) if isinstance(value, tuple) else value)
    options.name, options.out = name, options.out or Path("results", f"{name}{'_quick' * options.quick}")
    return options


def training(options: argparse.Namespace) -> dict[str, Any]:
    """Data, sizes and epochs as fixed parameters of a grid."""
    return {name: getattr(options, name) for name in ("data", "train", "val", "test", "epochs")}


def options_of(
    description: str,
    name: str,
    *,
    presets: list[str],
    data: list[str],
    seeds: list[int],
    train: int,
    test: int,
    single: tuple[str, ...] = (),
    among: Mapping[str, tuple[float, ...] | tuple[str, ...]] = MappingProxyType({}),
    earlier: bool = False,
) -> argparse.Namespace:
    """The command line of a study: ``--quick`` or ``--full``, and how to run it; its defaults are those given.

    `single` are options that take one value, and no list. `among` has further options by their names, of which some
    of the numbers or names that are given there may be run alone; None without the option. With `earlier`, it takes
    seeds that were run before.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument("--quick", action="store_true", help="embedded images, few of them: minutes")
    scale.add_argument("--full", action="store_true", help="the real thing (default): hours; resumes")
    parser.add_argument(
        "--data", nargs="+", metavar="NAME", help=f"default: {' '.join(data)} (quick: mnist5k)"
    )
    parser.add_argument(
        "--presets", nargs="+", metavar="NAME", default=presets, help=f"default: {' '.join(presets)}"
    )
    listed = " ".join(map(str, seeds))
    parser.add_argument("--seeds", nargs="+", type=int, metavar="S", help=f"default: {listed} (quick: 1 2)")
    parser.add_argument(
        "--train", type=int, metavar="N", help=f"training images; default: {train} (quick: 100)"
    )
    parser.add_argument("--test", type=int, metavar="N", help=f"test images; default: {test} (quick: 50)")
    for option, values in among.items():
        named = isinstance(values[0], str)
        known = " ".join(str(value) if named else f"{value:g}" for value in values)
        parser.add_argument(
            f"--{option}",
            nargs="+",
            type=str if named else float,
            choices=values,
            metavar="NAME" if named else "X",
            help=f"some of {known} (default)",
        )
    _add_how_to_run(parser, earlier)
    options = parser.parse_args()
    quick = options.quick
    options.seeds = options.seeds or ([1, 2] if quick else seeds)
    options.data = options.data or (["mnist5k"] if quick and data != ["geometric"] else data)
    options.train = options.train or (100 if quick else train)
    options.test = options.test or (50 if quick else test)
    for option, found in (("--data", options.data), ("--presets", options.presets)):
        if option in single and len(found) > 1:
            parser.error(f"{option} {' '.join(found)}: this study takes one")
    options.name, options.out = name, options.out or Path("results", f"{name}_quick" if quick else name)
    return options


def _add_how_to_run(parser: argparse.ArgumentParser, earlier: bool) -> None:
    parser.add_argument("--workers", type=int, metavar="N", help="processes; default: all usable cores")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a running Dask scheduler")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: results/ and the study's name")
    if earlier:
        parser.add_argument(
            "--earlier",
            type=Path,
            metavar="FILE",
            help="figure.nc of other seeds of the same scale, which are added; figures/data/ has the committed ones",
        )
        parser.add_argument(
            "--stored",
            type=Path,
            metavar="FILE",
            help="run nothing: table, claims and figure of this figure.nc, at the scale at which it was run",
        )


def scale_of(options: argparse.Namespace, measured: xr.Dataset | None = None) -> str:
    """Data, sizes, epochs and seeds of a study in words, for notes and claims.

    With what was measured, of the data sets and seeds that are in it, among them earlier ones; seeds that were run of
    less than half the cases are named apart.
    """
    data, seeds, also = [options.data] if isinstance(options.data, str) else options.data, options.seeds, ""
    if measured is not None:
        data = measured.coords.get("data", data)
        counts = [
            values.notnull().sum([name for name in values.dims if name != "seed"])
            for values in measured.data_vars.values()
            if "seed" in values.dims
        ]
        there = reduce(operator.add, counts)
        few = there < there.max() / 2
        seeds = there["seed"][~few]
        also = f"; of some cases also {' '.join(map(str, _plain(there['seed'][few])))}" if few.any() else ""
    sizes, n = f"{options.train} training and {options.test} test images", getattr(options, "epochs", None)
    epochs = "" if n is None else f", {n} epoch{'s' * (n > 1)}"
    names, numbers = (sep.join(map(str, _plain(found))) for sep, found in ((", ", data), (" ", seeds)))
    return f"{names}, {sizes}{epochs}, seeds {numbers}{also}"


def _plain(values: Any) -> list[Any]:
    return values.values.tolist() if hasattr(values, "values") else list(values)

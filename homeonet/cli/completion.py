"""Shell completion by argcomplete: commands and options, and the names that some of them take.

Nothing of it is imported unless a shell asks, and no name here needs torch or Brian2, so that it answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["NAMES", "complete"]

_PRESETS = Path(__file__).resolve().parents[1] / "config" / "presets"
#: What a shell sets when it asks.
_ASKED = "_ARGCOMPLETE"

#: Values by command and option; those of `train` are the registries of ``homeonet.gradient``, which need torch.
NAMES: dict[tuple[str, str], tuple[str, ...]] = {
    ("train", "neuron"): ("lif", "trlif", "hdlif", "dsn", "psn", "slidingpsn", "recurrentlif"),
    ("train", "net"): (
        *("conv", "sg_snn", "vgg", "resnet18", "resnet19", "resnet34", "sew18", "columns", "sequence"),
    ),
    ("train", "encoding"): ("direct", "poisson", "columns", "pixels", "permuted", "series", "events"),
    ("train", "paradigm"): ("bptt", "online", "online_random", "parallel"),
    ("train", "homeostasis"): ("ahsar", "mp_init", "sleep", "threshold_adaptation"),
    ("train", "accelerator"): ("auto", "cpu", "cuda", "mps"),
    **{
        (command, "device"): ("auto", "cpp", "cuda", "brian2cuda", "runtime")
        for command in ("run", "evaluate")
    },
}
#: Those of them that may be TOML files instead.
_OR_TOML = {("run", "preset"), ("train", "neuron"), ("presets", "name"), ("sweep", "grid")}


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer a shell that asks how the words before the cursor may go on, and end the process; else do nothing."""
    if _ASKED not in os.environ:
        return
    try:
        import argcomplete
    except ModuleNotFoundError:
        sys.exit(1)
    for command, action in _arguments(parser):
        place = (command, action.dest)
        if place in _OR_TOML or _names(place):
            action.completer = _completer(place, argcomplete)  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser)


def _arguments(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.Action]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command, inner in action.choices.items():
                yield from ((command, argument) for argument in inner._actions)


def _completer(place: tuple[str, str], argcomplete: Any) -> Callable[..., list[str]]:
    files = argcomplete.completers.FilesCompleter(("toml",)) if place in _OR_TOML else None

    def names(prefix: str, **_: Any) -> list[str]:
        known = [name for name in _names(place) if name.startswith(prefix)]
        return [*known, *(files(prefix) if files else [])]

    return names


def _names(place: tuple[str, str]) -> tuple[str, ...]:
    if place in (("run", "preset"), ("presets", "name")):
        return tuple(sorted(path.stem for path in _PRESETS.glob("*.toml")))
    if place == ("run", "set"):
        return tuple(
            f"{name}=" for name in _keys(tomllib.loads((_PRESETS / "massey2026.toml").read_text("utf-8")))
        )
    if place[1] == "data" or place == ("data", "name"):
        from homeonet.data import NAMES as DATA_SETS

        return DATA_SETS
    return NAMES.get(place, ())


def _keys(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _keys(value, f"{prefix}{key}.")
        else:
            yield prefix + key

"""The command ``homeonet presets``: their names, one as TOML, or a whole model on one page."""

from __future__ import annotations

import argparse
from importlib import resources
from typing import Any

from homeonet.errors import InputError

__all__ = ["add_presets"]

_EPILOG = """examples:
  homeonet presets
  homeonet presets massey2026 > mine.toml   (edit it, then: homeonet run mine.toml --out results/mine)
"""


def add_presets(commands: Any) -> None:
    """Add ``presets`` to the subcommands."""
    presets = commands.add_parser(
        "presets", help="list the presets, or print one with all its constants", epilog=_EPILOG
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


def _presets(options: argparse.Namespace) -> None:
    from homeonet.config import preset_names

    folder = resources.files("homeonet.config") / "presets"
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


def _print_model(source: str | None) -> None:
    from homeonet.config import load_config, preset_names
    from homeonet.plastic import model_page

    if source is None:
        raise InputError(
            f"--equations needs the model's name: one of {', '.join(preset_names())}, or a .toml file"
        )
    print(model_page(load_config(source)), end="")

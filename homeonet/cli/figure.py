"""The command ``homeonet figure``: the figures of a run, or those of the gallery."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from homeonet.errors import HomeonetError, InputError
from homeonet.machine.text import close_matches
from homeonet.study.source import source_folder

__all__ = ["add_figure"]

_EPILOG = """examples:
  homeonet figure results/sleep                        (all figures of a run, grown or trained, from its records)
  homeonet figure results/sleep --format pdf --format svg
  homeonet figure all                                  (the gallery, from the results that come with the source)
  homeonet figure sleep --format pdf --out .
  homeonet figure all --from results --out my_figures  (from your own runs of the studies)

The gallery's scripts are looked for in the source tree, in figures/, or in the folder $HOMEONET_FIGURES.
"""


def add_figure(commands: Any) -> None:
    """Add ``figure`` to the subcommands."""
    figure = commands.add_parser(
        "figure",
        help="redraw the figures of a finished run, or those of the studies",
        description="Draws from results, in seconds: nothing is simulated or trained.",
        epilog=_EPILOG,
    )
    figure.add_argument("target", metavar="TARGET", help="a run's folder, the name of a figure, or `all`")
    figure.add_argument("--format", action="append", choices=("png", "pdf", "svg"), help="default: png")
    figure.add_argument(
        "--from",
        dest="folder",
        metavar="DIR",
        help="for the gallery: results of the studies, in and below it",
    )
    figure.add_argument("--out", metavar="DIR", help="default: figures/ in the source, or DIR/figures")
    figure.set_defaults(call=_figure)


def _figure(options: argparse.Namespace) -> int:
    formats = options.format or ("png",)
    names = {} if _is_run(options.target) else _gallery_names()
    if options.target != "all" and options.target not in names:
        _run_figures(options, formats, list(names))
        return 0
    from homeonet.study.gallery import draw_gallery

    if not names:  # only `all` comes here without one
        raise InputError(
            f"{source_folder('figures')} holds no script of a figure; set $HOMEONET_FIGURES to the folder figures of "
            "the source"
        )
    chosen = list(names) if options.target == "all" else [options.target]
    out = options.out or (Path(options.folder, "figures") if options.folder else None)
    written, missing = draw_gallery(names, chosen, options.folder, out, formats)
    if options.target in missing:
        raise InputError(f"{options.target} cannot be drawn: {missing[options.target]}")
    print("\n".join(str(path) for path in written))
    for name, reason in missing.items():
        print(f"not drawn: {name}: {reason}")
    if not written:
        raise HomeonetError("nothing was drawn; run the studies named above")
    return 0


def _is_run(target: str) -> bool:
    return Path(target, "records.nc").is_file()


def _gallery_names() -> dict[str, Path]:
    from homeonet.study.gallery import figure_scripts

    try:
        return figure_scripts(source_folder("figures"))
    except InputError:
        return {}


def _run_figures(options: argparse.Namespace, formats: tuple[str, ...], names: list[str]) -> None:
    from homeonet.runs.folder import stored_kind
    from homeonet.runs.kinds import KINDS

    folder = Path(options.target)
    if not folder.is_dir():
        close = close_matches(options.target, names)
        figures = (
            f"did you mean {', '.join(close)}?"
            if close
            else f"figures are {', '.join(names) or 'in the source tree'}"
        )
        raise InputError(
            f"target = {options.target!r} is neither the folder of a run nor a figure; {figures}"
        )
    if options.folder is not None:
        raise InputError(f"--from goes with the gallery; {folder} is the folder of a run, leave --from out")
    out = Path(options.out) if options.out else folder / "figures"
    written = KINDS[stored_kind(folder)].draw_figures(folder, out, formats)
    print("\n".join(str(path) for path in written))

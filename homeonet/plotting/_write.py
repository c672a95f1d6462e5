"""Writes figures to files, each whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from homeonet.errors import InputError
from homeonet.plotting._style import use_style

__all__ = ["FORMATS", "save_figure", "write_figures"]

#: File formats, with metadata under which the same records make the same bytes.
FORMATS = {"png": None, "svg": {"Date": None}, "pdf": {"CreationDate": None}}


def write_figures(
    figures: Iterable[tuple[str, Figure]], folder: str | os.PathLike[str], formats: Sequence[str]
) -> list[Path]:
    """Write figures, given by name and drawn in this package's style, in every format.

    Raises
    ------
    InputError
        Unknown or no format, or no figure.
    """
    unknown = [f for f in formats if f not in FORMATS]
    if unknown or not formats:
        raise InputError(f"formats is {list(formats)}; give some of {', '.join(FORMATS)}")
    written: list[Path] = []
    with use_style():
        for name, figure in figures:
            written += [save_figure(figure, Path(folder) / f"{name}.{f}", f) for f in formats]
    if not written:
        raise InputError("records holds nothing to draw; use records written by a run")
    return written


def save_figure(figure: Figure, path: Path, file_format: str) -> Path:
    """Write one figure; its folder is made if it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        figure.savefig(partial, format=file_format, metadata=FORMATS[file_format])
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path

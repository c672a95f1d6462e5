"""What a study leaves for its figure to be drawn from again: one small file of labelled numbers."""

from __future__ import annotations

from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from homeonet._version import __version__
from homeonet.claims import study_command
from homeonet.plotting import use_style
from homeonet.store import require_writable, write_records
from homeonet.study.gallery import load_figure
from homeonet.study.source import source_folder

__all__ = ["gallery_figure", "write_figure_data"]


def write_figure_data(out: Path, data: xr.Dataset, *, study: str, scale: str) -> Path:
    """Write ``figure.nc`` into `out`: what ``figures/`` draws from, with the study's name, scale and command."""
    require_writable(out)
    about = {"study": study, "scale": scale, "command": study_command(), "version": __version__}
    path = out / "figure.nc"
    small = data.drop_vars([name for name in data.coords if name not in data.dims])
    write_records(path, small.assign_attrs(data.attrs | about))
    return path


def gallery_figure(name: str, data: xr.Dataset) -> Figure:
    """The figure that ``figures/`` draws from the same data."""
    with use_style():
        return load_figure(source_folder("figures") / f"{name}.py").draw(data)

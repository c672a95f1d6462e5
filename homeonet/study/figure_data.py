"""What a study leaves for its figure to be drawn from again: one small file of labelled numbers."""

from __future__ import annotations

import argparse
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from homeonet._version import __version__
from homeonet.claims import study_command
from homeonet.errors import InputError
from homeonet.plotting import use_style
from homeonet.store import require_writable, write_records
from homeonet.study.gallery import load_figure
from homeonet.study.options import sizes_of
from homeonet.study.source import source_folder

__all__ = ["gallery_figure", "with_earlier", "write_figure_data"]


def with_earlier(data: xr.Dataset, options: argparse.Namespace) -> xr.Dataset:
    """What was measured, with what is in the file of ``--earlier`` beside it: other seeds, data sets or networks.

    Parameters
    ----------
    data
        All that the study's table, claims and figure are made of, with the dimension ``seed``.
    options
        Of the study; its sizes and epochs have to be those of the file.

    Raises
    ------
    InputError
        If the file is none of the same study, or of other sizes.
    """
    path: Path | None = options.earlier
    if path is None:
        return data
    try:
        before = xr.load_dataset(path, engine="h5netcdf")
    except (OSError, ValueError) as error:
        raise InputError(
            f"earlier = {path} cannot be read ({error}); give the figure.nc of a study"
        ) from None
    study, scale = before.attrs.get("study"), str(before.attrs.get("scale"))
    if study != options.name:
        raise InputError(f"earlier = {path} is of the study {study}; give one of {options.name}")
    same = sizes_of(options) if "data" in data.dims else f"{options.data}, {sizes_of(options)}"
    if same not in scale:
        raise InputError(
            f"earlier = {path} is of another scale, {scale}; run all seeds with {same}, or leave it out"
        )
    both = data.combine_first(before).assign_attrs(data.attrs)
    # the outer join has sorted names; they come as they came
    order = {
        name: list(dict.fromkeys([*before.coords.get(name, values).values, *values.values]))
        for name, values in data.coords.items()
        if name in data.dims
    }
    order["seed"] = sorted(order["seed"])
    return both.sel(order)


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

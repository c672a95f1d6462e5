"""What a study leaves for its figure to be drawn from again: one small file of labelled numbers."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from homeonet._version import __version__
from homeonet.claims import study_command
from homeonet.errors import InputError
from homeonet.plotting import use_style
from homeonet.store import require_writable, write_records
from homeonet.study.gallery import load_figure
from homeonet.study.source import source_folder

__all__ = ["gallery_figure", "with_earlier", "write_figure_data"]


def with_earlier(data: xr.Dataset, options: argparse.Namespace) -> xr.Dataset:
    """What was measured, with what is in the file of ``--earlier`` beside it: other seeds, data sets or networks.

    Parameters
    ----------
    data
        All that the study's table, claims and figure are made of, with the dimension ``seed``.
    options
        Of the study; all that say how a network is trained and tested have to be those of the file.

    Raises
    ------
    InputError
        If the file is none of the same study, or was run with other options.
    """
    settings = _settings(data, options)
    data.attrs["settings"] = json.dumps(settings, ensure_ascii=False)
    path: Path | None = options.earlier
    if path is None:
        return data
    try:
        before = xr.load_dataset(path, engine="h5netcdf")
    except (OSError, ValueError) as error:
        raise InputError(
            f"earlier = {path} cannot be read ({error}); give the figure.nc of a study"
        ) from None
    study, was = before.attrs.get("study"), before.attrs.get("settings")
    if study != options.name:
        raise InputError(f"earlier = {path} is of the study {study}; give one of {options.name}")
    if was is None:
        raise InputError(f"earlier = {path} does not say how it was run; run its seeds again")
    for name, value in json.loads(was).items():
        if settings.get(name) != value:
            raise InputError(
                f"earlier = {path} was run with {name} = {value}, not {settings.get(name)}; run all seeds alike, or "
                "leave it out"
            )
    both = _plain_names(data).combine_first(_plain_names(before)).assign_attrs(data.attrs)
    # the outer join has sorted names; they come as they came
    order = {
        name: list(dict.fromkeys([*before.coords.get(name, values).values, *values.values]))
        for name, values in data.coords.items()
        if name in data.dims
    }
    order["seed"] = sorted(order["seed"])
    return both.sel(order)


def _plain_names(data: xr.Dataset) -> xr.Dataset:
    """With names as objects along each dimension: xarray cannot join pandas' strings with NumPy's."""
    names = {dim: index for dim, index in data.indexes.items() if pd.api.types.is_string_dtype(index.dtype)}
    return data.assign_coords({dim: (dim, index.to_numpy(dtype=object)) for dim, index in names.items()})


#: Options that say what is run beside what else, where and how: they may differ between seeds that are put together.
_FREE = {"name", "out", "workers", "scheduler", "earlier", "quick", "full", "seeds", "networks", "presets"}
_FREE |= {"controls", "control_seeds", "shares", "treatments", "sigmas", "rises", "rounds", "more"}
_FREE |= {"neurons", "readers", "parts"}


def _settings(data: xr.Dataset, options: argparse.Namespace) -> dict[str, Any]:
    """Every option that all that stands in one dataset has in common."""
    free = _FREE | ({"data"} if "data" in data.dims else set())
    return {name: value for name, value in sorted(vars(options).items()) if name not in free}


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

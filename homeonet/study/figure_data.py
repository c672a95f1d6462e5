"""What a study leaves for its figure to be drawn from again: one small file of labelled numbers."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
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

__all__ = ["commands_of", "gallery_figure", "gathered", "with_earlier", "write_figure_data"]


def gathered(
    run: Callable[[argparse.Namespace], xr.Dataset],
    options: argparse.Namespace,
    *,
    whole: Mapping[str, Iterable[Any]] = MappingProxyType({}),
) -> xr.Dataset:
    """All that a study's table, claims and figure are made of: what `run` measures, or what was stored.

    What does not fit together is found before anything is run.

    Parameters
    ----------
    run
        Runs what is missing, and returns what it measured.
    options
        Of the study. With ``--stored`` nothing is run, and the options become those of the file; with ``--earlier``,
        see `with_earlier`.
    whole
        By the names of options, what they have to contain where there is no earlier file that has it.

    Raises
    ------
    InputError
        If a file is none of the same study, does not say how it was run, or was run with other options; if an option
        lacks what table and figure need.
    """
    if options.stored is None:
        if options.earlier is not None:
            _check_settings(_read(options.earlier, "earlier", options.name), options)
        for name, needed in whole.items():
            lacking = [value for value in needed if value not in getattr(options, name)]
            if lacking and options.earlier is None:
                raise InputError(
                    f"--{name} lacks {lacking[0]!r}, which table and figure need; give it too, or an --earlier file"
                )
        return with_earlier(run(options), options)
    stored = _read(options.stored, "stored", options.name)
    for name, value in json.loads(stored.attrs["settings"]).items():
        setattr(options, name, value)
    return stored


def _read(path: Path, option: str, study: str) -> xr.Dataset:
    try:
        data = xr.load_dataset(path, engine="h5netcdf")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{option} = {path} cannot be read ({error}); give the figure.nc of a study"
        ) from None
    if (found := data.attrs.get("study")) != study:
        raise InputError(f"{option} = {path} is of the study {found}; give one of {study}")
    if "settings" not in data.attrs:
        raise InputError(f"{option} = {path} does not say how it was run; run its seeds again")
    return data


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
    data.attrs["settings"] = json.dumps(_settings(data, options), ensure_ascii=False)
    if options.earlier is None:
        return data
    before = _read(options.earlier, "earlier", options.name)
    _check_settings(before, options)
    data.attrs["before"] = "\n".join(commands_of(before))
    both = _plain_names(data).combine_first(_plain_names(before)).assign_attrs(data.attrs)
    # the outer join has sorted names; they come as they came
    order = {
        name: list(dict.fromkeys([*before.coords.get(name, values).values, *values.values]))
        for name, values in data.coords.items()
        if name in data.dims
    }
    order["seed"] = sorted(order["seed"])
    return both.sel(order)


def _check_settings(before: xr.Dataset, options: argparse.Namespace) -> None:
    """That the runs of an earlier file were made with the same options."""
    settings = _settings(before, options)
    for name, value in json.loads(before.attrs["settings"]).items():
        if settings.get(name) != value:
            raise InputError(
                f"earlier = {options.earlier} was run with {name} = {value}, not {settings.get(name)}; run all seeds "
                "alike, or leave it out"
            )


def _plain_names(data: xr.Dataset) -> xr.Dataset:
    """With names as objects along each dimension: xarray cannot join pandas' strings with NumPy's."""
    names = {dim: index for dim, index in data.indexes.items() if pd.api.types.is_string_dtype(index.dtype)}
    return data.assign_coords({dim: (dim, index.to_numpy(dtype=object)) for dim, index in names.items()})


def commands_of(data: xr.Dataset) -> list[str]:
    """The commands by which everything in a dataset was measured, the last one last."""
    before = data.attrs.get("before", "").split("\n")
    return [command for command in (*before, data.attrs.get("command") or study_command()) if command]


#: Options that say what is run beside what else, where and how: they may differ between seeds that are put together.
_FREE = {
    "name",
    "out",
    "workers",
    "scheduler",
    "earlier",
    "stored",
    "quick",
    "full",
    "seeds",
    "rounds",
    "more",
}
_FREE |= {"networks", "presets", "controls", "control_seeds", "shares", "treatments", "sigmas", "rises"}
_FREE |= {"neurons", "readers", "parts"}


def _settings(data: xr.Dataset, options: argparse.Namespace) -> dict[str, Any]:
    """Every option that all that stands in one dataset has in common."""
    free = _FREE | ({"data"} if "data" in data.dims else set())
    return {name: value for name, value in sorted(vars(options).items()) if name not in free}


def write_figure_data(out: Path, data: xr.Dataset, *, study: str, scale: str) -> Path:
    """Write ``figure.nc`` into `out`: what ``figures/`` draws from, with the study's name, scale and command."""
    require_writable(out)
    about = {"study": study, "scale": scale, "command": commands_of(data)[-1], "version": __version__}
    path = out / "figure.nc"
    small = data.drop_vars([name for name in data.coords if name not in data.dims])
    write_records(path, small.assign_attrs(data.attrs | about))
    return path


def gallery_figure(name: str, data: xr.Dataset) -> Figure:
    """The figure that ``figures/`` draws from the same data."""
    with use_style():
        return load_figure(source_folder("figures") / f"{name}.py").draw(data)

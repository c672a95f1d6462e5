"""The results of a sweep as one labelled dataset, and as tables. Reads finished cells, runs nothing."""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from homeonet import store
from homeonet.errors import InputError
from homeonet.machine.html import table
from homeonet.machine.optional import install_command
from homeonet.runs.kinds import KINDS
from homeonet.store.checksums import read_verified, sealed
from homeonet.sweep._grid import Cell
from homeonet.sweep._state import read_grid, state_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["open_sweep", "results_table", "sweep_table", "table_ending", "write_tables"]

#: Metrics of the machine and not of the network: they are in a table of their own.
_TIMINGS = (
    "compile_seconds",
    "images_per_second",
    "realtime_factor",
    "seconds.baselines",
    "seconds.beside_training",
    "seconds.data",
    "seconds.evaluation",
    "seconds.figures",
    "seconds.records",
    "steps_per_second",
    "train_seconds",
    "train_wall_seconds",
)
#: How the names of tables may end.
_ENDINGS = ("parquet", "csv")
#: Not results: they name the cell.
_NAMES = ("homeonet_version", "run_id", "device")


def open_sweep(folder: str | Path) -> xr.Dataset:
    """The metrics of all cells, with a dimension for each axis of the grid.

    Parameters
    ----------
    folder : path
        A sweep's folder; what is not done or failed is NaN.

    Returns
    -------
    xarray.Dataset
        One variable per metric, named as in ``metrics.json`` (``accuracy.logistic``, …), baselines among them; `cell`,
        the name of the cell's folder; `state`, "done", "failed", "begun" or "missing". Coordinates that are
        quantities are numbers with the attribute `units`.

    Raises
    ------
    InputError
        If the folder holds no sweep, one of another version, or a damaged cell.
    """
    import xarray as xr

    folder = Path(folder)
    grid = read_grid(folder)
    cells = grid.cells()
    rows = [_metrics(folder, cell, grid.kind) for cell in cells]
    shape = [len(values) for values in grid.coordinates.values()]
    dimensions = list(grid.coordinates)

    def labelled(values: Sequence[Any]) -> tuple[list[str], np.ndarray]:
        return dimensions, np.array(values).reshape(shape)

    names = dict.fromkeys(name for row in rows for name in row)
    variables = {name: labelled([row.get(name, np.nan) for row in rows]) for name in names}
    variables["cell"] = labelled([cell.id for cell in cells])
    variables["state"] = labelled([state_of(folder, cell) for cell in cells])
    coordinates = {name: _coordinate(name, values) for name, values in grid.coordinates.items()}
    return xr.Dataset(variables, coordinates)


def sweep_table(folder: str | Path) -> pd.DataFrame:
    """The same as a table: one row per cell, one column per axis and metric; the machine's timings are left out."""
    return _table(open_sweep(folder), timings=False)


def write_tables(folder: Path) -> xr.Dataset:
    """Write ``results.nc`` and the tables `table` and `timing` into a sweep's folder; returns the results.

    Tables are Parquet, or CSV where pyarrow is not installed.
    """
    results = open_sweep(folder)
    ending = table_ending()
    if ending == "csv":
        command = install_command("parquet")
        warnings.warn(f"pyarrow is not installed: the tables are written as CSV; {command}", stacklevel=2)
    timings = [name for name in _TIMINGS if name in results]
    tables = {"table": _table(results, timings=False), "timing": _table(results, timings=True)}
    with sealed(folder, ["results.nc", *(f"{name}.{kind}" for name in tables for kind in _ENDINGS)]):
        store.write_records(folder / "results.nc", results.drop_vars(timings))
        for name, frame in tables.items():
            for kind in _ENDINGS:  # a table of an earlier state in the other format would be believed
                (folder / f"{name}.{kind}").unlink(missing_ok=True)
            contents = _file(frame, ending)
            store.write_bytes(folder / f"{name}.{ending}", contents)
    return results


def results_table(results: xr.Dataset, most: int = 100) -> str:
    """The table as HTML, of the first cells: axes, state, and the metrics that say how well and how it fared."""
    axes = [str(name) for name in results.coords]
    metrics = [
        str(name)
        for name in results
        if name in ("sleep_fraction", "accuracy.test", "accuracy.val")
        or re.fullmatch(r"accuracy\.[a-z_]+|rate_hz\.\w+|weights\.\w+\.final", str(name))
    ]
    frame = results[["state", *metrics]].to_dataframe().reset_index()
    chosen = frame[[*axes, "state", *dict.fromkeys(metrics)]].dropna(axis="columns", how="all")
    rows = [[str(name) for name in chosen.columns]]
    for line in chosen.head(most).itertuples(index=False):
        rows.append([f"{value:.4g}" if isinstance(value, float) else str(value) for value in line])
    left = len(chosen) - most
    return table(rows, note=f"and {left:,} more cells" if left > 0 else "")


def table_ending() -> str:
    """How the names of a sweep's tables end here: "parquet", or "csv" where pyarrow is not installed."""
    return "csv" if find_spec("pyarrow") is None else "parquet"


def _file(table: pd.DataFrame, ending: str) -> bytes:
    if ending == "csv":
        return table.to_csv(index=False).encode()
    contents = io.BytesIO()
    table.to_parquet(contents, index=False)
    return contents.getvalue()


def _table(results: xr.Dataset, *, timings: bool) -> pd.DataFrame:
    chosen = [name for name in results if (name in _TIMINGS) == timings or (timings and name == "cell")]
    return results[chosen].to_dataframe().reset_index()


def _metrics(folder: Path, cell: Cell, kind: str) -> dict[str, float]:
    found: dict[str, float] = {}
    baselines = KINDS[kind].baseline_config(cell.config).run_id
    for path in (folder / "baselines" / baselines, folder / "cells" / cell.id):
        if path.exists():
            found |= _numbers(path / "metrics.json")
    return found


def _numbers(path: Path) -> dict[str, float]:
    try:
        metrics: Mapping[str, Any] = json.loads(read_verified(path))
        return {k: np.nan if v is None else float(v) for k, v in metrics.items() if k not in _NAMES}
    except InputError:
        raise
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} cannot be read ({error}); delete {path.parent} to have it run again"
        ) from None


def _coordinate(name: str, values: list[Any]) -> tuple[str, np.ndarray, dict[str, str]]:
    """The labels of an axis: numbers where they are numbers or quantities of one unit, else text."""
    if name == "case":
        return name, np.array(values), {}
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return name, np.array(values), {}
    quantities = [value.split() for value in values if isinstance(value, str)]
    units = {parts[1] for parts in quantities if len(parts) == 2 and _is_number(parts[0])}
    if len(quantities) == len(values) and len(units) == 1 and all(len(parts) == 2 for parts in quantities):
        return name, np.array([float(parts[0]) for parts in quantities]), {"units": units.pop()}
    return name, np.array([str(value) for value in values]), {}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

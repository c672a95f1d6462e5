"""Sweeps: a grid of configurations, run on any number of processes or hosts, resumable, opened as one table.

=================  ==================================================================================
``Grid``           the crossed parameters; ``load_grid`` reads it from TOML
``sweep``          runs every cell that is not done yet, on this machine or on a Dask cluster
``live_table``     shows the cells in a notebook while they run
``sweep_status``   what is done, failed, begun and to do
``open_sweep``     the results as one ``xarray.Dataset`` with one dimension per parameter
``estimate``       how long it will take, from one short measured cell
=================  ==================================================================================
"""

from homeonet.sweep._checks import with_code
from homeonet.sweep._collect import open_sweep, sweep_table
from homeonet.sweep._estimate import Estimate, estimate
from homeonet.sweep._grid import Cell, Grid, load_grid
from homeonet.sweep._live import live_table
from homeonet.sweep._run import SweepResult, sweep
from homeonet.sweep._state import SweepStatus, sweep_status

__all__ = [
    "Cell",
    "Estimate",
    "Grid",
    "SweepResult",
    "SweepStatus",
    "estimate",
    "live_table",
    "load_grid",
    "open_sweep",
    "sweep",
    "sweep_status",
    "sweep_table",
    "with_code",
]

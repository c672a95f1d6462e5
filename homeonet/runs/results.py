"""A finished run of the plastic network: what is in its folder, and its figures. Runs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeonet import store
from homeonet._version import __version__
from homeonet.config import Config, load_config
from homeonet.errors import InputError
from homeonet.machine.html import table
from homeonet.plastic import RECORDINGS, Network, kept_state
from homeonet.runs.folder import stored_kind, stored_metrics
from homeonet.runs.metrics import baseline_accuracies
from homeonet.runs.rows import run_rows
from homeonet.store.checksums import verify

if TYPE_CHECKING:
    import xarray as xr

    from homeonet.plotting import NamedFigures

__all__ = ["RunResult", "draw_figures", "load_network", "load_run"]

_ACCURACIES = "accuracies are in %, with 95 % Wilson intervals"


@dataclass(frozen=True)
class RunResult:
    """A finished run of the plastic network.

    Attributes
    ----------
    folder : Path or None
    config : Config
    metrics : dict
        What `metrics.json` holds, flat.
    records : xarray.Dataset
    found_complete : bool
        Whether the folder held this run already, so that nothing was trained or evaluated.
    recordings : xarray.Dataset or None
        What [record.NAME] asks for; read from the folder as it is used.
    """

    folder: Path | None
    config: Config
    metrics: dict[str, Any]
    records: xr.Dataset
    found_complete: bool = False
    recordings: xr.Dataset | None = None

    @property
    def plot(self) -> NamedFigures:
        """Figures by name, such as ``result.plot.rates()``; ``result.plot`` lists those that there are records for."""
        from homeonet.plotting import NamedFigures, run_figures

        return NamedFigures(run_figures(self.records, {"baselines": baseline_accuracies(self.metrics)}))

    def _repr_html_(self) -> str:
        title = f"{self.config.preset} on {self.config.data}, run {self.config.run_id}"
        rows = run_rows({title: self.metrics})
        return table(rows, note=f"{_ACCURACIES}; {self.folder or 'not written to a folder'}")


def draw_figures(result: RunResult, folder: Path, formats: Sequence[str] = ("png",)) -> list[Path]:
    """Draw the figures of a run into `folder`; returns their paths."""
    from homeonet.plotting import draw_run

    with store.disk_errors(folder):
        metrics = {"baselines": baseline_accuracies(result.metrics)}
        return draw_run(result.records, folder, metrics=metrics, formats=formats)


def load_run(folder: str | Path) -> RunResult:
    """Open a finished run's folder."""
    folder = Path(folder)
    metrics = stored_metrics(folder)
    if stored_kind(folder) != "plastic":
        raise InputError(
            f"{folder} is a run of `homeonet train`, opened by homeonet.load_trained; give one of `homeonet run`"
        )
    verify(folder / "model.txt")
    config = load_config(folder / "config.toml")
    if metrics["homeonet_version"] == __version__ and metrics["run_id"] != config.run_id:
        raise InputError(f"{folder / 'config.toml'} is not what the run was made with; run it again")
    recorded = store.open_recordings(folder / RECORDINGS) if config.record else None
    return RunResult(folder, config, metrics, store.load_records(folder), recordings=recorded)


def load_network(folder: str | Path) -> Network:
    """The trained network of a finished run, ready for :func:`evaluate`."""
    opened = load_run(folder)
    records, config = opened.records, opened.config
    names = [str(name) for name in records["pathway"].values]
    scales = records["threshold_scale_final"].to_series().to_dict() if config.ahsar.enabled else {}
    return Network(
        config,
        {name: (records[f"pre_{name}"].values, records[f"post_{name}"].values) for name in names},
        {name: records[f"w_final_{name}"].values for name in names},
        {
            str(name): records[f"threshold_rise_{name}"].values
            for name in records["population"].values
            if f"threshold_rise_{name}" in records
        },
        {str(name): float(scale) for name, scale in scales.items()},
        {name: records[f"kept_{name.replace('.', '_of_')}"].values for name in kept_state(config)},
    )

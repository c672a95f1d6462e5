"""The baselines of a run in a folder of their own, for runs that share them."""

from __future__ import annotations

from pathlib import Path

from homeonet import store
from homeonet._evaluation import ProgressMeter, worker_count
from homeonet._images import load_images, with_data
from homeonet._metrics import baseline_metrics
from homeonet._version import __version__
from homeonet.config import Config
from homeonet.plastic import Network, known_device

__all__ = ["measure_baselines"]


def measure_baselines(
    config: Config,
    out: str | Path,
    *,
    device: str = "auto",
    workers: int | None = None,
    data_folder: str | Path | None = None,
    progress: ProgressMeter | None = None,
) -> None:
    """Write the test accuracies of raw pixels and of the untrained network, a folder of their own.

    Parameters
    ----------
    config : Config
    out : path
        The folder to write: ``config.toml`` and ``metrics.json``, with the names that :func:`homeonet.run` gives
        them. What it holds already is kept.
    device, workers, data_folder, progress
        As of :func:`homeonet.run`.
    """
    known_device(device)
    workers = worker_count(workers)
    config = with_data(config, data_folder, None)

    def fill(folder: Path) -> None:
        dataset = load_images(config, data_folder)
        metrics = baseline_metrics(Network.untrained(config), dataset, device, workers, progress)
        store.write_atomically(folder / "config.toml", lambda file: file.write(config.to_toml().encode()))
        identity = {"homeonet_version": __version__, "run_id": config.run_id}
        store.write_json(folder / "metrics.json", identity | metrics)

    store.whole_folder(Path(out), fill)

"""The baselines of a run: raw pixels, and the same network with its random weights, under the same readouts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from homeonet import store
from homeonet._version import __version__
from homeonet.config import Config
from homeonet.data import Dataset
from homeonet.machine.cores import worker_count
from homeonet.plastic import Network, known_device, read_features
from homeonet.progress import ProgressMeter
from homeonet.runs.evaluation import evaluate, shown_images, tunable
from homeonet.runs.images import load_images, with_data
from homeonet.runs.metrics import accuracy_metrics

__all__ = ["baseline_metrics", "measure_baselines", "measured_beside"]

#: The readouts that baselines get.
_READOUTS = ("logistic", "qda", "knn")


def baseline_metrics(
    untrained: Network,
    dataset: Dataset,
    device: str,
    workers: int,
    progress: ProgressMeter | None,
    features: np.ndarray | None = None,
) -> dict[str, Any]:
    """Test accuracies of raw pixels, and of the same network with its random weights, under the same readouts.

    `features` are those of the untrained network, if they have been read already.
    """
    from homeonet.analysis import evaluate_readout

    dataset = _without_validation(dataset)
    frozen = evaluate(
        untrained,
        dataset,
        device=device,
        workers=workers,
        readouts=_READOUTS,
        progress=progress,
        features=features,
    )
    values: dict[str, Any] = {"phi.frozen": frozen.phi}
    for readout in _READOUTS:
        suffix = "" if readout == "logistic" else f".{readout}"
        raw = evaluate_readout(
            readout,
            dataset.x_train,
            dataset.y_train,
            dataset.x_test,
            dataset.y_test,
            seed=untrained.config.seed,
            tune=readout == "logistic" and tunable(dataset),
        )
        values |= accuracy_metrics(f"accuracy.raw_pixels{suffix}", raw)
        values |= accuracy_metrics(f"accuracy.frozen{suffix}", frozen.readouts[readout])
    return values


def measured_beside(
    config: Config, dataset: Dataset, device: str, progress: Callable[[int], None]
) -> dict[str, Any]:
    """What :func:`baseline_metrics` gives, on one core; `progress` is called with images done."""
    untrained, images = Network.untrained(config), shown_images(_without_validation(dataset))
    features = read_features(untrained, images, device=device, progress=progress)
    return baseline_metrics(untrained, dataset, device, 1, None, features)


def _without_validation(dataset: Dataset) -> Dataset:
    """Validation images are scored for the trained network alone."""
    return replace(dataset, x_val=dataset.x_val[:0], y_val=dataset.y_val[:0])


def measure_baselines(
    config: Config,
    out: str | Path,
    *,
    device: str = "auto",
    workers: int | None = None,
    data_folder: str | Path | None = None,
    progress: ProgressMeter | None = None,
) -> None:
    """Write the test accuracies of raw pixels and of the untrained network, for runs that share them.

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

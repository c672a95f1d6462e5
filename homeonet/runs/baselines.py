"""The baselines of a run: pixels, what the network sees of them, random features, and the network before it learns."""

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
from homeonet.plastic import Network, Structure, known_device, log_silence, read_features, stream_id
from homeonet.progress import ProgressMeter
from homeonet.runs.evaluation import evaluate, shown_images
from homeonet.runs.images import load_images, with_data
from homeonet.runs.metrics import accuracy_metrics
from homeonet.runs.readouts import enough_to_tune

__all__ = ["baseline_metrics", "input_counts", "measure_baselines", "measured_beside", "random_relu"]

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
    """Test accuracies of codes that nothing has learnt, under the readouts that the network has.

    ``accuracy.raw_pixels``; ``accuracy.noisy_pixels``, the spikes of the inputs while an image is shown;
    ``accuracy.random_relu``, as many random features as the network has neurons; ``accuracy.frozen``, the same network
    with its random weights. `features` are those of the untrained network, if they have been read already.
    """
    from homeonet.analysis import evaluate_readout

    dataset, config = _without_validation(dataset), untrained.config
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
        values |= accuracy_metrics(_key("frozen", readout), frozen.readouts[readout])
        for name, (train, test) in _codes(dataset, config).items():
            result = evaluate_readout(
                readout,
                train,
                dataset.y_train,
                test,
                dataset.y_test,
                seed=config.seed,
                tune=readout == "logistic" and enough_to_tune(dataset.y_train),
            )
            values |= accuracy_metrics(_key(name, readout), result)
    return values


def _key(baseline: str, readout: str) -> str:
    return f"accuracy.{baseline}" + ("" if readout == "logistic" else f".{readout}")


def _codes(dataset: Dataset, config: Config) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Codes of training and test images that need no network, by the names that metrics have for them."""
    n_units, seed = Structure.of(config).n_neurons, config.seed
    return {
        "raw_pixels": (dataset.x_train, dataset.x_test),
        "noisy_pixels": (
            input_counts(dataset.x_train, config, stream_id(seed, "noisy pixels/train")),
            input_counts(dataset.x_test, config, stream_id(seed, "noisy pixels/test")),
        ),
        "random_relu": random_relu(dataset.x_train, dataset.x_test, n_units, stream_id(seed, "random relu")),
    }


def input_counts(images: np.ndarray, config: Config, seed: int) -> np.ndarray:
    """Spikes of each input while an image is shown to be evaluated: what the network sees of it.

    Parameters
    ----------
    images : ndarray, shape (n_images, n_pixels)
    config : Config
    seed : int

    Returns
    -------
    ndarray of int, shape (n_images, n_pixels)
        Binomial, as the inputs are: at most one spike per step.
    """
    dt = config.simulation.dt
    steps = round(config.evaluation.presentation / dt)
    p = -np.expm1(log_silence(images, config.input.mean_rate, dt))
    return np.random.default_rng(seed).binomial(steps, p)


def random_relu(
    train: np.ndarray, test: np.ndarray, n_units: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Features ``max(0, W (x - mean) / sd)`` with a frozen matrix of normal numbers: the random network to beat.

    `mean` is the mean training image and `sd` the standard deviation of all its pixels.
    """
    mean = train.mean(axis=0)
    matrix = np.random.default_rng(seed).normal(size=(train.shape[1], n_units)) / np.sqrt(train.shape[1])
    scale = (train - mean).std() or 1.0
    features = [np.maximum(0.0, (images - mean) / scale @ matrix) for images in (train, test)]
    return features[0], features[1]


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
    dataset: Dataset | None = None,
    progress: ProgressMeter | None = None,
) -> None:
    """Write the test accuracies of raw pixels and of the untrained network, for runs that share them.

    Parameters
    ----------
    config : Config
    out : path
        The folder to write: ``config.toml`` and ``metrics.json``, with the names that :func:`homeonet.run` gives
        them. What it holds already is kept.
    device, workers, data_folder, dataset, progress
        See :func:`homeonet.run`.
    """
    known_device(device)
    workers = worker_count(workers)
    config = with_data(config, data_folder, dataset)

    def fill(folder: Path) -> None:
        images = load_images(config, data_folder, dataset)
        metrics = baseline_metrics(Network.untrained(config), images, device, workers, progress)
        store.write_text(folder / "config.toml", config.to_toml())
        identity = {"homeonet_version": __version__, "run_id": config.run_id}
        store.write_json(folder / "metrics.json", identity | metrics)

    store.whole_folder(Path(out), fill)

"""The numbers of ``metrics.json``, flat: accuracies, baselines, weights, rates, sleep and speed of one run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from homeonet._checksums import read_verified
from homeonet._evaluation import Evaluation, ProgressMeter, evaluate, shown_images, tunable
from homeonet._version import __version__
from homeonet.config import Config
from homeonet.data import Dataset
from homeonet.errors import InputError
from homeonet.plastic import Network, Recorder, read_features

if TYPE_CHECKING:
    from homeonet.analysis import ReadoutResult

__all__ = ["baseline_accuracies", "baseline_metrics", "measured_beside", "run_metrics", "stored_metrics"]

#: The readouts that baselines get.
_BASELINE_READOUTS = ("logistic", "qda", "knn")


def run_metrics(
    network: Network,
    untrained: Network,
    recorder: Recorder,
    evaluation: Evaluation,
    timing: Mapping[str, Any],
) -> dict[str, Any]:
    """Metrics of a trained network.

    Returns
    -------
    dict
        ``accuracy.<readout>`` on the test images and ``accuracy.val.<readout>`` on the validation images,
        each with ``.ci_low``, ``.ci_high`` (95 % Wilson interval) and ``.n``; ``phi``;
        ``weights.<pathway>.initial``, ``.final``, ``.final_sd``; ``rate_hz.<population>``; with AHSAR
        ``threshold_scale.<population>``, its last; ``sleep_fraction``; and `timing`.
    """
    metrics: dict[str, Any] = {"homeonet_version": __version__, "run_id": network.config.run_id}
    for name, result in evaluation.readouts.items():
        metrics |= _accuracy(f"accuracy.{name}", result)
    for name, result in evaluation.validation.items():
        metrics |= _accuracy(f"accuracy.val.{name}", result)
    metrics["phi"] = evaluation.phi
    for name, weights in network.weights.items():
        metrics[f"weights.{name}.initial"] = float(untrained.weights[name].mean())
        metrics[f"weights.{name}.final"] = float(weights.mean())
        metrics[f"weights.{name}.final_sd"] = float(weights.std())
    metrics |= {f"rate_hz.{name}": rate for name, rate in recorder.mean_rates().items()}
    if network.config.ahsar.enabled:
        metrics |= {f"threshold_scale.{name}": scale for name, scale in network.threshold_scale.items()}
    metrics["sleep_fraction"] = recorder.sleep_fraction()
    return metrics | dict(timing)


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
        readouts=_BASELINE_READOUTS,
        progress=progress,
        features=features,
    )
    values: dict[str, Any] = {"phi.frozen": frozen.phi}
    for readout in _BASELINE_READOUTS:
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
        values |= _accuracy(f"accuracy.raw_pixels{suffix}", raw)
        values |= _accuracy(f"accuracy.frozen{suffix}", frozen.readouts[readout])
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


def baseline_accuracies(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The baselines among a run's metrics, by their names in figures."""
    named = {"raw pixels": "accuracy.raw_pixels", "frozen weights": "accuracy.frozen"}
    return {name: metrics[key] for name, key in named.items() if key in metrics}


def stored_metrics(folder: Path) -> dict[str, Any]:
    """What `metrics.json` of a finished run holds; InputError if there is none, or it is not what was written."""
    try:
        metrics = json.loads(read_verified(folder / "metrics.json"))
        metrics["homeonet_version"], metrics["run_id"]
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder} is not the folder of a finished run ({error}); give one that `homeonet run` has written"
        ) from None
    return metrics


def _accuracy(key: str, result: ReadoutResult) -> dict[str, float | int]:
    return {
        key: result.accuracy,
        f"{key}.ci_low": result.ci_low,
        f"{key}.ci_high": result.ci_high,
        f"{key}.n": result.n_test,
    }

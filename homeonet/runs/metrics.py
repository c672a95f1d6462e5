"""The numbers of ``metrics.json``, flat: accuracies, weights, rates, sleep and speed of one run. Runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from homeonet._version import __version__
from homeonet.config import Config
from homeonet.plastic import Network, Recorder, Structure
from homeonet.runs.evaluation import Evaluation

if TYPE_CHECKING:
    from homeonet.analysis import ReadoutResult

__all__ = ["accuracy_metrics", "baseline_accuracies", "run_metrics"]


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
        ``weights.<pathway>.initial``, ``.final``, ``.final_sd``; ``rate_hz.<population>`` over the whole training and
        ``rate_test_hz.<population>`` while test images are shown; with AHSAR ``threshold_scale.<population>``, its
        last; ``sleep_fraction``; and `timing`.
    """
    metrics: dict[str, Any] = {"homeonet_version": __version__, "run_id": network.config.run_id}
    for name, result in evaluation.readouts.items():
        metrics |= accuracy_metrics(f"accuracy.{name}", result)
    for name, result in evaluation.validation.items():
        metrics |= accuracy_metrics(f"accuracy.val.{name}", result)
    metrics["phi"] = evaluation.phi
    for name, weights in network.weights.items():
        metrics[f"weights.{name}.initial"] = float(untrained.weights[name].mean())
        metrics[f"weights.{name}.final"] = float(weights.mean())
        metrics[f"weights.{name}.final_sd"] = float(weights.std())
    metrics |= {f"rate_hz.{name}": rate for name, rate in recorder.mean_rates().items()}
    metrics |= _test_rates(network.config, evaluation)
    if network.config.ahsar.enabled:
        metrics |= {f"threshold_scale.{name}": scale for name, scale in network.threshold_scale.items()}
    metrics["sleep_fraction"] = recorder.sleep_fraction()
    return metrics | dict(timing)


def _test_rates(config: Config, evaluation: Evaluation) -> dict[str, float]:
    """Mean rates while test images are shown: whether a network that slept still answers."""
    structure = Structure.of(config)
    ends = np.cumsum([structure.size(name) for name in structure.neurons])
    parts = np.split(evaluation.features_test, ends[:-1], axis=1)
    seconds = config.evaluation.presentation
    return {
        f"rate_test_hz.{name}": float(part.mean()) / seconds
        for name, part in zip(structure.neurons, parts, strict=True)
    }


def accuracy_metrics(key: str, result: ReadoutResult) -> dict[str, float | int]:
    """The accuracy of a readout with its interval and number of images, as metrics that begin with `key`."""
    return {
        key: result.accuracy,
        f"{key}.ci_low": result.ci_low,
        f"{key}.ci_high": result.ci_high,
        f"{key}.n": result.n_test,
    }


def baseline_accuracies(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The baselines among a run's metrics, by their names in figures."""
    named = {
        "raw pixels": "accuracy.raw_pixels",
        "noisy pixels": "accuracy.noisy_pixels",
        "random ReLU": "accuracy.random_relu",
        "frozen weights": "accuracy.frozen",
    }
    return {name: metrics[key] for name, key in named.items() if key in metrics}

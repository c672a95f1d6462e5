"""What `study.py` reads out of a run of either engine: codes of images, rates, weights, operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from homeonet.analysis import synaptic_operations
from homeonet.data import Dataset

if TYPE_CHECKING:
    from torch import nn

    from homeonet.gradient.training import TrainConfig

__all__ = ["PROGRESS", "Reading", "read_gradient", "read_plastic"]

#: Where along the training the norm of the weights is looked at.
PROGRESS = np.linspace(0, 1, 21)
_BATCH = 250


@dataclass(frozen=True)
class Reading:
    """A trained network's answers to training, test and corrupted test images.

    Attributes
    ----------
    train, test : ndarray, shape (image, unit)
        Codes: spike counts, or mean outputs over time of the hidden layer.
    corrupted : dict of str to ndarray
        Of the first test images, each kind.
    start, start_train : ndarray
        Codes of the untrained network: of test images (the first ones, or all) and of training images (or none).
    rates, start_rates : ndarray, shape (unit,)
        On test images, trained and untrained: Hz, or share of the steps in which a unit emits.
    saturation : float
        Rate from which a unit counts as saturated.
    weights : (ndarray, ndarray)
        All weights, untrained and trained.
    norm : list of float
        Their norm over its start, along `PROGRESS`.
    sops, honest_nj, seconds : float
        Synaptic operations an image, energy an image with memory and neurons counted, and duration of the training.
    classes : dict of str to ndarray, optional
        The network's own answers, to "clean" and corrupted images.
    """

    train: np.ndarray
    test: np.ndarray
    corrupted: dict[str, np.ndarray]
    start: np.ndarray
    start_train: np.ndarray | None
    rates: np.ndarray
    start_rates: np.ndarray
    saturation: float
    weights: tuple[np.ndarray, np.ndarray]
    norm: list[float]
    sops: float
    seconds: float
    honest_nj: float = float("nan")
    classes: Mapping[str, np.ndarray] | None = None


def read_plastic(
    folder: Path, dataset: Dataset, changed: Mapping[str, np.ndarray], *, untrained: bool
) -> Reading:
    """Of a run of the plastic network; `untrained` reads the training images into the untrained network too."""
    from homeonet.plastic import Network, log_silence, read_features
    from homeonet.runs import load_network, load_run

    run, network = load_run(folder), load_network(folder)
    records, config = run.records, run.config
    start, seconds, dt = Network.untrained(config), config.evaluation.presentation, config.simulation.dt
    train, test = (records[f"features_{part}"].to_numpy() for part in ("train", "test"))
    few = len(next(iter(changed.values())))
    # from the same place of the random stream as the clean images: their input spikes differ by the corruption alone
    before = read_features(start, dataset.x_test if untrained else dataset.x_test[:few])
    before_train = read_features(start, dataset.x_train, stream_offset=len(before)) if untrained else None
    input_spikes = -np.expm1(log_silence(dataset.x_test, config.input.mean_rate, dt)) * seconds / dt
    spikes = {"input": input_spikes, "exc": test[:, : config.exc.n], "inh": test[:, config.exc.n :]}
    weights = [np.concatenate([n.weights[name] for name in network.weights]) for n in (start, network)]
    return Reading(
        train,
        test,
        {kind: read_features(network, images) for kind, images in changed.items()},
        before,
        before_train,
        test[:few].mean(0) / seconds,
        before[:few].mean(0) / seconds,
        100.0,
        (weights[0], weights[1]),
        _norm_of_records(records, weights[0]),
        float(synaptic_operations(records, spikes).sum("pathway").mean()),
        run.metrics["train_wall_seconds"],
    )


def read_gradient(
    folder: Path, dataset: Dataset, changed: Mapping[str, np.ndarray], *, untrained: bool
) -> Reading:
    """Of a run of gradient training."""
    from homeonet.gradient import cost
    from homeonet.gradient.training import build
    from homeonet.runs.gradient import load_trained

    run = load_trained(folder)
    start = build(run.config, dataset.n_classes)[0].eval()
    answer = partial(_answers, config=run.config, shape=dataset.image_shape)
    few = len(next(iter(changed.values())))
    train, test = answer(run.model, dataset.x_train), answer(run.model, dataset.x_test)
    found = {kind: answer(run.model, images) for kind, images in changed.items()}
    before = answer(start, dataset.x_test)
    weights = [_weights(model) for model in (start, run.model)]
    norm = np.sqrt((run.records["weight_norm"] ** 2).sum("weight")).to_numpy() / np.linalg.norm(weights[0])
    sequences = _sequences(dataset.x_test[:few], run.config, dataset.image_shape)
    table = cost(run.model, sequences, compressed=False)
    return Reading(
        train.code,
        test.code,
        {kind: each.code for kind, each in found.items()},
        before.code,
        answer(start, dataset.x_train).code if untrained else None,
        test.rates,
        before.rates,
        1.0,
        (weights[0], weights[1]),
        _resampled(np.arange(1, len(norm) + 1) / len(norm), norm),
        table.sops,
        run.metrics["train_seconds"],
        1e6 * table.honest_mj,
        {"clean": test.classes, **{kind: each.classes for kind, each in found.items()}},
    )


@dataclass(frozen=True)
class _Answers:
    code: np.ndarray
    rates: np.ndarray
    classes: np.ndarray


def _answers(
    model: nn.Module, images: np.ndarray, *, config: TrainConfig, shape: tuple[int, int]
) -> _Answers:
    """Mean output over time of the hidden layer, rate of its units, and the class with the most votes."""
    import torch

    from homeonet.gradient.training import ActivityProbe

    classes = []
    with torch.no_grad(), ActivityProbe(model, keep="neuron") as probe:
        for first in range(0, len(images), _BATCH):
            votes = model(_sequences(images[first : first + _BATCH], config, shape))
            classes.append(votes.mean(0).argmax(1).numpy())
    return _Answers(probe.kept(), probe.unit_rates("neuron"), np.concatenate(classes))


def _sequences(images: np.ndarray, config: TrainConfig, shape: tuple[int, int]) -> Any:
    import torch

    from homeonet.gradient.training import encoded

    stacked = torch.from_numpy(np.ascontiguousarray(images)).view(-1, 1, *shape)
    return encoded(stacked, config, torch.Generator().manual_seed(config.seed))


def _weights(model: nn.Module) -> np.ndarray:
    """All weight matrices, flat; of those that `weight_norms` takes."""
    parts = [p for name, p in model.named_parameters() if name.endswith("weight") and p.dim() > 1]
    return np.concatenate([p.detach().numpy().ravel() for p in parts])


def _norm_of_records(records: xr.Dataset, start: np.ndarray) -> list[float]:
    """Norm of all weights over its start, from their means and spreads at the snapshots."""
    time = records["snapshot_time"].to_numpy()
    mean, spread = records["pathway_mean"], records["weight_sd"].to_numpy()
    squares = spread**2
    counts = []
    for k, pathway in enumerate(records["pathway"].values):
        at = np.interp(time, records["time"].to_numpy(), mean.sel(pathway=pathway).to_numpy())
        squares[:, k] += at**2
        counts.append(records.sizes[f"synapse_{pathway}"])
    return _resampled(time / time[-1], np.sqrt(squares @ np.array(counts)) / np.linalg.norm(start))


def _resampled(at: np.ndarray, values: np.ndarray) -> list[float]:
    return np.interp(PROGRESS, [0.0, *at], [1.0, *values]).tolist()

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


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A trained network's answers to training, test and corrupted test images.

    Attributes
    ----------
    train, test : ndarray, shape (image, unit)
        Codes: spike counts, or mean outputs over time of the hidden layer.
    corrupted : dict of str to ndarray
        Codes of the first test images under each corruption, by its name.
    start, start_train : ndarray
        Codes of the untrained network for test images (the first ones, or all) and for training images (or none).
    rates, start_rates : ndarray, shape (unit,)
        On test images, trained and untrained: Hz, or share of the steps in which a unit emits.
    saturation : float
        Rate from which a unit counts as saturated.
    weights : (ndarray, ndarray)
        All weights, untrained and trained.
    norm : list of float
        Their norm over its start, along `PROGRESS`.
    sops : float
        Synaptic operations per image.
    seconds : float
        Wall time of the training.
    honest_nj : float
        Energy per image in nJ, memory and neurons counted; NaN where it is not known.
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
    """Read a run of the plastic network; with `untrained`, training images are read into the untrained network too."""
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
        train=train,
        test=test,
        corrupted={kind: read_features(network, images) for kind, images in changed.items()},
        start=before,
        start_train=before_train,
        rates=test[:few].mean(0) / seconds,
        start_rates=before[:few].mean(0) / seconds,
        saturation=100.0,
        weights=(weights[0], weights[1]),
        norm=_norm_of_records(records, weights[0]),
        sops=float(synaptic_operations(records, spikes).sum("pathway").mean()),
        seconds=run.metrics["train_wall_seconds"],
    )


def read_gradient(
    folder: Path, dataset: Dataset, changed: Mapping[str, np.ndarray], *, untrained: bool
) -> Reading:
    """Read a run of gradient training."""
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
        train=train.code,
        test=test.code,
        corrupted={kind: each.code for kind, each in found.items()},
        start=before.code,
        start_train=answer(start, dataset.x_train).code if untrained else None,
        rates=test.rates,
        start_rates=before.rates,
        saturation=1.0,
        weights=(weights[0], weights[1]),
        norm=_resampled(np.arange(1, len(norm) + 1) / len(norm), norm),
        sops=table.sops,
        seconds=run.metrics["train_seconds"],
        honest_nj=1e6 * table.honest_mj,
        classes={"clean": test.classes, **{kind: each.classes for kind, each in found.items()}},
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

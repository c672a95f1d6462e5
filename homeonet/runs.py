"""One run of the plastic network, from images to a folder of results: train, read out, compare, draw.

``run`` is what ``homeonet run`` calls. A run's folder appears when it is complete; until then a hidden folder
beside it holds the checkpoint from which the same call continues.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from homeonet import store
from homeonet._version import __version__
from homeonet.config import Config, load_config
from homeonet.data import Dataset, load
from homeonet.errors import InputError
from homeonet.plastic import (
    Network,
    Recorder,
    Training,
    load_checkpoint,
    read_features,
    save_checkpoint,
)

if TYPE_CHECKING:
    import xarray as xr

    from homeonet.analysis import ReadoutResult

__all__ = ["Evaluation", "RunResult", "evaluate", "load_network", "load_run", "run", "usable_cores"]

#: The readouts of a trained network, and those its baselines get.
READOUTS = ("logistic", "qda", "knn", "diehl_cook")
BASELINE_READOUTS = ("logistic", "qda", "knn")
#: What the readout by five nearest neighbours needs.
_FEWEST_TRAIN = 5
_CHECKPOINT_SECONDS = 20.0
#: A progress meter: called with a label and a total, gives a context whose value takes increments.
ProgressMeter = Callable[[str, float], AbstractContextManager[Callable[[float], Any]]]


@dataclass(frozen=True)
class Evaluation:
    """Spike counts of a network for training and test images, and what readouts make of them.

    Attributes
    ----------
    features_train, features_test : ndarray, shape (n_images, n_exc + n_inh)
    readouts : dict of str to ReadoutResult
    phi : float
        Clustering score of the test features; NaN for a single class, or a single image a class.
    """

    features_train: np.ndarray
    features_test: np.ndarray
    readouts: dict[str, ReadoutResult]
    phi: float


@dataclass(frozen=True)
class RunResult:
    """A finished run.

    Attributes
    ----------
    folder : Path or None
    config : Config
    metrics : dict
        What `metrics.json` holds, flat.
    records : xarray.Dataset
    """

    folder: Path | None
    config: Config
    metrics: dict[str, Any]
    records: xr.Dataset


def usable_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(
    config: Config,
    out: str | Path | None = None,
    *,
    device: str = "auto",
    workers: int | None = None,
    figures: bool = True,
    baselines: bool = True,
    data_folder: str | Path | None = None,
    progress: ProgressMeter | None = None,
) -> RunResult:
    """Train a network with sleep, evaluate it beside its baselines, and write a folder of results.

    Parameters
    ----------
    config : Config
    out : path, optional
        The folder to write; nothing is written without it. If it holds this very run, that is returned.
    device : {"auto", "runtime", "cpp", "cuda"}
    workers : int, optional
        Evaluation processes at a time; all usable cores by default. Results do not depend on it.
    figures, baselines : bool
        Whether to draw the figures, and to evaluate raw pixels and the frozen random network.
    data_folder : path, optional
        Where to look for images first.
    progress : callable, optional
        ``progress(label, total)`` gives a context manager whose value is called with increments.

    Returns
    -------
    RunResult

    Raises
    ------
    InputError
        If the output folder holds something else, or the data cannot be had.
    RunawayError
        If the network explodes or falls silent.
    """
    final = Path(out) if out is not None else None
    if final is not None:
        with store.disk_errors(final):
            exists = final.exists()
        if exists:
            return _existing(final, config)
    dataset = load(
        config.data,
        size=config.input.side,
        train=config.train,
        val=config.val,
        test=config.test,
        seed=config.seed,
        folder=data_folder,
    )
    _check_enough(dataset)
    work = None
    if final is not None:
        work = final.parent / f".{final.name}.partial"
        store.require_writable(work)
        store.write_atomically(work / "config.toml", lambda file: file.write(config.to_toml().encode()))
    workers = workers or usable_cores()
    try:
        with threadpool_limits(workers):
            return _run(config, dataset, final, work, device, workers, figures, baselines, progress)
    except BaseException:
        if work is not None and not (work / "checkpoint.npz").exists():  # nothing to continue from
            shutil.rmtree(work, ignore_errors=True)
        raise


def _run(
    config: Config,
    dataset: Dataset,
    final: Path | None,
    work: Path | None,
    device: str,
    workers: int,
    figures: bool,
    baselines: bool,
    progress: ProgressMeter | None,
) -> RunResult:
    network, recorder, timing = _train(config, dataset, device, work, progress)
    device = timing["device"]  # "auto" is decided, and warned about, once
    evaluation = evaluate(network, dataset, device=device, workers=workers, progress=progress)
    untrained = Network.untrained(config)
    metrics = _metrics(config, network, untrained, recorder, evaluation, timing)
    if baselines:
        metrics |= _baselines(untrained, dataset, device, workers, progress)
    records = _with_evaluation(recorder.to_dataset(untrained, network), dataset, evaluation)
    if final is None or work is None:
        return RunResult(None, config, metrics, records)
    store.write_records(work / "records.nc", records)
    if figures:
        from homeonet.plotting import draw_run

        shutil.rmtree(work / "figures", ignore_errors=True)  # of an attempt that was killed
        with store.disk_errors(work):
            draw_run(records, work / "figures", metrics={"baselines": baseline_accuracies(metrics)})
    store.write_json(work / "metrics.json", metrics)
    parts = ["config.toml", "metrics.json", "records.nc", *(["figures"] if figures else [])]
    store.publish_folder(work, final, parts)
    return RunResult(final, config, metrics, records)


def evaluate(
    network: Network,
    dataset: Dataset,
    *,
    device: str = "auto",
    workers: int = 1,
    readouts: tuple[str, ...] = READOUTS,
    progress: ProgressMeter | None = None,
) -> Evaluation:
    """Read features out of a network and score readouts fitted on all training images.

    Parameters
    ----------
    network : Network
    dataset : Dataset
        Readouts are fitted on its training images and scored on its test images.
    device, workers, progress
        As in :func:`run`.
    readouts : tuple of str
        Names of readouts.

    Returns
    -------
    Evaluation
    """
    from homeonet.analysis import clustering_score, evaluate_readout

    _check_enough(dataset)
    images = np.concatenate([dataset.x_test, dataset.x_train])
    with _meter(progress, "evaluating", len(images)) as advance:
        features = read_features(network, images, device=device, workers=workers, progress=advance)
    test, train = features[: len(dataset.x_test)], features[len(dataset.x_test) :]
    results = {
        name: evaluate_readout(
            name,
            train,
            dataset.y_train,
            test,
            dataset.y_test,
            seed=network.config.seed,
            tune=name == "logistic" and _tunable(dataset),
            n_exc=network.config.exc.n,
        )
        for name in readouts
    }
    n_classes = len(np.unique(dataset.y_test))
    phi = clustering_score(test, dataset.y_test) if 1 < n_classes < len(test) else float("nan")
    return Evaluation(train, test, results, phi)


def load_run(folder: str | Path) -> RunResult:
    """Open a finished run's folder."""
    folder = Path(folder)
    try:
        metrics = json.loads((folder / "metrics.json").read_text())
        version, run_id = metrics["homeonet_version"], metrics["run_id"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder} is not the folder of a finished run ({error}); give one that `homeonet run` has written"
        ) from None
    config = load_config(folder / "config.toml")
    if version == __version__ and run_id != config.run_id:
        raise InputError(f"{folder / 'config.toml'} is not what the run was made with; run it again")
    return RunResult(folder, config, metrics, store.load_records(folder))


def load_network(folder: str | Path) -> Network:
    """The trained network of a finished run, ready for :func:`evaluate`."""
    opened = load_run(folder)
    records, config = opened.records, opened.config
    names = [str(name) for name in records["pathway"].values]
    return Network(
        config,
        {name: (records[f"pre_{name}"].values, records[f"post_{name}"].values) for name in names},
        {name: records[f"w_final_{name}"].values for name in names},
        {name: records[f"threshold_rise_{name}"].values for name in ("exc", "inh")},
    )


def baseline_accuracies(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The baselines among a run's metrics, by their names in figures."""
    named = {"raw pixels": "accuracy.raw_pixels", "frozen weights": "accuracy.frozen"}
    return {name: metrics[key] for name, key in named.items() if key in metrics}


def _check_enough(dataset: Dataset) -> None:
    if len(dataset.y_train) < _FEWEST_TRAIN:
        raise InputError(
            f"train = {len(dataset.y_train)}: the readouts need at least {_FEWEST_TRAIN} training images"
        )


def _existing(folder: Path, config: Config) -> RunResult:
    if not folder.is_dir():
        raise InputError(f"out = {str(folder)!r} is a file; choose the name of a new folder")
    if not (folder / "metrics.json").exists():
        raise InputError(
            f"out = {str(folder)!r} exists and holds no finished run; choose the name of a new folder"
        )
    found = load_run(folder)
    if found.config.run_id != config.run_id:
        raise InputError(
            f"out = {str(folder)!r} holds a run with other parameters (run {found.config.run_id}); choose "
            "another folder or delete it"
        )
    return found


def _meter(progress: ProgressMeter | None, label: str, total: float) -> AbstractContextManager:
    import contextlib

    return progress(label, total) if progress else contextlib.nullcontext(lambda _: None)


def _train(
    config: Config, dataset: Dataset, device: str, work: Path | None, progress: ProgressMeter | None
) -> tuple[Network, Recorder, dict[str, Any]]:
    images = _presentation_order(dataset.x_train, config)
    training, recorder = Training([config], images, device), Recorder(config)
    checkpoint = work / "checkpoint.npz" if work else None
    spent = 0.0
    if checkpoint and checkpoint.exists():
        spent = load_checkpoint(checkpoint, training, recorder)
    start = saved = time.perf_counter()
    resumed_at = training.step
    total = training.total_wake_steps * training.dt
    with _meter(progress, "training", total) as advance:
        shown = recorder.wake_seconds
        advance(shown)
        try:
            while not training.done:
                before = training.step, training.arrays, dict(training.finished), training.loop_seconds
                records = recorder.copy()
                try:
                    recorder.add(training.advance())
                except BaseException:  # Ctrl-C too: in a checkpoint, state and records must agree
                    training.step, training.arrays, training.finished, training.loop_seconds = before
                    recorder = records
                    raise
                advance(recorder.wake_seconds - shown)
                shown = recorder.wake_seconds
                if checkpoint and time.perf_counter() - saved > _CHECKPOINT_SECONDS:
                    save_checkpoint(checkpoint, training, recorder, spent + time.perf_counter() - start)
                    saved = time.perf_counter()
        finally:
            if checkpoint and training.step > resumed_at:
                save_checkpoint(checkpoint, training, recorder, spent + time.perf_counter() - start)
    wall = spent + time.perf_counter() - start
    loop_seconds = training.loop_seconds
    timing = {
        "simulated_seconds": training.step * training.dt,
        "train_wall_seconds": wall,
        "steps_per_second": training.step / loop_seconds if loop_seconds else None,
        "realtime_factor": training.step * training.dt / loop_seconds if loop_seconds else None,
        "compile_seconds": training.engine.compile_seconds,
        "device": training.engine.device,
    }
    return training.network(), recorder, timing


def _presentation_order(images: np.ndarray, config: Config) -> np.ndarray:
    """All epochs one after the other; each but the first is shuffled anew."""
    orders = [np.arange(len(images))]
    for epoch in range(1, config.epochs):
        orders.append(np.random.default_rng([config.seed, epoch]).permutation(len(images)))
    return images[np.concatenate(orders)]


def _metrics(
    config: Config,
    network: Network,
    untrained: Network,
    recorder: Recorder,
    evaluation: Evaluation,
    timing: Mapping[str, Any],
) -> dict[str, Any]:
    metrics: dict[str, Any] = {"homeonet_version": __version__, "run_id": config.run_id}
    for name, result in evaluation.readouts.items():
        metrics |= _accuracy(f"accuracy.{name}", result)
    metrics["phi"] = evaluation.phi
    for name, weights in network.weights.items():
        metrics[f"weights.{name}.initial"] = float(untrained.weights[name].mean())
        metrics[f"weights.{name}.final"] = float(weights.mean())
        metrics[f"weights.{name}.final_sd"] = float(weights.std())
    metrics |= {f"rate_hz.{name}": rate for name, rate in recorder.mean_rates().items()}
    metrics["sleep_fraction"] = recorder.sleep_fraction()
    return metrics | dict(timing)


def _accuracy(key: str, result: ReadoutResult) -> dict[str, float | int]:
    return {
        key: result.accuracy,
        f"{key}.ci_low": result.ci_low,
        f"{key}.ci_high": result.ci_high,
        f"{key}.n": result.n_test,
    }


def _baselines(
    untrained: Network, dataset: Dataset, device: str, workers: int, progress: ProgressMeter | None
) -> dict[str, Any]:
    """Raw pixels, and the same network with its random weights, under the same readouts."""
    from homeonet.analysis import evaluate_readout

    frozen = evaluate(
        untrained, dataset, device=device, workers=workers, readouts=BASELINE_READOUTS, progress=progress
    )
    values: dict[str, Any] = {"phi.frozen": frozen.phi}
    for readout in BASELINE_READOUTS:
        suffix = "" if readout == "logistic" else f".{readout}"
        raw = evaluate_readout(
            readout,
            dataset.x_train,
            dataset.y_train,
            dataset.x_test,
            dataset.y_test,
            seed=untrained.config.seed,
            tune=readout == "logistic" and _tunable(dataset),
        )
        values |= _accuracy(f"accuracy.raw_pixels{suffix}", raw)
        values |= _accuracy(f"accuracy.frozen{suffix}", frozen.readouts[readout])
    return values


def _tunable(dataset: Dataset) -> bool:
    """Whether there are enough training images to choose a regularisation on a part of them."""
    return bool(np.unique(dataset.y_train, return_counts=True)[1].min() >= 10)


def _with_evaluation(records: xr.Dataset, dataset: Dataset, evaluation: Evaluation) -> xr.Dataset:
    predictions = np.stack([result.predictions for result in evaluation.readouts.values()])
    return records.assign(
        features_train=(("image_train", "unit"), evaluation.features_train, {"units": "spikes"}),
        labels_train=("image_train", dataset.y_train),
        features_test=(("image_test", "unit"), evaluation.features_test, {"units": "spikes"}),
        labels_test=("image_test", dataset.y_test),
        prediction=(("readout", "image_test"), predictions),
    ).assign_coords(readout=list(evaluation.readouts))

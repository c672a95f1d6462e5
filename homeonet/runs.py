"""One run of the plastic network, from images to a folder of results: train, read out, compare, draw.

``run`` is what ``homeonet run`` calls. A run's folder appears when it is complete; until then a hidden folder
beside it, locked by the process that writes it, holds the checkpoint from which the same call continues.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from homeonet import store
from homeonet._baselines import measure_baselines
from homeonet._checksums import verify
from homeonet._evaluation import (
    Evaluation,
    ProgressMeter,
    evaluate,
    meter,
    usable_cores,
    worker_count,
)
from homeonet._images import load_images, presentation_order, with_data
from homeonet._meanwhile import Meanwhile, import_late_modules, timed
from homeonet._metrics import (
    baseline_accuracies,
    baseline_metrics,
    measured_beside,
    run_metrics,
    stored_metrics,
)
from homeonet._version import __version__
from homeonet.config import Config, load_config
from homeonet.data import Dataset
from homeonet.errors import InputError
from homeonet.plastic import (
    Network,
    Recorder,
    Structure,
    Training,
    known_device,
    load_checkpoint,
    program_for,
    require_precision,
    save_checkpoint,
)

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "Evaluation",
    "RunResult",
    "draw_figures",
    "evaluate",
    "load_network",
    "load_run",
    "measure_baselines",
    "run",
    "usable_cores",
]

_CHECKPOINT_SECONDS = 20.0


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
    found_complete : bool
        Whether the folder held this run already, so that nothing was trained or evaluated.
    """

    folder: Path | None
    config: Config
    metrics: dict[str, Any]
    records: xr.Dataset
    found_complete: bool = False


def run(
    config: Config,
    out: str | Path | None = None,
    *,
    device: str = "auto",
    workers: int | None = None,
    figures: bool = True,
    baselines: bool = True,
    data_folder: str | Path | None = None,
    dataset: Dataset | None = None,
    progress: ProgressMeter | None = None,
) -> RunResult:
    """Train a network with sleep, evaluate it beside its baselines, and write a folder of results.

    Parameters
    ----------
    config : Config
    out : path, optional
        The folder to write; nothing is written without it. If it holds this very run, that is returned, with
        the figures drawn from its records if they are wanted and missing.
    device : {"auto", "cpp", "cuda", "brian2cuda", "runtime"}
        Compiled C++, an NVIDIA GPU, or Brian2 in Python (no compiler needed, very slow). One network leaves a GPU
        idle: it is for sweeps, which run many as one.
    workers : int, optional
        Processes that evaluate at a time; all usable cores by default. Training is one process on one core; with
        more workers than one the baselines are measured beside it. Results do not depend on it.
    figures, baselines : bool
        Whether to draw the figures, and to evaluate raw pixels and the frozen random network.
    data_folder : path, optional
        Where to look for images first.
    dataset : Dataset, optional
        Images of one's own in place of those that `config` names, such as ``Dataset.from_arrays(x, y)``: `train`, `val`
        and `test` of them, resized to `input.side`, colours as luminance. `data` becomes their hash.
    progress : callable, optional
        ``progress(label, total)`` gives a context manager whose value is called with increments.

    Returns
    -------
    RunResult

    Raises
    ------
    InputError
        If the output folder holds something else or is being written by another process, the data cannot be
        had, or the device does not compute in the precision asked for.
    RunawayError
        If the network explodes or falls silent.
    """
    require_precision(config.simulation.precision, known_device(device))
    workers = worker_count(workers)
    config = with_data(config, data_folder, dataset)
    final = Path(out) if out is not None else None
    if final is not None and _exists(final):
        return _found(final, config, figures)
    seconds: dict[str, float] = {}
    with timed(seconds, "data"):
        dataset = load_images(config, data_folder, dataset)
    rest = (device, workers, figures, baselines, seconds, progress)
    if final is None:
        return _run(config, dataset, None, *rest)
    work = final.parent / f".{final.name}.partial"
    store.require_writable(work)
    with store.locked(final.parent / f".{final.name}.lock"):
        try:
            if _exists(final):  # the process that had the lock before us has finished it
                return _found(final, config, figures)
            _write_config(work, config)
            result = _run(config, dataset, work, *rest)
            _publish(work, final, figures)
            return replace(result, folder=final)
        finally:
            if not (work / "checkpoint.npz").exists():  # nothing to continue from
                shutil.rmtree(work, ignore_errors=True)


def _write_config(folder: Path, config: Config) -> None:
    store.write_atomically(folder / "config.toml", lambda file: file.write(config.to_toml().encode()))


def _publish(work: Path, final: Path, figures: bool) -> None:
    """Give a run's folder its name, with what belongs to it."""
    parts = ["config.toml", "metrics.json", "records.nc", *(["figures"] if figures else [])]
    store.publish_folder(work, final, parts)


def write_run(
    final: Path,
    network: Network,
    recorder: Recorder,
    timing: dict[str, Any],
    dataset: Dataset,
    *,
    workers: int,
    figures: bool,
) -> None:
    """Evaluate a network that was trained beside others, and write its run's folder, without baselines."""
    work = final.parent / f".{final.name}.partial"
    shutil.rmtree(work, ignore_errors=True)
    store.require_writable(work)
    try:
        _write_config(work, network.config)
        _finish(network, recorder, timing, dataset, work, workers, figures, baselines=False, seconds={})
        _publish(work, final, figures)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _run(
    config: Config,
    dataset: Dataset,
    work: Path | None,
    device: str,
    workers: int,
    figures: bool,
    baselines: bool,
    seconds: dict[str, float],
    progress: ProgressMeter | None,
) -> RunResult:
    with Meanwhile() as beside:

        def trains(device: str) -> None:
            """Training takes one core; another one can do what does not depend on it."""

            def work(check: Callable[[int], None]) -> dict[str, Any]:
                import_late_modules(check, figures)
                return measured_beside(config, dataset, device, check) if baselines else {}

            if workers > 1 and device == "cpp":
                beside.start(work)

        network, recorder, timing = _train(config, dataset, device, work, progress, trains)
        rest = (workers, figures, baselines, seconds, progress, beside)
        return _finish(network, recorder, timing, dataset, work, *rest)


def _finish(
    network: Network,
    recorder: Recorder,
    timing: dict[str, Any],
    dataset: Dataset,
    work: Path | None,
    workers: int,
    figures: bool,
    baselines: bool,
    seconds: dict[str, float],
    progress: ProgressMeter | None = None,
    beside: Meanwhile | None = None,
) -> RunResult:
    """Evaluate a trained network, and write all but the configuration into `work`."""
    config, device = network.config, timing["device"]  # "auto" is decided, and warned about, once
    with timed(seconds, "evaluation"):
        evaluation = evaluate(network, dataset, device=device, workers=workers, progress=progress)
    untrained = Network.untrained(config)
    metrics = run_metrics(network, untrained, recorder, evaluation, timing)
    if baselines:
        with timed(seconds, "baselines"):
            done = beside and beside.result()
            metrics |= done or baseline_metrics(untrained, dataset, device, workers, progress)
    seconds["seconds.beside_training"] = beside.seconds if beside else 0.0
    records = _with_evaluation(recorder.to_dataset(untrained, network), dataset, evaluation)
    result = RunResult(work, config, metrics, records)
    if work is not None:
        with timed(seconds, "records"):
            store.write_records(work / "records.nc", records)
        if figures:
            shutil.rmtree(work / "figures", ignore_errors=True)  # of an attempt that was killed
            with timed(seconds, "figures"):
                draw_figures(result, work / "figures")
    metrics |= seconds
    if work is not None:
        store.write_json(work / "metrics.json", metrics)
    return result


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
    verify(folder / "config.toml")
    config = load_config(folder / "config.toml")
    if metrics["homeonet_version"] == __version__ and metrics["run_id"] != config.run_id:
        raise InputError(f"{folder / 'config.toml'} is not what the run was made with; run it again")
    return RunResult(folder, config, metrics, store.load_records(folder))


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
        {name: records[f"threshold_rise_{name}"].values for name in ("exc", "inh")},
        {name: float(scales.get(name, 1.0)) for name in ("exc", "inh")},
    )


def _exists(folder: Path) -> bool:
    with store.disk_errors(folder):
        return folder.exists()


def _found(folder: Path, config: Config, figures: bool) -> RunResult:
    """The run that `folder` holds, if it is this one."""
    if not folder.is_dir():
        raise InputError(f"out = {str(folder)!r} is a file; choose the name of a new folder")
    if not (folder / "metrics.json").exists():
        raise InputError(
            f"out = {str(folder)!r} exists and holds no finished run; choose the name of a new folder"
        )
    version = stored_metrics(folder)["homeonet_version"]
    if version != __version__:
        raise InputError(
            f"out = {str(folder)!r} holds a run of homeonet {version} and this is {__version__}; choose another "
            "folder, or delete it to run again"
        )
    found = load_run(folder)
    if found.config.run_id != config.run_id:
        raise InputError(
            f"out = {str(folder)!r} holds a run with other parameters (run {found.config.run_id}); choose "
            "another folder or delete it"
        )
    if figures and not (folder / "figures").exists():
        partial = folder / ".figures.partial"
        shutil.rmtree(partial, ignore_errors=True)  # of an attempt that was killed
        draw_figures(found, partial)
        with store.disk_errors(folder):
            partial.rename(folder / "figures")
    return replace(found, found_complete=True)


def _train(
    config: Config,
    dataset: Dataset,
    device: str,
    work: Path | None,
    progress: ProgressMeter | None,
    begins: Callable[[str], None],
) -> tuple[Network, Recorder, dict[str, Any]]:
    images = presentation_order(dataset.x_train, config)
    training, recorder = Training([config], images, device), Recorder(config)
    compile_seconds = training.engine.compile_seconds
    if training.engine.device != "runtime":
        # the evaluation's program too, so that a compiler that fails does so before the training
        compile_seconds += program_for(Structure.of(config).frozen(), training.engine.device).compile_seconds
    checkpoint = work / "checkpoint.npz" if work else None
    spent = 0.0
    if checkpoint and checkpoint.exists():
        spent = load_checkpoint(checkpoint, training, recorder)
    begins(training.engine.device)
    start = saved = time.perf_counter()
    resumed_at = training.step
    total = training.total_wake_steps * training.dt
    with meter(progress, "training", total) as advance:
        shown = recorder.wake_seconds
        advance(shown)
        try:
            while not training.done:
                before, records = training.state(), recorder.copy()
                try:
                    recorder.add(training.advance())
                except BaseException:  # Ctrl-C too: in a checkpoint, state and records must agree
                    training.restore(before)
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
        "compile_seconds": compile_seconds,
        "device": training.engine.device,
    }
    return training.network(), recorder, timing


def _with_evaluation(records: xr.Dataset, dataset: Dataset, evaluation: Evaluation) -> xr.Dataset:
    predictions = np.stack([result.predictions for result in evaluation.readouts.values()])
    return records.assign(
        features_train=(("image_train", "unit"), evaluation.features_train, {"units": "spikes"}),
        labels_train=("image_train", dataset.y_train),
        features_test=(("image_test", "unit"), evaluation.features_test, {"units": "spikes"}),
        labels_test=("image_test", dataset.y_test),
        prediction=(("readout", "image_test"), predictions),
    ).assign_coords(readout=list(evaluation.readouts))

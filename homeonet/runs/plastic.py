"""One run of the plastic network, from images to a folder of results: train, read out, compare, draw.

``run`` is what ``homeonet run`` calls. A run's folder appears when it is complete; until then a hidden folder
beside it, locked by the process that writes it, holds the checkpoint from which the same call continues.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from homeonet import store
from homeonet.config import Config
from homeonet.data import Dataset
from homeonet.machine.cores import worker_count
from homeonet.machine.scratch import scratch_folder
from homeonet.plastic import (
    RECORDINGS,
    SEGMENT_SECONDS,
    Network,
    Recorder,
    Recordings,
    Structure,
    Training,
    known_device,
    load_checkpoint,
    model_page,
    program_for,
    require_precision,
    save_checkpoint,
)
from homeonet.progress import ProgressMeter, meter
from homeonet.runs._meanwhile import Meanwhile, import_late_modules, timed
from homeonet.runs.baselines import baseline_metrics, measured_beside
from homeonet.runs.callbacks import Callback, board_in, check_callbacks, told
from homeonet.runs.evaluation import (
    Evaluation,
    evaluate,
)
from homeonet.runs.folder import RunFolder
from homeonet.runs.images import load_images, presentation_order, with_data
from homeonet.runs.metrics import (
    run_metrics,
)
from homeonet.runs.results import RunResult, draw_figures, load_run

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["run", "write_run"]

_CHECKPOINT_SECONDS = 20.0


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
    tensorboard: bool = False,
    callbacks: Sequence[Callback] = (),
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
    tensorboard : bool
        Also write rates, weights and sleep of every segment for TensorBoard, in ``tensorboard/`` of `out`. Default
        False.
    callbacks : sequence of Callback
        Whom to tell how the run goes, segment by segment. Default none.
    progress : callable, optional
        ``progress(label, total)`` gives a context manager whose value is called with increments.

    Returns
    -------
    RunResult

    Raises
    ------
    InputError
        If the output folder holds something else or is being written by another process, the data cannot be
        had, the device does not compute in the precision asked for, or a callback is none.
    RunawayError
        If the network explodes or falls silent.
    """
    require_precision(config.simulation.precision, known_device(device))
    check_callbacks(callbacks, out, tensorboard=tensorboard)
    workers = worker_count(workers)
    config = with_data(config, data_folder, dataset)
    folder = RunFolder(out, kept=("checkpoint.npz",)) if out is not None else None
    if folder is not None and folder.exists():
        return _found(folder, config, figures)
    seconds: dict[str, float] = {}
    with timed(seconds, "data"):
        dataset = load_images(config, data_folder, dataset)
    rest = (device, workers, figures, baselines, seconds, progress)
    if folder is None:
        result = _run(config, dataset, None, callbacks, *rest)
    else:
        folder.require_writable()
        with folder.locked(), folder.writing():
            if folder.exists():  # the process that had the lock before us has finished it
                return _found(folder, config, figures)
            _write_config(folder, config)
            with board_in(folder.work, wanted=tensorboard) as board:
                result = _run(config, dataset, folder.work, [*board, *callbacks], *rest)
            folder.publish([*_parts(config, figures), *(["tensorboard"] if tensorboard else [])])
            opened = store.open_recordings(folder.final / RECORDINGS) if config.record else None
            result = replace(result, folder=folder.final, recordings=opened)
    for callback in callbacks:
        callback.on_end(result.metrics)
    return result


def _write_config(folder: RunFolder, config: Config) -> None:
    folder.write_text("config.toml", config.to_toml())
    folder.write_text("model.txt", model_page(config))


def _parts(config: Config, figures: bool) -> list[str]:
    parts = ["config.toml", "model.txt", "metrics.json", "records.nc"]
    return [*parts, *([RECORDINGS] if config.record else []), *(["figures"] if figures else [])]


def write_run(
    folder: RunFolder,
    network: Network,
    recorder: Recorder,
    timing: dict[str, Any],
    dataset: Dataset,
    *,
    workers: int,
    figures: bool,
) -> None:
    """Evaluate a network that was trained beside others, and write its run's folder, without baselines."""
    folder.empty()
    with folder.writing():
        _write_config(folder, network.config)
        _finish(
            network, recorder, timing, dataset, folder.work, workers, figures, baselines=False, seconds={}
        )
        folder.publish(_parts(network.config, figures))


def _run(
    config: Config,
    dataset: Dataset,
    work: Path | None,
    callbacks: Sequence[Callback],
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

        with scratch_folder() if work is None and config.record else nullcontext(work) as folder:
            recordings = Recordings(config, (folder or Path()) / "recordings")
            network, recorder, timing = _train(
                config, dataset, device, work, recordings, callbacks, progress, trains
            )
            recorded = _write_recordings(recordings, network, folder) if folder and config.record else None
            if recorded is not None and work is None:
                recorded.load().close()
        rest = (workers, figures, baselines, seconds, progress, beside)
        result = _finish(network, recorder, timing, dataset, work, *rest)
        return replace(result, recordings=recorded)


def _write_recordings(recordings: Recordings, network: Network, folder: Path) -> xr.Dataset:
    """Make one file of what was recorded."""
    path = folder / RECORDINGS
    with store.disk_errors(folder):
        recordings.write(path, network.connections)
    return store.open_recordings(path)


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
        learnt = _while_learning(recorder, dataset, config)
        evaluation = evaluate(
            network, dataset, device=device, workers=workers, progress=progress, while_learning=learnt
        )
    untrained = Network.untrained(config)
    metrics = run_metrics(network, untrained, recorder, evaluation, timing)
    if baselines:
        with timed(seconds, "baselines"):
            done = beside and beside.result()
            metrics |= done or baseline_metrics(untrained, dataset, device, workers, progress)
    seconds["seconds.beside_training"] = beside.seconds if beside else 0.0
    records = _with_evaluation(recorder.to_dataset(untrained, network), dataset, evaluation, learnt)
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


def _found(folder: RunFolder, config: Config, figures: bool) -> RunResult:
    """The run that `folder` holds, if it is this one."""
    folder.require_finished()
    found = load_run(folder.final)
    folder.require_same(found.config.run_id, config.run_id)
    if figures and not (folder.final / "figures").exists():
        partial = folder.final / ".figures.partial"
        shutil.rmtree(partial, ignore_errors=True)  # of an attempt that was killed
        draw_figures(found, partial)
        with store.disk_errors(folder.final):
            partial.rename(folder.final / "figures")
    return replace(found, found_complete=True)


def _train(
    config: Config,
    dataset: Dataset,
    device: str,
    work: Path | None,
    recordings: Recordings,
    callbacks: Sequence[Callback],
    progress: ProgressMeter | None,
    begins: Callable[[str], None],
) -> tuple[Network, Recorder, dict[str, Any]]:
    images = dataset.x_train[presentation_order(dataset.y_train, config)]
    training, recorder = Training([config], images, device), Recorder(config)
    compile_seconds = training.engine.compile_seconds
    if training.engine.device != "runtime":
        # the evaluation's program too, so that a compiler that fails does so before the training
        compile_seconds += program_for(Structure.of(config).frozen(), training.engine.device).compile_seconds
    checkpoint = work / "checkpoint.npz" if work else None
    spent = 0.0
    if checkpoint and checkpoint.exists():
        spent = load_checkpoint(checkpoint, training, recorder, recordings)
    else:
        recordings.restore({})  # of an attempt that was killed before its first checkpoint
    recordings.begin(training)
    begins(training.engine.device)
    telling = told(callbacks, config.model_dump(mode="json"))
    if callbacks:
        telling.intervals(recorder.intervals())
    start = saved = time.perf_counter()
    resumed_at = training.step
    total = training.total_wake_steps * training.dt
    with meter(progress, "training", total) as advance:
        shown = recorder.wake_seconds
        advance(shown)
        try:
            while not training.done:
                before, records, lengths = training.state(), recorder.copy(), recordings.state()
                try:
                    segment = training.advance(recordings.seconds_to_go(training.step, SEGMENT_SECONDS))
                    recorder.add(segment)
                    recordings.add(training, segment)
                except BaseException:  # Ctrl-C too: in a checkpoint, state and records must agree
                    training.restore(before)
                    recordings.restore(lengths)
                    recorder = records
                    raise
                advance(recorder.wake_seconds - shown)
                shown = recorder.wake_seconds
                if callbacks:
                    telling.intervals(recorder.intervals())
                if checkpoint and time.perf_counter() - saved > _CHECKPOINT_SECONDS:
                    save_checkpoint(
                        checkpoint, training, recorder, spent + time.perf_counter() - start, recordings
                    )
                    saved = time.perf_counter()
        finally:
            if checkpoint and training.step > resumed_at:
                save_checkpoint(
                    checkpoint, training, recorder, spent + time.perf_counter() - start, recordings
                )
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


def _while_learning(recorder: Recorder, dataset: Dataset, config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Spike counts of the last images of the training, as they were then, and their labels."""
    number, counts = recorder.images.last()
    return counts, dataset.y_train[presentation_order(dataset.y_train, config)[number]]


def _with_evaluation(
    records: xr.Dataset, dataset: Dataset, evaluation: Evaluation, learnt: tuple[np.ndarray, np.ndarray]
) -> xr.Dataset:
    predictions = np.stack([result.predictions for result in evaluation.readouts.values()])
    return records.assign(
        features_train=(("image_train", "unit"), evaluation.features_train, {"units": "spikes"}),
        labels_train=("image_train", dataset.y_train),
        features_learning=(("image_learning", "unit"), learnt[0], {"units": "spikes"}),
        labels_learning=("image_learning", learnt[1]),
        features_test=(("image_test", "unit"), evaluation.features_test, {"units": "spikes"}),
        labels_test=("image_test", dataset.y_test),
        prediction=(("readout", "image_test"), predictions),
    ).assign_coords(readout=list(evaluation.readouts))

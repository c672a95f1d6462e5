"""One run of gradient training, from images to a folder of results: what ``homeonet train`` calls."""

from __future__ import annotations

import shutil
from collections.abc import Container, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning_fabric import Fabric
from torch import nn

from homeonet import store
from homeonet._version import __version__
from homeonet.data import Dataset, load, pinned, selected
from homeonet.errors import InputError
from homeonet.gradient.training._caller import caller_left_alone
from homeonet.gradient.training._checkpoint import load_weights, save_weights
from homeonet.gradient.training._config import TrainConfig, load_train_config, train_config
from homeonet.gradient.training._history import History
from homeonet.gradient.training._own_checks import check_sources, checked_own
from homeonet.gradient.training._run import TrainingRun, build, stored_features
from homeonet.machine.html import table
from homeonet.progress import ProgressMeter
from homeonet.runs.callbacks import Callback, board_in, check_callbacks, told
from homeonet.runs.folder import RunFolder, stored_metrics
from homeonet.runs.rows import trained_rows
from homeonet.store.checksums import verify

if TYPE_CHECKING:
    import xarray as xr

    from homeonet.plotting import NamedFigures

__all__ = ["TrainResult", "data_parameters", "load_examples", "load_trained", "measure_baselines", "train"]


@dataclass(frozen=True)
class TrainResult:
    """A finished training run.

    Attributes
    ----------
    folder : Path or None
    config : TrainConfig
    model : Module
        With its homeostasis attached, in evaluation mode.
    metrics : dict
        What `metrics.json` holds, flat.
    records : xarray.Dataset
    found_complete : bool
        Whether the folder held this very run already, so that nothing was run.
    """

    folder: Path | None
    config: TrainConfig
    model: nn.Module
    metrics: dict[str, Any]
    records: xr.Dataset
    found_complete: bool = False

    @property
    def plot(self) -> NamedFigures:
        """Figures by name, such as ``result.plot.learning()``; ``result.plot`` lists them."""
        from homeonet.plotting import NamedFigures, training_figures

        return NamedFigures(training_figures(self.records, self.metrics))

    def _repr_html_(self) -> str:
        title = f"{self.config.neuron} on {self.config.data}, run {self.config.run_id}"
        note = f"accuracies are in %, with a 95 % Wilson interval; {self.folder or 'not written to a folder'}"
        return table(trained_rows(self.metrics), title, note)


def train(
    config: TrainConfig,
    out: str | Path | None = None,
    *,
    accelerator: str = "auto",
    devices: int = 1,
    data_folder: str | Path | None = None,
    dataset: Dataset | None = None,
    figures: bool = True,
    baselines: bool = True,
    tensorboard: bool = False,
    callbacks: Sequence[Callback] = (),
    progress: ProgressMeter | None = None,
) -> TrainResult:
    """Train a spiking network by gradients, score it on the test images, and write a folder of results.

    Parameters
    ----------
    config : TrainConfig
    out : path, optional
        The folder to write; nothing is written without it. If it holds this very run, that is returned; if the run
        was interrupted, it is continued. Until it is complete, ``.NAME.partial`` beside it holds what there is, with
        ``epochs.csv`` after every epoch.
    accelerator, devices
        What Lightning Fabric calls so; several devices train data-parallel, each on its share of every batch.
    data_folder : path, optional
        Where to look for images first.
    dataset : Dataset, optional
        Data of one's own in place of those that `config` names, such as ``Dataset.from_arrays(x, y)``. The run takes
        `train`, `val` and `test` examples of it; images are resized to `size`, and a series has its own length. Its
        hash becomes the `data` of the configuration. Colours are kept: the first layer follows the channels.
    figures, baselines : bool
        Whether to draw the figures, and to score a logistic regression on the raw pixels.
    tensorboard : bool
        Also write the epochs for TensorBoard as they end, in ``tensorboard/`` of `out`. Default False.
    callbacks : sequence of Callback
        Whom to tell how the training goes, epoch by epoch; in the first process alone. Default none.
    progress : callable, optional
        ``progress(label, total)`` gives a context manager whose value is called with increments.

    Returns
    -------
    TrainResult

    Raises
    ------
    InputError
        If parameters do not fit together, the output folder holds something else, the data cannot be had, or a callback
        is none.
    HomeonetError
        If the loss is not a number.

    Notes
    -----
    The caller's random generators and torch's global settings are left as they were.
    """
    check_callbacks(callbacks, out, tensorboard=tensorboard)
    with caller_left_alone():
        config = _with_data(checked_own(config), data_folder, dataset)
        fabric = _fabric(accelerator, devices, config.precision)
        return _train(
            _with_precision(config, fabric),
            RunFolder(out, kept=("checkpoint.safetensors", "metrics.json")) if out is not None else None,
            fabric,
            data_folder,
            dataset,
            figures=figures,
            baselines=baselines,
            tensorboard=tensorboard,
            callbacks=callbacks,
            progress=progress,
        )


def _train(
    config: TrainConfig,
    folder: RunFolder | None,
    fabric: Fabric,
    data_folder: str | Path | None,
    given: Dataset | None,
    *,
    figures: bool,
    baselines: bool,
    tensorboard: bool,
    callbacks: Sequence[Callback],
    progress: ProgressMeter | None,
) -> TrainResult:
    fabric.launch()
    if folder is not None and folder.exists():
        found = _found(folder, config)
        return found if fabric.is_global_zero else replace(found, folder=None)
    dataset = load_examples(config, data_folder, given)
    if config.batch % fabric.world_size:
        raise InputError(
            f"batch = {config.batch} cannot be shared by {fabric.world_size} processes; choose a multiple"
        )
    with ExitStack() as alone:
        if folder is not None and fabric.is_global_zero:
            folder.require_writable()
            alone.enter_context(folder.locked())
            alone.enter_context(folder.writing())
        if folder is not None and fabric.world_size == 1 and folder.exists():
            return _found(folder, config)  # the process that had the lock before us has finished it
        work = folder.work if folder is not None else None
        run = TrainingRun(config, dataset, fabric, work, progress if fabric.is_global_zero else None)
        boards = ExitStack()
        if fabric.is_global_zero:
            board = alone.enter_context(boards).enter_context(board_in(work, wanted=tensorboard))
            telling = told([*board, *callbacks], config.model_dump(mode="json"))
            telling.intervals(_intervals(run.history))
            if work is not None:
                run.history.followers.append(lambda rows: rows.write_csv(work / "epochs.csv"))
            run.history.followers.append(lambda rows: telling.intervals(_intervals(rows)))
        run.fit()
        metrics, records = run.score()
        if baselines and fabric.is_global_zero:
            metrics |= _raw_pixels(dataset, config.seed)
        if folder is None or not fabric.is_global_zero:
            for callback in callbacks if fabric.is_global_zero else ():
                callback.on_end(metrics)
            return TrainResult(None, config, run.raw, metrics, records)
        folder.write_text("config.toml", config.to_toml())
        save_weights(folder.work / "model.safetensors", run.raw)
        run.history.write_csv(folder.work / "epochs.csv")
        store.write_records(folder.work / "records.nc", records)
        parts = ["config.toml", "metrics.json", "records.nc", "epochs.csv", "model.safetensors"]
        boards.close()
        if tensorboard:
            parts.append("tensorboard")
        if figures:
            from homeonet.plotting import draw_training

            shutil.rmtree(folder.work / "figures", ignore_errors=True)
            with store.disk_errors(folder.work):
                draw_training(records, folder.work / "figures", metrics=metrics)
            parts.append("figures")
        store.write_json(folder.work / "metrics.json", metrics)
        folder.publish(parts)
    for callback in callbacks:
        callback.on_end(metrics)
    return TrainResult(folder.final, config, run.raw, metrics, records)


def measure_baselines(
    config: TrainConfig,
    out: str | Path,
    *,
    data_folder: str | Path | None = None,
    dataset: Dataset | None = None,
) -> None:
    """Write the test accuracy of raw pixels, with the name that :func:`train` gives it, into a folder of its own."""
    config = _with_data(config, data_folder, dataset)

    def fill(folder: Path) -> None:
        metrics: dict[str, Any] = {"homeonet_version": __version__, "run_id": config.run_id}
        metrics |= _raw_pixels(load_examples(config, data_folder, dataset), config.seed)
        store.write_text(folder / "config.toml", config.to_toml())
        store.write_json(folder / "metrics.json", metrics)

    with caller_left_alone():
        store.whole_folder(Path(out), fill)


def _with_data(config: TrainConfig, folder: str | Path | None, dataset: Dataset | None) -> TrainConfig:
    """`config` with the name of its data made one that says what they hold."""
    if dataset is None:
        return config.model_copy(update={"data": pinned(config.data, folder)})
    given = config.model_dump(exclude_unset=True)
    return train_config(**given | data_parameters(dataset, given))


def data_parameters(dataset: Dataset, given: Container[str]) -> dict[str, Any]:
    """Parameters of a run on a data set that is not named but given; those `given` stay, but for `data`."""
    length = {"series": "size", "events": "steps"}.get(dataset.kind)
    own_length = {} if length is None or length in given else {length: dataset.image_shape[1]}
    return {"data": dataset.identity} | own_length


def load_examples(config: TrainConfig, folder: str | Path | None, given: Dataset | None = None) -> Dataset:
    """The examples that a configuration asks for; of `given`, if that is a set."""
    counts: dict[str, Any] = {"train": config.train, "val": config.val, "test": config.test}
    if given is not None:
        return selected(
            given, config.steps if given.kind == "events" else config.size, seed=config.seed, **counts
        )
    return load(config.data, size=config.size, seed=config.seed, folder=folder, steps=config.steps, **counts)


def load_trained(folder: str | Path) -> TrainResult:
    """Open the folder of a finished training run; the model is ready to evaluate.

    Raises
    ------
    InputError
        If the folder holds no such run, or its weights do not fit its configuration.
    """
    folder = Path(folder)
    metrics = stored_metrics(folder)
    version, run_id = metrics["homeonet_version"], metrics["run_id"]
    try:
        classes, features = int(metrics["classes"]), stored_features(metrics)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder} is not the folder of a finished training run ({error}); give one that `homeonet train` wrote"
        ) from None
    for name in ("config.toml", "model.safetensors", "epochs.csv"):
        verify(folder / name)
    config = load_train_config(folder / "config.toml")
    if version == __version__ and run_id != config.run_id:
        raise InputError(f"{folder / 'config.toml'} is not what the network was trained with; train it again")
    check_sources(config)
    model, _ = build(config, classes, features)
    load_weights(folder / "model.safetensors", model)
    return TrainResult(folder, config, model.eval(), metrics, store.load_records(folder))


def _fabric(accelerator: str, devices: int, precision: str) -> Fabric:
    if devices < 1:
        raise InputError(f"devices = {devices}: at least 1 is needed")
    try:
        return Fabric(
            accelerator=accelerator,
            devices=devices,
            strategy="ddp" if devices > 1 else "auto",
            precision=precision,  # type: ignore[arg-type]  # its own check says it better
        )
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise InputError(
            f"accelerator = {accelerator!r}, devices = {devices}, precision = {precision!r} cannot be had here "
            f"({reason}); accelerator = 'cpu' always can"
        ) from None


def _with_precision(config: TrainConfig, fabric: Fabric) -> TrainConfig:
    """`config` with the precision that runs: a processor without float16 takes bfloat16 in its place."""
    return config.model_copy(update={"precision": fabric.strategy.precision.precision})


def _found(folder: RunFolder, config: TrainConfig) -> TrainResult:
    """The run that `folder` holds, if it is this one."""
    folder.require_finished()
    found = load_trained(folder.final)
    folder.require_same(found.config.run_id, config.run_id)
    return replace(found, found_complete=True)


def _raw_pixels(dataset: Dataset, seed: int) -> dict[str, float]:
    """Logistic regression on the pixels: what the network has to beat."""
    from homeonet.analysis import evaluate_readout

    x_train, x_test = dataset.x_train, dataset.x_test
    if dataset.kind == "events":  # how often each unit fires, all time together
        x_train, x_test = (x.reshape(len(x), dataset.channels, -1).mean(2) for x in (x_train, x_test))
    result = evaluate_readout(
        "logistic", x_train, dataset.y_train, x_test, dataset.y_test, seed=seed, tune=False
    )
    return {"accuracy.raw_pixels": result.accuracy}


def _intervals(history: History) -> list[tuple[int, dict[str, float]]]:
    """Every epoch by its number, as callbacks are told it."""
    found = []
    for row in history.rows:
        numbers = {name: value for name, value in row.items() if isinstance(value, float)}
        for layer, values in row["layers"].items():
            numbers |= {f"{what}/{layer}": value for what, value in values.items()}
        numbers |= {f"weight_norm/{name}": value for name, value in row["weight_norm"].items()}
        found.append((row["epoch"], numbers))
    return found

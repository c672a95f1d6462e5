"""A training run under way: epochs, batches, checkpoints; on one device or several by Lightning Fabric.

All randomness of a batch comes from (seed, epoch, batch), so a run continues bit for bit from any checkpoint on a
CPU, and its state holds no generator.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from homeonet._version import __version__
from homeonet.data import Dataset
from homeonet.errors import HomeonetError, InputError
from homeonet.gradient.homeostasis import Homeostasis, ThresholdAdaptation, homeostasis_named
from homeonet.gradient.networks import Parts, network
from homeonet.gradient.training._checkpoint import load_checkpoint, save_checkpoint
from homeonet.gradient.training._config import TrainConfig
from homeonet.gradient.training._encoding import augmented, encoded
from homeonet.gradient.training._history import ActivityProbe, History, weight_norms
from homeonet.gradient.training._interrupt import interrupt_deferred
from homeonet.gradient.training._paradigms import Learner, check_paradigm
from homeonet.progress import ProgressMeter, meter

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["TrainingRun", "build", "stored_features"]

_CHECKPOINT_SECONDS = 30.0
_EVALUATION_BATCH = 250
#: Test images whose hidden rates are kept, for t-SNE.
_KEPT_IMAGES = 1000
_SENSOR = ("sensor.polarities", "sensor.height", "sensor.width")


def build(
    config: TrainConfig, classes: int, features: tuple[int, ...] = (1,)
) -> tuple[nn.Module, list[Homeostasis]]:
    """The untrained network of a configuration, and the homeostasis attached to it.

    Parameters
    ----------
    config : TrainConfig
    classes : int
    features : tuple of int
        :attr:`homeonet.data.Dataset.features` of the data: the channels of the first layer. Default: one.
    """
    step_shape = config.step_shape_of(features)
    parts = Parts(
        config.neuron, config.sequence_steps, config.neuron_options, config.weights, config.attention
    )
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay as they are
        torch.manual_seed(config.seed)
        model = network(config.net, step_shape, classes, parts, **config.net_options)
    plugins = []
    for name, options in config.homeostasis.items():
        plugin = homeostasis_named(name, **options)
        if isinstance(plugin, ThresholdAdaptation):  # its shapes must be known before a checkpoint is loaded
            plugin.attach(model, example=torch.zeros(config.sequence_steps, 1, *step_shape))
        else:
            plugin.attach(model)
        plugins.append(plugin)
    if config.precision == "64-true":
        model.double()
    return model, plugins


class TrainingRun:
    """One training run under way: ``fit()``, then ``score()``; it saves and takes up checkpoints itself."""

    def __init__(
        self,
        config: TrainConfig,
        dataset: Dataset,
        fabric: Fabric,
        work: Path | None,
        progress: ProgressMeter | None,
    ) -> None:
        self.config, self.dataset, self.fabric, self.progress = config, dataset, fabric, progress
        self.raw, self.plugins = build(config, dataset.n_classes, dataset.features)
        self.paradigm = check_paradigm(config.paradigm, self.raw)
        self.raw_optimizer = _optimizer(self.raw, config)
        self.model, self.optimizer = fabric.setup(self.raw, self.raw_optimizer)
        self.history = History()
        self.epoch = self.batch = 0
        self.seconds = 0.0
        self.seen: dict[str, float] = {"loss": 0.0, "correct": 0.0, "count": 0.0}
        self.checkpoint = work / "checkpoint.safetensors" if work is not None else None
        if self.checkpoint is not None and self.checkpoint.exists():
            state = load_checkpoint(
                self.checkpoint, self.raw, self.raw_optimizer, config.run_id, self._scaler, config.sources
            )
            self.history.rows = state["rows"]
            self.epoch, self.batch, self.seen = state["epoch"], state["batch"], state["seen"]
            self.seconds = state["seconds"]

    @property
    def _scaler(self) -> torch.amp.GradScaler | None:
        """What scales the loss in float16, a state of the run like the optimiser's."""
        return getattr(self.fabric.strategy.precision, "scaler", None)

    @property
    def n_batches(self) -> int:
        """Batches per epoch; the last one may be smaller on a single device, and is left out on several."""
        n = len(self.dataset.y_train)
        return n // self.config.batch if self.fabric.world_size > 1 else math.ceil(n / self.config.batch)

    def fit(self) -> None:
        """Train from where the run stands to the last epoch."""
        done, total = self.epoch * self.n_batches + self.batch, self.config.epochs * self.n_batches
        if total == 0:
            raise InputError(
                f"batch = {self.config.batch} is larger than the {len(self.dataset.y_train)} images"
            )
        start = saved = time.perf_counter()
        before = self.seconds
        with meter(self.progress, "learning", total * self.config.batch) as advance:
            advance(done * self.config.batch)
            whole = True  # whether model, optimiser, homeostasis and counters are of the same batch
            try:
                while self.epoch < self.config.epochs:
                    with interrupt_deferred(), self._divergence_named():
                        whole = False
                        self._one_batch()
                        self.seconds = before + time.perf_counter() - start
                        if self.batch == self.n_batches:
                            self._end_epoch()
                        whole = True
                    advance(self.config.batch)
                    if time.perf_counter() - saved > _CHECKPOINT_SECONDS:
                        self._save()
                        saved = time.perf_counter()
            except KeyboardInterrupt:
                if whole:
                    self._save()
                raise
        self._save()

    @contextmanager
    def _divergence_named(self) -> Iterator[None]:
        """Say where in the training it was that values became infinite, which neurons notice and losses show."""
        try:
            yield
        except (InputError, FloatingPointError) as error:
            if isinstance(error, InputError) and "not finite" not in str(error):
                raise
            raise HomeonetError(
                f"training diverged in epoch {self.epoch + 1}, batch {min(self.batch + 1, self.n_batches)} of "
                f"{self.n_batches} ({str(error).partition(';')[0]}); lower lr = {self.config.lr:g}, or set clip = 1"
            ) from None

    def _one_batch(self) -> None:
        config, world, rank = self.config, self.fabric.world_size, self.fabric.global_rank
        order = np.random.default_rng([config.seed, self.epoch]).permutation(len(self.dataset.y_train))
        picked = order[self.batch * config.batch : (self.batch + 1) * config.batch][rank::world]
        generator = torch.Generator().manual_seed(_mixed(config.seed, self.epoch, self.batch, rank))
        # alike in all processes: they make the same number of forward passes, in which they meet
        shared = torch.Generator().manual_seed(_mixed(config.seed, self.epoch, self.batch, -1))
        torch.manual_seed(_mixed(config.seed, self.epoch, self.batch, rank) + 1)
        self._set_learning_rate()
        self.model.train()
        images, labels = (
            self._images(self.dataset.x_train[picked]),
            self._labels(self.dataset.y_train[picked]),
        )
        if config.augment:
            images = augmented(images, config.augment, generator)
        x = self.fabric.to_device(self._sequences(images, generator))
        y = self.fabric.to_device(labels)
        learner = Learner(self.model, self._loss, self.fabric.backward, self._update)
        loss, logits = self.paradigm(learner, x, y, shared)
        sums = [loss.item() * len(y), float((logits.argmax(1) == y).sum()), float(len(y))]
        if world > 1:  # of the whole batch, not of this process's share
            sums = self.fabric.all_reduce(torch.tensor(sums, device=x.device), reduce_op="sum").tolist()
        if not math.isfinite(sums[0]):
            raise FloatingPointError(f"the loss is {sums[0] / sums[2]}")
        for plugin in self.plugins:
            plugin.after_batch()
        for name, value in zip(("loss", "correct", "count"), sums, strict=True):
            self.seen[name] += value
        self.batch += 1

    def _loss(self, logits: Tensor, y: Tensor) -> Tensor:
        return cross_entropy(logits, y, label_smoothing=self.config.label_smoothing)

    def _update(self) -> None:
        if self.config.clip is not None:
            self.fabric.clip_gradients(self.model, self.optimizer, max_norm=self.config.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()

    def _set_learning_rate(self) -> None:
        done = (self.epoch * self.n_batches + self.batch) / (self.config.epochs * self.n_batches)
        factor = (1 + math.cos(math.pi * done)) / 2 if self.config.schedule == "cosine" else 1.0
        for group in self.raw_optimizer.param_groups:
            group["lr"] = self.config.lr * factor

    def _end_epoch(self) -> None:
        with ActivityProbe(self.raw) as probe:
            if len(self.dataset.y_val):
                predicted = self._predict(self.dataset.x_val)
                accuracy = float((predicted == self.dataset.y_val).mean())
            else:  # a few training images, for the activity alone
                self._predict(self.dataset.x_train[:_EVALUATION_BATCH])
                accuracy = float("nan")
        for plugin in self.plugins:
            plugin.after_epoch(None if math.isnan(accuracy) else accuracy)
        seen = self.seen
        self.history.add(
            {
                "epoch": self.epoch + 1,
                "train_loss": seen["loss"] / seen["count"],
                "train_accuracy": seen["correct"] / seen["count"],
                "val_accuracy": accuracy,
                "learning_rate": self.raw_optimizer.param_groups[0]["lr"],
                "seconds": self.seconds,
                "layers": probe.summary(),
                "weight_norm": weight_norms(self.raw),
            }
        )
        self.seen = dict.fromkeys(seen, 0.0)
        self.epoch, self.batch = self.epoch + 1, 0

    def _save(self) -> None:
        if self.checkpoint is None or not self.fabric.is_global_zero:
            return
        progress = {
            "run_id": self.config.run_id,
            "sources": self.config.sources,
            "rows": self.history.rows,
            "epoch": self.epoch,
            "batch": self.batch,
            "seen": self.seen,
            "seconds": self.seconds,
        }
        save_checkpoint(self.checkpoint, self.raw, self.raw_optimizer, progress, self._scaler)

    def _images(self, pixels: np.ndarray) -> Tensor:
        dtype = torch.float64 if self.config.precision == "64-true" else torch.float32
        return torch.from_numpy(np.ascontiguousarray(pixels)).to(dtype).view(-1, *self.dataset.pixel_shape)

    def _sequences(self, images: Tensor, generator: torch.Generator) -> Tensor:
        x = encoded(images, self.config, generator)
        return x if self.dataset.sensor is None else x.unflatten(2, self.dataset.sensor)

    @staticmethod
    def _labels(labels: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(labels))

    @torch.no_grad()
    def _predict(self, pixels: np.ndarray, advance: Callable[[float], Any] = lambda _: None) -> np.ndarray:
        self.model.eval()
        predictions = []
        for start in range(0, len(pixels), _EVALUATION_BATCH):
            images = self._images(pixels[start : start + _EVALUATION_BATCH])
            generator = torch.Generator().manual_seed(_mixed(self.config.seed, -1, start, 0))
            x = self.fabric.to_device(self._sequences(images, generator))
            predictions.append(self.model(x).mean(0).argmax(1).cpu())
            advance(len(images))
        return torch.cat(predictions).numpy()

    def score(self) -> tuple[dict[str, Any], xr.Dataset]:
        """Metrics and records of the trained network, on the test images."""
        from homeonet.analysis import wilson_interval

        last = ActivityProbe(self.raw).names[-1]
        labels = self.dataset.y_test
        with (
            meter(self.progress, "evaluating", len(labels)) as advance,
            ActivityProbe(self.raw, keep=last) as probe,
        ):
            predicted = self._predict(self.dataset.x_test, advance)
        correct = int((predicted == labels).sum())
        interval = wilson_interval(correct, len(predicted))
        rows = self.history.rows
        metrics: dict[str, Any] = {
            "homeonet_version": __version__,
            "run_id": self.config.run_id,
            "classes": self.dataset.n_classes,
            **_features_metrics(self.dataset),
            "parameters": sum(p.numel() for p in self.raw.parameters()),
            "accuracy.test": correct / len(predicted),
            "accuracy.test.ci_low": interval.low,
            "accuracy.test.ci_high": interval.high,
            "accuracy.test.n": len(predicted),
            "accuracy.val": rows[-1]["val_accuracy"],
            "accuracy.train": rows[-1]["train_accuracy"],
            "train_seconds": self.seconds,
            "images_per_second": self.config.epochs * len(self.dataset.y_train) / self.seconds,
        }
        for name, values in probe.summary().items():
            metrics |= {f"{what}.{name}": value for what, value in values.items()}
        kept = probe.kept()[:_KEPT_IMAGES]
        records = self.history.to_dataset().assign(
            hidden_rate_test=(("image", "unit"), kept, {"long_name": f"mean output of {last}"}),
            label_test=("image", labels[:_KEPT_IMAGES]),
            confusion=(("label", "predicted"), _confusion(labels, predicted, self.dataset.n_classes)),
        )
        return metrics, records


def _features_metrics(dataset: Dataset) -> dict[str, int]:
    """What :func:`stored_features` reads; nothing for one channel."""
    if dataset.sensor is not None:
        return dict(zip(_SENSOR, dataset.sensor, strict=True))
    return {"channels": dataset.channels} if dataset.channels > 1 else {}


def stored_features(metrics: Mapping[str, Any]) -> tuple[int, ...]:
    """The features of the data that a finished run was trained on."""
    if _SENSOR[0] in metrics:
        return tuple(int(metrics[name]) for name in _SENSOR)
    return (int(metrics.get("channels", 1)),)


def _optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    trained = [p for p in model.parameters() if p.requires_grad]
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            trained,
            lr=config.lr,
            momentum=config.momentum,
            nesterov=config.momentum > 0,
            weight_decay=config.weight_decay,
        )
    return torch.optim.AdamW(trained, lr=config.lr, weight_decay=config.weight_decay)


def _mixed(*numbers: int) -> int:
    """One seed from several numbers."""
    return int(np.random.SeedSequence([n % 2**32 for n in numbers]).generate_state(1)[0])


def _confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)

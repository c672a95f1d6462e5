"""Whom a run tells how it goes: trackers of experiments, by a small protocol. TensorBoard is one of them.

The package depends on none of them; ``docs/how-to/track.md`` has those for W&B and MLflow.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from homeonet.errors import InputError
from homeonet.machine.optional import require_extra
from homeonet.machine.text import shown

__all__ = ["Callback", "TensorBoard", "Told", "board_in", "check_callbacks", "told"]


@runtime_checkable
class Callback(Protocol):
    """What :func:`homeonet.run` and :func:`homeonet.train` tell, in one process, whatever trains.

    A run that goes on where it was interrupted tells all intervals again, from the first one. A folder that holds the
    finished run already tells nothing. What a callback raises ends the run; the same call continues it.
    """

    def on_start(self, config: dict[str, Any]) -> None:
        """Before training.

        Parameters
        ----------
        config : dict
            The whole configuration in plain values, nested as its TOML file is.
        """

    def on_interval(self, step: int, metrics: dict[str, float]) -> None:
        """After each epoch of training by gradients, or each segment (some 50 simulated seconds) of a network grown.

        Parameters
        ----------
        step : int
            Epochs done, or simulated seconds.
        metrics : dict of str to float
            By gradients: ``train_loss``, ``train_accuracy``, ``val_accuracy``, ``learning_rate``, ``seconds``,
            ``rate/LAYER`` (emissions a step), ``dead/LAYER``, ``saturated/LAYER``, ``weight_norm/WEIGHT``. Grown, since
            the last interval: ``rate/POPULATION`` (Hz) and ``sleep_fraction``; at its end the mean ``weight/PATHWAY``.
        """

    def on_end(self, metrics: dict[str, Any]) -> None:
        """When the run is complete and its folder there.

        Parameters
        ----------
        metrics : dict
            What ``metrics.json`` holds.
        """


class TensorBoard:
    """Writes every interval for TensorBoard, as ``--tensorboard`` does.

    Parameters
    ----------
    folder : path
        Where its files go; those of other runs in it are left.

    Raises
    ------
    InputError
        If tensorboard is not installed.
    """

    def __init__(self, folder: str | Path) -> None:
        require_extra("tensorboard", "tensorboard", "homeonet.runs.TensorBoard")
        self._folder = Path(folder)
        self._writer: Any = None

    def on_start(self, config: dict[str, Any]) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self.close()
        self._writer = EventFileWriter(str(self._folder))

    def on_interval(self, step: int, metrics: dict[str, float]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=name, simple_value=value) for name, value in metrics.items()]
        self._writer.add_event(Event(step=step, wall_time=time.time(), summary=Summary(value=values)))
        self._writer.flush()  # for whoever watches

    def on_end(self, metrics: dict[str, Any]) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; further intervals need another ``on_start``."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class Told:
    """Tells callbacks each interval once."""

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self.callbacks, self._count = callbacks, 0

    def intervals(self, found: Iterable[tuple[int, Mapping[str, float]]]) -> None:
        """Tell those of the intervals `found`, all of the run so far, that are new."""
        for step, metrics in list(found)[self._count :]:
            for callback in self.callbacks:
                callback.on_interval(step, dict(metrics))
            self._count += 1


def check_callbacks(callbacks: Sequence[Callback], out: object, *, tensorboard: bool) -> None:
    """Raise InputError unless each has the methods of :class:`Callback`, and what TensorBoard needs is there."""
    for i, callback in enumerate(callbacks):
        if isinstance(callback, type) or not isinstance(callback, Callback):
            raise InputError(
                f"callbacks[{i}] = {shown(callback)}: an object with the methods on_start, on_interval and on_end is "
                "needed (homeonet.runs.Callback)"
            )
    if tensorboard:
        require_extra("tensorboard", "tensorboard", "tensorboard = True")
        if out is None:
            raise InputError(
                "tensorboard = True needs a folder to write to: give out, or "
                "callbacks=[homeonet.runs.TensorBoard(folder)]"
            )


@contextmanager
def board_in(work: Path | None, *, wanted: bool) -> Iterator[list[TensorBoard]]:
    """The callback that ``tensorboard=True`` asks for, in a list, writing anew below `work`; none if not `wanted`."""
    if work is None or not wanted:
        yield []
        return
    shutil.rmtree(work / "tensorboard", ignore_errors=True)  # of an attempt that was interrupted
    board = TensorBoard(work / "tensorboard")
    try:
        yield [board]
    finally:
        board.close()


def told(callbacks: Sequence[Callback], config: Mapping[str, Any]) -> Told:
    """Tell that a run begins; returns what tells the rest."""
    for callback in callbacks:
        callback.on_start(dict(config))
    return Told(callbacks)

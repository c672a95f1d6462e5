"""Events of spikes or of a camera, counted in bins of time: a series whose channels are units. Opens no file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from homeonet.data._arrays import Made, checked_labels, divided, numbered, parts_of
from homeonet.data._checks import check_whole
from homeonet.errors import InputError
from homeonet.machine.text import shown

__all__ = ["Binning", "binned_dataset", "events_from_samples"]

_MOST_BYTES = 2**35
#: What the counts of 99 % of the bins that are not empty do not exceed is 1.
_PERCENTILE = 99


class Binning:
    """Counts the events of a sample in `steps` equal bins of time and by unit.

    Parameters
    ----------
    steps : int
        T, at least 1.
    duration : float
        Length of a sample, in the unit of its times; later events are left out.
    n_units : int
        Number of units of the source: a unit's number is below it.
    sensor : tuple of int, optional
        ``(polarities, height, width)`` of a camera, whose product is `n_units`.
    side : int, optional
        Pixels of the camera are put together to squares of this side.
    """

    def __init__(
        self,
        steps: int,
        duration: float,
        n_units: int,
        sensor: tuple[int, int, int] | None = None,
        side: int | None = None,
    ) -> None:
        self.steps, self.duration, self.n_units, self.given = steps, duration, n_units, sensor
        if sensor is not None and side is not None:
            if side > max(sensor[1:]):
                raise InputError(
                    f"size = {side}: the sensor has {sensor[2]} x {sensor[1]} pixels; set size = {max(sensor[1:])} or "
                    "less"
                )
            self.sensor: tuple[int, int, int] | None = (sensor[0], side, side)
        else:
            self.sensor = sensor
        self.units = n_units if self.sensor is None else int(np.prod(self.sensor))

    def count(self, t: np.ndarray, unit: np.ndarray) -> np.ndarray:
        """Counts ``(units, steps)`` of events at times `t`, from 0 on, of units `unit`."""
        step = np.floor(t * (self.steps / self.duration)).astype(np.int64)
        inside = (step >= 0) & (step < self.steps)
        step, unit = step[inside], unit[inside].astype(np.int64)
        if self.given is not None and self.sensor is not None and self.sensor != self.given:
            _, height, width = self.given
            polarity, pixel = np.divmod(unit, height * width)
            y, x = np.divmod(pixel, width)
            side = self.sensor[1]
            longest = max(height, width)
            unit = (polarity * side + y * side // longest) * side + x * side // longest
        flat = np.bincount(unit * self.steps + step, minlength=self.units * self.steps)
        return flat.reshape(self.units, self.steps)


def binned_dataset(
    make: Callable[..., Made],
    name: str,
    source: str,
    binning: Binning,
    samples: Mapping[str, Sequence[Any]],
    labels: Mapping[str, np.ndarray],
    class_names: tuple[str, ...],
) -> Made:
    """What `make` makes of samples that give pairs of times and units when they are called, by part: a data set."""
    width = binning.units * binning.steps
    n = sum(len(part) for part in samples.values())
    if 4 * n * width > _MOST_BYTES:
        raise InputError(
            f"data = {name!r}: {n} samples of {binning.steps} steps and {binning.units} units take "
            f"{4 * n * width / 1e9:.0f} GB; take fewer samples, steps, or a smaller size"
        )
    x = {part: np.empty((len(of_part), width), dtype=np.float32) for part, of_part in samples.items()}
    for part, of_part in samples.items():
        for k, sample in enumerate(of_part):
            x[part][k] = binning.count(*sample()).reshape(-1)
    filled = x["train"][x["train"] > 0]
    most = max(1.0, float(np.percentile(filled, _PERCENTILE))) if filled.size else 1.0
    for counts in x.values():
        np.minimum(np.divide(counts, most, out=counts), 1, out=counts)
    return make(
        name, source, (1, binning.steps), len(class_names),
        x["train"], labels["train"], x["val"], labels["val"], x["test"], labels["test"], class_names,
        channels=binning.units, kind="events", sensor=binning.sensor,
    )  # fmt: skip


def events_from_samples(
    make: Callable[..., Made],
    given: Mapping[str, Any],
    steps: int,
    n_units: int | None,
    sensor: tuple[int, int, int] | None,
    side: int | None,
    duration: float | None,
    class_names: Sequence[str] | None,
    test_share: float,
    split_seed: int,
    name: str,
) -> Made:
    """What :meth:`Dataset.from_events` gives; `make` is the class."""
    steps = check_whole("steps", steps, 1, 1_000_000)
    if sensor is not None:
        if len(sensor) != 3 or min(sensor) < 1:
            raise InputError(
                f"sensor = {shown(sensor)}: must be (polarities, height, width), such as (2, 34, 34)"
            )
        polarities, height, width = (int(size) for size in sensor)
        sensor = polarities, height, width
    events, y = {}, {}
    for part, (samples, labels) in parts_of(given).items():
        key = "" if part == "train" else f"_{part}"
        events[part] = [_pairs(f"x{key}[{k}]", sample, sensor) for k, sample in enumerate(samples)]
        if not events[part]:
            raise InputError(f"x{key} is empty; give at least one sample")
        y[part] = checked_labels(f"y{key}", labels, len(events[part]), "a sample")
    every = [(f"x{'' if part == 'train' else f'_{part}'}[{k}]", *pair)
             for part, pairs in events.items() for k, pair in enumerate(pairs)]  # fmt: skip
    most = max((int(unit.max()) + 1 for _, _, unit in every if unit.size), default=1)
    wanted = int(np.prod(sensor)) if sensor is not None else n_units if n_units is not None else most
    for key, _, unit in every:
        if unit.size and unit.max() >= wanted:
            raise InputError(
                f"{key} has unit {int(unit.max())}: must be below {wanted}; correct it or n_units"
            )
    if duration is None:
        duration = (
            max((float(t.max()) for t, _ in events["train"] if t.size), default=1.0) * (1 + 1e-9) or 1.0
        )
    if not (np.isfinite(duration) and duration > 0):
        raise InputError(
            f"duration = {duration!r}: must be a positive number, in the unit of the events' times"
        )
    names, numbers = numbered(y, class_names)
    train, test = divided(numbers["train"], "test" not in events, test_share, split_seed)
    train = range(len(events["train"])) if isinstance(train, slice) else train
    if "test" not in events:
        numbers["test"], events["test"] = numbers["train"][test], [events["train"][k] for k in test]
    numbers["train"], events["train"] = numbers["train"][list(train)], [events["train"][k] for k in train]
    samples = {
        part: [lambda pair=pair: pair for pair in events.get(part, [])] for part in ("train", "val", "test")
    }
    numbers.setdefault("val", numbers["train"][:0])
    return binned_dataset(
        make, name, "events", Binning(steps, duration, wanted, sensor, side), samples, numbers, names
    )


def _pairs(key: str, sample: Any, sensor: tuple[int, int, int] | None) -> tuple[np.ndarray, np.ndarray]:
    """Times and units of a sample: of pairs (t, unit), or of a structured array with fields t, x and maybe y and p."""
    try:
        array = np.asarray(sample)
    except (ValueError, TypeError) as error:
        raise InputError(f"{key} is no array ({error}); give pairs (t, unit)") from None
    fields = array.dtype.names
    if fields is not None:
        if not {"t", "x"} <= set(fields):
            raise InputError(
                f"{key} has fields {', '.join(fields)}; t and x are needed, y and p with a camera"
            )
        if sensor is not None and not {"y", "p"} <= set(fields):
            raise InputError(f"{key} has fields {', '.join(fields)}; with sensor, t, x, y and p are needed")
        t, unit = array["t"].astype(np.float64), array["x"].astype(np.float64)
        if "y" in fields and sensor is None and array["y"].any():
            raise InputError(f"{key} comes from a camera: give its sensor = (polarities, height, width)")
        if sensor is not None:
            axes = (array["p"].astype(np.int64), array["y"].astype(np.int64), array["x"].astype(np.int64))
            for axis, values, size in zip("pyx", axes, sensor, strict=True):
                if values.size and not 0 <= values.min() <= values.max() < size:
                    raise InputError(
                        f"{key}: {axis} runs from {values.min()} to {values.max()}, must lie in 0 to {size - 1}; "
                        "correct sensor or the events"
                    )
            unit = np.ravel_multi_index(axes, sensor).astype(np.float64)
    else:
        array = array.reshape(0, 2) if array.size == 0 else array
        if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "iuf":
            raise InputError(
                f"{key} has shape {array.shape} of {array.dtype}; give pairs (t, unit), shape (k, 2)"
            )
        t, unit = array[:, 0].astype(np.float64), array[:, 1].astype(np.float64)
    if not np.isfinite(t).all() or (t.size and t.min() < 0):
        raise InputError(
            f"{key}: some times are negative or not finite; count them from the sample's beginning"
        )
    if unit.size and ((unit < 0).any() or (unit != np.trunc(unit)).any()):
        raise InputError(f"{key}: some units are negative or no whole numbers; number them 0, 1, …")
    return t, unit.astype(np.int64)

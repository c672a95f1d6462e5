"""Spikes of each neuron during each of the last images, as they were while the network learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

import numpy as np

__all__ = ["KEPT_IMAGES", "ImageCounts", "WakeClock"]

#: So many images are kept, which is a batch in the released code of Massey et al. 2026.
KEPT_IMAGES = 300


@dataclass(frozen=True)
class ImageCounts:
    """Counts of the last `KEPT_IMAGES` presentations; what neurons fire asleep belongs to no image.

    Parameters
    ----------
    n_units : int
    image_steps : int
        Steps for which an image is shown.
    begun : int
        Presentations that have begun.
    counts : ndarray, shape (KEPT_IMAGES, n_units)
        Of presentation k in row ``k % KEPT_IMAGES``.
    end : ndarray of int, shape (3,)
        The last step, steps awake up to and with it, and whether the network slept in it.
    """

    n_units: int
    image_steps: int
    begun: int = 0
    counts: np.ndarray = field(default_factory=lambda: np.empty(0))
    end: np.ndarray = field(default_factory=lambda: np.array([-1, 0, 0]))

    def with_spikes(self, units: np.ndarray, steps: np.ndarray, clock: WakeClock) -> Self:
        """With the spikes of a segment, in any order, and its `clock`."""
        begun = max(self.begun, -int(-clock.wake[-1] // self.image_steps))
        counts = self.counts.copy() if self.counts.size else np.zeros((KEPT_IMAGES, self.n_units), np.int32)
        counts[np.arange(self.begun, min(begun, self.begun + KEPT_IMAGES)) % KEPT_IMAGES] = 0
        clock = WakeClock(
            *(np.insert(values, 0, first) for values, first in zip(clock, self.end, strict=True))
        )
        wake, awake = clock.at(steps)
        image = (wake - 1) // self.image_steps
        kept = awake & (image >= begun - KEPT_IMAGES)
        np.add.at(counts, (image[kept] % KEPT_IMAGES, units[kept]), 1)
        return replace(self, begun=begun, counts=counts, end=np.array([values[-1] for values in clock]))

    def last(self) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the last presentations, from 0, and their counts of shape (image, unit), in order."""
        number = np.arange(max(0, self.begun - KEPT_IMAGES), self.begun)
        return number, self.counts[number % KEPT_IMAGES] if len(number) else np.zeros((0, self.n_units), int)

    def state(self) -> dict[str, np.ndarray]:
        """All that changes, for a checkpoint: of the rows those of images that have begun."""
        return {"begun": np.array(self.begun), "counts": self.counts[: self.begun], "end": self.end}

    def restored(self, state: Mapping[str, np.ndarray]) -> Self:
        """With what `state` returned."""
        counts = np.zeros((KEPT_IMAGES, self.n_units), np.int32)
        counts[: len(state["counts"])] = state["counts"].reshape(-1, self.n_units)
        return replace(self, begun=int(state["begun"]), counts=counts, end=state["end"])


class WakeClock(NamedTuple):
    """The controller's clock within a segment, from samples of it.

    Between two samples a network falls asleep or wakes at most once, if its sleeps are no shorter than that. One that
    lies between two samples is put at the end, as in the records: right in length, and off by less than a sample.

    Parameters
    ----------
    step, wake, asleep : ndarray
        Steps in ascending order, the last one that of the segment; steps awake up to and with each; whether it slept in
        each.
    """

    step: np.ndarray
    wake: np.ndarray
    asleep: np.ndarray

    def at(self, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Steps awake up to and with each of `steps`, and whether the network was awake in it."""
        place = np.clip(np.searchsorted(self.step, steps, side="right") - 1, 0, len(self.step) - 2)
        passed, whole = steps - self.step[place], np.diff(self.step)[place]
        gained = np.diff(self.wake)[place]
        # where it slept at the first of the two samples, it wakes late between them; else it falls asleep late
        slept = self.asleep[place]
        late = np.maximum(passed - (whole - gained), 0)
        inside = np.where(slept, late, np.minimum(passed, gained))
        awake = np.where(slept, late > 0, passed <= gained)
        return self.wake[place] + inside, awake

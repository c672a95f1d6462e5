"""Ends a run that has exploded or fallen silent, and says which population, at which rate, when.

Brian2 alone goes on with such a run. Rates are means over a population and over windows of ``guard.window``, made
of the stretches between samples (0.2 s). Stretches wholly awake follow one another in windows for both bounds;
those with any sleep in windows of their own, for the upper bound alone: a network may be silent asleep, but never
explode. Open windows are carried from segment to segment, so that no result depends on how a run is cut.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from homeonet.config import Config, Guard
from homeonet.errors import RunawayError
from homeonet.plastic.engine._segment import SegmentResult
from homeonet.plastic.mechanisms._times import SAMPLE_PERIOD
from homeonet.plastic.network._structure import Structure

__all__ = ["OpenWindows", "check_segment"]

_TITLES = {"exc": "excitatory", "inh": "inhibitory"}
_STATES = ("awake", "asleep")


@dataclass(frozen=True)
class OpenWindows:
    """What the guard has counted and not yet judged.

    Attributes
    ----------
    sample_step : int
        Step of the last sample, where the open stretch begins.
    wake_step : ndarray, shape (replicas,)
        Wake steps at that sample.
    open_spikes : ndarray, shape (population, replicas)
        Spikes of the open stretch.
    stretches : ndarray, shape (state, replicas)
        Whole stretches in the open window, awake and asleep.
    spikes : ndarray, shape (state, population, replicas)
        Spikes in the open windows.
    """

    sample_step: int
    wake_step: np.ndarray
    open_spikes: np.ndarray
    stretches: np.ndarray
    spikes: np.ndarray

    @classmethod
    def at_start(cls, structure: Structure) -> OpenWindows:
        """Before the first step."""
        n_states, n_populations, replicas = len(_STATES), len(structure.neurons), structure.replicas
        return cls(
            -1,
            np.zeros(replicas),
            np.zeros((n_populations, replicas), dtype=np.int64),
            np.zeros((n_states, replicas), dtype=np.int64),
            np.zeros((n_states, n_populations, replicas), dtype=np.int64),
        )


def check_segment(
    result: SegmentResult,
    windows: OpenWindows,
    configs: Sequence[Config],
    structure: Structure,
    *,
    active: Sequence[int],
    end_step: int,
) -> OpenWindows:
    """Raise RunawayError if a replica left the bounds of its `guard` in a segment.

    Parameters
    ----------
    result : SegmentResult
        A segment of all replicas.
    windows : OpenWindows
        What the segment before has left.
    configs : sequence of Config
        One per replica; each is judged by its own bounds.
    active : sequence of int
        The replicas that still learn; what the others do is nobody's concern.
    end_step : int
        Number of the first step after the segment.

    Returns
    -------
    OpenWindows
        For the next segment.
    """
    dt = configs[0].simulation.dt
    _check_finite(result, structure.replicas, active, end_step * dt)
    edges = np.append(windows.sample_step, result.sample_step)
    wake_step = np.vstack([windows.wake_step, result.samples["wake_step"]])
    counts = _spikes_between(edges, result.spikes, structure)
    counts[0] += windows.open_spikes
    awake = np.diff(wake_step, axis=0) == np.diff(edges)[:, None]
    stretches, spikes = windows.stretches.copy(), windows.spikes.copy()
    # before the first sample, at step 0, there is a single step and no stretch
    for k in np.flatnonzero(np.diff(edges) == round(SAMPLE_PERIOD / dt)):
        for r in active:
            state = _STATES.index("awake" if awake[k, r] else "asleep")
            stretches[state, r] += 1
            spikes[state, :, r] += counts[k, :, r]
            if stretches[state, r] == _stretches_in_window(configs[r].guard):
                _check_rates(spikes[state, :, r], r, configs[r].guard, structure, state, edges[k + 1] * dt)
                stretches[state, r], spikes[state, :, r] = 0, 0
    return OpenWindows(int(edges[-1]), wake_step[-1], counts[-1], stretches, spikes)


def _stretches_in_window(guard: Guard) -> int:
    return math.ceil(guard.window / SAMPLE_PERIOD - 1e-9)


def _check_finite(result: SegmentResult, replicas: int, active: Sequence[int], seconds: float) -> None:
    for name, values in result.arrays.items():
        # a parameter that all replicas have in common counts for each
        mine = [values] * replicas if len(values) % replicas else values.reshape(replicas, -1)
        for r in active:
            if not np.isfinite(mine[r]).all():
                raise RunawayError(
                    f"{name} is not a number after {seconds:.1f} s; lower the gains or learning rates", r
                )


def _spikes_between(
    edges: np.ndarray, spikes: Mapping[str, tuple[np.ndarray, np.ndarray]], structure: Structure
) -> np.ndarray:
    """Spikes after each edge up to the next, and after the last one: (edge, population, replica)."""
    counts = []
    for population in structure.neurons:
        unit, step = spikes[population]
        # a sample knows of its own step whether it was slept: it ends a stretch and does not begin the next
        stretch = np.searchsorted(edges, step, side="left") - 1
        index = stretch * structure.replicas + unit // structure.size(population)
        found = np.bincount(index, minlength=len(edges) * structure.replicas)
        counts.append(found.reshape(len(edges), structure.replicas))
    return np.stack(counts, axis=1)


def _check_rates(
    spikes: np.ndarray, replica: int, guard: Guard, structure: Structure, state: int, end: float
) -> None:
    seconds = _stretches_in_window(guard) * SAMPLE_PERIOD
    for population, count in zip(structure.neurons, spikes, strict=True):
        rate = count / (structure.size(population) * seconds)
        if rate > guard.max_rate:
            bound, what, remedy = "max_rate", "above", "more sleep, a lower eta or gain"
        elif rate < guard.min_rate and _STATES[state] == "awake":
            bound, what, remedy = "min_rate", "below", "a higher input rate or gain"
        else:
            continue
        raise RunawayError(
            f"the {_TITLES.get(population, population)} population of replica {replica} fired at {rate:.1f} Hz over "
            f"{seconds:g} s {_STATES[state]} up to {end:.1f} s, {what} {bound} = {getattr(guard, bound):g} Hz; "
            f"try {remedy}, or move guard.{bound}",
            replica,
        )

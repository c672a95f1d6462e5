"""Ends a run that has exploded or fallen silent, and says which population, at which rate, when.

Brian2 alone goes on with such a run. Rates are means over a population and over a window of wake time.
"""

from __future__ import annotations

import numpy as np

from homeonet.config import Config
from homeonet.errors import RunawayError
from homeonet.plastic._engine import SegmentResult
from homeonet.plastic._structure import Structure

__all__ = ["check_segment"]


def check_segment(
    result: SegmentResult, config: Config, structure: Structure, *, first_step: int, n_steps: int
) -> None:
    """Raise RunawayError if a segment left the bounds of `config.guard`.

    Parameters
    ----------
    result : SegmentResult
        Of all replicas; each is checked by itself.
    config : Config
        Of the first replica.
    first_step, n_steps : int
        What the segment covered.
    """
    dt = config.simulation.dt
    for name, values in result.arrays.items():
        if not np.isfinite(values).all():
            raise RunawayError(
                f"{name} is not a number after {(first_step + n_steps) * dt:.1f} s; lower the gains or learning rates"
            )
    window = round(config.guard.window / dt)
    for population, (unit, step) in result.spikes.items():
        size = structure.size(population)
        n_windows = n_steps // window
        if not n_windows:
            continue
        inside = step < first_step + n_windows * window
        index = ((step - first_step) // window)[inside] * structure.replicas + unit[inside] // size
        counts = np.bincount(index, minlength=n_windows * structure.replicas)
        rates = counts.reshape(n_windows, structure.replicas) / (size * config.guard.window)
        _report(rates > config.guard.max_rate, rates, population, first_step * dt, config, "above max_rate")
        if config.guard.min_rate and not result.samples["asleep"].any():
            _report(
                rates < config.guard.min_rate, rates, population, first_step * dt, config, "below min_rate"
            )


def _report(
    bad: np.ndarray, rates: np.ndarray, population: str, start: float, config: Config, what: str
) -> None:
    if not bad.any():
        return
    window, replica = (int(k[0]) for k in np.nonzero(bad))
    bound = config.guard.max_rate if "max" in what else config.guard.min_rate
    begin = start + window * config.guard.window
    remedy = "more sleep, a lower eta or gain" if "max" in what else "a higher input rate or gain"
    raise RunawayError(
        f"the {'excitatory' if population == 'exc' else 'inhibitory'} population of replica {replica} fired at "
        f"{rates[window, replica]:.1f} Hz from {begin:.0f} s to {begin + config.guard.window:.0f} s, {what} = "
        f"{bound:g} Hz; try {remedy}, or move guard.{what.split()[1]}"
    )

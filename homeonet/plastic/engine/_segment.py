"""A segment: arrays in, arrays and records out. The same interface for C++, a GPU, and Brian2's runtime.

A segment is a number of steps from a given step on. k segments and then N - k segments give the same bits as N
at once, because nothing lives outside the arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from homeonet.plastic.network._arrays import Arrays

__all__ = ["Engine", "SegmentResult"]


@dataclass(frozen=True)
class SegmentResult:
    """What a segment leaves.

    Attributes
    ----------
    arrays : dict of str to ndarray
        All arrays after the last step; the input of the next segment.
    spikes : dict of str to (ndarray, ndarray)
        For each population of neurons: index of the neuron (over all replicas) and step of each spike, in order.
    sample_step : ndarray, shape (n_samples,)
        Steps at which samples were taken, every 0.2 s.
    samples : dict of str to ndarray, shape (n_samples, replicas)
        "asleep", "wake_step" and "total_<pathway>"; with AHSAR "mean_rate_<population>" and "state_<population>".
    n_steps : int
        Steps run: fewer than asked for if a replica reached its last wake step.
    seconds : float
        Wall time spent in the time loop.
    recorded : dict of str to (ndarray, dict)
        State that the configuration asks for: steps, and by variable an array of shape (n_steps, n_neurons).
    """

    arrays: Arrays
    spikes: dict[str, tuple[np.ndarray, np.ndarray]]
    sample_step: np.ndarray
    samples: dict[str, np.ndarray]
    n_steps: int
    seconds: float
    recorded: dict[str, tuple[np.ndarray, dict[str, np.ndarray]]] = field(default_factory=dict)


class Engine(Protocol):
    """Advances one structure with one connectivity."""

    device: str
    compile_seconds: float
    stimulus_rows: int
    array_names: tuple[str, ...]

    def run(
        self, arrays: Arrays, stimulus: np.ndarray, *, first_step: int, n_steps: int, dt: float
    ) -> SegmentResult:
        """Run `n_steps` steps of `dt` seconds, or up to the step in which a replica's wake steps reach
        "controller.last_wake_step".

        Parameters
        ----------
        arrays : dict of str to ndarray
            Every array of the network; lengths are checked.
        stimulus : ndarray, shape (stimulus_rows, replicas * n_input)
            What ``log_silence`` gives.
        first_step : int
            Number of the first step, counted over the whole run.
        """
        ...

"""Runs segments inside Python, on Brian2's NumPy or Cython target: slow, needs no compiler, checks the other.

The same network object as the compiled program is made from, given the same arrays.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import brian2
import numpy as np

from homeonet.plastic.engine._segment import SegmentResult
from homeonet.plastic.network._arrays import Arrays
from homeonet.plastic.network._connectivity import Connections
from homeonet.plastic.network._network import build_network, sampled_variables
from homeonet.plastic.network._structure import Structure
from homeonet.plastic.program._codegen import exchanged_variables, quiet

__all__ = ["RuntimeEngine"]


class RuntimeEngine:
    """A structure on a Brian2 runtime target.

    Parameters
    ----------
    structure : Structure
    connections : dict
        What ``connect`` gives.
    target : {"numpy", "cython"}
        Brian2's code generation target.
    """

    device = "runtime"
    compile_seconds = 0.0

    def __init__(
        self,
        structure: Structure,
        connections: Connections,
        target: str = "numpy",
    ) -> None:
        self._target = target
        brian2.defaultclock.dt = 1 * brian2.ms
        with quiet(), _target(target):
            self._network = build_network(structure, connections)
        self._variables = exchanged_variables(self._network, structure)
        self._records = structure.records
        self._sampled, self._neurons = sampled_variables(structure), structure.neurons
        self._network.add(brian2.NetworkOperation(self._stop_at_last_wake_step, when="end"))
        self._stimulus = self._network["input"].namespace["stimulus"]
        self.array_names = tuple(self._variables)
        self.stimulus_rows = self._stimulus.values.shape[0]

    def run(
        self, arrays: Arrays, stimulus: np.ndarray, *, first_step: int, n_steps: int, dt: float
    ) -> SegmentResult:
        """See :class:`homeonet.plastic.Engine`."""
        network = self._network
        brian2.defaultclock.dt = dt * brian2.second
        for name, variable in self._variables.items():
            values = np.asarray(arrays[name], dtype=variable.dtype)
            if values.shape != np.shape(variable.get_value()):
                raise ValueError(f"{name} has shape {values.shape}, not {np.shape(variable.get_value())}")
            variable.set_value(values)
        self._stimulus.values[:] = stimulus
        network.t_ = first_step * dt
        monitors = {name: network[name] for name in (*(f"spikes_{n}" for n in self._neurons), *self._sampled)}
        recording = {found.name: network[f"record_{found.name}"] for found in self._records}
        for monitor in (*monitors.values(), *recording.values()):
            monitor.resize(0)
        start = time.perf_counter()
        with quiet(), _target(self._target):
            network.run(n_steps * dt * brian2.second)
        seconds = time.perf_counter() - start
        spikes = {
            population: (
                np.array(monitors[f"spikes_{population}"].i[:], dtype=np.int32),
                np.rint(monitors[f"spikes_{population}"].t_[:] / dt).astype(np.int64),
            )
            for population in self._neurons
        }
        samples = {
            name: np.array(getattr(monitors[monitor], name)).T
            for monitor, names in self._sampled.items()
            for name in names
        }
        sample_step = np.rint(monitors["samples"].t_[:] / dt).astype(np.int64)
        state = {name: np.array(variable.get_value()) for name, variable in self._variables.items()}
        steps_run = round(network.t_ / dt) - first_step
        recorded = {
            found.name: (
                np.rint(recording[found.name].t_[:] / dt).astype(np.int64),
                {
                    name: np.array(recording[found.name].variables[name].get_value())
                    for name in found.variables
                },
            )
            for found in self._records
        }
        return SegmentResult(state, spikes, sample_step, samples, steps_run, seconds, recorded)

    def _stop_at_last_wake_step(self) -> None:
        reached, last = (
            self._variables[f"controller.{name}"].get_value() for name in ("wake_step", "last_wake_step")
        )
        if np.any(reached >= last):
            self._network.stop()


@contextlib.contextmanager
def _target(name: str) -> Iterator[None]:
    """Brian2's code generation target, for a while; it is a global preference."""
    previous = brian2.prefs.codegen.target
    brian2.prefs.codegen.target = name
    try:
        yield
    finally:
        brian2.prefs.codegen.target = previous

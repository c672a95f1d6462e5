"""What a configuration asks to be recorded: spikes, state and weights, streamed to disk while the network learns.

Each column is a plain file that grows segment by segment, so that memory does not, and is cut to the length that a
checkpoint knows where a run goes on. When training ends they become ``recordings.nc``, part by part.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from homeonet.config import Config, NeuronText, OwnPopulation, Recording
from homeonet.errors import InputError
from homeonet.plastic.engine._simulation import Segment, Training
from homeonet.plastic.network._structure import Structure

if TYPE_CHECKING:
    import h5netcdf

__all__ = ["RECORDINGS", "Recordings"]

#: The name of the file in a run's folder.
RECORDINGS = "recordings.nc"
#: Rows that are copied at a time, of as many bytes at most.
_PART_BYTES = 2**24


class Recordings:
    """The recordings of a network of one replica.

    Parameters
    ----------
    config : Config
    folder : Path
        Where columns are kept until training ends; made if it is not there.
    """

    def __init__(self, config: Config, folder: Path) -> None:
        self._config, self._folder = config, folder
        self._structure = Structure.of(config)
        self._dt = config.simulation.dt
        if config.record:
            folder.mkdir(parents=True, exist_ok=True)

    def begin(self, training: Training) -> None:
        """Take in the weights before the first step, of a training that has not begun."""
        if training.step == 0:
            self._snapshots(training, 0)

    def seconds_to_go(self, step: int, longest: float) -> float:
        """How long the segment from `step` on may last, so that it ends where weights are due, in simulated seconds."""
        ends = [
            self._next_due(found, step) for found in self._config.record.values() if found.pathway is not None
        ]
        return min([longest, *((end - step) * self._dt for end in ends if end is not None)])

    def add(self, training: Training, segment: Segment) -> None:
        """Take in what a segment leaves."""
        for name, found in self._config.record.items():
            if found.population is None:
                continue
            indices = found.indices(self._structure.size(found.population))
            if "spikes" in found.variables:
                unit, step = segment.result.spikes[found.population]
                keep = self._inside(found, step) & np.isin(unit, indices)
                self._append(f"{name}.spike_unit", unit[keep].astype(np.int32))
                self._append(f"{name}.spike_step", step[keep].astype(np.int64))
            if found.state:
                step, values = segment.result.recorded[name]
                keep = self._inside(found, step)
                self._append(f"{name}.step", step[keep].astype(np.int64))
                for variable in found.state:
                    self._append(f"{name}.{variable}", values[variable][keep].astype(np.float64))
        self._snapshots(training, training.step)

    def state(self) -> dict[str, np.ndarray]:
        """Lengths of all columns in bytes, for a checkpoint."""
        return {path.name: np.array(path.stat().st_size) for path in self._columns()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go back to what `state` returned; InputError if less is there."""
        for name in state.keys() - {path.name for path in self._columns()}:
            raise InputError(
                f"{self._folder / name} is gone; delete {self._folder.parent} to start the run again"
            )
        for path in self._columns():
            length, there = int(state.get(path.name, 0)), path.stat().st_size
            if there < length:
                raise InputError(
                    f"{path} is damaged: it has {there} of {length} bytes; delete {self._folder.parent} to start the "
                    "run again"
                )
            with path.open("r+b") as file:
                file.truncate(length)

    def write(self, path: Path, connections: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
        """Make one labelled file of all columns."""
        import h5netcdf

        with h5netcdf.File(path, "w") as file:
            file.attrs["run_id"] = self._config.run_id
            for name, found in self._config.record.items():
                if found.population is None:
                    self._write_weights(file, name, str(found.pathway), connections)
                else:
                    self._write_population(file, name, found)

    def _write_population(self, file: h5netcdf.File, name: str, found: Recording) -> None:
        population = str(found.population)
        if "spikes" in found.variables:
            times = self._column(f"{name}.spike_step", np.int64)
            dimension = f"{name}_spike"
            file.dimensions[dimension] = len(times)
            _write(file, f"{name}_spike_time", (dimension,), times, np.float64, scale=self._dt, units="s")
            _write(
                file,
                f"{name}_spike_unit",
                (dimension,),
                self._column(f"{name}.spike_unit", np.int32),
                np.int32,
            )
        if not found.state:
            return
        time, neuron = f"{name}_time", f"{name}_neuron"
        indices = np.array(found.indices(self._structure.size(population)), dtype=np.int32)
        steps = self._column(f"{name}.step", np.int64)
        file.dimensions[time], file.dimensions[neuron] = len(steps), len(indices)
        _write(file, time, (time,), steps, np.float64, scale=self._dt, units="s")
        _write(file, neuron, (neuron,), indices, np.int32)
        for variable in found.state:
            values = self._column(f"{name}.{variable}", np.float64).reshape(-1, len(indices))
            unit = _unit(self._config, population, variable)
            _write(file, f"{name}_{variable}", (time, neuron), values, np.float64, units=unit)

    def _write_weights(
        self,
        file: h5netcdf.File,
        name: str,
        pathway: str,
        connections: Mapping[str, tuple[np.ndarray, np.ndarray]],
    ) -> None:
        time, synapse = f"{name}_time", f"{name}_synapse"
        steps, n = self._column(f"{name}.step", np.int64), self._structure.n_synapses(pathway)
        file.dimensions[time], file.dimensions[synapse] = len(steps), n
        _write(file, time, (time,), steps, np.float64, scale=self._dt, units="s")
        for end, index in zip(("pre", "post"), connections[pathway], strict=True):
            _write(file, f"{name}_{end}", (synapse,), index, np.int32)
        values = self._column(f"{name}.w", np.float64).reshape(-1, n)
        _write(file, f"{name}_w", (time, synapse), values, np.float64, units="1")

    def _snapshots(self, training: Training, step: int) -> None:
        for name, found in self._config.record.items():
            if (
                found.pathway is None
                or step % self._every(found)
                or not self._inside(found, np.array([step]))[0]
            ):
                continue
            self._append(f"{name}.step", np.array([step], dtype=np.int64))
            self._append(f"{name}.w", np.asarray(training.arrays[f"{found.pathway}.w"], dtype=np.float64))

    def _every(self, found: Recording) -> int:
        return max(1, round((found.every or 0) / self._dt))

    def _next_due(self, found: Recording, step: int) -> int | None:
        """The next step after `step` at whose beginning weights are recorded, if there is one."""
        every = self._every(found)
        due = max(step // every + 1, math.ceil(round(found.start / self._dt) / every)) * every
        return due if found.stop is None or due * self._dt < found.stop else None

    def _inside(self, found: Recording, step: np.ndarray) -> np.ndarray:
        time = step * self._dt
        return (time >= found.start) & (time < (math.inf if found.stop is None else found.stop))

    def _columns(self) -> list[Path]:
        return sorted(self._folder.iterdir()) if self._config.record and self._folder.is_dir() else []

    def _append(self, name: str, values: np.ndarray) -> None:
        with (self._folder / name).open("ab") as file:
            values.tofile(file)

    def _column(self, name: str, dtype: type) -> np.ndarray:
        path = self._folder / name
        if not path.is_file() or not path.stat().st_size:
            return np.array([], dtype=dtype)
        return np.memmap(path, dtype, mode="r")


def _write(
    file: h5netcdf.File,
    name: str,
    dimensions: tuple[str, ...],
    values: np.ndarray,
    dtype: type,
    *,
    scale: float = 1.0,
    units: str = "",
) -> None:
    variable = file.create_variable(name, dimensions, dtype)
    for part in _parts(values):
        variable[part] = (values[part] * scale).astype(dtype)
    if units and units != "1":
        variable.attrs["units"] = units


def _parts(values: np.ndarray) -> Iterator[slice]:
    row = max(1, values[:1].nbytes)
    size = max(1, _PART_BYTES // row)
    return (slice(first, first + size) for first in range(0, len(values), size))


def _unit(config: Config, population: str, variable: str) -> str:
    found = config.population[population]
    own: NeuronText | None = config.neuron[found.neuron] if isinstance(found, OwnPopulation) else None
    short = {"volt": "V", "amp": "A", "second": "s", "siemens": "S", "hertz": "Hz", "1": "1"}
    unit = own.state[variable] if own else "volt"
    return short.get(unit, unit)

"""Takes a network through images, segment by segment: training with sleep.

A segment shows as many images as fit the stimulus table. Between segments come records, the guard, progress
and checkpoints; what happens within one is in the equations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from homeonet.config import Config, OwnPopulation
from homeonet.errors import InputError
from homeonet.plastic.engine._choose import engine_for
from homeonet.plastic.engine._guard import OpenWindows, check_segment
from homeonet.plastic.engine._segment import Engine, SegmentResult
from homeonet.plastic.engine._stimulus import check_images, stimulus_table
from homeonet.plastic.mechanisms._ahsar import threshold_scales
from homeonet.plastic.mechanisms._times import NEVER
from homeonet.plastic.network._arrays import Arrays, assemble
from homeonet.plastic.network._connectivity import Connections, connect
from homeonet.plastic.network._structure import Structure

__all__ = ["SEGMENT_SECONDS", "Network", "Segment", "Training", "kept_state"]

#: Simulated seconds of a training segment: progress, records and the guard have this resolution.
SEGMENT_SECONDS = 50.0


@dataclass(frozen=True)
class Network:
    """What learning leaves of one replica: enough to evaluate it or to look at it.

    Attributes
    ----------
    config : Config
    connections : dict of str to (ndarray, ndarray)
        Source and target of each synapse, by pathway.
    weights : dict of str to ndarray
        Magnitudes of the weights, by pathway.
    thresholds : dict of str to ndarray
        Rise of the threshold of each neuron in volt, by population.
    threshold_scale : dict of str to float
        How far thresholds lie from rest, relative to the configuration, by population: what AHSAR moves; none without.
    kept : dict of str to ndarray
        State of neurons of the user's that evaluation starts from, as "population.variable".
    """

    config: Config
    connections: Connections
    weights: dict[str, np.ndarray]
    thresholds: dict[str, np.ndarray]
    threshold_scale: dict[str, float] = field(default_factory=dict)
    kept: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def untrained(cls, config: Config) -> Network:
        """The network before its first image: random connectivity, initial weights."""
        structure = Structure.of(config)
        arrays = assemble(structure, [config])
        return cls(
            config,
            connect(structure, [config]),
            {name: arrays[f"{name}.w"] for name in structure.pathway},
            {name: np.zeros(structure.size(name)) for name in structure.lif},
            kept={name: arrays[name] for name in kept_state(config)},
        )


@dataclass(frozen=True)
class Segment:
    """A finished segment and where it lies in the run."""

    result: SegmentResult
    first_step: int
    n_steps: int


@dataclass
class Training:
    """One or several replicas under training; a resumable state and the means to advance it.

    Parameters
    ----------
    configs : sequence of Config
        One per replica, all of one structure, with the same time step and presentation.
    images : ndarray, shape (n_images, n_pixels), or a sequence of such, one per replica
        In the order of presentation; of equal numbers.
    device : {"auto", "cpp", "cuda", "brian2cuda", "runtime"}

    Attributes
    ----------
    step : int
        Time steps done.
    arrays : dict of str to ndarray
        State and parameters of the network.
    windows : OpenWindows
        What the guard has counted so far.
    loop_seconds : float
        Wall time spent in the time loop.
    finished : dict of int to Network
        Replicas that have seen all images. The others go on; what a finished one does then is ignored.
    abandoned : set of int
        Replicas given up, as `abandon` does; what they do is ignored.
    """

    configs: Sequence[Config]
    images: np.ndarray | Sequence[np.ndarray]
    device: str = "auto"
    step: int = 0
    arrays: Arrays = field(init=False)
    windows: OpenWindows = field(init=False)
    finished: dict[int, Network] = field(default_factory=dict)
    abandoned: set[int] = field(default_factory=set)
    loop_seconds: float = 0.0

    def __post_init__(self) -> None:
        first = self.configs[0]
        self.structure = Structure.of(first, len(self.configs))
        for config in self.configs[1:]:
            if Structure.of(config, len(self.configs)) != self.structure:
                raise InputError("replicas differ in structure; run configurations of one structure together")
            same_clock = (config.simulation, config.input) == (first.simulation, first.input)
            if not same_clock:
                raise InputError("replicas differ in simulation or input parameters; run them separately")
        if isinstance(self.images, np.ndarray):
            self.images = [self.images] * len(self.configs)
        if len(self.images) != len(self.configs) or len({len(images) for images in self.images}) != 1:
            raise InputError(
                f"{len(self.configs)} replicas have {[len(images) for images in self.images]} images; give each as many"
            )
        for images in {id(images): images for images in self.images}.values():
            check_images(images, first)
        for config in self.configs:
            for name, signal in config.signal.items():
                if len(signal.values) != len(self.images[0]):
                    raise InputError(
                        f"signal.{name}.values has {len(signal.values)} numbers, but {len(self.images[0])} images are "
                        "shown; give one for each, in their order, epoch after epoch"
                    )
        self.dt = first.simulation.dt
        self.image_steps = round(first.input.presentation / self.dt)
        self.connections = connect(self.structure, self.configs)
        self.engine: Engine = engine_for(self.structure, self.connections, self.device)
        arrays = assemble(self.structure, self.configs)
        self.arrays = {name: arrays[name] for name in self.engine.array_names}
        self.windows = OpenWindows.at_start(self.structure)

    @property
    def total_wake_steps(self) -> int:
        """Steps that the images take, sleep not counted."""
        return len(self.images[0]) * self.image_steps

    @property
    def active(self) -> list[int]:
        """Replicas that still learn."""
        return [r for r in range(len(self.configs)) if r not in self.finished and r not in self.abandoned]

    @property
    def done(self) -> bool:
        """Whether every replica has seen all images, or was given up."""
        return not self.active

    def abandon(self, replica: int) -> None:
        """Let the others go on without a replica."""
        self.abandoned.add(replica)

    def advance(self, seconds: float = SEGMENT_SECONDS) -> Segment:
        """Run one segment of at most `seconds` simulated seconds; updates the state.

        It is shorter where a replica has seen its last image, or the last one of the stimulus table.

        Raises
        ------
        RunawayError
            If the guard finds a population out of bounds.
        """
        wake = self.arrays["controller.wake_step"].astype(np.int64)
        active, first_config = self.active, self.configs[0]
        row = np.minimum(wake // self.image_steps, max(0, len(self.images[0]) - 1))
        table_end = (row + self.engine.stimulus_rows) * self.image_steps
        arrays = dict(self.arrays)
        for name in self.structure.population:
            if f"{name}.first_wake_step" in arrays:
                arrays[f"{name}.first_wake_step"] = self._per_replica(row * self.image_steps, name)
        last = np.full(len(self.configs), NEVER)  # a replica that has finished ends no segment
        last[active] = np.minimum(self.total_wake_steps, table_end)[active]
        arrays["controller.last_wake_step"] = last
        rows = self.engine.stimulus_rows
        stimulus = np.hstack(
            [
                stimulus_table(list(self.images), row, rows, first_config.input.mean_rate, self.dt),
                *(self._signals(r, first, rows) for r, first in enumerate(row)),
            ]
        )
        n_steps = max(1, round(seconds / self.dt))
        result = self.engine.run(arrays, stimulus, first_step=self.step, n_steps=n_steps, dt=self.dt)
        end = self.step + result.n_steps
        self.windows = check_segment(
            result, self.windows, self.configs, self.structure, active=active, end_step=end
        )
        segment_start, self.step, self.arrays = self.step, end, result.arrays
        self.loop_seconds += result.seconds
        wake = result.arrays["controller.wake_step"].astype(np.int64)
        for r in active:
            if wake[r] >= self.total_wake_steps:
                self.finished[r] = self.network(r)
        return Segment(result, segment_start, result.n_steps)

    def state(self) -> dict[str, Any]:
        """All that `advance` changes, for `restore`."""
        names = ("step", "arrays", "windows", "loop_seconds")
        own = {"finished": dict(self.finished), "abandoned": set(self.abandoned)}
        return {name: getattr(self, name) for name in names} | own

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to what `state` returned."""
        for name, value in state.items():
            setattr(self, name, value)

    def network(self, replica: int = 0) -> Network:
        """A replica as it is now."""

        def part(values: np.ndarray) -> np.ndarray:
            return values.reshape(len(self.configs), -1)[replica].copy()

        connections = {}
        for name, pathway in self.structure.pathway.items():
            i, j = (part(index) for index in self.connections[name])
            size_i, size_j = self.structure.size(pathway.source), self.structure.size(pathway.target)
            connections[name] = (i - replica * size_i, j - replica * size_j)
        return Network(
            self.configs[replica],
            connections,
            {name: part(self.arrays[f"{name}.w"]) for name in self.structure.pathway},
            {name: part(self.arrays[f"{name}.theta"]) for name in self.structure.lif},
            threshold_scales(self.arrays, replica, self.structure.lif) if self.structure.ahsar else {},
            {name: part(self.arrays[name]) for name in kept_state(self.configs[replica])},
        )

    def _signals(self, replica: int, first: int, n_rows: int) -> np.ndarray:
        """A replica's columns of the stimulus table after the pixels: a row for each image from `first` on."""
        signals = self.configs[replica].signal
        table = np.zeros((n_rows, len(self.structure.signals)))
        for k, name in enumerate(self.structure.signals):
            own = signals[name].values[first : first + n_rows]
            table[: len(own), k] = own
        return table

    def _per_replica(self, values: np.ndarray, group: str) -> np.ndarray:
        """A parameter's array: shared by one replica, a copy per neuron for several."""
        repeats = 1 if len(self.configs) == 1 else self.structure.size(group)
        return np.repeat(values.astype(float), repeats)


def kept_state(config: Config) -> list[str]:
    """State of the user's neurons that training leaves for evaluation."""
    return [
        f"{name}.{variable}"
        for name, found in config.population.items()
        if isinstance(found, OwnPopulation)
        for variable in config.neuron[found.neuron].kept
    ]

"""Takes a network through images, segment by segment: training with sleep, or reading features out.

A segment shows as many images as fit the stimulus table. Between segments come records, the guard, progress
and checkpoints; what happens within one is in the equations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from homeonet.config import Config, OwnPopulation
from homeonet.errors import InputError
from homeonet.plastic.engine._choose import engine_for, settled_device
from homeonet.plastic.engine._guard import OpenWindows, check_segment
from homeonet.plastic.engine._segment import Engine, SegmentResult
from homeonet.plastic.mechanisms._ahsar import moved_threshold, threshold_scales
from homeonet.plastic.mechanisms._poisson import log_silence
from homeonet.plastic.mechanisms._times import NEVER
from homeonet.plastic.network._arrays import Arrays, assemble
from homeonet.plastic.network._connectivity import Connections, connect
from homeonet.plastic.network._structure import STIMULUS_ROWS, Structure

__all__ = ["SEGMENT_SECONDS", "Network", "Segment", "Training", "kept_state", "read_features"]

#: Simulated seconds of a training segment: progress, records and the guard have this resolution.
SEGMENT_SECONDS = 50.0
#: Images of one independent stretch of evaluation; every stretch starts from rest.
EVALUATION_CHUNK = 250
#: Stretches that a GPU evaluates at the same time.
_MOST_TOGETHER = 128


@dataclass(frozen=True)
class Network:
    """What learning leaves of one replica: enough to evaluate it or to look at it.

    Attributes
    ----------
    config : Config
    connections : dict of str to (ndarray, ndarray)
        Source and target of each synapse, by pathway.
    weights : dict of str to ndarray
        Magnitudes, by pathway.
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
    wake_fraction: float


@dataclass
class Training:
    """One or several replicas under training; a resumable state and the means to advance it.

    Parameters
    ----------
    configs : sequence of Config
        One a replica, all of one structure, with the same time step and presentation.
    images : ndarray, shape (n_images, n_pixels), or a sequence of such, one a replica
        In the order of presentation; of equal numbers.
    device : {"auto", "cpp", "cuda", "brian2cuda", "runtime"}

    Attributes
    ----------
    step : int
        Steps done.
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
            _check_images(images, first)
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
                _table(self.images, row, rows, first_config.input.mean_rate, self.dt),
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
        fraction = min(1.0, float(np.minimum(wake, self.total_wake_steps).mean() / self.total_wake_steps))
        return Segment(result, segment_start, result.n_steps, fraction)

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
        """A parameter's array: shared by one replica, a copy a neuron for several."""
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


def _check_images(images: np.ndarray, config: Config) -> None:
    if images.ndim != 2 or images.shape[1] != config.input.side**2:
        raise InputError(
            f"images have shape {images.shape}, but input.side = {config.input.side} needs "
            f"(n, {config.input.side**2}); load them at that size"
        )
    bad = np.flatnonzero(~np.isfinite(images).all(axis=1) | (images < 0).any(axis=1))
    if len(bad):
        raise InputError(
            f"image {bad[0]} has pixels that are negative or not a number; repair it or leave it out"
        )


def _table(
    images: Sequence[np.ndarray], row: np.ndarray, n_rows: int, mean_rate: float, dt: float
) -> np.ndarray:
    """The stimulus of one segment: each replica's images from its `row` on, silence after the last."""
    n_pixels = images[0].shape[1]
    table = np.zeros((n_rows, len(images) * n_pixels))
    known: dict[tuple[int, int], np.ndarray] = {}  # replicas that see the same share the work
    for r, (own, first) in enumerate(zip(images, row, strict=True)):
        key = (id(own), int(first))
        if key not in known:
            known[key] = log_silence(own[first : first + n_rows], mean_rate, dt)
        table[: len(known[key]), r * n_pixels : (r + 1) * n_pixels] = known[key]
    return table


def read_features(
    network: Network,
    images: np.ndarray,
    *,
    device: str = "auto",
    workers: int = 1,
    stream_offset: int = 0,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray:
    """Spike counts of every neuron for every image, with plasticity and sleep off.

    Parameters
    ----------
    network : Network
    images : ndarray, shape (n_images, n_pixels)
    device : {"auto", "cpp", "cuda", "brian2cuda", "runtime"}
    workers : int
        Segments run at the same time; the result does not depend on it.
    stream_offset : int
        Number of the first image in the input's random stream; different sets of images should not share it.
    progress : callable, optional
        Called with the number of images done since the last call.

    Returns
    -------
    ndarray of int32, shape (n_images, n_neurons)
        Populations one after the other, in their order.
    """
    config = network.config
    _check_images(images, config)
    dt = config.simulation.dt
    image_steps = round(config.evaluation.presentation / dt)
    device = settled_device(device)
    # on a GPU stretches run side by side; noise awake is drawn by the step, which they would have in common
    together = device in ("cuda", "emulated") and config.noise.during != "always"
    size = min(EVALUATION_CHUNK, STIMULUS_ROWS)
    starts = list(range(0, len(images), size))
    side_by_side = min(len(starts), _MOST_TOGETHER) if together else 1
    structure = Structure.of(config, side_by_side).frozen()
    engine = engine_for(structure, _tiled(network.connections, structure), device)
    template = assemble(structure, [config] * side_by_side, evaluation=True)
    template |= {f"{name}.w": np.tile(weights, side_by_side) for name, weights in network.weights.items()}
    for name, scale in network.threshold_scale.items():
        template[f"{name}.v_threshold"][:] = moved_threshold(config.population[name], scale)
    if config.evaluation.freeze_threshold:
        template |= {f"{n}.theta": np.tile(theta, side_by_side) for n, theta in network.thresholds.items()}

    template |= {name: np.tile(values, side_by_side) for name, values in network.kept.items()}

    def some(those: Sequence[int]) -> np.ndarray:
        """Counts of the stretches that start at `those` images."""
        first = np.zeros(side_by_side)
        first[: len(those)] = (stream_offset + np.array(those)) * image_steps
        shown = [images[start : start + size] for start in those]
        shown += [images[:0]] * (side_by_side - len(those))
        arrays = dict(template)
        arrays["controller.wake_step"] = first
        for name in structure.inputs:
            own = first if side_by_side == 1 else first.repeat(structure.size(name))
            arrays[f"{name}.first_wake_step"] = own
        no_row = np.zeros(side_by_side, dtype=int)
        stimulus = _table(shown, no_row, engine.stimulus_rows, config.input.mean_rate, dt)
        longest = max(map(len, shown))
        step = int(first[0])
        result = engine.run(arrays, stimulus, first_step=step, n_steps=longest * image_steps, dt=dt)
        counts = _counts(result.spikes, step, image_steps, longest, structure)
        if progress:
            progress(sum(map(len, shown)))
        return np.concatenate([counts[: len(own), r] for r, own in enumerate(shown)])

    groups = [starts[k : k + side_by_side] for k in range(0, len(starts), side_by_side)]
    if workers == 1 or device != "cpp":
        return np.concatenate([some(group) for group in groups])
    with ThreadPoolExecutor(workers) as pool:
        return np.concatenate(list(pool.map(some, groups)))


def _tiled(connections: Connections, structure: Structure) -> Connections:
    """The same connections in each of a structure's replicas."""

    def tiled(index: np.ndarray, size: int) -> np.ndarray:
        offsets = size * np.arange(structure.replicas)
        return (np.asarray(index) + offsets[:, None]).ravel().astype(np.int32)

    return {
        name: tuple(
            tiled(index, structure.size(population))
            for index, population in zip(connections[name], (found.source, found.target), strict=True)
        )
        for name, found in structure.pathway.items()
    }


def _counts(
    spikes: Mapping[str, tuple[np.ndarray, np.ndarray]],
    first_step: int,
    image_steps: int,
    n_images: int,
    structure: Structure,
) -> np.ndarray:
    """Spikes for each image, replica and neuron: int32, shape (n_images, replicas, n_neurons)."""
    n_units, offset = structure.n_neurons, 0
    counts = np.zeros(n_images * structure.replicas * n_units, dtype=np.int64)
    for population in structure.neurons:
        (unit, step), size = spikes[population], structure.size(population)
        place = ((step - first_step) // image_steps) * structure.replicas + unit // size
        counts += np.bincount(place * n_units + unit % size + offset, minlength=len(counts))
        offset += size
    return counts.reshape(n_images, structure.replicas, n_units).astype(np.int32)

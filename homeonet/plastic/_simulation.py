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

from homeonet.config import PATHWAYS, Config
from homeonet.errors import InputError
from homeonet.plastic._ahsar import moved_threshold, threshold_scales
from homeonet.plastic._arrays import Arrays, assemble
from homeonet.plastic._connectivity import Connections, connect
from homeonet.plastic._engine import Engine, SegmentResult, engine_for
from homeonet.plastic._guard import OpenWindows, check_segment
from homeonet.plastic._poisson import NEVER, log_silence
from homeonet.plastic._structure import Structure

__all__ = ["Network", "Segment", "Training", "read_features"]

#: Simulated seconds of a training segment: progress, records and the guard have this resolution.
SEGMENT_SECONDS = 50.0
#: Images of one independent stretch of evaluation; every stretch starts from rest.
EVALUATION_CHUNK = 250


@dataclass(frozen=True)
class Network:
    """What learning leaves of one replica: enough to evaluate it or to look at it.

    Attributes
    ----------
    config : Config
    connections : dict of str to (ndarray, ndarray)
        Source and target of each synapse, a pathway.
    weights : dict of str to ndarray
        Magnitudes, a pathway.
    thresholds : dict of str to ndarray
        Rise of the threshold of each neuron in volt, for "exc" and "inh".
    threshold_scale : dict of str to float
        How far thresholds lie from rest, relative to the configuration, for "exc" and "inh": what AHSAR moves.
    """

    config: Config
    connections: Connections
    weights: dict[str, np.ndarray]
    thresholds: dict[str, np.ndarray]
    threshold_scale: dict[str, float] = field(default_factory=lambda: {"exc": 1.0, "inh": 1.0})

    @classmethod
    def untrained(cls, config: Config) -> Network:
        """The network before its first image: random connectivity, initial weights."""
        structure = Structure.of(config)
        arrays = assemble(structure, [config])
        return cls(
            config,
            connect(structure, [config]),
            {name: arrays[f"{name}.w"] for name in PATHWAYS},
            {name: np.zeros(structure.size(name)) for name in ("exc", "inh")},
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
    images : ndarray, shape (n_images, n_pixels)
        In the order of presentation, the same for all replicas.
    device : {"auto", "cpp", "runtime"}

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
    """

    configs: Sequence[Config]
    images: np.ndarray
    device: str = "auto"
    step: int = 0
    arrays: Arrays = field(init=False)
    windows: OpenWindows = field(init=False)
    finished: dict[int, Network] = field(default_factory=dict)
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
        _check_images(self.images, first)
        self.dt = first.simulation.dt
        self.image_steps = round(first.input.presentation / self.dt)
        self.connections = connect(self.structure, self.configs)
        self.engine: Engine = engine_for(self.structure, self.connections, self.device)
        arrays = assemble(self.structure, self.configs)
        self.arrays = {name: arrays[name] for name in self.engine.array_names}
        self.windows = OpenWindows.at_start(len(self.configs))

    @property
    def total_wake_steps(self) -> int:
        """Steps that the images take, sleep not counted."""
        return len(self.images) * self.image_steps

    @property
    def done(self) -> bool:
        """Whether every replica has seen all images."""
        return len(self.finished) == len(self.configs)

    def advance(self, seconds: float = SEGMENT_SECONDS) -> Segment:
        """Run one segment of at most `seconds` simulated seconds; updates the state.

        It is shorter where a replica has seen its last image, or the last one of the stimulus table.

        Raises
        ------
        RunawayError
            If the guard finds a population out of bounds.
        """
        wake = self.arrays["controller.wake_step"].astype(np.int64)
        active = [r for r in range(len(self.configs)) if r not in self.finished]
        row = np.minimum(wake // self.image_steps, max(0, len(self.images) - 1))
        table_end = (row + self.engine.stimulus_rows) * self.image_steps
        arrays = dict(self.arrays)
        arrays["input.first_wake_step"] = self._per_replica(row * self.image_steps, "input")
        last = np.full(len(self.configs), NEVER)  # a replica that has finished ends no segment
        last[active] = np.minimum(self.total_wake_steps, table_end)[active]
        arrays["controller.last_wake_step"] = last
        stimulus = _table(self.images, row, self.engine.stimulus_rows, self.configs, self.dt)
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
        return {name: getattr(self, name) for name in names} | {"finished": dict(self.finished)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to what `state` returned."""
        for name, value in state.items():
            setattr(self, name, value)

    def network(self, replica: int = 0) -> Network:
        """A replica as it is now."""

        def part(values: np.ndarray) -> np.ndarray:
            return values.reshape(len(self.configs), -1)[replica].copy()

        connections = {}
        for name, (source, target) in PATHWAYS.items():
            i, j = (part(index) for index in self.connections[name])
            size_i, size_j = self.structure.size(source), self.structure.size(target)
            connections[name] = (i - replica * size_i, j - replica * size_j)
        return Network(
            self.configs[replica],
            connections,
            {name: part(self.arrays[f"{name}.w"]) for name in PATHWAYS},
            {name: part(self.arrays[f"{name}.theta"]) for name in ("exc", "inh")},
            *([threshold_scales(self.arrays, replica)] if self.structure.ahsar else []),
        )

    def _per_replica(self, values: np.ndarray, group: str) -> np.ndarray:
        """A parameter's array: shared by one replica, a copy a neuron for several."""
        repeats = 1 if len(self.configs) == 1 else self.structure.size(group)
        return np.repeat(values.astype(float), repeats)


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
    images: np.ndarray, row: np.ndarray, n_rows: int, configs: Sequence[Config], dt: float
) -> np.ndarray:
    """The stimulus of one segment: for each replica the images from its `row` on, silence after the last."""
    n_pixels = images.shape[1]
    table = np.zeros((n_rows, len(configs) * n_pixels))
    for r, config in enumerate(configs):
        shown = images[row[r] : row[r] + n_rows]
        table[: len(shown), r * n_pixels : (r + 1) * n_pixels] = log_silence(
            shown, config.input.mean_rate, dt
        )
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
    device : {"auto", "cpp", "runtime"}
    workers : int
        Segments run at the same time; the result does not depend on it.
    stream_offset : int
        Number of the first image in the input's random stream; different sets of images should not share it.
    progress : callable, optional
        Called with the number of images done since the last call.

    Returns
    -------
    ndarray of int32, shape (n_images, n_exc + n_inh)
    """
    config = network.config
    _check_images(images, config)
    structure = Structure.of(config).frozen()
    engine = engine_for(structure, network.connections, device)
    template = assemble(structure, [config], evaluation=True)
    template |= {f"{name}.w": weights for name, weights in network.weights.items()}
    for name, scale in network.threshold_scale.items():
        template[f"{name}.v_threshold"][:] = moved_threshold(getattr(config, name), scale)
    if config.evaluation.freeze_threshold:
        template |= {f"{name}.theta": theta for name, theta in network.thresholds.items()}
    dt = config.simulation.dt
    image_steps = round(config.evaluation.presentation / dt)
    size = min(EVALUATION_CHUNK, engine.stimulus_rows)
    n_exc, n_units = structure.n_exc, structure.n_exc + structure.n_inh

    def chunk(start: int) -> np.ndarray:
        shown = images[start : start + size]
        first = (stream_offset + start) * image_steps
        arrays = dict(template)
        arrays["controller.wake_step"] = np.array([float(first)])
        arrays["input.first_wake_step"] = np.array([float(first)])
        stimulus = _table(shown, np.array([0]), engine.stimulus_rows, [config], dt)
        result = engine.run(arrays, stimulus, first_step=first, n_steps=len(shown) * image_steps, dt=dt)
        counts = _counts(result.spikes, first, image_steps, len(shown), {"exc": 0, "inh": n_exc}, n_units)
        if progress:
            progress(len(shown))
        return counts

    starts = range(0, len(images), size)
    if workers == 1 or engine.device == "runtime":
        return np.concatenate([chunk(start) for start in starts])
    with ThreadPoolExecutor(workers) as pool:
        return np.concatenate(list(pool.map(chunk, starts)))


def _counts(
    spikes: Mapping[str, tuple[np.ndarray, np.ndarray]],
    first_step: int,
    image_steps: int,
    n_images: int,
    offset: Mapping[str, int],
    n_units: int,
) -> np.ndarray:
    counts = np.zeros(n_images * n_units, dtype=np.int64)
    for population, (unit, step) in spikes.items():
        index = ((step - first_step) // image_steps) * n_units + unit + offset[population]
        counts += np.bincount(index, minlength=len(counts))
    return counts.reshape(n_images, n_units).astype(np.int32)

"""Reads features out of a network: spike counts of every neuron for every image, with plasticity and sleep off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from homeonet.config import Population
from homeonet.plastic.engine._choose import engine_for, settled_device
from homeonet.plastic.engine._simulation import Network
from homeonet.plastic.engine._stimulus import check_images, stimulus_table
from homeonet.plastic.mechanisms._ahsar import moved_threshold
from homeonet.plastic.network._arrays import assemble
from homeonet.plastic.network._connectivity import Connections
from homeonet.plastic.network._structure import STIMULUS_ROWS, Structure

__all__ = ["read_features"]

#: Images of one independent stretch of evaluation; every stretch starts from rest.
EVALUATION_CHUNK = 250
#: Stretches that a GPU evaluates at the same time.
_MOST_TOGETHER = 128


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
    check_images(images, config)
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
        population = config.population[name]
        if isinstance(population, Population):  # AHSAR moves no other's
            template[f"{name}.v_threshold"][:] = moved_threshold(population, scale)
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
        stimulus = stimulus_table(shown, no_row, engine.stimulus_rows, config.input.mean_rate, dt)
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
        name: (
            tiled(connections[name][0], structure.size(found.source)),
            tiled(connections[name][1], structure.size(found.target)),
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

"""Who is connected to whom: a fixed in-degree, drawn in NumPy from its own seed, the same in every segment.

The paper connects each pair with a probability; here each neuron receives the rounded expected number of
synapses from distinct sources, so that the number of synapses never depends on the seed and a compiled program
fits every draw.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from homeonet.config import PATHWAYS, Config
from homeonet.errors import InputError
from homeonet.plastic.mechanisms._random import stream_id
from homeonet.plastic.network._structure import Structure

__all__ = ["Connections", "connect", "initial_weights", "replica_of_unit", "sums_over_replicas"]

#: Source and target indices, a pathway.
Connections = dict[str, tuple[np.ndarray, np.ndarray]]


def connect(structure: Structure, configs: Sequence[Config]) -> Connections:
    """Draw the connectivity of all replicas, each from its own seed.

    Parameters
    ----------
    structure : Structure
    configs : sequence of Config
        One a replica.

    Returns
    -------
    dict of str to (ndarray, ndarray)
        For each pathway the source and target indices (int32) of its synapses, replica after replica, sorted
        by source within a replica; indices count over all replicas.

    Raises
    ------
    InputError
        If a pathway that avoids reciprocal pairs is so dense that a neuron has too few other sources.
    """
    each = [_one_replica(structure, config) for config in configs]
    joined = {}
    for pathway, (source, target) in PATHWAYS.items():
        joined[pathway] = tuple(
            np.concatenate(
                [ends[pathway][k] + r * structure.size(population) for r, ends in enumerate(each)]
            ).astype(np.int32)
            for k, population in enumerate((source, target))
        )
    return joined


def _one_replica(structure: Structure, config: Config) -> Connections:
    connections: Connections = {}
    for pathway, (source, target) in PATHWAYS.items():
        rng = np.random.default_rng(stream_id(config.seed, f"connect/{pathway}"))
        n_source, n_target = structure.size(source), structure.size(target)
        priority = rng.random((n_target, n_source))
        if source == target:
            np.fill_diagonal(priority, 2.0)  # no autapses
        if getattr(config, pathway).avoid_reciprocal:
            back_source, back_target = connections["exc_inh"]
            priority[back_source, back_target] += 1.0
        degree = dict(structure.in_degree)[pathway]
        fewest = int((priority < 1.0).sum(axis=1).min())
        if getattr(config, pathway).avoid_reciprocal and degree > fewest:
            raise InputError(
                f"{pathway}.density = {getattr(config, pathway).density:g} asks for {degree} sources a neuron, but "
                f"with avoid_reciprocal only {fewest} of {n_source} are free for one of them; lower "
                f"{pathway}.density or exc_inh.density, or set {pathway}.avoid_reciprocal = false"
            )
        sources = np.argsort(priority, axis=1, kind="stable")[:, :degree].ravel()
        targets = np.repeat(np.arange(n_target), degree)
        order = np.lexsort((targets, sources))
        connections[pathway] = (sources[order], targets[order])
    return connections


def replica_of_unit(structure: Structure, population: str) -> np.ndarray:
    """The replica that each neuron of a population belongs to; neurons are counted over all replicas."""
    return np.repeat(np.arange(structure.replicas), structure.size(population))


def sums_over_replicas(structure: Structure) -> Connections:
    """Source and target of the connections that add up what the neurons of a replica hold, by their name."""
    sums = {}
    for group in ("totals", "ahsar") if structure.ahsar else ("totals",):
        for population in ("exc", "inh"):
            targets = replica_of_unit(structure, population).astype(np.int32)
            sums[f"{group}_{population}"] = (np.arange(len(targets), dtype=np.int32), targets)
    return sums


def initial_weights(structure: Structure, config: Config) -> dict[str, np.ndarray]:
    """Initial weights of one replica, uniform in w_initial * (1 ± w_spread), clamped to their bounds."""
    weights = {}
    for name in PATHWAYS:
        pathway = getattr(config, name)
        rng = np.random.default_rng(stream_id(config.seed, f"weights/{name}"))
        spread = pathway.w_spread * rng.uniform(-1, 1, structure.n_synapses(name))
        weights[name] = np.clip(pathway.w_initial * (1 + spread), pathway.w_min, pathway.w_max)
    return weights

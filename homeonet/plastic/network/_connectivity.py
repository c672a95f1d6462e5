"""Who is connected to whom: a fixed in-degree, drawn in NumPy from its own seed, the same in every segment.

The paper connects each pair with a probability; here each neuron receives the rounded expected number of
synapses from distinct sources, so that the number of synapses never depends on the seed and a compiled program
fits every draw.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from homeonet.config import Config
from homeonet.errors import InputError
from homeonet.plastic.mechanisms._random import stream_id
from homeonet.plastic.network._structure import Structure

__all__ = ["Connections", "connect", "initial_weights", "replica_of_unit", "sums_over_replicas"]

#: Source and target indices of each pathway.
Connections = dict[str, tuple[np.ndarray, np.ndarray]]


def connect(structure: Structure, configs: Sequence[Config]) -> Connections:
    """Draw the connectivity of all replicas, each from its own seed.

    Parameters
    ----------
    structure : Structure
    configs : sequence of Config
        One configuration per replica.

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
    for pathway, found in structure.pathway.items():
        joined[pathway] = tuple(
            np.concatenate(
                [ends[pathway][k] + r * structure.size(population) for r, ends in enumerate(each)]
            ).astype(np.int32)
            for k, population in enumerate((found.source, found.target))
        )
    return joined


def _one_replica(structure: Structure, config: Config) -> Connections:
    drawn: Connections = {}

    def of(pathway: str) -> tuple[np.ndarray, np.ndarray]:
        if pathway not in drawn:
            avoided = config.back(pathway)[0] if config.pathway[pathway].avoid_reciprocal else None
            drawn[pathway] = _drawn(pathway, structure, config, (avoided, of(avoided)) if avoided else None)
        return drawn[pathway]

    return {pathway: of(pathway) for pathway in structure.pathway}


def _drawn(
    name: str,
    structure: Structure,
    config: Config,
    avoided: tuple[str, tuple[np.ndarray, np.ndarray]] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Sources and targets of a pathway in one replica; its neurons have no synapse back along the one `avoided`."""
    pathway, found = config.pathway[name], structure.pathway[name]
    if pathway.sources is not None:
        sources, targets = np.array(pathway.sources), np.array(pathway.targets)
    else:
        rng = np.random.default_rng(stream_id(config.seed, f"connect/{name}"))
        n_source, n_target = structure.size(found.source), structure.size(found.target)
        priority = rng.random((n_target, n_source))
        if found.source == found.target:
            np.fill_diagonal(priority, 2.0)  # no autapses
        if avoided:
            back, (back_source, back_target) = avoided
            priority[back_source, back_target] += 1.0
            fewest = int((priority < 1.0).sum(axis=1).min())
            if found.in_degree > fewest:
                raise InputError(
                    f"{name}.density = {pathway.density:g} asks for {found.in_degree} sources per neuron, but "
                    f"with avoid_reciprocal only {fewest} of {n_source} are free for one of them; lower "
                    f"{name}.density or {back}.density, or set {name}.avoid_reciprocal = false"
                )
        sources = np.argsort(priority, axis=1, kind="stable")[:, : found.in_degree].ravel()
        targets = np.repeat(np.arange(n_target), found.in_degree)
    order = np.lexsort((targets, sources))
    return sources[order], targets[order]


def replica_of_unit(structure: Structure, population: str) -> np.ndarray:
    """The replica that each neuron of a population belongs to; neurons are counted over all replicas."""
    return np.repeat(np.arange(structure.replicas), structure.size(population))


def sums_over_replicas(structure: Structure) -> Connections:
    """Source and target of the connections that add up what the neurons of a replica hold, by their name."""
    sums = {}
    for group in ("totals", "ahsar") if structure.ahsar else ("totals",):
        for population in structure.neurons:
            if population not in (structure.lif if group == "ahsar" else structure.neurons):
                continue
            if group == "totals" and not (structure.onto(population) or population in structure.sensed):
                continue
            targets = replica_of_unit(structure, population).astype(np.int32)
            sums[f"{group}_{population}"] = (np.arange(len(targets), dtype=np.int32), targets)
    return sums


def initial_weights(structure: Structure, config: Config) -> dict[str, np.ndarray]:
    """Initial weights of one replica, uniform in w_initial * (1 ± w_spread), clamped to their bounds."""
    weights = {}
    for name in structure.pathway:
        pathway = config.pathway[name]
        rng = np.random.default_rng(stream_id(config.seed, f"weights/{name}"))
        spread = pathway.w_spread * rng.uniform(-1, 1, structure.n_synapses(name))
        weights[name] = np.clip(pathway.w_initial * (1 + spread), pathway.w_min, pathway.w_max)
    return weights

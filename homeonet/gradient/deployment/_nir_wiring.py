"""The order in which the nodes of a NIR graph are computed, and which of its connections are a step late.

NIR's time is continuous, so it does not say where a loop takes its step of delay. The rule here depends on the graph
alone, never on the order in which a file holds its nodes:

- A connection back to a node through which every path from the input leads is the one that is late.
- Where a loop is entered at several nodes, such as excitatory and inhibitory neurons that both have inputs, all
  connections that leave neurons within it are late: the neurons take their step together.
- Weights on the way back are behind the delay: what comes back is the spikes of the last step, none before the first
  one, so that biases act from the first step on.

Knows nothing of torch, and of NIR only what graphs and nodes are called.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from homeonet.errors import InputError

__all__ = ["Wiring", "flattened", "wired"]

Edge = tuple[str, str]


@dataclass
class Wiring:
    """What is computed when.

    Attributes
    ----------
    parts : list of list of str
        Nodes in the order of evaluation; those of a loop are together.
    inputs : dict of str to list of str
        The nodes whose outputs are summed, in the order of the graph's edges.
    late : set of (str, str)
        The connections that bring the last step's output.
    """

    parts: list[list[str]] = field(default_factory=list)
    inputs: dict[str, list[str]] = field(default_factory=dict)
    late: set[Edge] = field(default_factory=set)

    def is_loop(self, part: list[str]) -> bool:
        """Whether the nodes of a part have to be computed step by step."""
        return any(source in part for name in part for source in self.inputs[name])


def flattened(graph: Any, prefix: str = "") -> tuple[dict[str, Any], list[Edge]]:
    """Nodes by name and connections, those of graphs within the graph as "graph.node"."""
    nodes: dict[str, Any] = {}
    edges: list[Edge] = []
    for name, node in graph.nodes.items():
        if hasattr(node, "nodes"):
            inner, inner_edges = flattened(node, f"{prefix}{name}.")
            nodes |= inner
            edges += inner_edges
        else:
            nodes[prefix + name] = node

    def end(name: str, side: str) -> str:
        node = graph.nodes.get(name)
        if node is None:
            raise InputError(
                f"from_nir: a connection names the node {prefix + name!r}, which is not in the graph"
            )
        if not hasattr(node, "nodes"):
            return prefix + name
        found = list(getattr(node, side))
        if len(found) != 1:
            raise InputError(
                f"from_nir: the graph {prefix + name!r} within the graph has {len(found)} {side}; it may have one"
            )
        return f"{prefix}{name}.{found[0]}"

    outer = [(end(a, "outputs"), end(b, "inputs")) for a, b in graph.edges]
    return nodes, outer + edges


def wired(nodes: Collection[str], edges: list[Edge], start: str, is_neuron: Callable[[str], bool]) -> Wiring:
    """The order of `nodes` from the input `start` on; InputError where it cannot be had."""
    edges = list(dict.fromkeys(edges))
    reached = _reached(edges, start)
    if missing := [name for name in nodes if name not in reached]:
        raise InputError(
            f"from_nir: node {missing[0]!r} is not reached from the input ({len(missing)} such); connect or remove it"
        )
    dominators = _dominators(nodes, edges, start)
    late = {(a, b) for a, b in edges if b in dominators[a]}
    for loop in _loops(nodes, [e for e in edges if e not in late]):
        late |= {(a, b) for a, b in edges if a in loop and b in loop and is_neuron(a)}
    inside = {edge for loop in _loops(nodes, edges) for edge in edges if set(edge) <= set(loop)}
    _put_behind_weights(nodes, edges, late, inside, is_neuron)
    wiring = Wiring(inputs={n: [a for a, b in edges if b == n] for n in nodes}, late=late)
    component = {name: loop for loop in _components(nodes, edges) for name in loop}
    order = _sorted(nodes, [edge for edge in edges if edge not in late])
    # loops as wholes first, then the nodes within each
    names = {name: loop[0] for name, loop in component.items()}
    for whole in _sorted(
        set(names.values()), [(names[a], names[b]) for a, b in edges if names[a] != names[b]]
    ):
        wiring.parts.append([name for name in order if names[name] == whole])
    return wiring


def _reached(edges: Iterable[Edge], start: str) -> set[str]:
    found, new = {start}, {start}
    while new:
        new = {b for a, b in edges if a in new} - found
        found |= new
    return found


def _dominators(nodes: Collection[str], edges: list[Edge], start: str) -> dict[str, set[str]]:
    """The nodes, its own name among them, through which every path from `start` to a node leads."""
    found = {name: set(nodes) for name in nodes} | {start: {start}}
    changed = True
    while changed:
        changed = False
        for name in nodes:
            before = [found[a] for a, b in edges if b == name]
            new = {name} | (set.intersection(*before) if before and name != start else set())
            changed |= new != found[name]
            found[name] = new
    return found


def _components(nodes: Collection[str], edges: list[Edge]) -> list[list[str]]:
    """Nodes by strongly connected component."""
    names = list(nodes)
    index = {name: i for i, name in enumerate(names)}
    pairs = np.array([(index[a], index[b]) for a, b in edges], dtype=int).reshape(-1, 2)
    matrix = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(names), len(names)))
    n, labels = connected_components(matrix, directed=True, connection="strong")
    return [[names[i] for i in np.flatnonzero(labels == k)] for k in range(n)]


def _loops(nodes: Collection[str], edges: list[Edge]) -> list[list[str]]:
    return [part for part in _components(nodes, edges) if len(part) > 1 or (part[0], part[0]) in edges]


def _put_behind_weights(
    nodes: Collection[str],
    edges: list[Edge],
    late: set[Edge],
    inside: set[Edge],
    is_neuron: Callable[[str], bool],
) -> None:
    """Move the delay from what weights give to what they get, where that is the same but for biases."""
    moved = True
    while moved:
        moved = False
        for name in nodes:
            before, after = [e for e in edges if e[1] == name], [e for e in edges if e[0] == name]
            if is_neuron(name) or not before or not after or not late.issuperset(after):
                continue
            if inside.issuperset(before) and late.isdisjoint(before):
                late -= set(after)
                late |= set(before)
                moved = True


def _sorted(nodes: Collection[str], edges: list[Edge]) -> list[str]:
    sorter = TopologicalSorter({name: [a for a, b in edges if b == name] for name in nodes})
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise InputError(
            f"from_nir: the loop {' → '.join(reversed(error.args[1]))} is entered at several nodes and has no neuron, "
            "so that it is not determined what comes a step late; put a neuron into it"
        ) from None

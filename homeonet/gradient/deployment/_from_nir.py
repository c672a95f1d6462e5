"""Import of a NIR graph: networks of other simulators, and what :func:`to_nir` wrote, as a torch module that runs.

Neurons are integrated by Euler's rule with a step of `dt`, as :mod:`homeonet.gradient.deployment._nir` says; a neuron
fires *above* its threshold, so that its threshold here is the next larger number. A current-based neuron's membrane
takes up its new current. Which connection of a loop is a step late is in
:mod:`homeonet.gradient.deployment._nir_wiring`.

Written without nirtorch, whose ``nir_to_torch`` (release 2.6) leaves out the biases of affine nodes, sums branches in
an order that changes from process to process, lets the order of nodes in the file decide what is a step late, and runs
a step at a time; tests compare the two where they should agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.deployment._nir import nir_package
from homeonet.gradient.deployment._nir_modules import (
    Delay,
    ImportedLIF,
    Integrator,
    NIRNetwork,
    Scale,
    Threshold,
)
from homeonet.gradient.deployment._nir_wiring import flattened, wired
from homeonet.gradient.kernels._surrogate import Surrogate, surrogate_named

if TYPE_CHECKING:
    import nir

__all__ = ["from_nir"]

#: Nodes that hold a state, the neurons of a loop.
_STATEFUL = ("CubaLI", "CubaLIF", "Delay", "I", "IF", "LI", "LIF")


def from_nir(
    graph: nir.NIRGraph, dt: float | None = None, *, surrogate: str | Surrogate = "triangle"
) -> NIRNetwork:
    """The graph as a torch module, from ``(T, B, *)`` to ``(T, B, *)``; read a file with ``nir.read``.

    Parameters
    ----------
    graph : nir.NIRGraph
        With one input and one output; graphs within it, branches and loops may be there.
    dt : float, optional
        What a time step lasts, in the unit of the graph's time constants. Default: what the graph's metadata say, as
        those of :func:`to_nir` do. snnTorch and SpikingJelly write with 1e-4, and do not say so.
    surrogate : str or Surrogate
        For training what was read. Default "triangle".

    Returns
    -------
    NIRNetwork
        In the precision of the graph's weights, or of torch's default type without any.

    Raises
    ------
    InputError
        If the package nir is missing, `dt` is neither given nor in the graph, a node's kind or value cannot be used, or
        the connections cannot be put in order: the message names the node.

    References
    ----------
    Pedersen et al. 2024, Nature Communications 15, 8122 (NIR); written against nir 1.0.8.
    """
    nir = nir_package("from_nir")
    if not isinstance(graph, nir.NIRGraph):
        raise InputError(
            f"from_nir: graph is a {type(graph).__name__}; give a nir.NIRGraph, such as nir.read(path)"
        )
    dt = _step(graph, dt)
    nodes, edges = flattened(graph)
    ends = _the_one(graph.inputs, "input"), _the_one(graph.outputs, "output")
    wiring = wired(nodes, edges, ends[0], lambda name: type(nodes[name]).__name__ in _STATEFUL)
    maker = _Maker(dt, _dtype(nodes.values()), surrogate_named(surrogate))
    modules = {name: maker.modules(name, node) for name, node in nodes.items()}
    return NIRNetwork(modules, wiring, ends, _shape(nodes[ends[0]]), dt)


def _step(graph: nir.NIRGraph, dt: float | None) -> float:
    if dt is None:
        dt = graph.metadata.get("dt")
    if dt is None:
        raise InputError(
            "from_nir: the graph does not say what a time step lasts; give dt in the unit of its time constants "
            "(snnTorch and SpikingJelly write with dt=1e-4)"
        )
    if not (dt > 0 and np.isfinite(dt)):
        raise InputError(f"from_nir: dt = {dt}: it must be positive")
    return float(dt)


def _the_one(found: Mapping[str, Any], what: str) -> str:
    if len(found) != 1:
        names = ", ".join(map(repr, found)) or "none"
        raise InputError(f"from_nir: the graph has {len(found)} {what}s ({names}); it must have one")
    return next(iter(found))


def _shape(node: nir.Input) -> tuple[int, ...] | None:
    """The features that an input says it has."""
    shape = node.input_type.get("input")
    return None if shape is None else tuple(int(n) for n in np.atleast_1d(shape))


def _dtype(nodes: Any) -> torch.dtype:
    weights = [torch.as_tensor(n.weight).dtype for n in nodes if hasattr(n, "weight")]
    weights = [dtype for dtype in weights if dtype.is_floating_point]
    return max(weights, key=lambda dtype: torch.finfo(dtype).bits, default=torch.get_default_dtype())


class _Maker:
    """Modules for nodes."""

    def __init__(self, dt: float, dtype: torch.dtype, surrogate: Surrogate) -> None:
        self.dt, self.dtype, self.surrogate = dt, dtype, surrogate

    def modules(self, name: str, node: Any) -> nn.ModuleList:
        """What is applied one after the other."""
        kind = type(node).__name__
        make: Callable[[Any], list[nn.Module]] | None = getattr(self, f"_{kind.lower()}", None)
        if make is None:
            raise InputError(f"from_nir: node {name!r} is a {kind}, which has no counterpart here")
        try:
            return nn.ModuleList(make(node))
        except InputError as error:
            raise InputError(f"from_nir: node {name!r}, a {kind}: {error}") from None

    def _input(self, node: Any) -> list[nn.Module]:
        return []

    _output = _input

    def _linear(self, node: Any) -> list[nn.Module]:
        weight, bias = self._number(node.weight), getattr(node, "bias", None)
        if weight.dim() != 2:
            raise InputError(f"its weight has shape {tuple(weight.shape)}; one of two axes is needed")
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
        return [_filled(layer, weight, None if bias is None else self._number(bias))]

    _affine = _linear

    def _conv1d(self, node: Any) -> list[nn.Module]:
        return self._convolution(node, nn.Conv1d, 1)

    def _conv2d(self, node: Any) -> list[nn.Module]:
        return self._convolution(node, nn.Conv2d, 2)

    def _convolution(
        self, node: Any, kind: type[nn.Conv1d] | type[nn.Conv2d], n_axes: int
    ) -> list[nn.Module]:
        weight, bias, groups = self._number(node.weight), self._number(node.bias), int(node.groups)
        padding = node.padding.decode() if isinstance(node.padding, bytes) else node.padding
        layer: Any = kind(
            weight.shape[1] * groups,
            weight.shape[0],
            tuple(weight.shape[2:]),
            _axes(node.stride, n_axes),
            padding if isinstance(padding, str) else _axes(padding, n_axes),
            _axes(node.dilation, n_axes),
            groups,
        )
        return [_filled(layer, weight, bias)]

    def _avgpool2d(self, node: Any) -> list[nn.Module]:
        return [nn.AvgPool2d(*(_axes(v, 2) for v in (node.kernel_size, node.stride, node.padding)))]

    def _sumpool2d(self, node: Any) -> list[nn.Module]:
        sizes = (_axes(v, 2) for v in (node.kernel_size, node.stride, node.padding))
        return [nn.AvgPool2d(*sizes, divisor_override=1)]

    def _flatten(self, node: Any) -> list[nn.Module]:
        start, end = (
            int(d) if d < 0 else int(d) + 1 for d in (node.start_dim, node.end_dim)
        )  # after the batch
        return [nn.Flatten(start, end)]

    def _scale(self, node: Any) -> list[nn.Module]:
        return [Scale(self._number(node.scale))]

    def _threshold(self, node: Any) -> list[nn.Module]:
        return [Threshold(self._at_least(node.threshold), self.surrogate)]

    def _delay(self, node: Any) -> list[nn.Module]:
        steps = np.asarray(node.delay, float) / self.dt
        if (steps < 0).any() or not np.allclose(steps, np.round(steps), atol=1e-3):
            raise InputError(f"its delay is no whole number of steps of dt = {self.dt:g}; choose another dt")
        return [Delay(torch.from_numpy(np.round(steps).astype(np.int64)))]

    def _if(self, node: Any) -> list[nn.Module]:
        gain = _double(node.r) * self.dt
        written = _written(node, lambda decay, gain: {"r": gain / self.dt})
        decay, gain = written or (torch.ones(()), gain)
        return [self._neuron(node, decay, gain, torch.zeros(()))]

    def _lif(self, node: Any) -> list[nn.Module]:
        rate = self._rate("tau", node.tau)
        written = _written(node, lambda decay, gain: {"tau": self.dt / (1 - decay), "r": gain / (1 - decay)})
        decay, gain = written or (1 - rate, rate * _double(node.r))
        return [self._neuron(node, decay, gain, rate * _double(node.v_leak))]

    def _cubalif(self, node: Any) -> list[nn.Module]:
        rate = self._rate("tau_mem", node.tau_mem)
        neuron = self._neuron(node, 1 - rate, rate * _double(node.r), rate * _double(node.v_leak))
        return [self._synapses(node), neuron]

    def _i(self, node: Any) -> list[nn.Module]:
        return [self._integrator(torch.ones(()), _double(node.r) * self.dt, torch.zeros(()))]

    def _li(self, node: Any) -> list[nn.Module]:
        rate = self._rate("tau", node.tau)
        return [self._integrator(1 - rate, rate * _double(node.r), rate * _double(node.v_leak))]

    def _cubali(self, node: Any) -> list[nn.Module]:
        rate = self._rate("tau_mem", node.tau_mem)
        membrane = self._integrator(1 - rate, rate * _double(node.r), rate * _double(node.v_leak))
        return [self._synapses(node), membrane]

    def _synapses(self, node: Any) -> Integrator:
        rate = self._rate("tau_syn", node.tau_syn)
        return self._integrator(1 - rate, rate * _double(node.w_in), torch.zeros(()))

    def _integrator(self, decay: Tensor, gain: Tensor, shift: Tensor) -> Integrator:
        return Integrator(*(_shrunk(p.to(self.dtype)) for p in (decay, gain, shift)))

    def _neuron(self, node: Any, decay: Tensor, gain: Tensor, shift: Tensor) -> ImportedLIF:
        decay, gain, shift = (_shrunk(p.to(self.dtype)) for p in (decay, gain, shift))
        threshold, reset = _shrunk(self._at_least(node.v_threshold)), _shrunk(self._number(node.v_reset))
        return ImportedLIF(decay, gain, shift, threshold, reset, self.surrogate)

    def _rate(self, name: str, tau: Any) -> Tensor:
        """A step as a share of τ, in float64."""
        rate = self.dt / _double(tau)
        if not ((rate > 0) & (rate <= 1)).all():
            smallest = float(np.min(tau))
            raise InputError(
                f"{name} = {smallest:g} is shorter than a step, dt = {self.dt:g}, which Euler's rule forbids; "
                "give a smaller dt, in the unit of the graph"
            )
        return rate

    def _number(self, value: Any) -> Tensor:
        return torch.as_tensor(value).detach().clone().to(self.dtype)

    def _at_least(self, threshold: Any) -> Tensor:
        """At or above what is returned is above `threshold`."""
        number = self._number(threshold)
        return torch.nextafter(number, torch.full_like(number, torch.inf))


def _written(
    node: Any, constants: Callable[[Tensor, Tensor], dict[str, Tensor]]
) -> tuple[Tensor, Tensor] | None:
    """Decay and gain as `to_nir` notes them beside the time constants, which round; None if these are others now."""
    if not {"decay", "gain"} <= node.metadata.keys():
        return None
    decay, gain = (torch.from_numpy(np.array(node.metadata[name])) for name in ("decay", "gain"))
    for name, value in constants(decay, gain).items():
        held = np.asarray(getattr(node, name))
        if not np.array_equal(np.broadcast_to(value.numpy(), held.shape), held):
            return None
    return decay, gain


def _double(value: Any) -> Tensor:
    return torch.as_tensor(value, dtype=torch.float64).detach()


def _filled(layer: Any, weight: Tensor, bias: Tensor | None) -> nn.Module:
    layer.weight = nn.Parameter(weight)
    if bias is not None:
        layer.bias = nn.Parameter(bias)
    return layer


def _axes(value: Any, n: int) -> tuple[int, ...]:
    return tuple(int(v) for v in np.broadcast_to(np.asarray(value), n))


def _shrunk(values: Tensor) -> Tensor:
    """`values` with one number along axes where all are the same; a scalar if that is all of them."""
    for axis in range(values.dim()):
        first = values.narrow(axis, 0, 1)
        if (values == first).all():
            values = first
    return values.reshape(()) if values.numel() == 1 else values.contiguous()

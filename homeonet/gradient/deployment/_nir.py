"""Export of a deployed network to NIR, the neuromorphic intermediate representation, as far as it has primitives.

How this package's neuron meets ``nir.LIF`` (``τ v' = (v_leak - v) + R I``, a spike where ``v > v_threshold``, then
``v = v_reset``), integrated by Euler's rule with a step of `dt`:

    v + dt/τ (R I - v) = λ v + g I     with τ = dt / (1 - λ) and R = g / (1 - λ)

λ = 1 is ``nir.IF`` with R = g / dt. Here a neuron fires at its threshold, there above it, so what is exported is the
next smaller number. NIR's reset is to a value: soft reset has no primitive. τ and R round, so λ and g stand beside them
in the node's metadata, where :func:`from_nir` finds them again.
"""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.deployment._deploy import deploy
from homeonet.gradient.deployment._deployed import FixedHDLIF, FixedLIF
from homeonet.gradient.deployment._packing import PackedConv1d, PackedConv2d, PackedLinear
from homeonet.gradient.networks._chain import Link, chain_of, is_container
from homeonet.gradient.neurons._neuron import SpikingNeuron
from homeonet.gradient.neurons._recurrent import RecurrentLIF
from homeonet.machine.optional import install_command

if TYPE_CHECKING:
    import nir

__all__ = ["nir_package", "to_nir"]

_WITHOUT_EFFECT = (nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d)


def nir_package(what: str) -> ModuleType:
    """The package nir, which `what` needs; InputError if it is missing."""
    try:
        import nir
    except ImportError as error:
        raise InputError(f"{what} needs the package nir: {install_command('nir')}") from error
    return nir


def to_nir(model: nn.Module, input_shape: tuple[int, ...], dt: float = 1.0) -> nir.NIRGraph:
    """The network as a NIR graph; save it with ``nir.write``.

    Parameters
    ----------
    model : Module
        A chain: ``nn.Sequential``, :class:`PerStep`, or a module with ``in_order = True``; its neurons may be
        :class:`RecurrentLIF`. It is deployed first (:func:`deploy`), unless it is.
    input_shape : tuple of int
        Shape of one time step of one sample, (features,) or (channels, height, width).
    dt : float
        What a time step lasts, in the unit that the graph's τ shall have; positive. Default 1.

    Returns
    -------
    nir.NIRGraph
        Layers that do nothing in inference are left out. Run with Euler's rule and a step of `dt`, layer after layer
        within a step, it reproduces the spikes; what recurrent weights bring are the spikes of the last step.

    Raises
    ------
    InputError
        If the package nir is missing, the model is not a chain, or a layer has no primitive: the message names it.

    References
    ----------
    Pedersen et al. 2024, Nature Communications 15, 8122 (NIR); written against nir 1.0.8.
    """
    nir = nir_package("to_nir")
    if not dt > 0:
        raise InputError(f"to_nir: dt = {dt}: it must be positive")
    deployed = deploy(model)
    if not is_container(deployed):
        raise InputError(
            f"to_nir: the model is a {type(model).__name__}, whose order of layers cannot be read; export a chain "
            "of nn.Sequential and PerStep, such as the part of the model that is one"
        )
    nodes: dict[str, Any] = {"input": nir.Input(np.array(input_shape))}
    back: dict[str, Any] = {}  # weights of what comes back, by the neuron's name
    shape = tuple(input_shape)
    for link in chain_of(deployed):
        name = _node_name(link.name)
        made, shape = _Exporter(nir, link, shape, dt).nodes()
        for suffix, node in made.items():
            nodes[name + suffix] = node
        if isinstance(link.module, RecurrentLIF):
            back[name] = nir.Linear(_array(link.module.recurrent.weight))
    nodes["output"] = nir.Output(np.array(shape))
    edges = list(pairwise(nodes))
    for name, weights in back.items():
        nodes[f"{name}_recurrent"] = weights
        edges += [(name, f"{name}_recurrent"), (f"{name}_recurrent", name)]
    graph = nir.NIRGraph(nodes, edges)
    graph.metadata = {"dt": float(dt), "integration": "euler"}
    return graph


def _node_name(name: str) -> str:
    """HDF5 and other readers take dots and slashes for paths."""
    return "layer_" + name.replace(".", "_")


class _Exporter:
    """The nodes of one layer, and the shape (without time and batch) of what comes out of it."""

    def __init__(self, nir: ModuleType, link: Link, shape: tuple[int, ...], dt: float) -> None:
        self.nir, self.link, self.shape, self.dt = nir, link, shape, dt

    def nodes(self) -> tuple[dict[str, Any], tuple[int, ...]]:
        """Nodes by what their names end in, and the shape after them."""
        layer = self.link.module
        if type(layer) in _WITHOUT_EFFECT:
            return {}, self.shape
        if isinstance(layer, SpikingNeuron):
            return self._neuron(layer), self.shape
        after = self._shape_after(layer)
        makers = {
            nn.Linear: self._linear,
            PackedLinear: self._linear,
            nn.Conv1d: self._convolution,
            nn.Conv2d: self._convolution,
            PackedConv1d: self._convolution,
            PackedConv2d: self._convolution,
            nn.AvgPool2d: self._pool,
            nn.AdaptiveAvgPool2d: self._adaptive_pool,
            nn.Flatten: self._flatten,
        }
        if type(layer) not in makers:
            self._refuse("NIR has no such primitive")
        return {"": makers[type(layer)](layer)}, after

    def _refuse(self, reason: str) -> None:
        raise InputError(
            f"to_nir: layer {self.link.name!r}, a {type(self.link.module).__name__}, cannot be exported: {reason}"
        )

    def _shape_after(self, layer: nn.Module) -> tuple[int, ...]:
        like = next((p for p in layer.parameters()), torch.zeros(()))
        before = (1,) if self.link.per_step else (1, 1)
        try:
            out = layer(torch.zeros(*before, *self.shape, dtype=like.dtype))
        except (RuntimeError, ValueError) as error:
            self._refuse(f"it does not take an input of shape {self.shape}; check input_shape ({error})")
        return tuple(out.shape[len(before) :])

    def _linear(self, layer: nn.Linear | PackedLinear) -> Any:
        if len(self.shape) != 1:
            self._refuse(
                f"its input has shape {self.shape}, but NIR's takes one axis; put an nn.Flatten before it"
            )
        if layer.bias is None:
            return self.nir.Linear(_array(layer.weight))
        return self.nir.Affine(_array(layer.weight), _array(layer.bias))

    def _convolution(self, layer: nn.Conv1d | nn.Conv2d | PackedConv1d | PackedConv2d) -> Any:
        weight = _array(_without_groups(layer.weight, layer.groups))
        if layer.padding_mode != "zeros":
            self._refuse(f"padding_mode = {layer.padding_mode!r}, but NIR pads with zeros")
        if len(set(weight.shape[2:])) > 1:
            self._refuse(
                f"kernel size {weight.shape[2:]}, but nir infers output shapes of square kernels alone"
            )
        bias = np.zeros(len(weight), weight.dtype) if layer.bias is None else _array(layer.bias)
        flat = weight.ndim == 3
        stride, dilation = (value[0] if flat else tuple(value) for value in (layer.stride, layer.dilation))
        padding = layer.padding
        if not isinstance(padding, str):
            padding = padding[0] if flat else tuple(padding)
        make, size = (self.nir.Conv1d, self.shape[1]) if flat else (self.nir.Conv2d, self.shape[1:])
        return make(size, weight, stride, padding, dilation, 1, bias)

    def _pool(self, layer: nn.AvgPool2d) -> Any:
        padding = np.array(_pair(layer.padding))
        if layer.ceil_mode or layer.divisor_override or (padding.any() and not layer.count_include_pad):
            self._refuse("ceil_mode, divisor_override and count_include_pad=False have no counterpart in NIR")
        return self.nir.AvgPool2d(np.array(_pair(layer.kernel_size)), np.array(_pair(layer.stride)), padding)

    def _adaptive_pool(self, layer: nn.AdaptiveAvgPool2d) -> Any:
        sizes = [n if m is None else m for n, m in zip(self.shape[1:], _pair(layer.output_size), strict=True)]
        kernel, rest = np.divmod(np.array(self.shape[1:]), np.array(sizes))
        if rest.any():
            self._refuse(f"its input, {self.shape[1:]}, is no multiple of its output, {tuple(sizes)}")
        return self.nir.AvgPool2d(kernel, kernel, np.zeros(2, int))

    def _flatten(self, layer: nn.Flatten) -> Any:
        # torch counts axes with batch (and time), NIR without
        leading = 1 if self.link.per_step else 2
        start = layer.start_dim - leading
        end = layer.end_dim if layer.end_dim < 0 else layer.end_dim - leading
        if layer.start_dim < leading or 0 <= layer.end_dim < leading:
            self._refuse(f"start_dim = {layer.start_dim} flattens time or batch; put it into PerStep")
        return self.nir.Flatten({"input": np.array(self.shape)}, start, end)

    def _neuron(self, neuron: SpikingNeuron) -> dict[str, Any]:
        if isinstance(neuron, FixedHDLIF):
            self._refuse("NIR has no neuron that emits what lies above its threshold (HD-LIF)")
        if not isinstance(neuron, FixedLIF | RecurrentLIF):
            self._refuse("NIR has neither DSN nor PSN nor other neurons than leaky integrate-and-fire")
        if not _resets_to_zero(neuron):
            self._refuse("soft reset has no primitive in NIR; train it with reset_mode='hard'")
        if isinstance(neuron, RecurrentLIF) and len(self.shape) != 1:
            self._refuse(
                f"its input has shape {self.shape}, but NIR's weights take one axis; put an nn.Flatten before it"
            )
        if neuron.mp_init and neuron.initial_membrane != 0:
            self._refuse(
                f"its membrane starts at {neuron.initial_membrane.item():.3g} (MP-Init), NIR's at 0; train it with "
                "mp_init=False"
            )
        like = torch.zeros(1, *self.shape, dtype=neuron.decay.dtype)
        decay, gain, threshold = (p.expand_as(like)[0] for p in _constants(neuron, like))
        # above the next smaller number is at or above the number
        below = torch.nextafter(threshold, torch.full_like(threshold, -torch.inf))
        zero = np.zeros(self.shape, _array(below).dtype)
        noted = {"decay": _array(decay), "gain": _array(gain)}
        if (decay == 1).all():
            node = self.nir.IF(_array(gain / self.dt), _array(below), zero, metadata=noted)
        elif (decay < 1).all():
            leak = 1 - decay
            tau, r = _array(self.dt / leak), _array(gain / leak)
            node = self.nir.LIF(tau, r, zero, _array(below), zero.copy(), metadata=noted)
        else:
            self._refuse("some of its channels decay and others do not")
        scaled = isinstance(neuron, FixedLIF) and neuron.scaled
        return {"": node, "_scale": self.nir.Scale(_array(threshold))} if scaled else {"": node}


def _resets_to_zero(neuron: FixedLIF | RecurrentLIF) -> bool:
    return neuron.hard if isinstance(neuron, FixedLIF) else neuron.reset_mode == "hard"


def _constants(neuron: FixedLIF | RecurrentLIF, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Decay, gain and threshold, broadcastable to `like`, shape (B, *)."""
    if isinstance(neuron, FixedLIF):
        return neuron._constants(like)
    return neuron.decay, neuron.gain, neuron.threshold * neuron.threshold_scale


def _without_groups(weight: Tensor, groups: int) -> Tensor:
    """The weights of the same convolution as one group, as nir infers the input's channels from one group's."""
    if groups == 1:
        return weight
    n_out, n_in = len(weight) // groups, weight.shape[1]
    dense = weight.new_zeros(len(weight), n_in * groups, *weight.shape[2:])
    for g in range(groups):
        out = slice(g * n_out, (g + 1) * n_out)
        dense[out, g * n_in : (g + 1) * n_in] = weight[out]
    return dense


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().contiguous().numpy().copy()


def _pair(value: Any) -> tuple[Any, Any]:
    return tuple(value) if isinstance(value, tuple | list) else (value, value)

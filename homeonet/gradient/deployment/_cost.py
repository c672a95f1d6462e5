"""What running a network costs: memory, operations, energy, in the papers' convention and in an honest one.

Papers' convention (HD-LIF, arXiv 2410.07547): memory is weights alone, 4 bytes each, one-bit ones at 2 bits and ternary
ones at 3, in 10⁶ bytes. A SOP is an addition, made where a non-zero input meets a non-zero weight; their monitor leaves
out the first convolution and the classifier (the linear layer that is called last), and so does ``paper_sops``.
A NOP is an operation of a neuron, 3 a time step, 1 if it is parallel HD-LIF. Energy is 0.9 pJ a SOP, divided by 8 where
spikes are quantised ("compressed").

Honest convention: all layers count, and memory is every byte that the deployed network stores. A SOP is an addition
only if inputs are spikes, of one value; inputs of k bits cost k additions (bit-serial), real-valued ones (images, HD-
LIF's spikes) a multiply-accumulate (MAC), whichever is cheaper; one-bit and ternary weights need additions, and one MAC
per output for their scale. Neurons, biases, pooling, attention and norms that could not be folded are counted. Energies
are those of 32-bit floating point in 45 nm: 0.9 pJ per addition, 4.6 pJ per MAC (Horowitz 2014), and for memory 5 pJ
per 32 bits from an 8 kB SRAM: a weight is read at each SOP, a membrane read and written at each step. Still missing:
sums across residual connections, larger memories, moving spikes, control.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, conv2d, conv3d, pad

from homeonet.errors import InputError
from homeonet.gradient.deployment._cost_table import CostTable, LayerCost
from homeonet.gradient.deployment._deploy import deploy, packed_bytes
from homeonet.gradient.deployment._deployed import FixedHDLIF, FixedLIF
from homeonet.gradient.deployment._nir_modules import Delay, Integrator, Loop
from homeonet.gradient.deployment._packing import PackedConv2d, PackedLinear
from homeonet.gradient.networks._attention import SECA
from homeonet.gradient.neurons._dsn import DSN
from homeonet.gradient.neurons._neuron import SpikingNeuron, spiking_neurons
from homeonet.gradient.neurons._psn import PSN, SlidingPSN

__all__ = ["cost"]

_CONVOLUTIONS = {3: conv1d, 4: conv2d, 5: conv3d}
_WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear, PackedConv2d, PackedLinear)
_POOLS = (nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm)
#: Levels up to which inputs are taken to be quantised.
_MOST_LEVELS = 255
#: Bits at which bit-serial additions cost as much as a MAC.
_MOST_BITS = 5


def cost(model: nn.Module, batch: Tensor, *, compressed: bool | None = None) -> CostTable:
    """Count what one sample of `batch` costs on average, by running the deployed network on it.

    Parameters
    ----------
    model : Module
        Trained or deployed; it is left as it is, a deployed copy runs.
    batch : Tensor, shape (T, B, *)
        What the network is given, typical of its use: operations depend on how much it fires.
    compressed : bool, optional
        Divide the papers' energy by 8. Default: whether all HD-LIF layers quantise their spikes.

    Returns
    -------
    CostTable

    Raises
    ------
    InputError
        If the batch is empty, the model has no spiking layer of this package, weights in a layer whose operations
        are not known, or a neuron or weighted layer that the forward pass does not call: the message names it.
    """
    if batch.dim() < 2 or batch.numel() == 0:
        raise InputError(
            f"cost: the batch has shape {tuple(batch.shape)}, but (T, B, *) with at least one step and sample is needed"
        )
    deployed = deploy(model)
    neurons = spiking_neurons(deployed)
    if not neurons:
        raise InputError(
            f"cost: {type(model).__name__} has no spiking layer of homeonet.gradient, so there is nothing to count"
        )
    originals = dict(model.named_modules())
    order = itertools.count()  # of first calls
    counters = {
        name: _Counter(name, module, originals.get(name, model), order, batch.shape[:2])
        for name, module in deployed.named_modules()
        if _has_a_row(name, module, originals.get(name))
    }
    with torch.no_grad():
        deployed(batch)
    _leave_out_ends(counters.values())
    silent = [
        c for c in counters.values() if isinstance(c.module, (SpikingNeuron, *_WEIGHTED)) and not c.calls
    ]
    if silent:
        raise InputError(
            f"cost: layer {silent[0].name!r}, a {silent[0].layer}, was never called as a module in the forward pass "
            f"({len(silent)} such), so its operations are not known; call it, layer(x), or remove it from the model"
        )
    hd_lif = [n for n in neurons if isinstance(n, FixedHDLIF) and not n.indicator]
    if compressed is None:
        compressed = bool(hd_lif) and all(n.spike_bits is not None for n in hd_lif)
    return CostTable(
        layers=tuple(counter.result(batch.shape[1]) for counter in counters.values()),
        parameters=sum(p.numel() for p in model.parameters()),
        stored_bytes=packed_bytes(deployed),
        compressed=compressed,
    )


def _has_a_row(name: str, module: nn.Module, original: nn.Module | None) -> bool:
    known = (SpikingNeuron, *_WEIGHTED, *_NORMS, *_POOLS, SECA, nn.Embedding)
    if isinstance(module, known):
        return not isinstance(module, Loop)  # what is in it has rows
    if any(p.dim() > 1 for p in module.parameters(recurse=False)):
        raise InputError(
            f"cost: layer {name!r}, a {type(module).__name__}, has weights whose operations are not known; "
            "convolutions and linear layers can be counted"
        )
    return isinstance(original, _NORMS)  # folded, yet its parameters were trained


class _Counter:
    """Counts one layer's work while the network runs."""

    def __init__(
        self,
        name: str,
        module: nn.Module,
        original: nn.Module,
        order: Iterator[int],
        steps_and_samples: torch.Size,
    ) -> None:
        self.name, self.module, self.order = name, module, order
        self.steps_and_samples = steps_and_samples
        self.layer = type(original).__name__
        fixed = isinstance(module, FixedLIF | FixedHDLIF)
        self.parameters = sum(p.numel() for p in original.parameters(recurse=fixed))
        self.outputs = self.fired = self.sops = self.nops = self.macs = self.additions = 0.0
        self.memory_bits = self.real_sops = self.dense_sops = 0.0
        self._spikes = not isinstance(module, Integrator | Delay)
        self._busy, self.calls, self.papers_count_it = False, 0, True
        self.first_call: int | None = None
        if isinstance(module, SpikingNeuron):
            self._watch(module)
        else:
            module.register_forward_hook(self._hook())

    def _hook(self) -> Callable[[nn.Module, tuple[Any, ...], Tensor], None]:
        kinds = (
            (_WEIGHTED, self._weighted),
            (_POOLS, self._pooled),
            (_NORMS, self._normalised),
            (SECA, self._attended),
        )
        count = next((count for kind, count in kinds if isinstance(self.module, kind)), None)

        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
            if self.first_call is None:
                self.first_call = next(self.order)
            self.calls += 1
            if count is not None:
                count(inputs[0], output)

        return hook

    def _watch(self, neuron: SpikingNeuron) -> None:
        """Count what comes out of a neuron, by whichever method it is run."""

        def watched(method: Callable[..., tuple[Tensor, Any]]) -> Callable[..., tuple[Tensor, Any]]:
            def run(x: Tensor, state: Any) -> tuple[Tensor, Any]:
                inside, self._busy = self._busy, True  # a sequence may be made of single steps
                out, state = method(x, state)
                self._busy = inside
                if not inside:
                    self._spiked(out)
                return out, state

            return run

        neuron.sequence, neuron.single_step = watched(neuron.sequence), watched(neuron.single_step)

    def _spiked(self, out: Tensor) -> None:
        self.calls += 1
        n, (macs, additions) = out.numel(), _neuron_operations(self.module)
        parallel = isinstance(self.module, FixedHDLIF) and self.module.parallel
        self.outputs += n
        self.fired += int(out.count_nonzero())
        self.nops += n * (1 if parallel else 3)
        self.macs += n * macs
        self.additions += n * additions
        if not (parallel or isinstance(self.module, PSN)):
            self.memory_bits += 2 * 32 * n

    def _weighted(self, x: Tensor, out: Tensor) -> None:
        sops, n_out, fan_out = 0.0, out.numel(), _fan_out(self.module)
        for x_t in self._steps(x):
            in_step = _synaptic_additions(self.module, x_t, fan_out)
            sops += in_step
            self.real_sops += 0 if _binary(x_t) else in_step
        everything = torch.ones((), device=x.device).expand_as(x)
        self.dense_sops += _synaptic_additions(self.module, everything, _fan_out(self.module, dense=True))
        packed = isinstance(self.module, PackedConv2d | PackedLinear)
        bits = 1 if packed else _input_bits(x)
        self.sops += sops
        if bits is None or bits > _MOST_BITS:
            self.macs += sops
        else:
            self.additions += bits * sops
        self.macs += n_out if packed else 0  # the scale
        self.additions += 0 if self.module.bias is None else n_out
        self.memory_bits += sops * _stored_bits(self.module)

    def _steps(self, x: Tensor) -> tuple[Tensor, ...]:
        """The inputs of each time step, where they can be told from the shape."""
        steps, samples = self.steps_and_samples
        if len(x) == steps * samples:
            return x.split(samples)
        return x.unbind() if x.shape[:2] == self.steps_and_samples else (x,)

    def _pooled(self, x: Tensor, out: Tensor) -> None:
        self.additions += int(x.count_nonzero())

    def _normalised(self, x: Tensor, out: Tensor) -> None:
        self.macs += out.numel()

    def _attended(self, x: Tensor, out: Tensor) -> None:
        self.additions += x.numel()
        self.macs += x.numel()

    def result(self, samples: int) -> LayerCost:
        """The row of the table, a sample."""
        own = (*self.module.parameters(recurse=False), *self.module.buffers(recurse=False))
        weights = self.module.weight.numel() if isinstance(self.module, _WEIGHTED) else 0
        return LayerCost(
            name=self.name,
            layer=self.layer,
            parameters=self.parameters,
            billed_bits=weights * getattr(self.module, "billed_bits", 32),
            stored_bytes=sum(tensor.nbytes for tensor in own),
            rate=self.fired / self.outputs if self.outputs and self._spikes else None,
            outputs=self.outputs / samples,
            sops=self.sops / samples,
            paper_sops=self.sops / samples if self.papers_count_it else 0.0,
            nops=self.nops / samples,
            macs=self.macs / samples,
            additions=self.additions / samples,
            memory_bits=self.memory_bits / samples,
            weights=weights,
            zero_weights=weights - int(self.module.weight.count_nonzero()) if weights else 0,
            real_sops=self.real_sops / samples,
            dense_sops=self.dense_sops / samples,
        )


def _leave_out_ends(counters: Iterable[_Counter]) -> None:
    """Mark the first convolution and the classifier, whose SOPs the papers leave out."""
    called = [c for c in counters if isinstance(c.module, _WEIGHTED) and c.calls]
    called.sort(key=lambda counter: counter.first_call)
    convolutions = [c for c in called if c.module.weight.dim() > 2]
    for counter in (*convolutions[:1], *called[-1:]):
        if counter in convolutions[:1] or counter.module.weight.dim() == 2:
            counter.papers_count_it = False


def _stored_bits(layer: nn.Module) -> int:
    return getattr(layer, "stored_bits", 0) or 8 * layer.weight.element_size()


def _neuron_operations(neuron: SpikingNeuron) -> tuple[int, int]:
    """MACs and additions (comparisons included) a neuron and time step."""
    if isinstance(neuron, FixedHDLIF):
        if neuron.parallel:
            return 0, 1
        return (1 if neuron.gain is None else 2), 2
    if isinstance(neuron, FixedLIF):
        return (1 if (neuron.gain == 1).all() else 2), 2
    if isinstance(neuron, PSN):
        return neuron.steps, 1
    if isinstance(neuron, SlidingPSN):
        return neuron.kernel, 1
    if isinstance(neuron, DSN):
        seen = neuron.kernel if neuron.decay == "dynamic" else 0
        return seen + 2, 1  # filter and two products; the decay's nonlinearity is taken as a table
    return 1, 2


def _binary(x: Tensor) -> bool:
    """Whether all inputs are 0, 1 or -1."""
    return bool(((x == 0) | (x.abs() == 1)).all())


def _fan_out(layer: nn.Module, *, dense: bool = False) -> Tensor:
    """Non-zero weights, or all, at each input of a linear layer, or place of each input channel's kernel."""
    weight = layer.weight
    if dense:
        shape = weight.shape[1:] if weight.dim() == 2 else (layer.groups, *weight.shape[1:])
        groups = 1 if weight.dim() == 2 else layer.groups
        return torch.full(shape, len(weight) / groups, dtype=torch.float64, device=weight.device)
    used = weight != 0
    if weight.dim() == 2:
        return used.sum(0).double()
    return used.view(layer.groups, -1, *used.shape[1:]).sum(1, dtype=torch.float64)


def _synaptic_additions(layer: nn.Module, x: Tensor, fan_out: Tensor) -> float:
    """How often a non-zero input meets one of the weights that `fan_out` counts."""
    active = x != 0
    if fan_out.dim() == 1:
        return float(active.flatten(0, -2).sum(0).double() @ fan_out)
    padding = layer.padding
    if layer.padding_mode != "zeros":
        edges = layer.edges if isinstance(layer, PackedConv2d) else layer._reversed_padding_repeated_twice
        active, padding = pad(active.double(), edges, layer.padding_mode), 0
    # a convolution is linear, so samples and output channels can be summed before it
    inputs = active.sum(0, keepdim=True, dtype=torch.float64)
    convolve = _CONVOLUTIONS[fan_out.dim()]
    return float(convolve(inputs, fan_out, None, layer.stride, padding, layer.dilation, layer.groups).sum())


def _input_bits(x: Tensor) -> int | None:
    """1 for spikes of one value, k for few equidistant levels, None for real values: read from `x` itself."""
    sizes = x.abs().float().unique()
    sizes = sizes[sizes > 0]
    if not len(sizes):
        return 1
    sizes = sizes / sizes[-1]
    gaps = sizes.diff(prepend=sizes.new_zeros(1))
    gaps = gaps[gaps > 1e-4]  # below: rounding of one level
    if not len(gaps):
        return None
    top = round(1 / float(gaps.min()))
    off_grid = (sizes * top - (sizes * top).round()).abs()
    if top > _MOST_LEVELS or off_grid.max() > 0.05:
        return None
    return top.bit_length() + int((x < 0).any())

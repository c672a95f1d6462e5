"""What a graph that comes from NIR is made of: its neurons, integrators and delays as layers, and the whole network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add
from typing import Any

import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.deployment._nir_wiring import Wiring
from homeonet.gradient.kernels._membrane import ResetRule, integrate_and_reset
from homeonet.gradient.kernels._surrogate import Surrogate, heaviside
from homeonet.gradient.neurons._neuron import MembraneNeuron, SpikingNeuron

__all__ = ["Delay", "ImportedLIF", "Integrator", "Loop", "NIRNetwork", "Scale", "Threshold"]


class ImportedLIF(MembraneNeuron):
    """``nir.LIF`` or ``nir.IF`` by Euler's rule: ``m = λ u + g x + c``, a spike where ``m >= θ``, then ``u = v_reset``.

    Parameters
    ----------
    decay, gain, shift, threshold, v_reset : Tensor
        λ, g, c, θ and the value after a spike; scalars, or broadcastable to one sample's features.
    surrogate : Surrogate
        Read at ``m - θ``.
    """

    def __init__(
        self,
        decay: Tensor,
        gain: Tensor,
        shift: Tensor,
        threshold: Tensor,
        v_reset: Tensor,
        surrogate: Surrogate,
    ) -> None:
        super().__init__()
        self.surrogate = surrogate
        for name, value in (("decay", decay), ("gain", gain), ("threshold", threshold)):
            self.register_buffer(name, value)
        self.register_buffer("shift", shift if shift.any() else None)
        self.register_buffer("v_reset", v_reset if v_reset.any() else None)

    def sequence(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        if self.shift is not None or self.v_reset is not None:
            return super().sequence(x, state)
        initial = self.initial(x.detach()[0]) if state is None else state
        rule = ResetRule(self.surrogate, "as", True, False, self.through_time)
        return integrate_and_reset(
            x, initial, self.decay, self.gain, self.scaled_threshold(self.threshold), rule
        )

    def single_step(self, x_t: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        u = self.initial(x_t) if state is None else state
        if not self.through_time:
            u = u.detach()
        m = self.decay * u + self.gain * x_t
        if self.shift is not None:
            m = m + self.shift
        spikes = heaviside(m - self.scaled_threshold(self.threshold), self.surrogate)
        u = m * (1 - spikes)
        return spikes, u if self.v_reset is None else u + self.v_reset * spikes


class Integrator(SpikingNeuron):
    """``v_t = λ v_{t-1} + g x_t + c``, which is the output: ``nir.LI``, ``nir.I``, and the synapses of ``nir.CubaLIF``.

    Parameters
    ----------
    decay, gain, shift : Tensor
        λ, g and c; scalars, or broadcastable to one sample's features.
    """

    under_homeostasis = False

    def __init__(self, decay: Tensor, gain: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.register_buffer("decay", decay)
        self.register_buffer("gain", gain)
        self.register_buffer("shift", shift)

    def single_step(self, x_t: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        drive = self.gain * x_t + self.shift
        v = drive if state is None else self.decay * (state if self.through_time else state.detach()) + drive
        return v, v


class Delay(SpikingNeuron):
    """``nir.Delay``: what came some steps ago, zeros before that.

    Parameters
    ----------
    steps : Tensor of int
        At least 0; a scalar, or broadcastable to one sample's features.
    """

    under_homeostasis = False

    def __init__(self, steps: Tensor) -> None:
        super().__init__()
        self.register_buffer("delay", steps)
        self._longest = int(steps.max())

    def single_step(self, x_t: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        past = x_t.new_zeros(self._longest, *x_t.shape) if state is None else state
        past = torch.cat((x_t[None], past))  # newest first
        return past.gather(0, self.delay.expand_as(x_t)[None])[0], past[: self._longest]


class Scale(nn.Module):
    """``nir.Scale``: a factor for each feature."""

    def __init__(self, scale: Tensor) -> None:
        super().__init__()
        self.scale = nn.Parameter(scale)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


class Threshold(nn.Module):
    """``nir.Threshold``: 1 where the input is at least `threshold`, without a state."""

    def __init__(self, threshold: Tensor, surrogate: Surrogate) -> None:
        super().__init__()
        self.surrogate = surrogate
        self.register_buffer("threshold", threshold)

    def forward(self, x: Tensor) -> Tensor:
        return heaviside(x - self.threshold, self.surrogate)


class Loop(SpikingNeuron):
    """Nodes that are connected in circles, computed step by step; for streaming it is one layer with one state.

    Parameters
    ----------
    nodes : mapping of str to list of Module
        What is applied one after the other in each node; in the order of evaluation.
    wiring : Wiring
        Of the whole graph.
    outputs : list of str
        Nodes whose output is needed outside.
    """

    under_homeostasis = False

    def __init__(self, nodes: Mapping[str, nn.ModuleList], wiring: Wiring, outputs: list[str]) -> None:
        super().__init__()
        self.nodes = nn.ModuleDict({_key(name): modules for name, modules in nodes.items()})
        for module in self.nodes.modules():
            if isinstance(module, SpikingNeuron):
                module.under_homeostasis = False  # its steps are taken here, not by calling it
        self._inside = {n: [a for a in wiring.inputs[n] if a in nodes] for n in nodes}
        self.entries = [n for n in nodes if any(a not in nodes for a in wiring.inputs[n])]
        self.outputs = outputs
        self._late = {edge for edge in wiring.late if edge[0] in nodes and edge[1] in nodes}
        self._kept = sorted({source for source, _ in self._late})
        self._features: list[torch.Size] = []

    def run(self, inputs: list[Tensor]) -> list[Tensor]:
        """The outputs, shape (T, B, *) each, for the sums of what comes to each entry from outside."""
        self._features = [x.shape[2:] for x in inputs]
        out = self(torch.cat([x.flatten(2) for x in inputs], 2))
        sizes = [shape.numel() for shape in self._shapes_out]
        pieces = out.split(sizes, 2)
        return [piece.unflatten(2, shape) for piece, shape in zip(pieces, self._shapes_out, strict=True)]

    def single_step(self, x_t: Tensor, state: Any) -> tuple[Tensor, Any]:
        pieces = x_t.split([shape.numel() for shape in self._features], 1)
        from_outside = {
            name: piece.unflatten(1, shape)
            for name, piece, shape in zip(self.entries, pieces, self._features, strict=True)
        }
        last, states = (self._silence(from_outside), {}) if state is None else state
        now: dict[str, Tensor] = {}
        after: dict[str, list[Any]] = {}
        for name, sources in self._inside.items():
            given = [from_outside[name]] if name in from_outside else []
            given += [last[a] if (a, name) in self._late else now[a] for a in sources]
            now[name], after[name] = self._node(name, reduce(add, given), states.get(name))
        kept = {name: now[name] if self.through_time else now[name].detach() for name in self._kept}
        outputs = [now[name] for name in self.outputs]
        self._shapes_out = [out.shape[1:] for out in outputs]
        return torch.cat([out.flatten(1) for out in outputs], 1), (kept, after)

    def _node(self, name: str, x_t: Tensor, states: list[Any] | None) -> tuple[Tensor, list[Any]]:
        after: list[Any] = []
        for i, module in enumerate(self._modules_of(name)):
            if isinstance(module, SpikingNeuron):
                x_t, state = module.single_step(x_t, None if states is None else states[i])
                after.append(state)
            else:
                x_t = module(x_t)
                after.append(None)
        return x_t, after

    def _modules_of(self, name: str) -> Iterable[nn.Module]:
        modules: Any = self.nodes[_key(name)]
        return modules

    @torch.no_grad()
    def _silence(self, from_outside: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Zeros of the shapes that nodes have, found by going round until all are known."""
        found: dict[str, Tensor] = {}
        while not found.keys() >= set(self._kept):
            before = len(found)
            for name, sources in self._inside.items():
                given = [from_outside[name]] if name in from_outside else []
                given += [found[a] for a in sources if a in found]
                if given and name not in found:
                    out = torch.zeros_like(given[0])
                    for module in self._modules_of(name):
                        # past the hooks of whoever counts; what has a state keeps the shape
                        out = out if isinstance(module, SpikingNeuron) else module.forward(out)
                    found[name] = out
            if len(found) == before:
                raise InputError(f"from_nir: the loop of {', '.join(self._inside)} has no input")
        return {name: torch.zeros_like(found[name]) for name in self._kept}


class NIRNetwork(nn.Module):
    """A graph of NIR as a torch module, made by :func:`homeonet.gradient.from_nir`.

    Whatever has no loop runs layer by layer over the whole sequence, loops run step by step. It may be streamed and
    trained; homeostasis acts on the neurons outside loops alone.

    Attributes
    ----------
    nodes : ModuleDict
        The nodes outside loops, by their names in the graph (dots replaced by underscores).
    loops : ModuleList
        The loops, in the order of evaluation.
    late : list of (str, str)
        The connections that bring the last step's output.
    features : tuple of int or None
        The shape of one sample of a step, where the graph says it.
    dt : float
        What a step lasts, in the unit of the graph's time constants.
    """

    def __init__(
        self,
        nodes: Mapping[str, nn.ModuleList],
        wiring: Wiring,
        ends: tuple[str, str],
        features: tuple[int, ...] | None,
        dt: float,
    ) -> None:
        super().__init__()
        self._wiring, self._ends, self.features, self.dt = wiring, ends, features, dt
        self.late = sorted(wiring.late)
        loops = [part for part in wiring.parts if wiring.is_loop(part)]
        inside = {name for part in loops for name in part}
        self.nodes = nn.ModuleDict({_key(n): modules for n, modules in nodes.items() if n not in inside})
        self.loops = nn.ModuleList(
            Loop({n: nodes[n] for n in part}, wiring, _seen_outside(part, wiring)) for part in loops
        )

    def forward(self, x: Tensor) -> Tensor:
        """Outputs ``(T, B, *)`` for inputs ``(T, B, *)``."""
        fits = x.dim() > 2 and self.features in (None, tuple(x.shape[2:]))
        if not fits:
            features = "*features" if self.features is None else ", ".join(map(str, self.features))
            raise InputError(
                f"NIRNetwork: the input has shape {tuple(x.shape)}, but (T, B, {features}) is needed"
            )
        values: dict[str, Tensor] = {}
        loops = iter(self.loops)
        for part in self._wiring.parts:
            if self._wiring.is_loop(part):
                loop = next(loops)
                given = [self._sum(n, values) for n in loop.entries]
                values |= zip(loop.outputs, loop.run(given), strict=True)
            else:
                (name,) = part
                value = x if name == self._ends[0] else self._sum(name, values)
                modules: Any = self.nodes[_key(name)]
                for module in modules:
                    value = module(value) if isinstance(module, SpikingNeuron) else _per_step(module, value)
                values[name] = value
        return values[self._ends[1]]

    def _sum(self, name: str, values: Mapping[str, Tensor]) -> Tensor:
        return reduce(add, [values[a] for a in self._wiring.inputs[name] if a in values])


def _seen_outside(part: list[str], wiring: Wiring) -> list[str]:
    seen: Iterable[str] = (a for n, sources in wiring.inputs.items() if n not in part for a in sources)
    needed = set(seen)
    return [name for name in part if name in needed]


def _per_step(module: nn.Module, x: Tensor) -> Tensor:
    return module(x.flatten(0, 1)).unflatten(0, x.shape[:2])


def _key(name: str) -> str:
    """A name that a ModuleDict takes: no dots, and none of its own attributes."""
    key = name.replace(".", "_")
    return key + "_" if hasattr(nn.ModuleDict, key) else key

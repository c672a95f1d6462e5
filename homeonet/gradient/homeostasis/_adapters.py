"""The spiking layers of a model, seen alike whichever library they come from: this one, snnTorch or SpikingJelly.

Neither of the other two is ever imported here: a model that holds their layers has loaded them.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.neurons._dsn import DSN
from homeonet.gradient.neurons._lif import LIF
from homeonet.gradient.neurons._neuron import MembraneNeuron, SpikingNeuron
from homeonet.gradient.neurons._psn import PSN, SlidingPSN

__all__ = ["ForeignLayer", "SnnTorchLayer", "SpikingJellyLayer", "SpikingLayer", "spiking_layers"]


class SpikingLayer:
    """A spiking layer of this package, and what the adapters to the other libraries' layers replace.

    Parameters
    ----------
    neuron : Module
    name : str
        Its name in the model.

    Attributes
    ----------
    sequence : bool
        Whether one call takes a whole sequence, (T, B, *), or one step, (B, *).
    fixed_length : bool
        Whether the layer's constants belong to a number of steps that it cannot go beyond.
    has_membrane : bool
        Whether there is a membrane whose start can be set.
    """

    sequence = True

    def __init__(self, neuron: nn.Module, name: str) -> None:
        self.neuron, self.name = neuron, name

    @property
    def fixed_length(self) -> bool:
        return hasattr(self.neuron, "steps")

    @property
    def has_membrane(self) -> bool:
        return isinstance(self.neuron, MembraneNeuron) and getattr(self.neuron, "variant", "") != "parallel"

    @property
    def emits_ones(self) -> bool:
        """Whether all spikes are known to be 1, so that their sum is their number."""
        return type(self.neuron) in (LIF, PSN, SlidingPSN) or (
            type(self.neuron) is DSN and self.neuron.levels == 1
        )

    @property
    def threshold(self) -> Tensor | float | None:
        """The threshold without homeostasis; None where it is not a number of its own."""
        return getattr(self.neuron, "threshold", None)

    def spikes(self, output: Any) -> Tensor:
        """The spikes in what a call gave, (T, B, *) or (B, *)."""
        return output

    def spikes_in_time(self, output: Any) -> Tensor:
        """The spikes in what a call gave, (T, B, *)."""
        spikes = self.spikes(output)
        return spikes if self.sequence else spikes[None]

    def rest(self) -> None:
        """Go to rest, as before the first step; held tensors are let go, not written to."""
        self.neuron._state = self.neuron._spiked = None

    def __str__(self) -> str:
        return f"{self.name or 'the model itself'} ({type(self.neuron).__name__})"


class ForeignLayer(SpikingLayer):
    """A layer of another library; one call is a step, the membrane an attribute.

    Attributes
    ----------
    threshold_attribute : str
        What the threshold is called.
    threshold_is_number : bool
        Whether it must be a Python number, so one per layer.
    """

    sequence = fixed_length = threshold_is_number = emits_ones = False
    threshold_attribute = "threshold"

    @property
    def rest_potential(self) -> float:
        """The membrane potential at rest."""
        return 0.0

    def begins(self, args: tuple, kwargs: dict[str, Any]) -> bool:
        """Whether the call about to be made with these arguments is the first of a sequence."""
        raise NotImplementedError

    def with_membrane(
        self, args: tuple, kwargs: dict[str, Any], value: Tensor
    ) -> tuple[tuple, dict[str, Any]]:
        """Let the call about to be made start at membrane `value`, shape (); the arguments for it."""
        raise NotImplementedError

    def membrane_after_call(self, spikes: Tensor, threshold: Tensor | float) -> Tensor:
        """The membrane after the call that gave `spikes`, reset where they are, shape (B, *), detached."""
        raise NotImplementedError


class SnnTorchLayer(ForeignLayer):
    """A layer of snnTorch's Leaky family. Calls give the spikes, alone or first in a tuple."""

    def __init__(self, neuron: nn.Module, name: str) -> None:
        super().__init__(neuron, name)
        snntorch = sys.modules["snntorch"]
        if isinstance(neuron, snntorch.DeltaLeaky | snntorch.AssociativeLeaky):
            raise InputError(
                f"model: {self} has no threshold on a membrane for homeostasis to act on; use snntorch.Leaky"
            )
        self.sequence = isinstance(neuron, snntorch.StateLeaky | snntorch.LeakyParallel)
        if isinstance(neuron, snntorch.StateLeaky) and not neuron.output:
            raise InputError(f"model: {self} gives membranes, not spikes; make it with output=True")
        # Position of the membrane among the arguments of forward.
        names = neuron.forward.__code__.co_varnames[1 : neuron.forward.__code__.co_argcount]
        self._position = names.index("mem") if "mem" in names else None
        self._is_lif = isinstance(neuron, snntorch.LIF)
        # its membrane is computed anew from its two currents, so a start would be lost
        self._is_alpha = isinstance(neuron, snntorch.Alpha)
        self._last: Tensor | None = None

    @property
    def has_membrane(self) -> bool:
        return self._is_lif and not self._is_alpha and self._position is not None

    def spikes(self, output: Any) -> Tensor:
        return output[0] if isinstance(output, tuple) else output

    def rest(self) -> None:
        buffers = self.neuron._buffers
        for name in self.neuron._non_persistent_buffers_set:
            if buffers[name] is not None:
                buffers[name] = buffers[name].detach().new_zeros(0)  # as snnTorch makes them

    def begins(self, args: tuple, kwargs: dict[str, Any]) -> bool:
        held = self._given(args, kwargs)
        held = self.neuron.mem if held is None else held
        if held is self._last:
            return False
        # A loop that detaches its membranes hands over another tensor, but hardly one of zeros.
        return held.shape != args[0].shape or not held.detach().any()

    def with_membrane(
        self, args: tuple, kwargs: dict[str, Any], value: Tensor
    ) -> tuple[tuple, dict[str, Any]]:
        membrane = torch.zeros_like(args[0]) + value
        if self._given(args, kwargs) is None:
            self.neuron.mem = membrane
        elif "mem" in kwargs:
            kwargs = kwargs | {"mem": membrane}
        else:
            args = (*args[: self._position], membrane, *args[self._position + 1 :])
        return args, kwargs

    def membrane_after_call(self, spikes: Tensor, threshold: Tensor | float) -> Tensor:
        self._last = self.neuron.mem
        membrane = self._last.detach()
        if getattr(self.neuron, "reset_delay", True):  # the reset comes with the next step
            if self.neuron.reset_mechanism == "subtract":
                return membrane - threshold * (spikes != 0)
            if self.neuron.reset_mechanism == "zero":
                return membrane * (spikes == 0)
        return membrane

    def _given(self, args: tuple, kwargs: dict[str, Any]) -> Tensor | None:
        return args[self._position] if len(args) > self._position else kwargs.get("mem")

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_last": None}  # part of a graph, which cannot be copied


class SpikingJellyLayer(ForeignLayer):
    """A layer of SpikingJelly's ``BaseNode`` family, in either step mode."""

    threshold_attribute, threshold_is_number = "v_threshold", True

    @property
    def sequence(self) -> bool:
        return self.neuron.step_mode == "m"

    @property
    def has_membrane(self) -> bool:
        return "v" in self.neuron._memories

    @property
    def threshold(self) -> float:
        return self.neuron.v_threshold

    @property
    def rest_potential(self) -> float:
        return self.neuron.v_reset or 0.0

    def rest(self) -> None:
        self.neuron._memories.update(self.neuron._memories_rv)
        self.neuron.v_seq = None

    def begins(self, args: tuple, kwargs: dict[str, Any]) -> bool:
        return not isinstance(self.neuron.v, Tensor) or self.neuron.v.shape != self._step(args).shape

    def with_membrane(
        self, args: tuple, kwargs: dict[str, Any], value: Tensor
    ) -> tuple[tuple, dict[str, Any]]:
        self.neuron.v = torch.zeros_like(self._step(args)) + value
        return args, kwargs

    def membrane_after_call(self, spikes: Tensor, threshold: Tensor | float) -> Tensor:
        return self.neuron.v.detach()

    def _step(self, args: tuple) -> Tensor:
        return args[0][0] if self.sequence else args[0]


def spiking_layers(model: nn.Module) -> list[SpikingLayer]:
    """The spiking layers of `model`, each once, in the order of registration.

    Parameters
    ----------
    model : Module

    Returns
    -------
    list of SpikingLayer
        This package's :class:`SpikingNeuron`, snnTorch's Leaky family and SpikingJelly's ``BaseNode`` family; not those
        with ``under_homeostasis = False``, which have a state but no spikes, or are not called as layers.

    Raises
    ------
    InputError
        If there are none, one has a threshold that is not positive, or is a parallel neuron of SpikingJelly.
    """
    kinds: list[tuple[tuple[type, ...], type[SpikingLayer]]] = [((SpikingNeuron,), SpikingLayer)]
    if snntorch := sys.modules.get("snntorch"):
        kinds.append(((snntorch.SpikingNeuron, snntorch.LeakyParallel), SnnTorchLayer))
    if jelly := sys.modules.get("spikingjelly.activation_based.neuron"):
        kinds.append(((jelly.BaseNode, jelly.SimpleBaseNode), SpikingJellyLayer))
        for name, module in model.named_modules():
            if isinstance(module, jelly.PSN | jelly.MaskedPSN | jelly.SlidingPSN):
                kind = type(module).__name__
                raise InputError(
                    f"model: {name or 'it'} ({kind} of SpikingJelly) has a bias in place of a threshold to scale; use "
                    f"homeonet.gradient.{'PSN' if kind == 'PSN' else 'SlidingPSN'}, which takes its weights"
                )
    layers = [
        adapter(module, name)
        for name, module in model.named_modules()
        for classes, adapter in kinds
        if isinstance(module, classes) and getattr(module, "under_homeostasis", True)
    ]
    if not layers:
        raise InputError(
            f"model: {type(model).__name__} has no spiking layer; homeostasis needs one of homeonet.gradient, snntorch "
            "(Leaky and its like) or spikingjelly (BaseNode and its like)"
        )
    for layer in layers:
        if layer.threshold is not None and not bool((torch.as_tensor(layer.threshold) > 0).all()):
            raise InputError(
                f"model: {layer} has the threshold {layer.threshold}: it must be positive to be scaled; 1 is usual"
            )
    return layers

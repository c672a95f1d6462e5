"""Runs a model on the side: in evaluation mode, from rest, watched, and afterwards as if it had not been run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.homeostasis._adapters import SpikingLayer
from homeonet.gradient.networks._chain import chain_of, is_container
from homeonet.gradient.neurons._neuron import Stream

__all__ = ["Pathway", "Replay", "linear_layers", "may_lie_between"]

#: A linear layer and the spiking layer it feeds, by its index.
Pathway = tuple[nn.Linear, int]


class Replay:
    """``with Replay(model, layers) as replay: replay.forward(args, kwargs)``, as often as wished.

    Within the block the model is in evaluation mode, and states of neurons go on from one forward pass to the next,
    unless a layer's constants belong to a fixed number of steps. At the end every module has its mode, its buffers
    and its attributes back, and random numbers go on as if nothing had been drawn.

    Parameters
    ----------
    model : Module
    layers : list of SpikingLayer
    noise : callable, optional
        Added to the input current of every spiking layer: ``noise(x)`` of the shape of `x`.

    Attributes
    ----------
    spikes : dict of int to Tensor, shape (T, B, *)
        What each layer emitted in the last forward pass, 1 for whatever is not zero.
    inputs : dict of Pathway to Tensor, shape (T, B, in)
        What each linear layer that feeds a spiking layer was given, 1 for whatever is not zero. A layer's recurrent
        weights have no entry: their input is what the layer emitted a step before.
    """

    def __init__(
        self, model: nn.Module, layers: list[SpikingLayer], noise: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        self._model, self._layers, self._noise = model, layers, noise
        self._linears = linear_layers(model, layers)
        self._calls: dict[int, list[Tensor]] = {}
        self._fed: dict[Pathway, list[Tensor]] = {}
        self._last_linear: tuple[nn.Linear, Tensor] | None = None
        self._after_spikes: dict[nn.Linear, bool] = {}
        self.spikes: dict[int, Tensor] = {}
        self.inputs: dict[Pathway, Tensor] = {}

    @property
    def n_steps(self) -> int:
        """Time steps of the last forward pass."""
        return min(len(spikes) for spikes in self.spikes.values())

    @property
    def between(self) -> list[Pathway]:
        """Pathways from a spiking layer: the linear layer is called after one."""
        return [pathway for pathway in self.inputs if self._after_spikes[pathway[0]]]

    @property
    def recurrent(self) -> list[Pathway]:
        """Layers' weights onto themselves."""
        found = [(getattr(layer.neuron, "recurrent", None), i) for i, layer in enumerate(self._layers)]
        return [(linear, i) for linear, i in found if isinstance(linear, nn.Linear) and i in self.spikes]

    def __enter__(self) -> Self:
        self._held = [_held(module) for module in self._model.modules()]
        self._model.eval()
        self._go_on = not any(layer.fixed_length for layer in self._layers)
        self._rest()
        self._handles = [linear.register_forward_hook(self._see_linear) for linear in self._linears]
        for index, layer in enumerate(self._layers):
            if self._noise is not None:
                self._handles.append(
                    layer.neuron.register_forward_pre_hook(self._add_noise, with_kwargs=True)
                )
            self._handles.append(layer.neuron.register_forward_hook(partial(self._see_spikes, index)))
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()
        for module, *held in self._held:
            for values, now in zip(held, _parts(module), strict=True):
                now.clear()
                now.update(values)

    @torch.no_grad()
    def forward(self, args: tuple, kwargs: dict[str, Any]) -> None:
        """Run the model once, and take down what was emitted."""
        self._calls, self._fed, self._last_linear, self._after_spikes = {}, {}, None, {}
        if not self._go_on:
            self._rest()
        device = next((p.device for p in self._model.parameters()), torch.device("cpu"))
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            self._model(*args, **kwargs)
        if not self._calls:
            raise InputError(
                "model: its forward pass calls no spiking layer; call them as modules, neuron(x), not by step()"
            )
        self.spikes = {index: torch.cat(calls) for index, calls in self._calls.items()}
        self.inputs = {pathway: torch.cat(fed) for pathway, fed in self._fed.items()}

    def _rest(self) -> None:
        for layer in self._layers:
            layer.rest()
            if "_streaming" in layer.neuron.__dict__:
                layer.neuron._streaming = Stream() if self._go_on else None

    def _add_noise(
        self, neuron: nn.Module, args: tuple, kwargs: dict[str, Any]
    ) -> tuple[tuple, dict[str, Any]]:
        if args:
            return (args[0] + self._noise(args[0]), *args[1:]), kwargs
        name = next(iter(kwargs))
        return args, kwargs | {name: kwargs[name] + self._noise(kwargs[name])}

    def _see_linear(self, linear: nn.Linear, args: tuple, output: Tensor) -> None:
        self._last_linear = (linear, args[0])
        # the first call counts: a loop over time comes back to the first layer
        self._after_spikes.setdefault(linear, bool(self._calls))

    def _see_spikes(self, index: int, neuron: nn.Module, args: tuple, output: Any) -> None:
        spikes = _binary(self._layers[index].spikes_in_time(output))
        self._calls.setdefault(index, []).append(spikes)
        linear_call, self._last_linear = self._last_linear, None
        if linear_call is None:
            return
        linear, x = linear_call
        same_units = linear.out_features == spikes.shape[-1]
        if same_units and x.numel() // linear.in_features == spikes.numel() // linear.out_features:
            x = _binary(x).reshape(*spikes.shape[:-1], linear.in_features)
            self._fed.setdefault((linear, index), []).append(x)


def linear_layers(model: nn.Module, layers: list[SpikingLayer]) -> list[nn.Linear]:
    """The linear layers of `model` between spiking layers; those that are a part of one are left out."""
    inside = {
        module
        for layer in layers
        for name, module in layer.neuron.named_modules()
        if name not in ("", "linear")  # snnTorch's LinearLeaky holds the weights before it under this name
    }
    return [m for m in model.modules() if isinstance(m, nn.Linear) and m not in inside]


def may_lie_between(model: nn.Module, layers: list[SpikingLayer]) -> bool:
    """Whether a linear layer can lie between two spiking layers, by the order of layers as far as that can be read."""
    links = [link.module for link in chain_of(model)] if is_container(model) else [model]
    spiking, linear = {layer.neuron for layer in layers}, set(linear_layers(model, layers))
    # neurons up to a link, and from it on; inside a link anything can be
    counts = [sum(module in spiking for module in link.modules()) for link in links]
    return any(
        sum(counts[: i + 1]) and sum(counts[i:]) and sum(counts) > 1
        for i, link in enumerate(links)
        if any(module in linear for module in link.modules())
    )


def _binary(x: Tensor) -> Tensor:
    return (x != 0).to(x.dtype)


def _parts(module: nn.Module) -> list[dict[str, Any]]:
    """The places where a module keeps what a forward pass may exchange."""
    return [
        module.__dict__,
        module._buffers,
        module.__dict__.get("_memories", {}),
    ]  # the last is SpikingJelly's


def _held(module: nn.Module) -> tuple[nn.Module, ...]:
    return (module, *(dict(part) for part in _parts(module)))

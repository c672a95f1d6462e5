"""MP-Init for any neuron with a membrane: sequences start where membranes that spiked are known to end."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.homeostasis._adapters import ForeignLayer, SpikingLayer
from homeonet.gradient.homeostasis._plugin import Homeostasis, check_range
from homeonet.gradient.homeostasis._thresholds import scaled_threshold
from homeonet.gradient.neurons._forward_pass import recomputing
from homeonet.gradient.neurons._processes import sum_over_processes

__all__ = ["MPInit"]


class MPInit(Homeostasis):
    """``U[0] = μ``, one number per layer; in training, after a sequence, ``μ ← momentum μ + (1 - momentum) mean U[T]``.

    The mean is over the elements that spiked in the sequence; U is the membrane after its reset. μ is used in
    training and in evaluation, and starts at rest: 0, or SpikingJelly's ``v_reset``.

    In layers of this package it switches their own ``mp_init`` on, and μ is their ``initial_membrane``. Layers with
    it on already stay as they are but for the momentum. In other layers it acts by hooks.

    Parameters
    ----------
    momentum : float
        In [0, 1]. Default 0.9.
    released : bool
        Where nothing spikes μ decays by the momentum, as in the released code. Default False: it stays.

    Attributes
    ----------
    initial_membrane : Tensor, shape (layers of other libraries,)
        Their μ.

    Raises
    ------
    InputError
        If `momentum` is out of range; in `attach`, if a layer has no membrane to start (PSN, parallel HD-LIF,
        snnTorch's StateLeaky and LeakyParallel).

    Notes
    -----
    A layer of another library begins a sequence when its membrane is as its library resets it, not what it left; so
    a loop over time may be in the model or around it, but states must be reset between batches. μ is updated when
    the next sequence begins or in :meth:`after_batch`, whichever is first.

    References
    ----------
    Kook et al. 2025, arXiv 2511.08708.
    """

    kind = "mp_init"

    def __init__(self, momentum: float = 0.9, released: bool = False) -> None:
        super().__init__()
        self.momentum = check_range("MPInit", "momentum", momentum, 0, 1)
        self.released = released
        self._foreign: list[ForeignLayer] = []
        self._before: list[tuple[SpikingLayer, Tensor]] = []
        self._under_way: dict[int, tuple[Tensor, Tensor]] = {}

    def after_batch(self) -> None:
        super().after_batch()
        for index in list(self._under_way):
            self._learn(index)

    def _check(self, model: nn.Module, layers: list[SpikingLayer]) -> None:
        for layer in layers:
            if not layer.has_membrane:
                raise InputError(
                    f"MPInit: {layer} has no membrane whose start could be set; use LIF, TrLIF, HDLIF, DSN, "
                    "snntorch.Leaky or spikingjelly's LIFNode, or leave MPInit away"
                )

    def _attached(self, zero: Tensor) -> None:
        self._foreign = [layer for layer in self._layers if isinstance(layer, ForeignLayer)]
        for layer in self._layers:
            if isinstance(layer, ForeignLayer):
                continue
            if not layer.neuron.mp_init:
                self._before.append((layer, layer.neuron.initial_membrane.clone()))
                layer.neuron.mp_init = "released" if self.released else True
            layer.neuron.MOMENTUM = self.momentum
        rest = [layer.rest_potential for layer in self._foreign]
        self.register_buffer("initial_membrane", torch.tensor(rest, dtype=zero.dtype, device=zero.device))
        for index, layer in enumerate(self._foreign):
            self._handles += [
                layer.neuron.register_forward_pre_hook(partial(self._before_call, index), with_kwargs=True),
                layer.neuron.register_forward_hook(partial(self._after_call, index)),
            ]

    def _detached(self, keep: bool) -> None:
        for layer in self._layers:
            layer.neuron.__dict__.pop("MOMENTUM", None)
        if not keep:
            for layer, initial in self._before:
                layer.neuron.mp_init = False
                layer.neuron.initial_membrane.copy_(initial)
        self._foreign, self._before, self._under_way = [], [], {}

    def _before_call(
        self, index: int, neuron: nn.Module, args: tuple, kwargs: dict[str, Any]
    ) -> tuple[tuple, dict[str, Any]]:
        layer = self._foreign[index]
        if layer.begins(args, kwargs):
            if not recomputing():
                self._learn(index)
            args, kwargs = layer.with_membrane(args, kwargs, self.initial_membrane[index].clone())
        return args, kwargs

    @torch.no_grad()
    def _after_call(self, index: int, neuron: nn.Module, args: tuple, output: Any) -> None:
        layer = self._foreign[index]
        spikes = layer.spikes(output).detach()
        membrane = layer.membrane_after_call(spikes, scaled_threshold(layer))
        if self.model.training and not recomputing():
            spiked = layer.spikes_in_time(output).detach().ne(0).any(0)
            if index in self._under_way:
                spiked |= self._under_way[index][1]
            self._under_way[index] = (membrane, spiked)

    @torch.no_grad()
    def _learn(self, index: int) -> None:
        if index not in self._under_way:
            return
        membrane, spiked = self._under_way.pop(index)
        total = torch.where(spiked, membrane, 0).sum()
        total, n_spiked = sum_over_processes(torch.stack([total, spiked.sum(dtype=total.dtype)]))
        mean = total / n_spiked.clamp_min(1)
        mu = self.initial_membrane[index]
        new = self.momentum * mu + (1 - self.momentum) * mean
        mu.copy_(torch.where((n_spiked > 0) | self.released, new, mu))

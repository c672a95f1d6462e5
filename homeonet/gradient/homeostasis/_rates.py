"""Measures firing rates: of each layer and each forward pass of the model in training mode."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from homeonet.gradient.homeostasis._adapters import SpikingLayer
from homeonet.gradient.neurons._forward_pass import recomputing
from homeonet.gradient.neurons._processes import process_count, sum_over_processes

__all__ = ["RateMeter", "count_nonzero"]

#: Elements compared at once: their result stays in the processor's cache.
_BLOCK = 1 << 19


class RateMeter:
    """Counts spikes while the model runs, and reports once at the end of each forward pass in training mode.

    A rate is the share of outputs that are not zero, over time, batch and units; or over time and batch, of each unit.

    Parameters
    ----------
    model : Module
    layers : list of SpikingLayer
    report : callable
        ``report(rates, order)``, without gradients: `rates` a rate per layer, shape (), or (*) of each unit, None for a
        layer that was not called; `order` the indices of the layers as they were first called, the rest after them.
    by_unit : bool
        Whether rates are those of each unit; default False: of each layer.
    """

    def __init__(
        self,
        model: nn.Module,
        layers: list[SpikingLayer],
        report: Callable[[list[Any], list[int]], None],
        *,
        by_unit: bool = False,
    ) -> None:
        self._layers, self._report, self._by_unit = layers, report, by_unit
        self._seen: dict[int, list[Any]] | None = None
        self.handles: list[RemovableHandle] = [model.register_forward_pre_hook(self._begin)]
        self.handles += [
            layer.neuron.register_forward_hook(partial(self._count, index))
            for index, layer in enumerate(layers)
        ]
        self.handles.append(model.register_forward_hook(self._end))

    def _begin(self, model: nn.Module, args: tuple) -> None:
        self._seen = {} if model.training and not recomputing() else None

    @torch.no_grad()
    def _count(self, index: int, neuron: nn.Module, args: tuple, output: Any) -> None:
        if self._seen is None:
            return
        layer = self._layers[index]
        if self._by_unit:
            spikes = layer.spikes_in_time(output)
            size = spikes.shape[0] * spikes.shape[1]
            count = spikes.sum((0, 1), dtype=torch.float32) if layer.emits_ones else _count_by_unit(spikes)
        else:
            spikes = layer.spikes(output)
            size = spikes.numel()
            count = spikes.sum(dtype=torch.float32) if layer.emits_ones else count_nonzero(spikes)
        if size == 0:
            return
        total = self._seen.setdefault(index, [0, 0])
        total[0], total[1] = total[0] + count, total[1] + size

    @torch.no_grad()
    def _end(self, model: nn.Module, args: tuple, output: Any) -> None:
        if self._seen is None:
            return
        seen, self._seen = self._seen, None
        everywhere = range(len(self._layers))
        rates = [seen[i][0] / seen[i][1] if i in seen else None for i in everywhere]
        if process_count() > 1:
            rates = _over_processes(rates, next(model.parameters()).device)
        self._report(rates, [*seen, *(i for i in everywhere if i not in seen)])

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_seen": None}


def _over_processes(rates: list[Any], device: torch.device) -> list[Any]:
    """The mean over processes that train data-parallel, each on an equal share of the batch."""
    found = [torch.as_tensor(rate, device=device, dtype=torch.float32) for rate in rates if rate is not None]
    if not found:
        return rates
    flat = sum_over_processes(torch.cat([rate.reshape(-1) for rate in found]))
    parts = (flat / process_count()).split([rate.numel() for rate in found])
    means = iter([part.view(rate.shape) for part, rate in zip(parts, found, strict=True)])
    return [None if rate is None else next(means) for rate in rates]


def count_nonzero(x: Tensor) -> Tensor | int:
    """How many elements of `x` are not zero.

    On a CPU several times as fast as torch's own: what is compared in floating point is summed in vector registers.
    """
    if x.device.type != "cpu" or not x.is_contiguous():
        return torch.count_nonzero(x)
    flat = x.detach().view(-1)
    buffer = torch.empty(min(_BLOCK, len(flat)))
    count = 0
    for block in flat.split(_BLOCK):
        count += int(torch.ne(block, 0, out=buffer[: len(block)]).sum())  # exact: below 2**24
    return count


def _count_by_unit(x: Tensor) -> Tensor:
    """How many elements of `x`, (T, B, *), are not zero, for each unit, (*)."""
    count = torch.zeros(x.shape[2:], device=x.device)
    active = torch.empty(x.shape[1:], device=x.device)
    for x_t in x.detach():
        count += torch.ne(x_t, 0, out=active).sum(0)
    return count

"""Homeostasis of one's own: thresholds rise while a layer fires above a ceiling, and never fall again.

In this folder, or with it on PYTHONPATH::

    homeonet train lif --homeostasis own_plugin:Ratchet --out results/ratchet
    homeonet train lif --set homeostasis.own_plugin:Ratchet.ceiling=0.1 --out results/ratchet_low

What homeostasis must do is in ``homeonet.gradient.neurons._own``.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.homeostasis import Homeostasis


class Ratchet(Homeostasis):
    """Multiplies a layer's threshold by ``1 + rate`` after each batch in which it fired above `ceiling`.

    Parameters
    ----------
    ceiling : float
        Share of steps in which a unit fires, in (0, 1]. Default 0.2.
    rate : float
        At least 0. Default 0.05.
    """

    kind = "ratchet"

    def __init__(self, ceiling: float = 0.2, rate: float = 0.05) -> None:
        super().__init__()
        if not (0 < ceiling <= 1 and rate >= 0):
            raise InputError(
                f"Ratchet: ceiling = {ceiling}, rate = {rate}: choose one in (0, 1], the other at least 0"
            )
        self.ceiling, self.rate = ceiling, rate

    def _attached(self, zero: Tensor) -> None:
        self.register_buffer("scale", zero.new_ones(len(self._layers)))
        self._rates = [0.0] * len(self._layers)
        self._handles = [self.model.register_forward_pre_hook(self._apply_scale)]
        for k, layer in enumerate(self._layers):
            self._handles.append(layer.neuron.register_forward_hook(partial(self._watch, k)))

    def _detached(self, keep: bool) -> None:
        for k, layer in enumerate(self._layers):
            layer.neuron.threshold_scale = float(self.scale[k]) if keep else 1.0

    def _apply_scale(self, model: nn.Module, args: tuple) -> None:
        for k, layer in enumerate(self._layers):
            layer.neuron.threshold_scale = self.scale[k].clone()

    def _watch(self, k: int, neuron: nn.Module, args: tuple, out: Tensor) -> None:
        self._rates[k] = float((out.detach() != 0).float().mean())

    @torch.no_grad()
    def after_batch(self) -> None:
        super().after_batch()
        for k, rate in enumerate(self._rates):
            if rate > self.ceiling:
                self.scale[k] *= 1 + self.rate

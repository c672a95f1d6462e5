"""Thresholds under homeostasis: the base of the mechanisms that move them by firing rates.

Several mechanisms may act on a layer at once; their factors are multiplied.

A layer of this package has ``threshold_scale`` for that. For a layer of another library the threshold is replaced
while the layer computes, so that a learnt threshold stays a parameter, with the gradient that belongs to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from torch import Tensor, nn

from homeonet.gradient.homeostasis._adapters import ForeignLayer, SpikingLayer
from homeonet.gradient.homeostasis._plugin import Homeostasis
from homeonet.gradient.homeostasis._rates import RateMeter
from homeonet.gradient.neurons._forward_pass import recomputing

__all__ = ["ThresholdHomeostasis", "scaled_threshold"]

_HELD = "_homeostasis_factors"
_ABSENT = object()


class ThresholdHomeostasis(Homeostasis):
    """Scales thresholds by one factor per layer, and learns the factors from the rates of each forward pass."""

    #: Whether rates are needed of each unit.
    by_unit: bool = False
    #: Whether its strength is zero; asked of all mechanisms, the values of factors would hold up a GPU.
    _still: bool = False

    def __init__(self) -> None:
        super().__init__()
        self.register_load_state_dict_post_hook(_apply_loaded)

    def _attached(self, zero: Tensor) -> None:
        # Factors are applied at the beginning of a pass, after data-parallel training has made buffers alike, and
        # stay for its backward pass, whatever is learnt at its end.
        self._handles = [self.model.register_forward_pre_hook(self._before_forward)]
        self._handles += RateMeter(self.model, self._layers, self._update, by_unit=self.by_unit).handles
        self._apply_scales()

    def _detached(self, keep: bool) -> None:
        if keep:
            self._apply_scales()  # with what the last pass has taught
        for layer in self._layers:
            _unscale(layer, self.kind, keep=keep)

    def _scales(self) -> Sequence[Tensor]:
        """The factor of each layer, () or (*) of a step without the batch; new tensors, not written to later."""
        raise NotImplementedError

    def _update(self, rates: list[Any], order: list[int]) -> None:
        """Learn from a forward pass; the arguments are :class:`RateMeter`'s."""
        raise NotImplementedError

    def _apply_scales(self) -> None:
        for layer, scale in zip(self._layers, self._scales() if self._layers else (), strict=True):
            # where nothing is learnt, 1 is no factor: a product, though exact, sums gradients in another order
            _scale(layer, self.kind, 1.0 if self._still and bool((scale == 1).all()) else scale)

    def _before_forward(self, model: nn.Module, args: tuple) -> None:
        if not recomputing():  # a pass computed once more has the factors that it had
            self._apply_scales()

    def _apply(self, *args: Any, **kwargs: Any) -> Self:
        result = super()._apply(*args, **kwargs)  # to another device or type
        self._apply_scales()
        return result


def _apply_loaded(module: ThresholdHomeostasis, keys: Any) -> None:
    module._apply_scales()


def _scale(layer: SpikingLayer, kind: str, factor: Tensor | float) -> None:
    """Let the threshold of `layer` be multiplied with `factor` on behalf of a mechanism.

    Parameters
    ----------
    layer : SpikingLayer
    kind : str
        The mechanism; an earlier factor of its own is replaced.
    factor : Tensor, shape () or broadcastable to (B, *), or float
        Positive; not written to later. The number 1.0 stands for no factor.
    """
    factors = layer.neuron.__dict__.get(_HELD)
    if factors is None:
        factors = _Shadow(layer) if isinstance(layer, ForeignLayer) else _Scale(layer)
        layer.neuron.__dict__[_HELD] = factors
    factors.by_kind[kind] = float(factor) if getattr(layer, "threshold_is_number", False) else factor
    factors.changed()


def _unscale(layer: SpikingLayer, kind: str, *, keep: bool = False) -> None:
    """Take a mechanism's factor away; after the last one the layer is as it was, or keeps its scale."""
    factors = layer.neuron.__dict__.get(_HELD)
    if factors is None or kind not in factors.by_kind:
        return
    if keep and isinstance(factors, _Scale):
        factors.original = factors.original * factors.by_kind[kind]
    del factors.by_kind[kind]
    factors.changed()
    if not factors.by_kind:
        factors.remove()
        del layer.neuron.__dict__[_HELD]


def scaled_threshold(layer: ForeignLayer) -> Tensor | float:
    """The threshold that a layer of another library compares with."""
    factors = layer.neuron.__dict__.get(_HELD)
    return layer.threshold if factors is None else factors.threshold()


class _Scale:
    """The factors on a layer of this package."""

    def __init__(self, layer: SpikingLayer) -> None:
        self.neuron, self.original = layer.neuron, layer.neuron.threshold_scale
        self.by_kind: dict[str, Tensor | float] = {}

    def changed(self) -> None:
        scale = self.original
        for factor in self.by_kind.values():
            scale = scale * factor
        self.neuron.threshold_scale = scale

    def remove(self) -> None:
        """Nothing else was changed."""


class _Shadow:
    """The factors on a layer of another library: its threshold is hidden behind another while it computes."""

    def __init__(self, layer: ForeignLayer) -> None:
        self.neuron, self.attribute = layer.neuron, layer.threshold_attribute
        self.by_kind: dict[str, Tensor | float] = {}
        self._hidden: Any = None
        self._active = False
        self._handles = [
            self.neuron.register_forward_pre_hook(self._hide),
            self.neuron.register_forward_hook(self._show, always_call=True),
        ]

    def threshold(self) -> Tensor | float:
        threshold = getattr(self.neuron, self.attribute)
        if not self._active:
            for factor in self.by_kind.values():
                if not (isinstance(factor, float) and factor == 1):
                    threshold = threshold * factor
        return threshold

    def changed(self) -> None:
        """Factors are read at every call."""

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()

    def _hide(self, module: nn.Module, args: tuple) -> None:
        # The instance's own attributes come before nn.Module's lookup of parameters and buffers.
        threshold = self.threshold()
        self._hidden = module.__dict__.get(self.attribute, _ABSENT)
        module.__dict__[self.attribute], self._active = threshold, True

    def _show(self, module: nn.Module, args: tuple, output: Any) -> None:
        if not self._active:
            return
        if self._hidden is _ABSENT:
            del module.__dict__[self.attribute]
        else:
            module.__dict__[self.attribute] = self._hidden
        self._hidden, self._active = None, False

"""What all homeostasis has in common: it is attached to a model, and leaves no trace when it is detached."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from homeonet.errors import InputError
from homeonet.gradient.homeostasis._adapters import SpikingLayer, spiking_layers

__all__ = ["Homeostasis", "check_range"]

#: Marks a neuron with the kinds of homeostasis that it is under.
_KINDS = "_homeostasis_kinds"


class Homeostasis(nn.Module):
    """A mechanism that keeps a spiking model in its working range, without parameters to train.

    Attached, it is the submodule ``homeostasis_<kind>`` of the model, so that what evaluation needs is in the model's
    state, moves with it between devices and is copied with it. It never changes architecture, loss or gradients.

    ::

        ahsar = AHSAR().attach(model)
        for epoch in range(epochs):
            for batch in batches:
                ...
                optimizer.step()
                ahsar.after_batch()
            ahsar.after_epoch(validation_accuracy)
        ahsar.detach()

    As a context manager it is detached at the end of the block.

    Notes
    -----
    For writers of mechanisms: `_attached` makes buffers and hooks, `_detached` undoes what they do not. Hooks are
    methods of the plug-in (or partials of them), which a deep copy of the model binds to the plug-in's copy.
    """

    kind: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        # Past nn.Module's own attributes: the model must not become a submodule of its plug-in.
        self.__dict__["_model"] = None
        self._layers: list[SpikingLayer] = []
        self._handles: list[RemovableHandle] = []

    @property
    def model(self) -> nn.Module:
        """The model it is attached to; InputError without one."""
        self._require_attached()
        return self._model

    @property
    def layer_names(self) -> list[str]:
        """Names of the layers in the model, in the order of the buffers."""
        return [layer.name for layer in self._layers]

    def attach(self, model: nn.Module) -> Self:
        """Put `model` under this homeostasis, beginning anew.

        Parameters
        ----------
        model : Module
            Whole, as the training loop calls it.

        Returns
        -------
        Homeostasis
            This object.

        Raises
        ------
        InputError
            If this is attached already, the model or a layer of it is under homeostasis of this kind already, the
            model has no spiking layer, a threshold is not positive, or the mechanism cannot act on a layer. Nothing
            is changed then.
        """
        name = type(self).__name__
        if self._model is not None:
            raise InputError(
                f"{name}: it is attached to a model already; detach() it first, or make another one"
            )
        layers = spiking_layers(model)
        attribute = f"homeostasis_{self.kind}"
        taken = [layer for layer in layers if self.kind in layer.neuron.__dict__.get(_KINDS, ())]
        if taken or hasattr(model, attribute):
            where = str(taken[0]) if taken else "the model"
            raise InputError(f"{name}: {where} is under {name} already; detach() that one first")
        self._check(model, layers)
        self.__dict__["_model"], self._layers = model, layers
        device = next((p.device for p in model.parameters()), None)
        self._attached(torch.zeros((), device=device))
        for layer in layers:
            layer.neuron.__dict__[_KINDS] = layer.neuron.__dict__.get(_KINDS, frozenset()) | {self.kind}
        model.add_module(attribute, self)
        self.train(model.training)
        return self

    def detach(self, *, keep: bool = False) -> None:
        """Take it off: the model is as before, but for what training has done to its parameters.

        Parameters
        ----------
        keep : bool
            Leave what it has come to in this package's layers: their ``threshold_scale`` and the start of their
            membranes. That is not in the model's state. Default False.

        Raises
        ------
        InputError
            If it is not attached.
        """
        model = self.model
        self._detached(keep)
        for handle in self._handles:
            handle.remove()
        for layer in self._layers:
            kinds = layer.neuron.__dict__.pop(_KINDS) - {self.kind}
            if kinds:
                layer.neuron.__dict__[_KINDS] = kinds
        del model._modules[f"homeostasis_{self.kind}"]
        self.__dict__["_model"], self._layers, self._handles = None, [], []

    def after_batch(self) -> None:
        """Act after a step of the optimiser; a training loop calls this after each."""
        self._require_attached()

    def after_epoch(self, validation_accuracy: float | None) -> None:
        """Act after an epoch, given the accuracy in [0, 1] on validation data, or None without any."""
        self._require_attached()

    def forward(self, x: Any) -> Any:
        """`x` itself: an ``nn.Sequential`` calls all its submodules, this one too."""
        return x

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._model is not None:
            self.detach()

    def _require_attached(self) -> None:
        if self._model is None:
            raise InputError(
                f"{type(self).__name__}: it is not attached to a model; call attach(model) first"
            )

    def _check(self, model: nn.Module, layers: list[SpikingLayer]) -> None:
        """Raise InputError if the mechanism cannot act on these layers."""

    def _attached(self, zero: Tensor) -> None:
        """Make buffers (like `zero`, a number on the model's device) and hooks (into ``_handles``)."""
        raise NotImplementedError

    def _detached(self, keep: bool) -> None:
        """Undo what was done to the layers besides hooks."""


def check_range(
    owner: str, name: str, value: float, low: float, high: float, *, above: bool = False, below: bool = False
) -> float:
    """`value` as float; InputError unless low <= value <= high, with `above` low < value, with `below` value < high."""
    if not low <= value <= high or (above and value == low) or (below and value == high):
        brackets = "(" if above else "[", ")" if below else "]"
        raise InputError(f"{owner}: {name} = {value} is outside {brackets[0]}{low:g}, {high:g}{brackets[1]}")
    return float(value)

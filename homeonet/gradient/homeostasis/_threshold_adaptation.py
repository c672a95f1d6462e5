"""Intrinsic plasticity: each layer, or each unit, moves its own threshold until it fires at its target rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self
from weakref import WeakSet

import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.homeostasis._adapters import SpikingJellyLayer, SpikingLayer
from homeonet.gradient.homeostasis._plugin import check_range
from homeonet.gradient.homeostasis._thresholds import ThresholdHomeostasis

__all__ = ["ThresholdAdaptation"]


class ThresholdAdaptation(ThresholdHomeostasis):
    """``log s ← clip(log s + rate (r - r*) / r*, log bounds)``: a threshold is s times what it would be.

    r is the share of outputs that are not zero in a forward pass, of a layer or of each unit. There is neither
    memory of the rate, nor diffusion, nor a global gain: compare :class:`AHSAR`.

    Parameters
    ----------
    target_rate : float
        r*, in (0, 1). Default 0.15, AHSAR's.
    rate : float
        How much log s changes in a pass, for a rate of twice the target; at least 0. Default 0.01; 0 switches it off.
    per : {"layer", "unit"}
        "unit": each element of a step without its batch axis has a threshold of its own (not in SpikingJelly's
        neurons, which hold one number per layer). Default "layer".
    bounds : (float, float)
        Least and largest s, positive, around 1. Default (0.25, 4).

    Attributes
    ----------
    log_scale_0, log_scale_1, ... : Tensor, shape () or (*)
        log s of each layer. With ``per="unit"`` the shapes are known after the first forward pass, after `attach`
        with an example, or after loading a state.

    Raises
    ------
    InputError
        If a parameter is out of range.

    Notes
    -----
    As with :class:`AHSAR`, thresholds move in training mode alone, once for each forward pass of the whole model.

    References
    ----------
    Desai, Rutherford & Turrigiano 1999, Nat Neurosci 2:515 (neurons change their intrinsic excitability to hold
    their rate); Zhang & Linden 2003, Nat Rev Neurosci 4:885; Diehl & Cook 2015, Front Comput Neurosci 9:99 (as an
    adaptive threshold in a learning network). The rule on the logarithm, by the relative deviation, is this
    project's.
    """

    kind = "threshold_adaptation"

    def __init__(
        self,
        target_rate: float = 0.15,
        rate: float = 0.01,
        per: str = "layer",
        bounds: tuple[float, float] = (0.25, 4.0),
    ) -> None:
        super().__init__()
        name = "ThresholdAdaptation"
        self.target_rate = check_range(name, "target_rate", target_rate, 0, 1, above=True, below=True)
        self.rate = check_range(name, "rate", rate, 0, math.inf, below=True)
        self._still = self.rate == 0
        if per not in ("layer", "unit"):
            raise InputError(f"{name}: per = {per!r}: choose 'layer' or 'unit'")
        self.by_unit = per == "unit"
        low, high = bounds
        if not 0 < low <= 1 <= high < math.inf:
            raise InputError(
                f"{name}: bounds = {bounds}: the lower one must be in (0, 1], the upper at least 1"
            )
        self.bounds = (float(low), float(high))
        self._copies = _Copies()
        self._copies.members.add(self)

    def attach(self, model: nn.Module, example: Tensor | None = None) -> Self:
        """Attach, see :meth:`Homeostasis.attach`.

        Parameters
        ----------
        model : Module
        example : Tensor, optional
            An input of `model` (zeros will do), run once without a trace, to learn how many units layers have. Needed
            with ``per="unit"`` where a checkpoint's shapes are compared before it is loaded.
        """
        super().attach(model)
        if example is not None and self.by_unit:
            self._learn_shapes(example)
        return self

    def scale(self, layer: str) -> Tensor:
        """What the thresholds of the layer called `layer` are multiplied with, shape () or (*)."""
        return self._scales()[self.layer_names.index(layer)]

    def _check(self, model: nn.Module, layers: list[SpikingLayer]) -> None:
        for layer in layers:
            if self.by_unit and isinstance(layer, SpikingJellyLayer):
                raise InputError(
                    f"ThresholdAdaptation: per = 'unit', but {layer} of SpikingJelly has one threshold per layer; use "
                    "per='layer'"
                )

    def _attached(self, zero: Tensor) -> None:
        for i in range(len(self._layers)):
            self.register_buffer(f"log_scale_{i}", torch.zeros_like(zero))
        super()._attached(zero)

    def _log_scales(self) -> list[Tensor]:
        return [self._buffers[f"log_scale_{i}"] for i in range(len(self._layers))]

    def _scales(self) -> Sequence[Tensor]:
        return [log.exp() for log in self._log_scales()]

    def _update(self, rates: list[Any], order: list[int]) -> None:
        if self.rate == 0:
            return  # and keep one number per layer: gradients of a learnt threshold are then summed as without it
        low, high = (math.log(bound) for bound in self.bounds)
        for i, rate in enumerate(rates):
            if rate is None:
                continue
            if self.by_unit:
                self._give_shape(i, rate.shape)
            change = self.rate * (rate / self.target_rate - 1)
            self._buffers[f"log_scale_{i}"].add_(change).clamp_(low, high)

    def _learn_shapes(self, example: Tensor) -> None:
        from homeonet.gradient.homeostasis._replay import Replay

        with Replay(self.model, self._layers) as replay:
            replay.forward((example,), {})
        for i, spikes in replay.spikes.items():
            self._give_shape(i, spikes.shape[2:])

    def _give_shape(self, index: int, shape: torch.Size) -> None:
        """Let each unit of a layer have a number, if they share one so far: in copies made before that too.

        A running mean of a model is a copy made early, into which buffers are copied one by one.
        """
        for plugin in list(self._copies.members):
            log = plugin._buffers.get(f"log_scale_{index}")
            if log is not None and log.dim() == 0:
                plugin._buffers[f"log_scale_{index}"] = log.expand(shape).clone()

    def takes_shape(self, entry: str) -> bool:
        """Whether loading a state gives the buffer `entry` the shape that it has there: units not counted before."""
        held = self._buffers.get(entry)
        return self.by_unit and entry.startswith("log_scale_") and held is not None and held.dim() == 0

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._copies.members.add(self)

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        for i in range(len(self._layers)):
            saved = state_dict.get(f"{prefix}log_scale_{i}")
            if self.by_unit and saved is not None:
                self._give_shape(i, saved.shape)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


class _Copies:
    """A plug-in and the copies of it that are alive in this process; it is one object for all of them."""

    def __init__(self) -> None:
        self.members: WeakSet[ThresholdAdaptation] = WeakSet()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[type, tuple]:
        return _Copies, ()

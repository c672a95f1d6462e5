"""AHSAR: thresholds follow firing rates, neighbouring layers share the burden, and a gain follows the epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor

from homeonet.errors import InputError
from homeonet.gradient.homeostasis._plugin import check_range
from homeonet.gradient.homeostasis._thresholds import ThresholdHomeostasis

__all__ = ["AHSAR"]


class AHSAR(ThresholdHomeostasis):
    """Multiplies the threshold of layer l with ``g s_l``; nothing is trained, and no gradient flows through it.

    ::

        r̄_l ← momentum r̄_l + (1 - momentum) r_l                d_l = (r̄_l - r*) / r*
        h_l ← (1 - relaxation) h_l + strength tanh(d_l) + diffusion (h_{l-1} - 2 h_l + h_{l+1})
        s_l = 1 + span tanh(h_l)
        after an epoch, E the mean of r̄ and p the gain in validation accuracy:
        g ← clip(g exp(gain_activity tanh(E / r* - 1) - gain_progress sign(p) [E < r*]), *gain_bounds)

    r_l is the share of outputs that are not zero, h starts at 0, g at 1. The ends of the network reflect: there
    h_{l-1} or h_{l+1} is h_l. Neighbours are those in the order in which the model calls its layers.

    Parameters
    ----------
    target_rate : float
        r*, in (0, 1). Default 0.15.
    momentum : float
        In [0, 1). Default 0.9. r̄ starts at r*, so that nothing moves before rates are known.
    relaxation : float
        γ, in [0, 1]. Default 0.01.
    strength : float
        η, at least 0. Default 0.05; 0 switches the rates off.
    span : float
        Largest change of a threshold by its layer's state, in [0, 1). Default 0.3.
    diffusion : float
        D, in [0, 0.5]. Default 0.1; 0 switches diffusion off. Above 1/4 it lets neighbours overshoot.
    gain : bool
        Whether g follows the epochs. Default True; else it stays 1.
    gain_activity, gain_progress : float
        At least 0. Defaults 0.05 and 0.02.
    gain_bounds : (float, float)
        Positive. Default (0.7, 1.3).

    Attributes
    ----------
    rate, state : Tensor, shape (layers,)
        r̄ and h of each layer.
    global_gain : Tensor, shape ()
        g, the factor of all thresholds.

    Raises
    ------
    InputError
        If a parameter is out of range.

    Notes
    -----
    The state moves in training mode alone, once for each forward pass of the whole model. A loop that calls the model
    once per time step (streaming, or snnTorch's ``init_hidden``) moves it once per step; that each of these
    passes counts follows from the definition: divide `strength`, `relaxation` and `diffusion` by the number of steps
    there if a batch is to weigh as much as elsewhere. Thresholds change between passes, never within one. A module
    that stands in several places of the model is one layer, with the rate of all its calls. A layer that a pass does
    not call keeps its rate. Layers must be called (``neuron(x)``): ``neuron.step(x_t)`` is not seen.
    Under data-parallel training rates are means over the processes, so all have the same state.

    References
    ----------
    Chen et al. 2025, "Plug-and-Play Homeostatic Spark", arXiv 2512.05015, for the mechanism: state, bounded scale,
    diffusion, gain. Its equations and constants are not public; these are this project's.
    """

    kind = "ahsar"

    def __init__(
        self,
        target_rate: float = 0.15,
        momentum: float = 0.9,
        relaxation: float = 0.01,
        strength: float = 0.05,
        span: float = 0.3,
        diffusion: float = 0.1,
        *,
        gain: bool = True,
        gain_activity: float = 0.05,
        gain_progress: float = 0.02,
        gain_bounds: tuple[float, float] = (0.7, 1.3),
    ) -> None:
        super().__init__()
        self.target_rate = check_range("AHSAR", "target_rate", target_rate, 0, 1, above=True, below=True)
        self.momentum = check_range("AHSAR", "momentum", momentum, 0, 1, below=True)
        self.relaxation = check_range("AHSAR", "relaxation", relaxation, 0, 1)
        self.strength = check_range("AHSAR", "strength", strength, 0, math.inf, below=True)
        self._still = self.strength == 0 and not gain
        self.span = check_range("AHSAR", "span", span, 0, 1, below=True)
        self.diffusion = check_range("AHSAR", "diffusion", diffusion, 0, 0.5)
        self.gain = gain
        self.gain_activity = check_range("AHSAR", "gain_activity", gain_activity, 0, math.inf, below=True)
        self.gain_progress = check_range("AHSAR", "gain_progress", gain_progress, 0, math.inf, below=True)
        low, high = gain_bounds if len(gain_bounds) == 2 else (math.nan, math.nan)
        if not 0 < low <= 1 <= high < math.inf:
            raise InputError(
                f"AHSAR: gain_bounds = {gain_bounds}: give two, the lower one in (0, 1], the upper at least 1"
            )
        self.gain_bounds = (float(low), float(high))

    @property
    def scale(self) -> Tensor:
        """What thresholds are multiplied with, g s, shape (layers,)."""
        return self.global_gain * (1 + self.span * torch.tanh(self.state))

    def after_epoch(self, validation_accuracy: float | None) -> None:
        super().after_epoch(validation_accuracy)
        if not self.gain:
            return
        energy = float(self.rate.mean()) / self.target_rate
        change = self.gain_activity * math.tanh(energy - 1)
        if validation_accuracy is not None:
            progress = validation_accuracy - float(self.last_accuracy)
            # Without an epoch before, progress is not a number, and no more than no progress.
            if energy < 1 and abs(progress) > 0:
                change -= math.copysign(self.gain_progress, progress)
            self.last_accuracy.fill_(validation_accuracy)
        self.global_gain.mul_(math.exp(change)).clamp_(*self.gain_bounds)
        self._apply_scales()

    def _attached(self, zero: Tensor) -> None:
        n = len(self._layers)
        self.register_buffer("rate", zero.new_full((n,), self.target_rate))
        self.register_buffer("state", zero.new_zeros(n))
        self.register_buffer("global_gain", zero.new_ones(()))
        self.register_buffer("last_accuracy", zero.new_full((), math.nan, dtype=torch.float64))
        super()._attached(zero)

    def _apply(self, *args: Any, **kwargs: Any) -> Self:
        accuracy = self._buffers.get("last_accuracy")
        result = super()._apply(*args, **kwargs)
        if accuracy is not None:  # a cast would make progress of what it rounds off
            self.last_accuracy = accuracy.to(self.last_accuracy.device)
        return result

    def _scales(self) -> Sequence[Tensor]:
        return self.scale.unbind()

    def _update(self, rates: list[Tensor | float | None], order: list[int]) -> None:
        measured = self.rate.clone()
        for i, rate in enumerate(rates):
            if rate is not None:
                measured[i] = rate
        self.rate.mul_(self.momentum).add_(measured, alpha=1 - self.momentum)
        deviation = (self.rate / self.target_rate - 1)[order]
        h = self.state[order]
        before, after = torch.cat([h[:1], h[:-1]]), torch.cat([h[1:], h[-1:]])
        drive = self.strength * torch.tanh(deviation) + self.diffusion * (before - 2 * h + after)
        self.state[order] = (1 - self.relaxation) * h + drive

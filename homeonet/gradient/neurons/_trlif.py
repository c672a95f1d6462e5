"""LIF with a learnable time constant and threshold: TrSG, its two rivals, and MP-Init."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from homeonet.errors import InputError
from homeonet.gradient.kernels._membrane import ResetRule, integrate_and_reset
from homeonet.gradient.kernels._native import LANE_GROUP
from homeonet.gradient.kernels._surrogate import Surrogate, heaviside, surrogate_named
from homeonet.gradient.neurons._lif import check_reset_mode, check_threshold
from homeonet.gradient.neurons._neuron import MembraneNeuron

__all__ = ["TrLIF"]


class TrLIF(MembraneNeuron):
    """``m_t = (1 - 1/τ) u_{t-1} + x_t / τ`` with τ and the threshold learnt, one scalar per layer or per channel.

    Parameters
    ----------
    tau : float
        Initial τ in steps, above 1; learnt as ``τ = 1 / sigmoid(w)``. Default 2.
    threshold : float
        Initial threshold, positive; learnt as ``softplus(k)``. Default 1.
    channels : int, optional
        One τ and threshold for each of this many channels (axis 2 of the input); without it one per layer.
    learn_tau, learn_threshold : bool
        Whether they are trained. Default True.
    threshold_rule : {"trsg", "as", "rs"}
        How the threshold enters output and gradient; see ``_membrane``. Default "trsg".
    reset_mode, surrogate, detach_reset
        See :class:`LIF`; the surrogate is read at ``m/θ - 1`` (for "as": ``m - θ``).
    mp_init : bool or "released"
        Learn the membrane's start; see :class:`MembraneNeuron`. Default True.

    Notes
    -----
    Under "trsg" the output is 0 or θ; :func:`deploy` folds θ into the next layer's weights. Else it is 0 or 1.

    References
    ----------
    Kook et al. 2025, arXiv 2511.08708 (MP-Init and TrSG).
    """

    def __init__(
        self,
        tau: float = 2.0,
        threshold: float = 1.0,
        *,
        channels: int | None = None,
        learn_tau: bool = True,
        learn_threshold: bool = True,
        threshold_rule: str = "trsg",
        reset_mode: str = "soft",
        surrogate: str | Surrogate = "triangle",
        detach_reset: bool = False,
        mp_init: bool | str = True,
    ) -> None:
        super().__init__(mp_init=mp_init)
        if not tau > 1:
            raise InputError(f"TrLIF: tau = {tau} steps: it must be above 1; 2 is the usual value")
        if threshold_rule not in ("trsg", "as", "rs"):
            raise InputError(f"threshold_rule = {threshold_rule!r}: choose 'trsg', 'as' or 'rs'")
        self.threshold_rule = threshold_rule
        self.reset_mode = check_reset_mode(reset_mode)
        self.surrogate = surrogate_named(surrogate)
        self.detach_reset = detach_reset
        self.channels = channels
        shape = () if channels is None else (channels,)
        raw_tau = -math.log(tau - 1)  # sigmoid of it is 1 / tau
        threshold = check_threshold(threshold)
        raw_threshold = threshold + math.log(-math.expm1(-threshold))  # softplus of it is the threshold
        self.raw_tau = nn.Parameter(torch.full(shape, raw_tau), requires_grad=learn_tau)
        self.raw_threshold = nn.Parameter(torch.full(shape, raw_threshold), requires_grad=learn_threshold)

    @property
    def tau(self) -> Tensor:
        """The time constant in steps, () or (channels,)."""
        return 1 / torch.sigmoid(self.raw_tau)

    @property
    def threshold(self) -> Tensor:
        """The threshold without homeostasis, () or (channels,)."""
        return softplus(self.raw_threshold)

    def sequence(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        return self._sequence(x, state)

    def sequence_and_spiked(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        spiked = x.new_empty(x.shape[1:])
        return *self._sequence(x, state, spiked), spiked

    def sequence_and_ends(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        ends = x.new_zeros(2, 1 + x.shape[1:].numel() // LANE_GROUP)
        out, membrane = self._sequence(x, state, ends=ends)
        return out, membrane, ends.sum(1)

    def _sequence(
        self,
        x: Tensor,
        state: Tensor | None,
        spiked: Tensor | None = None,
        ends: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        x_0 = x.detach()[0]
        initial = self.initial(x_0) if state is None else state
        if not self.through_time:
            initial = initial.detach()
        rule = ResetRule(
            self.surrogate,
            self.threshold_rule,
            self.reset_mode == "hard",
            self.detach_reset,
            self.through_time,
        )
        rate, threshold = self._constants(x_0)
        return integrate_and_reset(x, initial, None, rate, threshold, rule, spiked, ends)

    def single_step(self, x_t: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        u = self.initial(x_t) if state is None else state
        if not self.through_time:
            u = u.detach()
        rate, threshold = self._constants(x_t)
        m = (1 - rate) * u + rate * x_t
        spikes = heaviside(
            m - threshold if self.threshold_rule == "as" else m / threshold - 1, self.surrogate
        )
        output = threshold * spikes if self.threshold_rule == "trsg" else spikes
        if self.reset_mode == "hard":
            u = m * (1 - (spikes.detach() if self.detach_reset else spikes))
        else:
            reset = threshold * spikes
            u = m - (reset.detach() if self.detach_reset else reset)
        return output, u

    def _constants(self, x_t: Tensor) -> tuple[Tensor, Tensor]:
        """1/τ and θ, broadcastable to `x_t`, θ with what homeostasis makes of it."""
        rate, threshold = torch.sigmoid(self.raw_tau), self.threshold
        if self.channels is not None:
            if x_t.dim() < 2 or x_t.shape[1] != self.channels:
                raise InputError(
                    f"TrLIF: the input has shape (T, {', '.join(map(str, x_t.shape))}), but channels = "
                    f"{self.channels} needs (T, B, {self.channels}, ...)"
                )
            shape = (self.channels,) + (1,) * (x_t.dim() - 2)
            rate, threshold = rate.view(shape), threshold.view(shape)
        return rate, self.scaled_threshold(threshold)

    def extra_repr(self) -> str:
        return (
            f"threshold_rule={self.threshold_rule!r}, reset_mode={self.reset_mode!r}, mp_init={self.mp_init}, "
            f"channels={self.channels}"
        )

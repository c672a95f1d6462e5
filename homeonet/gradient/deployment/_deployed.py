"""Neurons for inference: everything learnt is a stored constant, and homeostasis is part of the threshold."""

from __future__ import annotations

import torch
from torch import Tensor

from homeonet.gradient.kernels._membrane import ResetRule, integrate_and_reset
from homeonet.gradient.kernels._p2_reset import charge_and_reset, per_channel, per_step, quantise
from homeonet.gradient.kernels._surrogate import Triangle
from homeonet.gradient.neurons._hdlif import HDLIF, last_step
from homeonet.gradient.neurons._lif import LIF
from homeonet.gradient.neurons._neuron import MembraneNeuron, SpikingNeuron
from homeonet.gradient.neurons._trlif import TrLIF

__all__ = ["FixedHDLIF", "FixedLIF"]


def _scaled_threshold(neuron: SpikingNeuron, target: SpikingNeuron) -> Tensor:
    """The threshold of `neuron` times its scale; a scale of several numbers goes to `target` instead."""
    scale, threshold = torch.as_tensor(neuron.threshold_scale), neuron.threshold.detach()
    if scale.numel() == 1:
        return threshold * scale.to(threshold).reshape(())
    target.store_scale(scale.to(threshold))
    return threshold.clone()


class FixedLIF(MembraneNeuron):
    """A deployed :class:`LIF` or :class:`TrLIF`: ``m_t = decay u_{t-1} + gain x_t``, a spike where ``m_t >= θ``.

    Parameters
    ----------
    neuron : LIF or TrLIF
        Where the constants come from, scalars or one per channel.

    Attributes
    ----------
    decay, gain, threshold : Tensor, shape () or (channels,)
    hard : bool
        Reset to zero instead of subtracting θ.
    scaled : bool
        Emit θ instead of 1, as TrSG does; false once θ is in the weights that follow.
    """

    def __init__(self, neuron: LIF | TrLIF) -> None:
        super().__init__(mp_init=neuron.mp_init)
        self.hard = neuron.reset_mode == "hard"
        if isinstance(neuron, TrLIF):
            rate = torch.sigmoid(neuron.raw_tau.detach())
            decay, gain, self._emits_threshold = 1 - rate, rate, neuron.threshold_rule == "trsg"
        else:
            decay, gain, self._emits_threshold = neuron.decay.clone(), neuron.gain.clone(), False
        self.scaled = self._emits_threshold
        self.register_buffer("decay", decay)
        self.register_buffer("gain", gain)
        self.register_buffer("threshold", _scaled_threshold(neuron, self))
        self.initial_membrane = neuron.initial_membrane.clone()

    def store_scale(self, scale: Tensor | float) -> None:
        super().store_scale(scale)
        self.scaled = self._emits_threshold  # θ is not in the weights that follow, which come with the state

    def sequence(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        initial = self.initial(x[0]) if state is None else state
        rule = ResetRule(
            Triangle(), "trsg" if self.scaled else "as", self.hard, detach_reset=True, through_time=False
        )
        return integrate_and_reset(x, initial, *self._constants(x[0]), rule)

    def single_step(self, x_t: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        u = self.initial(x_t) if state is None else state
        decay, gain, threshold = self._constants(x_t)
        m = decay * u + gain * x_t
        spikes = (m >= threshold).to(m.dtype)
        u = m * (1 - spikes) if self.hard else m - threshold * spikes
        return threshold * spikes if self.scaled else spikes, u

    def _constants(self, x_t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Decay, gain and threshold, broadcastable to `x_t`, shape (B, C, *)."""
        decay, gain, threshold = (
            p if p.dim() == 0 else p.view(-1, *[1] * (x_t.dim() - 2))
            for p in (self.decay, self.gain, self.threshold)
        )
        return decay, gain, threshold * self.threshold_scale

    def extra_repr(self) -> str:
        return f"hard={self.hard}, scaled={self.scaled}, mp_init={self.mp_init}"


class FixedHDLIF(MembraneNeuron):
    """A deployed :class:`HDLIF`, Mem-BN folded: ``m_t = λ̂_t v_{t-1} + g_t I_t - b_t``.

    With α* and β* of :meth:`MembraneNorm.folded`, λ̂ = α* λ, g = α* and b = β*, a number per step and channel; the
    other variants have λ̂ = λ, a number per step, and neither g nor b.

    Parameters
    ----------
    neuron : HDLIF

    Attributes
    ----------
    decay, threshold, gain, shift : Tensor or None, shape (steps,) or (steps, channels)
    """

    def __init__(self, neuron: HDLIF) -> None:
        super().__init__(mp_init=neuron.mp_init)
        self.steps, self.spike_bits, self.indicator = neuron.steps, neuron.spike_bits, neuron.indicator
        decay = gain = shift = None
        if neuron.variant != "parallel":
            decay = neuron.decay.detach()
        if neuron.norm is not None:
            gain, shift = (p.detach() for p in neuron.norm.folded(0, neuron.steps))
            decay = decay[:, None] * gain
        self.register_buffer("decay", decay)
        self.register_buffer("gain", gain)
        self.register_buffer("shift", shift)
        self.register_buffer("threshold", _scaled_threshold(neuron, self))
        self.initial_membrane = neuron.initial_membrane.clone()

    @property
    def parallel(self) -> bool:
        """Whether the neuron has no membrane to carry."""
        return self.decay is None

    def membrane_of(self, state: tuple[Tensor, int]) -> Tensor:
        return state[0]

    def sequence(self, x: Tensor, state: tuple[Tensor, int] | None) -> tuple[Tensor, tuple[Tensor, int]]:
        v, start = (self.initial(x[0]), 0) if state is None else state
        stop = last_step(start + len(x), self.steps)
        steps = slice(start, stop)
        threshold = per_step(self.threshold[steps], x[0]) * self.threshold_scale
        if self.parallel:
            return self._emit(x, threshold), (torch.minimum(x[-1], threshold[-1]), stop)
        if self.gain is None:
            decay = per_step(self.decay[steps], x[0])
        else:
            decay, gain, shift = (per_channel(p[steps], x[0]) for p in (self.decay, self.gain, self.shift))
            x = gain * x - shift
        outputs, v = charge_and_reset(x, v, decay, threshold, self.spike_bits, through_time=False)
        return outputs, (v, stop)

    def single_step(self, x_t: Tensor, state: tuple[Tensor, int] | None) -> tuple[Tensor, tuple[Tensor, int]]:
        outputs, state = self.sequence(x_t[None], state)
        return outputs[0], state

    def _emit(self, m: Tensor, threshold: Tensor) -> Tensor:
        if self.indicator:
            return (m >= threshold).to(m.dtype)
        spikes = torch.relu(m - threshold)
        return spikes if self.spike_bits is None else quantise(spikes, self.spike_bits)

    def extra_repr(self) -> str:
        return f"steps={self.steps}, parallel={self.parallel}, spike_bits={self.spike_bits}"

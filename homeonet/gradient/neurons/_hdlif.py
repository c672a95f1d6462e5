"""The hybrid-driven LIF neuron: what it emits is what lies above its threshold, and what it keeps lies below."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.kernels._p2_reset import charge_and_reset, per_channel, per_step, quantise
from homeonet.gradient.kernels._surrogate import Surrogate, heaviside, surrogate_named
from homeonet.gradient.neurons._mem_bn import MembraneNorm
from homeonet.gradient.neurons._neuron import MembraneNeuron

__all__ = ["HDLIF"]

_VARIANTS = ("vanilla", "parallel", "mem_bn")


class HDLIF(MembraneNeuron):
    """``m_t = λ_t v_{t-1} + I_t``; emits ``s_t = ReLU(m_t - θ_t)``, keeps ``v_t = min(m_t, θ_t)``.

    λ_t and θ_t are learnt, one scalar per layer and time step: ``λ_t = sigmoid(a_t)``, ``θ_t = sigmoid(b_t)``, a and b
    zero at first.

    Parameters
    ----------
    steps : int
        Time steps the layer has constants for, at least 1; longer sequences are refused.
    variant : {"vanilla", "parallel", "mem_bn"}
        "parallel": no accumulation, ``s_t = ReLU(I_t - θ_t)``. "mem_bn": the membrane is normalised before it is
        compared, see :class:`MembraneNorm`. Default "vanilla".
    channels : int, optional
        Axis 2 of the input; needed by "mem_bn" alone.
    spike_bits : int, optional
        Emit ``clamp(round(4 s), 0, 15) / 4`` (4 bits) or the like, 1 to 16 bits; the reset subtracts s unrounded.
        Default None: real-valued spikes.
    clipped_gradient : bool
        Let no gradient through spikes above the highest level. Default False: straight through everywhere, as in the
        paper and its authors' code.
    bounded_norm : bool
        Mem-BN's α and β as in the released code; see :class:`MembraneNorm`. Default False.
    indicator : bool
        "parallel" emits 1 where ``I_t >= θ_t`` and else 0, as the paper's formula has it. Default False.
    surrogate : str or Surrogate
        Derivative of the indicator, read at ``I - θ``; the other forms need none. Default "triangle".
    mp_init : bool or "released"
        Learn the membrane's start; see :class:`MembraneNeuron`. Default False.

    Raises
    ------
    InputError
        If a parameter is out of range or does not go with the variant.

    Notes
    -----
    A neuron at its threshold exactly has not fired: ∂s/∂m is 0 there and ∂v/∂m is 1. Homeostasis multiplies θ_t.

    References
    ----------
    HD-LIF, arXiv 2410.07547 (P2-Reset, parallel HD-LIF, Mem-BN, Theorem 4.2).
    """

    def __init__(
        self,
        steps: int,
        variant: str = "vanilla",
        channels: int | None = None,
        *,
        spike_bits: int | None = None,
        clipped_gradient: bool = False,
        bounded_norm: bool = False,
        indicator: bool = False,
        surrogate: str | Surrogate = "triangle",
        mp_init: bool | str = False,
    ) -> None:
        super().__init__(mp_init=mp_init)
        if steps < 1:
            raise InputError(f"HDLIF: steps = {steps}: it must be the number of time steps, at least 1")
        if variant not in _VARIANTS:
            raise InputError(f"HDLIF: variant = {variant!r}: choose one of {', '.join(_VARIANTS)}")
        if spike_bits is not None and not 1 <= spike_bits <= 16:
            raise InputError(
                f"HDLIF: spike_bits = {spike_bits} is outside 1..16; the paper has 4, None is none"
            )
        if variant == "mem_bn" and (channels is None or channels < 1):
            raise InputError(
                f"HDLIF: channels = {channels}: variant 'mem_bn' needs the length of the input's axis 2"
            )
        if clipped_gradient and spike_bits is None:
            raise InputError(
                "HDLIF: clipped_gradient = True, but spikes are not quantised; give spike_bits, or leave it False"
            )
        if bounded_norm and variant != "mem_bn":
            raise InputError(
                f"HDLIF: bounded_norm = True goes with variant = 'mem_bn' alone, not {variant!r}; leave it False"
            )
        if indicator and variant != "parallel":
            raise InputError(f"HDLIF: indicator = True goes with variant = 'parallel' alone, not {variant!r}")
        if indicator and spike_bits is not None:
            raise InputError(
                f"HDLIF: spike_bits = {spike_bits}, but the indicator's spikes are 0 or 1; leave it None"
            )
        if mp_init and variant == "parallel":
            raise InputError(
                "HDLIF: mp_init = True, but variant 'parallel' has no membrane to start; leave it False"
            )
        self.steps, self.variant = steps, variant
        self.spike_bits, self.clipped_gradient, self.indicator = spike_bits, clipped_gradient, indicator
        self.surrogate = surrogate_named(surrogate)
        self.raw_decay = nn.Parameter(torch.zeros(steps)) if variant != "parallel" else None
        self.raw_threshold = nn.Parameter(torch.zeros(steps))
        self.norm = MembraneNorm(steps, channels, bounded=bounded_norm) if variant == "mem_bn" else None

    @property
    def decay(self) -> Tensor:
        """λ_t, shape (steps,); the parallel variant has none."""
        return torch.sigmoid(self.raw_decay)

    @property
    def threshold(self) -> Tensor:
        """θ_t without homeostasis, shape (steps,)."""
        return torch.sigmoid(self.raw_threshold)

    def membrane_of(self, state: tuple[Tensor, int]) -> Tensor:
        return state[0]

    def sequence(self, x: Tensor, state: tuple[Tensor, int] | None) -> tuple[Tensor, tuple[Tensor, int]]:
        v, start = (self.initial(x[0]), 0) if state is None else state
        stop = last_step(start + len(x), self.steps)
        if self.norm is not None and self.norm.training:
            # Each step's statistics depend on the step before: no shortcut.
            outputs, state = [], (v, start)
            for x_t in x:
                out, state = self.single_step(x_t, state)
                outputs.append(out)
            return torch.stack(outputs), state
        threshold = per_step(self.threshold[start:stop], x[0]) * self.threshold_scale
        if self.variant == "parallel":
            return self._emit(x, threshold), (torch.minimum(x[-1], threshold[-1]).detach(), stop)
        if not self.through_time:
            v = v.detach()
        decay = per_step(self.decay[start:stop], x[0])
        if self.norm is not None:
            self.norm.check(x[0])
            alpha, beta = (per_channel(p, x[0]) for p in self.norm.folded(start, stop))
            x, decay = alpha * x - beta, alpha * decay
        outputs, v = charge_and_reset(
            x, v, decay, threshold, self.spike_bits, self.through_time, self.clipped_gradient
        )
        return outputs, (v, stop)

    def single_step(self, x_t: Tensor, state: tuple[Tensor, int] | None) -> tuple[Tensor, tuple[Tensor, int]]:
        v, t = (self.initial(x_t), 0) if state is None else state
        stop = last_step(t + 1, self.steps)
        threshold = self.threshold[t] * self.threshold_scale
        if self.variant == "parallel":
            return self._emit(x_t, threshold), (torch.minimum(x_t, threshold).detach(), stop)
        if not self.through_time:
            v = v.detach()
        m = self.decay[t] * v + x_t
        if self.norm is not None:
            m = self.norm(m, t)
        return self._emit(m, threshold), (torch.where(m > threshold, threshold, m), stop)

    def _emit(self, m: Tensor, threshold: Tensor) -> Tensor:
        if self.indicator:
            return heaviside(m - threshold, self.surrogate)
        spikes = torch.relu(m - threshold)
        return spikes if self.spike_bits is None else quantise(spikes, self.spike_bits, self.clipped_gradient)

    def extra_repr(self) -> str:
        return (
            f"steps={self.steps}, variant={self.variant!r}, spike_bits={self.spike_bits}, "
            f"indicator={self.indicator}, mp_init={self.mp_init}"
        )


def last_step(stop: int, steps: int) -> int:
    """`stop`; InputError if it lies beyond `steps`."""
    if stop > steps:
        raise InputError(
            f"HDLIF: the sequence reaches step {stop}, but steps = {steps}: λ_t and θ_t are learnt for each step; "
            "make the layer with more steps, or reset() between sequences"
        )
    return stop

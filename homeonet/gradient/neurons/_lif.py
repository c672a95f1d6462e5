"""The leaky integrate-and-fire neuron with fixed constants: the baseline of all four gradient papers."""

from __future__ import annotations

import torch
from torch import Tensor

from homeonet.errors import InputError
from homeonet.gradient.kernels._membrane import ResetRule, integrate_and_reset
from homeonet.gradient.kernels._surrogate import Surrogate, heaviside, surrogate_named
from homeonet.gradient.neurons._neuron import MembraneNeuron

__all__ = ["LIF"]


class LIF(MembraneNeuron):
    """``m_t = λ u_{t-1} + g x_t``; a spike where ``m_t >= θ``; then the membrane is reset.

    Parameters
    ----------
    decay : float
        λ, what a step leaves of the membrane, in [0, 1]. Default 0.5.
    gain : float
        g, the weight of the input. Default 1; ``1 - decay`` gives the form that divides the input by τ.
    threshold : float
        θ, positive. Default 1.
    reset_mode : {"soft", "hard"}
        Subtract the threshold, or set to zero.
    surrogate : str or Surrogate
        Read at ``m - θ``. Default "triangle".
    detach_reset : bool
        Let no gradient flow through the reset. Default False.
    mp_init : bool or "released"
        Learn the membrane's start; see :class:`MembraneNeuron`. Default False.

    Notes
    -----
    The output is 0 or 1.

    References
    ----------
    Wu et al. 2018 (STBP); the constants of the baseline in arXiv 2410.07547 (HD-LIF).
    """

    def __init__(
        self,
        decay: float = 0.5,
        gain: float = 1.0,
        threshold: float = 1.0,
        *,
        reset_mode: str = "soft",
        surrogate: str | Surrogate = "triangle",
        detach_reset: bool = False,
        mp_init: bool | str = False,
    ) -> None:
        super().__init__(mp_init=mp_init)
        if not 0 <= decay <= 1:
            raise InputError(f"LIF: decay = {decay} is outside [0, 1]")
        self.reset_mode = check_reset_mode(reset_mode)
        self.surrogate = surrogate_named(surrogate)
        self.detach_reset = detach_reset
        self.register_buffer("decay", torch.tensor(float(decay)))
        self.register_buffer("gain", torch.tensor(float(gain)))
        self.register_buffer("threshold", torch.tensor(check_threshold(threshold)))

    def sequence(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        initial = self.initial(x.detach()[0]) if state is None else state
        if not self.through_time:
            initial = initial.detach()
        rule = ResetRule(
            self.surrogate, "as", self.reset_mode == "hard", self.detach_reset, self.through_time
        )
        return integrate_and_reset(
            x, initial, self.decay, self.gain, self.scaled_threshold(self.threshold), rule
        )

    def single_step(self, x_t: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        u = self.initial(x_t) if state is None else state
        if not self.through_time:
            u = u.detach()
        threshold = self.scaled_threshold(self.threshold)
        m = self.decay * u + self.gain * x_t
        spikes = heaviside(m - threshold, self.surrogate)
        reset_spikes = spikes.detach() if self.detach_reset else spikes
        u = m - threshold * reset_spikes if self.reset_mode == "soft" else m * (1 - reset_spikes)
        return spikes, u

    def extra_repr(self) -> str:
        constants = (
            "on meta"
            if self.decay.is_meta
            else (f"decay={self.decay.item():g}, threshold={self.threshold.item():g}")
        )
        return f"{constants}, reset_mode={self.reset_mode!r}"


def check_threshold(threshold: float) -> float:
    """`threshold` as float; InputError unless positive."""
    if not threshold > 0:
        raise InputError(f"threshold = {threshold}: it must be positive; 1 is the usual value")
    return float(threshold)


def check_reset_mode(mode: str) -> str:
    """`mode`; InputError unless "soft" or "hard"."""
    if mode not in ("soft", "hard"):
        raise InputError(
            f"reset_mode = {mode!r}: choose 'soft' (subtract the threshold) or 'hard' (set to zero)"
        )
    return mode

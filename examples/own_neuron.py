"""A neuron of one's own: LIF whose threshold rises with each spike and decays back (Bellec et al. 2018, LSNN).

In this folder, or with it on PYTHONPATH::

    homeonet train own_neuron:AdaptiveLIF --set neuron_options.jump=0.3 --out results/adaptive

What a neuron must do is in ``homeonet.gradient.neurons._own``; here that is ``single_step`` and nothing else.
"""

from __future__ import annotations

import torch
from torch import Tensor

from homeonet.errors import InputError
from homeonet.gradient import SpikingNeuron, Triangle, heaviside


class AdaptiveLIF(SpikingNeuron):
    """``u_t = λ u_{t-1} + x_t``, a spike where ``u_t >= θ + a_{t-1}``, then ``a_t = ρ a_{t-1} + β s_t``; soft reset.

    Parameters
    ----------
    decay : float
        λ, what a step leaves of the membrane, in [0, 1]. Default 0.5.
    threshold : float
        θ, positive. Default 1.
    recovery : float
        ρ, what a step leaves of the adaptation, in [0, 1]. Default 0.9.
    jump : float
        β, what a spike adds to the threshold, at least 0. Default 0.2.

    References
    ----------
    Bellec et al. 2018, arXiv 1803.09574, equation 1.
    """

    def __init__(
        self, decay: float = 0.5, threshold: float = 1.0, recovery: float = 0.9, jump: float = 0.2
    ) -> None:
        super().__init__()
        if not (0 <= decay <= 1 and 0 <= recovery <= 1 and threshold > 0 and jump >= 0):
            raise InputError(
                f"decay = {decay}, recovery = {recovery}, threshold = {threshold}, jump = {jump}: choose shares in "
                "[0, 1] for the first two, a positive threshold, and no negative jump"
            )
        self.decay, self.recovery, self.jump = decay, recovery, jump
        self.surrogate = Triangle()
        self.register_buffer("threshold", torch.tensor(float(threshold)))

    def single_step(
        self, x_t: Tensor, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        u, a = (torch.zeros_like(x_t),) * 2 if state is None else state
        if not self.through_time:  # online training holds the past constant
            u, a = u.detach(), a.detach()
        u = self.decay * u + x_t
        threshold = self.threshold * self.threshold_scale + a  # homeostasis acts on threshold_scale
        spikes = heaviside(u - threshold, self.surrogate)
        return spikes, (u - threshold * spikes, self.recovery * a + self.jump * spikes)

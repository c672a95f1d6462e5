"""DSN: a spiking neuron whose decay depends on its input, without reset, so that it trains in parallel in time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.kernels._dynamic_decay import (
    CompiledDynamicDecay,
    DecayRule,
    DynamicDecay,
    launch_forward,
)
from homeonet.gradient.kernels._surrogate import Surrogate, heaviside, surrogate_named
from homeonet.gradient.neurons._neuron import MembraneNeuron

__all__ = ["DSN", "DSNState"]


@dataclass(frozen=True)
class DSNState:
    """What a DSN layer carries: the membrane, shape (B, *), and its last k - 1 inputs, shape (k - 1, B, *)."""

    membrane: Tensor
    window: Tensor


class DSN(MembraneNeuron):
    """``H_t = α_t H_{t-1} + (1 - α_t) X_t``; the output is ``clip(round(H_t / θ), 0, N)``.

    ``α_t = sigmoid(b + Σ_j w_j X_{t-k+j})^(1/τ)``, a causal convolution over the last k inputs for each channel.
    Since α is in (0, 1), the membrane is a running mean of inputs and stays in their range for ever, without reset.

    Parameters
    ----------
    channels : int
        Size of axis 2 of the input, (T, B, channels, ...).
    kernel : int
        k, the inputs that the decay sees, at least 1; a static decay sees none. Default 4.
    tau : float
        τ, positive. Default 0.25: the decay is the fourth power of a sigmoid.
    levels : int
        N, the largest output, at least 1. Default 4. Outputs of several levels are integer spike counts.
    surrogate : str or Surrogate
        For one level, read at ``H/θ - 1/2``; several levels pass the gradient straight through on [0, N].
        Default "rectangle".
    threshold : float
        θ, what one spike stands for; positive. Default 1.
    parallel : bool
        Whether a whole sequence is computed in parallel in time (the default) or step by step.
    mixing : int, optional
        Rank of a learnt mixing of the channels, ``X + up(down(X))``, before everything else; zero at the start.
    longest_memory : float, optional
        Spread the initial decays so that, without input, channels remember 1 to this many steps, evenly on a
        logarithmic scale; above 1. Default None: biases as torch's Conv1d, a memory of about half a step.
    decay : {"dynamic", "static"}
        "static" is the paper's ablation: ``α = sigmoid(b)^(1/τ)``, one learnt constant for each channel. Default
        "dynamic".
    mp_init : bool or "released"
        Learn the membrane's start; see :class:`MembraneNeuron`. Default False.

    References
    ----------
    Huang et al. 2026, arXiv 2602.01133. The mixing step of the enhanced neuron is not published; the low-rank form
    here, and the spread of initial decays, are this project's.
    """

    def __init__(
        self,
        channels: int,
        *,
        kernel: int = 4,
        tau: float = 0.25,
        levels: int = 4,
        surrogate: str | Surrogate = "rectangle",
        threshold: float = 1.0,
        parallel: bool = True,
        mixing: int | None = None,
        longest_memory: float | None = None,
        decay: str = "dynamic",
        mp_init: bool | str = False,
    ) -> None:
        super().__init__(mp_init=mp_init)
        if decay not in ("dynamic", "static"):
            raise InputError(f"DSN: decay = {decay!r}: choose 'dynamic' or 'static'")
        for name, value, least in (("channels", channels, 1), ("kernel", kernel, 1), ("levels", levels, 1)):
            if value < least or value != int(value):
                raise InputError(f"DSN: {name} = {value}: it must be a whole number of at least {least}")
        for name, value in (("tau", tau), ("threshold", threshold)):
            if not value > 0:
                raise InputError(f"DSN: {name} = {value}: it must be positive")
        self.channels, self.kernel, self.tau, self.levels = channels, kernel, tau, levels
        self.decay = decay
        self.parallel = parallel
        self.surrogate = surrogate_named(surrogate)
        bound = kernel**-0.5  # as torch's Conv1d with one input channel
        self.weight = nn.Parameter(torch.empty(channels, kernel).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(channels).uniform_(-bound, bound))
        if decay == "static":  # a filter of one weight, which is zero and stays so
            del self.weight
            self.kernel = 1
            self.register_buffer("weight", torch.zeros(channels, 1), persistent=False)
        if longest_memory is not None:
            if not longest_memory > 1:
                raise InputError(f"DSN: longest_memory = {longest_memory} steps: it must be above 1")
            memory = torch.logspace(0, math.log10(longest_memory), channels)
            # α = exp(-1 / memory) where the inputs are zero
            self.bias.data = torch.logit(torch.exp(-tau / memory))
        self.down = self.up = None
        if mixing is not None:
            self.down, self.up = (
                nn.Linear(channels, mixing, bias=False),
                nn.Linear(mixing, channels, bias=False),
            )
            nn.init.zeros_(self.up.weight)
        self.register_buffer("threshold", torch.tensor(float(threshold)))

    def membrane_of(self, state: DSNState) -> Tensor:
        return state.membrane

    def sequence(self, x: Tensor, state: DSNState | None) -> tuple[Tensor, DSNState]:
        if not self.parallel:
            outputs = []
            for x_t in x:
                out, state = self.single_step(x_t, state)
                outputs.append(out)
            return torch.stack(outputs), state
        self._check_channels(x.shape[1:])
        x = self._mix(x)
        state = self._carried(x, x.shape[1:], state)
        compiled = self._by_kernels(x, state)
        if compiled is not None:
            return compiled
        constants = (*self._filter(x.dim() - 3), self.scaled_threshold(self.threshold))
        outputs, membrane = DynamicDecay.apply(x, state.window, state.membrane, *constants, self._rule())
        if self.kernel == 1:
            return outputs, DSNState(membrane, state.window)
        recent = x[max(0, len(x) - self.kernel + 1) :]
        return outputs, DSNState(membrane, torch.cat([state.window, recent])[len(recent) :])

    def next_step(self, x_t: Tensor, state: DSNState | None) -> tuple[Tensor, DSNState]:
        x_t, state = self._prepared(x_t, state)
        return self._by_kernels(x_t, state) or self._plain_step(x_t, state)

    def _by_kernels(self, x: Tensor, state: DSNState) -> tuple[Tensor, DSNState] | None:
        """Outputs for a sequence or a step, and the state after it; None where the kernels cannot compute them."""
        given = (
            x,
            state.window,
            state.membrane,
            self.weight,
            self.bias,
            self.scaled_threshold(self.threshold),
        )
        rule = self._rule()
        if not rule.compiled(*given):
            return None
        if torch.is_grad_enabled():
            outputs, membrane, window = CompiledDynamicDecay.apply(*given, rule)
        else:  # a step at a time, what autograd costs is more than what the kernel does
            outputs, membrane, window, *_ = launch_forward(*given, rule)
        return outputs, DSNState(membrane, window)

    def single_step(self, x_t: Tensor, state: DSNState | None) -> tuple[Tensor, DSNState]:
        return self._plain_step(*self._prepared(x_t, state))

    def _prepared(self, x_t: Tensor, state: DSNState | None) -> tuple[Tensor, DSNState]:
        self._check_channels(x_t.shape)
        x_t = x_t if self.down is None else self._mix(x_t[None])[0]
        return x_t, self._carried(x_t, x_t.shape, state)

    def _plain_step(self, x_t: Tensor, state: DSNState) -> tuple[Tensor, DSNState]:
        weight, bias = self._filter(x_t.dim() - 2)
        window = torch.cat([state.window, x_t[None]])
        decay = torch.sigmoid((weight * window).sum(0) + bias) ** (1 / self.tau)
        membrane = decay * state.membrane + (1 - decay) * x_t
        level = membrane / self.scaled_threshold(self.threshold)
        if self.levels == 1:
            spikes = heaviside(level - 0.5, self.surrogate)
        else:
            clipped = level.clamp(0, self.levels)
            spikes = clipped + (clipped.round() - clipped).detach()
        return spikes, DSNState(membrane, window[1:])

    def _rule(self) -> DecayRule:
        return DecayRule(self.tau, self.levels, self.surrogate, self.through_time)

    def _check_channels(self, shape: torch.Size) -> None:
        """InputError unless a step of this shape has the layer's channels."""
        if len(shape) < 2 or shape[1] != self.channels:
            raise InputError(
                f"DSN: a step of the input has shape {tuple(shape)}, but channels = {self.channels} needs "
                f"(B, {self.channels}, ...)"
            )

    def _filter(self, trailing: int) -> tuple[Tensor, Tensor]:
        """Weights (k, 1, channels, 1, ...) and bias (channels, 1, ...), with so many axes after the channels."""
        after = (1,) * trailing
        weight = self.weight.t().reshape(self.kernel, 1, self.channels, *after)
        return weight, self.bias.view(self.channels, *after)

    def _mix(self, x: Tensor) -> Tensor:
        if self.down is None:
            return x
        return x + self.up(self.down(x.movedim(2, -1))).movedim(-1, 2)

    def _carried(self, x: Tensor, shape: torch.Size, state: DSNState | None) -> DSNState:
        """The state that steps of `shape`, like `x` or those in it, go on from: at rest there were no inputs."""
        if state is None:
            initial = self.initial(x if x.shape == shape else x[0])
            return DSNState(initial, x.new_zeros(self.kernel - 1, *shape))
        if self.through_time:
            return state
        return DSNState(state.membrane.detach(), state.window.detach())

    def extra_repr(self) -> str:
        seen = f"kernel={self.kernel}" if self.decay == "dynamic" else "static decay"
        return f"{self.channels}, {seen}, tau={self.tau:g}, levels={self.levels}"

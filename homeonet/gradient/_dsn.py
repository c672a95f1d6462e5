"""DSN: a spiking neuron whose decay depends on its input, without reset, so that it trains in parallel in time."""

from __future__ import annotations

import math
from ctypes import Array, c_float, c_int32, c_int64
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient._native import STRAIGHT_THROUGH, launch, surrogate_kind, usable
from homeonet.gradient._neuron import MembraneNeuron
from homeonet.gradient._recurrence import reverse_scan, scan, time_blocks
from homeonet.gradient._surrogate import Surrogate, heaviside, surrogate_named
from homeonet.gradient._triton import on_triton, triton_dsn

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
    mp_init : bool
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
        mp_init: bool = False,
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
        weight, bias = self._filter(x[0])
        x = self._mix(x)
        state = self._carried(x[0], state)
        given = (x, state.window, state.membrane, weight, bias, self.threshold * self.threshold_scale)
        rule = _Rule(self.tau, self.levels, self.surrogate, self.through_time)
        if not rule.compiled(*given):
            outputs, membrane = _DynamicDecay.apply(*given, rule)
        elif torch.is_grad_enabled():
            outputs, membrane = _CompiledDynamicDecay.apply(*given, rule)
        else:  # a step at a time, what autograd costs is more than what the kernel does
            outputs, membrane, *_ = _launch_forward(*given, rule)
        if self.kernel == 1:
            return outputs, DSNState(membrane, state.window)
        recent = x[max(0, len(x) - self.kernel + 1) :]
        return outputs, DSNState(membrane, torch.cat([state.window, recent])[len(recent) :])

    def single_step(self, x_t: Tensor, state: DSNState | None) -> tuple[Tensor, DSNState]:
        weight, bias = self._filter(x_t)
        x_t = self._mix(x_t[None])[0]
        state = self._carried(x_t, state)
        window = torch.cat([state.window, x_t[None]])
        decay = torch.sigmoid((weight * window).sum(0) + bias) ** (1 / self.tau)
        membrane = decay * state.membrane + (1 - decay) * x_t
        level = membrane / (self.threshold * self.threshold_scale)
        if self.levels == 1:
            spikes = heaviside(level - 0.5, self.surrogate)
        else:
            clipped = level.clamp(0, self.levels)
            spikes = clipped + (clipped.round() - clipped).detach()
        return spikes, DSNState(membrane, window[1:])

    def _filter(self, x_t: Tensor) -> tuple[Tensor, Tensor]:
        """Weights (k, channels, 1, ...) and bias (channels, 1, ...), broadcastable to inputs of k steps."""
        if x_t.dim() < 2 or x_t.shape[1] != self.channels:
            raise InputError(
                f"DSN: a step of the input has shape {tuple(x_t.shape)}, but channels = {self.channels} needs "
                f"(B, {self.channels}, ...)"
            )
        trailing = (1,) * (x_t.dim() - 2)
        return (
            self.weight.t().reshape(self.kernel, 1, self.channels, *trailing),
            self.bias.view(self.channels, *trailing),
        )

    def _mix(self, x: Tensor) -> Tensor:
        if self.down is None:
            return x
        return x + self.up(self.down(x.movedim(2, -1))).movedim(-1, 2)

    def _carried(self, x_t: Tensor, state: DSNState | None) -> DSNState:
        """The state to go on from: at rest there were no inputs."""
        if state is None:
            return DSNState(self.initial(x_t), x_t.new_zeros(self.kernel - 1, *x_t.shape))
        if self.through_time:
            return state
        return DSNState(state.membrane.detach(), state.window.detach())

    def extra_repr(self) -> str:
        seen = f"kernel={self.kernel}" if self.decay == "dynamic" else "static decay"
        return f"{self.channels}, {seen}, tau={self.tau:g}, levels={self.levels}"


@dataclass(frozen=True)
class _Rule:
    tau: float
    levels: int
    surrogate: Surrogate
    through_time: bool

    def compiled(self, *given: Tensor) -> bool:
        """Whether the kernels can compute this of these tensors."""
        return usable(*given) and (self.levels > 1 or surrogate_kind(self.surrogate) is not None)


class _DynamicDecay(torch.autograd.Function):
    """The neuron over a whole sequence in torch operations; saved are its inputs, the decay and the membrane."""

    @staticmethod
    def forward(
        ctx,
        x: Tensor,
        window: Tensor,
        initial: Tensor,
        weight: Tensor,
        bias: Tensor,
        threshold: Tensor,
        rule: _Rule,
    ) -> tuple[Tensor, Tensor]:
        kernel, inputs = len(weight), torch.cat([window, x])
        if on_triton(inputs, initial, weight, bias, threshold):
            return _DynamicDecay._on_gpu(ctx, inputs, initial, weight, bias, threshold, rule)
        x = inputs[kernel - 1 :]
        decay = torch.empty_like(x, memory_format=torch.contiguous_format)
        outputs = torch.empty_like(decay)  # holds the drive (1 - α) X first
        ctx.rule = rule
        for block in time_blocks(x):
            gate = decay[block]
            torch.mul(inputs[block.start : block.stop], weight[0], out=gate)
            for j in range(1, kernel):
                gate.addcmul_(inputs[block.start + j : block.stop + j], weight[j])
            gate.add_(bias).sigmoid_()
            if rule.tau == 0.25:  # the usual case, and faster than a general power
                gate.square_().square_()
            else:
                gate.pow_(1 / rule.tau)
            torch.addcmul(x[block], gate, x[block], value=-1, out=outputs[block])
        membrane = scan(decay, outputs, initial)
        for block in time_blocks(x):
            if rule.levels == 1:
                torch.ge(membrane[block] / threshold, _HALF, out=outputs[block])
            else:
                torch.div(membrane[block], threshold, out=outputs[block]).round_().clamp_(0, rule.levels)
        ctx.save_for_backward(inputs, initial, weight, threshold, decay, membrane)
        return outputs, membrane[-1].clone()

    @staticmethod
    def _on_gpu(
        ctx, inputs: Tensor, initial: Tensor, weight: Tensor, bias: Tensor, threshold: Tensor, rule: _Rule
    ) -> tuple[Tensor, Tensor]:
        ctx.rule, unit_shape = rule, inputs.shape[2:]
        decay, membrane, outputs = triton_dsn(
            inputs.contiguous(),
            initial.contiguous(),
            weight[:, 0].expand(len(weight), *unit_shape).contiguous(),
            bias.expand(unit_shape).contiguous(),
            (threshold if threshold.numel() == 1 else threshold.expand_as(initial)).contiguous(),
            power=1 / rule.tau,
            levels=rule.levels,
        )
        ctx.save_for_backward(inputs, initial, weight, threshold, decay, membrane)
        return outputs, membrane[-1].clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_out: Tensor, grad_last: Tensor) -> tuple[Tensor | None, ...]:
        inputs, initial, weight, threshold, decay, membrane = ctx.saved_tensors
        rule: _Rule = ctx.rule
        kernel = len(weight)
        grad_membrane = torch.empty_like(membrane)
        for block in time_blocks(membrane):
            level = membrane[block] / threshold
            if rule.levels == 1:
                slope = rule.surrogate(level.sub_(0.5))
            else:
                slope = ((level >= 0) & (level <= rule.levels)).to(level.dtype)
            torch.mul(grad_out[block], slope.div_(threshold), out=grad_membrane[block])
        grad_membrane[-1] += grad_last
        if rule.through_time:
            grad_membrane = reverse_scan(decay[1:], grad_membrane)

        x = inputs[kernel - 1 :]
        grad_inputs = torch.zeros_like(inputs)
        grad_weight, grad_bias = torch.zeros_like(weight), 0
        for block in time_blocks(membrane):
            grad, alpha = grad_membrane[block], decay[block]
            # dα/dc = α (1 - gate) / τ with gate = α^τ
            slope = alpha.sqrt().sqrt_() if rule.tau == 0.25 else alpha.pow(rule.tau)
            slope.neg_().add_(1).mul_(alpha).mul_(1 / rule.tau)
            before = (
                membrane[block.start - 1 : block.stop - 1]
                if block.start
                else torch.cat([initial.expand_as(membrane[0])[None], membrane[: block.stop - 1]])
            )
            grad_gate = (before - x[block]).mul_(grad).mul_(slope)
            grad_inputs[kernel - 1 :][block].add_(grad).addcmul_(grad, alpha, value=-1)
            grad_bias = grad_bias + grad_gate.sum((0, 1))
            for j in range(kernel):
                seen = slice(block.start + j, block.stop + j)
                grad_weight[j] += (grad_gate * inputs[seen]).sum_to_size(weight[j].shape)
                if rule.through_time or j == kernel - 1:
                    grad_inputs[seen].addcmul_(grad_gate, weight[j])
        grad_bias = grad_bias.sum_to_size(weight.shape[2:])
        grad_initial = None
        if ctx.needs_input_grad[2]:
            grad_initial = grad_membrane[0] * decay[0] if rule.through_time else torch.zeros_like(initial)
        grad_window, grad_x = grad_inputs[: kernel - 1], grad_inputs[kernel - 1 :]
        return grad_x, grad_window, grad_initial, grad_weight, grad_bias, None, None


class _CompiledDynamicDecay(torch.autograd.Function):
    """The same by the kernels; saved are its inputs and a few membranes, from which the others follow again."""

    @staticmethod
    def forward(
        ctx,
        x: Tensor,
        window: Tensor,
        initial: Tensor,
        weight: Tensor,
        bias: Tensor,
        threshold: Tensor,
        rule: _Rule,
    ) -> tuple[Tensor, Tensor]:
        outputs, last, given, sizes, saved = _launch_forward(
            x, window, initial, weight, bias, threshold, rule
        )
        del given[2]  # the initial membrane is the first one saved
        ctx.save_for_backward(*given, saved)
        ctx.rule, ctx.sizes, ctx.shapes = rule, sizes, (weight.shape, bias.shape)
        return outputs, last

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_out: Tensor, grad_last: Tensor) -> tuple[Tensor | None, ...]:
        x, window, weight, bias, threshold, saved = ctx.saved_tensors
        rule: _Rule = ctx.rule
        kind, width = STRAIGHT_THROUGH, float(rule.levels)
        if rule.levels == 1:
            kind, width = surrogate_kind(rule.surrogate), rule.surrogate.width
        grad_x, grad_window, grad_initial = (torch.empty_like(t) for t in (x, window, saved[0]))
        a_lane = x.new_empty(len(weight) + 1, *x.shape[1:])  # of the weights and the bias
        given = [c_int32(kind), x, window, saved, weight, bias, threshold]
        given += [grad_out.contiguous(), grad_last.contiguous(), ctx.sizes]
        given += [c_float(rule.tau), c_float(width), c_int32(rule.through_time)]
        launch(
            "dsn_backward",
            [*given, grad_x, grad_window, grad_initial, a_lane[:-1], a_lane[-1]],
            len(x),
            saved[0].numel(),
        )
        weight_shape, bias_shape = ctx.shapes
        grad_weight, grad_bias = a_lane[:-1].sum_to_size(weight_shape), a_lane[-1].sum_to_size(bias_shape)
        return grad_x, grad_window, grad_initial, grad_weight, grad_bias, None, None


def _launch_forward(
    x: Tensor,
    window: Tensor,
    initial: Tensor,
    weight: Tensor,
    bias: Tensor,
    threshold: Tensor,
    rule: _Rule,
) -> tuple[Tensor, Tensor, list[Tensor], Array, Tensor]:
    """Outputs, the last membrane, the tensors given to the kernel, the sizes, and the membranes saved on the way."""
    one = threshold.numel() == 1
    unit_shape = x.shape[2:]
    a_lane = weight[:, 0].expand(len(weight), *unit_shape).contiguous()
    sizes = (c_int64 * 4)(math.prod(unit_shape), len(weight), 0 if one else 1, _STEPS_APART)
    given = [
        x.contiguous(),
        window.contiguous(),
        initial.contiguous(),
        a_lane,
        bias.expand(unit_shape).contiguous(),
        threshold.contiguous() if one else threshold.expand_as(x[0]).contiguous(),
    ]
    outputs = torch.empty_like(given[0])
    saved = x.new_empty(-(-len(x) // _STEPS_APART), *x.shape[1:])
    last = torch.empty_like(outputs[0])
    launch(
        "dsn_forward",
        [*given, sizes, c_float(rule.tau), c_int32(rule.levels), saved, last, outputs],
        len(x),
        last.numel(),
    )
    return outputs, last, given, sizes, saved


_HALF = torch.tensor(0.5)
#: The compiled form saves a membrane every so many steps; those between, for one stretch of lanes, fit the cache.
_STEPS_APART = 32

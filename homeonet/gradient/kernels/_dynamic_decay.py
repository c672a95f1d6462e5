"""DSN over a whole sequence, with its own backward pass: in torch operations, and by the compiled kernels."""

from __future__ import annotations

import math
from ctypes import Array
from dataclasses import dataclass

import torch
from torch import Tensor

from homeonet.gradient.kernels._native import STRAIGHT_THROUGH, launch, numbers, surrogate_kind, usable
from homeonet.gradient.kernels._recurrence import reverse_scan, scan, time_blocks
from homeonet.gradient.kernels._surrogate import Surrogate
from homeonet.gradient.kernels._triton import on_triton, triton_dsn

__all__ = ["CompiledDynamicDecay", "DecayRule", "DynamicDecay", "launch_forward"]

_HALF = torch.tensor(0.5)
#: The compiled form saves a membrane every so many steps; those between, for one stretch of lanes, fit the cache.
_STEPS_APART = 32


@dataclass(frozen=True)
class DecayRule:
    """What the recurrence needs to know of a layer beside its tensors."""

    tau: float
    levels: int
    surrogate: Surrogate
    through_time: bool

    def compiled(self, *given: Tensor) -> bool:
        """Whether the kernels can compute this of these tensors."""
        return (self.levels > 1 or surrogate_kind(self.surrogate) is not None) and usable(*given)


class DynamicDecay(torch.autograd.Function):
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
        rule: DecayRule,
    ) -> tuple[Tensor, Tensor]:
        kernel, inputs = len(weight), torch.cat([window, x])
        if on_triton(inputs, initial, weight, bias, threshold):
            return DynamicDecay._on_gpu(ctx, inputs, initial, weight, bias, threshold, rule)
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
        ctx, inputs: Tensor, initial: Tensor, weight: Tensor, bias: Tensor, threshold: Tensor, rule: DecayRule
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
        rule: DecayRule = ctx.rule
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


class CompiledDynamicDecay(torch.autograd.Function):
    """The same by the kernels; saved are its inputs and a few membranes, from which the others follow again.

    Weights are (channels, k) and biases (channels,); `x` is a sequence, or a single step of the shape of `initial`.
    Also returns the last k - 1 inputs.
    """

    @staticmethod
    def forward(
        ctx,
        x: Tensor,
        window: Tensor,
        initial: Tensor,
        weight: Tensor,
        bias: Tensor,
        threshold: Tensor,
        rule: DecayRule,
    ) -> tuple[Tensor, Tensor, Tensor]:
        ctx.set_materialize_grads(False)
        n_steps = len(x) if x.dim() > initial.dim() else 1
        ctx.rule, ctx.n_steps = rule, n_steps
        # where one stretch holds all steps, the membrane before the first is the only one saved
        saved = None if n_steps <= _STEPS_APART else x.new_empty(-(-n_steps // _STEPS_APART), *initial.shape)
        out, last, recent, given, ctx.sizes = launch_forward(
            x, window, initial, weight, bias, threshold, rule, saved
        )
        x, window, start, *constants = given
        ctx.save_for_backward(x, window, start if saved is None else saved, *constants)
        return out, last, recent

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(
        ctx, grad_out: Tensor | None, grad_last: Tensor | None, grad_recent: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        x, window, saved, *constants = ctx.saved_tensors
        rule: DecayRule = ctx.rule
        kind, width = STRAIGHT_THROUGH, float(rule.levels)
        if rule.levels == 1:
            kind, width = surrogate_kind(rule.surrogate), rule.surrogate.width
        step_shape = x.shape if x.dim() == saved.dim() and ctx.n_steps == 1 else x.shape[1:]
        grad_x, grad_window, grad_initial = (
            torch.empty_like(x),
            torch.empty_like(window),
            x.new_empty(step_shape),
        )
        a_lane = x.new_empty(constants[0].shape[1] + 1, *step_shape)  # of the weights and the bias
        grads = [torch.zeros_like(x) if grad_out is None else grad_out.contiguous()]
        grads += [g if g is None else g.contiguous() for g in (grad_last, grad_recent)]
        given = [kind, x, window, saved, *constants, *grads, ctx.sizes, rule.tau, width, rule.through_time]
        written = [grad_x, grad_window, grad_initial, a_lane, a_lane[-1]]
        launch("dsn_backward", [*given, *written], ctx.n_steps, grad_initial.numel())
        grad_constants = a_lane.sum((1, *range(3, a_lane.dim())))
        return grad_x, grad_window, grad_initial, grad_constants[:-1].t(), grad_constants[-1], None, None


def launch_forward(
    x: Tensor,
    window: Tensor,
    initial: Tensor,
    weight: Tensor,
    bias: Tensor,
    threshold: Tensor,
    rule: DecayRule,
    saved: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor, list[Tensor], Array]:
    """Outputs, last membrane and last k - 1 inputs; the tensors and the sizes that the kernel was given.

    `saved`, if given, is filled with the membranes before every 32nd step.
    """
    n_steps = len(x) if x.dim() > initial.dim() else 1
    one = threshold.numel() == 1
    channels, kernel = weight.shape
    sizes = numbers(
        channels, math.prod(initial.shape[2:]), kernel, 0 if one else 1, min(n_steps, _STEPS_APART)
    )
    threshold = threshold if one else threshold.expand_as(initial)
    given = [t.contiguous() for t in (x, window, initial, weight, bias, threshold)]
    out, last, recent = torch.empty_like(given[0]), torch.empty_like(given[2]), torch.empty_like(given[1])
    launch(
        "dsn_forward",
        [*given, sizes, rule.tau, rule.levels, saved, last, recent, out],
        n_steps,
        last.numel(),
    )
    return out, last, recent, given, sizes

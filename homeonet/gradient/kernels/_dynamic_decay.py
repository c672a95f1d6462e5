"""DSN over a whole sequence, with its own backward pass: in torch operations, and by the compiled kernels."""

from __future__ import annotations

import math
from ctypes import Array, c_float, c_int32, c_int64
from dataclasses import dataclass

import torch
from torch import Tensor

from homeonet.gradient.kernels._native import STRAIGHT_THROUGH, launch, surrogate_kind, usable
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
        return usable(*given) and (self.levels > 1 or surrogate_kind(self.surrogate) is not None)


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
        rule: DecayRule,
    ) -> tuple[Tensor, Tensor]:
        outputs, last, given, sizes, saved = launch_forward(x, window, initial, weight, bias, threshold, rule)
        del given[2]  # the initial membrane is the first one saved
        ctx.save_for_backward(*given, saved)
        ctx.rule, ctx.sizes, ctx.shapes = rule, sizes, (weight.shape, bias.shape)
        return outputs, last

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_out: Tensor, grad_last: Tensor) -> tuple[Tensor | None, ...]:
        x, window, weight, bias, threshold, saved = ctx.saved_tensors
        rule: DecayRule = ctx.rule
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


def launch_forward(
    x: Tensor,
    window: Tensor,
    initial: Tensor,
    weight: Tensor,
    bias: Tensor,
    threshold: Tensor,
    rule: DecayRule,
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

"""The integrate-and-reset recurrence of LIF neurons over a whole sequence, with its own backward pass.

    m_t = decay u_{t-1} + gain x_t        S_t = H(m_t - θ)        O_t = S_t, or θ S_t (TrSG)
    u_t = m_t - θ S_t  (soft reset)   or   u_t = m_t (1 - S_t)  (hard reset)

In float32 on a CPU both passes are compiled loops. Elsewhere, forward, a step costs three operations on preallocated
memory; backward, the gradient of the membrane obeys a linear recurrence whose factors are known for many steps at
once. Saved is the membrane alone. The plain form, differentiated by autograd, is ``single_step`` of ``LIF`` and
``TrLIF``; tests hold them equal.

Threshold rules (Kook et al. 2025, arXiv 2511.08708), z being where the surrogate f' is read:

=====  ================  =======  =============================================================================
rule   z                 output   gradients
=====  ================  =======  =============================================================================
AS     ``m - θ``         S        ∂S/∂m = f'(z), ∂S/∂θ = -f'(z)
RS     ``m/θ - 1``       S        ∂S/∂m = f'(z)/θ, ∂S/∂θ = -f'(z) m/θ²
TrSG   ``m/θ - 1``       θ S      ∂O/∂m = f'(z), ∂O/∂θ = S - f'(z) (z + 1): exact, since O scales with θ
=====  ================  =======  =============================================================================
"""

from __future__ import annotations

from ctypes import Array
from dataclasses import dataclass

import torch
from torch import Tensor

from homeonet.gradient.kernels._native import LANE_GROUP, launch, numbers, surrogate_kind, total, usable
from homeonet.gradient.kernels._recurrence import reverse_scan, time_blocks
from homeonet.gradient.kernels._surrogate import Surrogate
from homeonet.gradient.kernels._triton import on_triton, triton_integrate

__all__ = ["ResetRule", "integrate_and_reset"]


@dataclass(frozen=True)
class ResetRule:
    """How a layer resets and how its threshold enters the gradient.

    Parameters
    ----------
    surrogate : Surrogate
    threshold_rule : {"as", "rs", "trsg"}
    hard : bool
        Reset to zero instead of subtracting the threshold.
    detach_reset : bool
        Let no gradient flow through the reset.
    through_time : bool
        Let gradients flow from a step to the one before.
    """

    surrogate: Surrogate
    threshold_rule: str
    hard: bool
    detach_reset: bool
    through_time: bool


def integrate_and_reset(
    x: Tensor,
    initial: Tensor,
    decay: Tensor | None,
    gain: Tensor,
    threshold: Tensor,
    rule: ResetRule,
    spiked: Tensor | None = None,
    ends: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Outputs of all steps, and the membrane after the last.

    Parameters
    ----------
    x : Tensor, shape (T, B, *)
    initial : Tensor, shape (B, *)
    decay, gain, threshold : Tensor
        Scalars, or broadcastable to (B, *). Without a decay it is ``1 - gain``, and the gradient of the gain is
        that of both.
    rule : ResetRule
    spiked : Tensor, shape (B, *), optional
        Is filled with 1 for the units that spike at all and 0 for the others.
    ends : Tensor, shape (2, groups), optional
        Is filled with the last membranes of the units that spike at all and their number, summed over each group of
        ``LANE_GROUP`` units or in any other partition.

    Returns
    -------
    outputs : Tensor, shape (T, B, *)
    membrane : Tensor, shape (B, *)
    """
    return _IntegrateAndReset.apply(x, initial, decay, gain, threshold, rule, spiked, ends)


def _number(value: Tensor) -> float | None:
    """`value` as a Python number where that needs no synchronisation: one operand less an operation."""
    return value.item() if value.numel() == 1 and value.device.type == "cpu" else None


class _IntegrateAndReset(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx,
        x: Tensor,
        initial: Tensor,
        decay: Tensor | None,
        gain: Tensor,
        threshold: Tensor,
        rule: ResetRule,
        spiked: Tensor | None,
        ends: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        membrane = torch.empty_like(x, memory_format=torch.contiguous_format)
        outputs, after = torch.empty_like(membrane), membrane.new_empty(membrane.shape[1:])
        compiled = usable(x, initial, gain if decay is None else decay, gain, threshold)
        ctx.rule, ctx.compiled = rule, compiled and surrogate_kind(rule.surrogate) is not None
        ctx.set_materialize_grads(not ctx.compiled)
        needs_x = ctx.needs_input_grad[3] and not (ctx.compiled and decay is None)
        ctx.save_for_backward(membrane, initial, decay, gain, threshold, x if needs_x else None)
        if compiled:
            _native_forward(
                x, initial, (decay, gain, threshold), rule, membrane, outputs, after, spiked, ends
            )
            return outputs, after
        decay = 1 - gain if decay is None else decay
        if ends is not None:
            spiked = torch.empty_like(after)
        if on_triton(x, initial, decay, gain, threshold):
            given = (_start(initial), decay, gain, threshold)
            (start, *constants), steps = _lanes_for_kernel(given, x.shape[1:])
            scaled = rule.threshold_rule == "trsg"
            written = (membrane, outputs, after, spiked)
            triton_integrate(
                x.contiguous(), start, tuple(constants), tuple(steps), *written, hard=rule.hard, scaled=scaled
            )
            _sum_ends(ends, after, spiked)
            return outputs, after
        decay_number, threshold_number = _number(decay), _number(threshold)
        u = initial
        for block in time_blocks(x):
            drive = x[block] if _number(gain) == 1 else x[block] * gain
            for x_t, m_t, s_t in zip(
                drive.unbind(), membrane[block].unbind(), outputs[block].unbind(), strict=True
            ):
                if decay_number is not None:
                    torch.add(x_t, u, alpha=decay_number, out=m_t)
                else:
                    torch.addcmul(x_t, u, decay, out=m_t)
                torch.ge(m_t, threshold, out=s_t)  # compared with a number it would take twice as long
                if rule.hard:
                    torch.addcmul(m_t, m_t, s_t, value=-1, out=after)
                elif threshold_number is not None:
                    torch.sub(m_t, s_t, alpha=threshold_number, out=after)
                else:
                    torch.addcmul(m_t, s_t, threshold, value=-1, out=after)
                u = after
            if rule.threshold_rule == "trsg":
                outputs[block].mul_(threshold)
        if spiked is not None:
            spiked.copy_(outputs.amax(0) > 0)
        _sum_ends(ends, after, spiked)
        return outputs, after

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_out: Tensor, grad_after: Tensor) -> tuple[Tensor | None, ...]:
        saved = membrane, initial, decay, gain, threshold, x = ctx.saved_tensors
        rule: ResetRule = ctx.rule
        if ctx.compiled:
            return _native_backward(ctx, saved, grad_out, grad_after)
        _, needs_initial, needs_decay, needs_gain, needs_threshold, *_ = ctx.needs_input_grad
        mean = decay is None
        if mean:
            decay, needs_decay = 1 - gain, needs_gain
        grads = [
            torch.zeros_like(p) if needed else None
            for p, needed in zip(
                (decay, gain, threshold), (needs_decay, needs_gain, needs_threshold), strict=True
            )
        ]
        grad_decay, grad_gain, grad_threshold = grads
        grad_m = torch.empty_like(membrane)
        grad_u = grad_after  # of u_t, at the last step of the block that comes next
        for block in reversed(time_blocks(membrane)):
            slopes = _Slopes(membrane[block], threshold, rule, learnt=needs_decay or needs_threshold)
            through_output = grad_out[block] * slopes.output
            _reverse_in_place(grad_m[block], through_output, slopes.reset, decay, grad_u, rule.through_time)
            if needs_decay or needs_threshold:
                grads_u = torch.zeros_like(through_output)
                if rule.through_time:
                    torch.mul(grad_m[block][1:], decay, out=grads_u[:-1])
                grads_u[-1] = grad_u
            if needs_threshold:
                grad_threshold += slopes.threshold_gradient(grad_out[block], grads_u)
            if needs_decay:
                reset = slopes.after_reset()
                inside = slice(block.start + 1, min(block.stop + 1, len(membrane)))
                grad_decay += _total(grad_m[inside], reset[: inside.stop - inside.start], decay)
            if needs_gain:
                grad_gain += _total(grad_m[block], x[block], gain)
            grad_u = grad_m[block.start] * decay if rule.through_time else torch.zeros_like(grad_after)
        if needs_decay:
            grad_decay += _total(grad_m[0], initial, decay)
        if mean and needs_gain:
            grad_decay, grad_gain = None, grad_gain - grad_decay
        grad_x = grad_m if _number(gain) == 1 else grad_m.mul_(gain)
        return (
            grad_x,
            grad_u if needs_initial else None,
            grad_decay,
            grad_gain,
            grad_threshold,
            None,
            None,
            None,
        )


def _sum_ends(ends: Tensor | None, after: Tensor, spiked: Tensor | None) -> None:
    if ends is not None:
        ends[0, 0], ends[1, 0] = torch.dot(after.reshape(-1), spiked.reshape(-1)), spiked.sum()


def _native_forward(
    x: Tensor,
    initial: Tensor,
    constants: tuple[Tensor | None, Tensor, Tensor],
    rule: ResetRule,
    membrane: Tensor,
    outputs: Tensor,
    after: Tensor,
    spiked: Tensor | None,
    ends: Tensor | None,
) -> None:
    (*values, start), steps = _lanes_for_kernel((*constants, _start(initial)), x.shape[1:])
    scaled = rule.threshold_rule == "trsg"
    given = [x.contiguous(), start, *values, steps, rule.hard, scaled]
    launch("membrane_forward", [*given, membrane, outputs, after, spiked, ends], len(x), after.numel())


def _native_backward(
    ctx, saved: tuple[Tensor | None, ...], grad_out: Tensor | None, grad_after: Tensor | None
) -> tuple[Tensor | None, ...]:
    # `saved` is read once per backward pass: activation checkpointing hands each tensor out a single time
    membrane, initial, decay, gain, threshold, x = saved
    rule: ResetRule = ctx.rule
    _, needs_initial, *needed, _, _, _ = ctx.needs_input_grad
    learns, unit_shape = any(needed), membrane.shape[1:]
    n_lanes = unit_shape.numel()
    (*values, start), steps = _lanes_for_kernel((decay, gain, threshold, _start(initial)), unit_shape)
    absolute, scaled = rule.threshold_rule == "as", rule.threshold_rule == "trsg"
    flags = numbers(absolute, scaled, rule.hard, not rule.detach_reset, rule.through_time, learns)
    grad_x = torch.empty_like(membrane)
    grad_initial = membrane.new_empty(unit_shape) if needs_initial else None
    sums: list[Tensor | None] = [None] * 3  # of decay, gain and threshold: a lane, or a group of lanes
    if learns:
        groups = -(-n_lanes // LANE_GROUP)
        for i, c in enumerate(values):
            if c is not None:
                sums[i] = membrane.new_empty(unit_shape if steps[i] else groups)
    given = [
        surrogate_kind(rule.surrogate),
        membrane,
        torch.zeros_like(membrane) if grad_out is None else grad_out.contiguous(),
        None if grad_after is None else grad_after.contiguous(),
        None if x is None else x.contiguous(),
    ]
    given += [start, *values, steps, rule.surrogate.width, flags, grad_x, grad_initial, *sums]
    launch("membrane_backward", given, len(membrane), n_lanes)
    constants = [None] * 3
    for i, c in enumerate((decay, gain, threshold)):
        if needed[i]:
            constants[i] = sums[i].sum_to_size(c.shape) if steps[i] else total(sums[i], torch.empty_like(c))
    return grad_x, grad_initial, *constants, None, None, None


def _lanes_for_kernel(
    given: tuple[Tensor | None, ...], unit_shape: torch.Size
) -> tuple[list[Tensor | None], Array]:
    """One value for all, or one per lane; and the step from lane to lane in each."""
    values, steps = list(given), [0] * len(given)
    for i, c in enumerate(given):
        if c is not None and c.numel() != 1:
            values[i], steps[i] = c.expand(unit_shape).contiguous(), 1
    return values, numbers(*steps)


def _start(initial: Tensor) -> Tensor:
    """The initial membrane, as one value if it is one expanded."""
    return initial if any(initial.stride()) else initial.as_strided((), ())


class _Slopes:
    """Derivatives of one block of steps: ``output`` is ∂O/∂m, ``reset`` is ∂u/∂m."""

    def __init__(self, membrane: Tensor, threshold: Tensor, rule: ResetRule, *, learnt: bool) -> None:
        self.membrane, self.threshold, self.rule = membrane, threshold, rule
        scaled, absolute = rule.threshold_rule == "trsg", rule.threshold_rule == "as"
        self.ratio = None if absolute else membrane / threshold
        bump = rule.surrogate(membrane - threshold if absolute else self.ratio - 1)
        self.spike = bump if absolute or (scaled and not (learnt or rule.hard)) else bump / threshold  # ∂S/∂m
        self.output = bump if scaled else self.spike
        self.spikes = (
            torch.ge(membrane, threshold, out=torch.empty_like(membrane)) if learnt or rule.hard else None
        )
        if rule.hard:
            self.reset = 1 - self.spikes
            if not rule.detach_reset:
                self.reset.addcmul_(membrane, self.spike, value=-1)
        elif rule.detach_reset:
            self.reset = torch.ones_like(membrane)
        else:
            self.reset = (bump.neg() if scaled else self.spike * -threshold).add_(1)

    def after_reset(self) -> Tensor:
        """The membrane after the reset, u_t."""
        if self.rule.hard:
            return torch.addcmul(self.membrane, self.membrane, self.spikes, value=-1)
        return torch.addcmul(self.membrane, self.spikes, self.threshold, value=-1)

    def threshold_gradient(self, grad_out: Tensor, grad_u: Tensor) -> Tensor:
        """The block's share of the gradient of θ; the last use of this object's ∂S/∂m."""
        absolute = self.rule.threshold_rule == "as"
        spike = self.spike.neg() if absolute else self.ratio.mul_(self.spike).neg_()  # ∂S/∂θ
        subtracted = torch.addcmul(self.spikes, spike, self.threshold)  # ∂(θ S)/∂θ
        total = _total(grad_out, subtracted if self.rule.threshold_rule == "trsg" else spike, self.threshold)
        if not self.rule.detach_reset:
            total = total - _total(
                grad_u, spike.mul_(self.membrane) if self.rule.hard else subtracted, self.threshold
            )
        return total


def _reverse_in_place(
    out: Tensor, direct: Tensor, slope: Tensor, decay: Tensor, grad_u: Tensor, through_time: bool
) -> None:
    """``out_t = direct_t + slope_t g_u[t]`` from the last step, where ``g_u[t] = decay out_{t+1}``."""
    direct[-1].addcmul_(slope[-1], grad_u)
    if through_time:
        reverse_scan(slope.mul_(decay), direct, out)
    else:
        out.copy_(direct)


def _total(values: Tensor, factor: Tensor, parameter: Tensor) -> Tensor:
    """The sum of ``values * factor`` over all axes that `parameter` does not have."""
    if parameter.numel() == 1:
        return torch.dot(values.reshape(-1), factor.reshape(-1)).view(parameter.shape)
    return (values * factor).sum_to_size(parameter.shape)

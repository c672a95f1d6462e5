"""The recurrence of HD-LIF neurons over a whole sequence, with its own backward pass, and the rounding of spikes.

    m_t = λ_t v_{t-1} + I_t        s_t = ReLU(m_t - θ_t)        v_t = m_t - s_t = min(m_t, θ_t)        O_t = Q(s_t)

Both ∂s/∂m and ∂v/∂m are 0 or 1 by whether the neuron fired (``m > θ``), whatever the potential: no surrogate is
needed. Saved for the backward pass is the membrane alone, linear in T. The plain form, differentiated by autograd, is
``HDLIF.single_step``; tests hold the two equal.

Reference: HD-LIF, arXiv 2410.07547, "precise-positioning reset".
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from homeonet.gradient.kernels._native import LANE_GROUP, launch, usable
from homeonet.gradient.kernels._recurrence import reverse_scan, time_blocks
from homeonet.gradient.kernels._triton import on_triton, triton_charge

__all__ = ["charge_and_reset", "per_channel", "per_step", "quantise"]


def charge_and_reset(
    x: Tensor,
    initial: Tensor,
    decay: Tensor,
    threshold: Tensor,
    spike_bits: int | None,
    through_time: bool,
    clipped_gradient: bool = False,
) -> tuple[Tensor, Tensor]:
    """Outputs of all steps, and the membrane after the last.

    Parameters
    ----------
    x : Tensor, shape (T, B, *)
        Input currents I.
    initial : Tensor, shape (B, *)
        v before the first step.
    decay, threshold : Tensor, first axis T
        λ_t and θ_t, broadcastable to (T, B, *) with as many axes.
    spike_bits : int, optional
        Round the outputs, not what the reset subtracts; see :func:`quantise`.
    through_time : bool
        Let gradients flow from a step to the one before.
    clipped_gradient : bool
        See :func:`quantise`.

    Returns
    -------
    outputs : Tensor, shape (T, B, *)
    membrane : Tensor, shape (B, *)
    """
    return _ChargeAndReset.apply(x, initial, decay, threshold, spike_bits, through_time, clipped_gradient)


def quantise(spikes: Tensor, bits: int, clipped_gradient: bool = False) -> Tensor:
    """`spikes` rounded to `bits` bits: multiples of ``4 / 2^bits`` from 0 to just under 4.

    At 4 bits it is the paper's ``clamp(round(4 s), 0, 15) / 4``; other widths keep the range and change the step
    (this project's choice). The gradient goes straight through, as in the paper, above the clamp too.

    Parameters
    ----------
    spikes : Tensor
        Real-valued spikes, not negative.
    bits : int
        Bits of a level, at least 1.
    clipped_gradient : bool
        Let no gradient through where the clamp changes something: that of the clamp itself. Default False.
    """
    return _Quantise.apply(spikes, bits, clipped_gradient)


def per_step(values: Tensor, x_t: Tensor) -> Tensor:
    """One number per step, shape (T,), broadcastable to (T, *x_t.shape)."""
    return values.view(-1, *[1] * x_t.dim())


def per_channel(values: Tensor, x_t: Tensor) -> Tensor:
    """One number per step and channel, shape (T, C), broadcastable to (T, B, C, *)."""
    return values.view(len(values), 1, -1, *[1] * (x_t.dim() - 2))


def _levels(bits: int) -> tuple[float, int]:
    """Steps to one unit, and the highest level."""
    return 2.0 ** (bits - 2), 2**bits - 1


def _unclamped(spikes: Tensor, bits: int) -> Tensor:
    scale, top = _levels(bits)
    return torch.round(spikes * scale) <= top


def _quantise_in_place(spikes: Tensor, bits: int) -> Tensor:
    scale, top = _levels(bits)
    return spikes.mul_(scale).round_().clamp_(0, top).div_(scale)


class _Quantise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, spikes: Tensor, bits: int, clipped_gradient: bool) -> Tensor:
        ctx.save_for_backward(_unclamped(spikes, bits) if clipped_gradient else None)
        return _quantise_in_place(spikes.clone(), bits)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        (passes,) = ctx.saved_tensors
        return gradient if passes is None else gradient * passes, None, None


def _each(values: Tensor) -> list[float] | tuple[Tensor, ...]:
    """What each step takes: a Python number where that needs no synchronisation, one operand less an operation."""
    if values.numel() == len(values) and values.device.type == "cpu":
        return values.flatten().tolist()
    return values.unbind()


def _step_by_step(steps: Iterable[tuple], v: Tensor, after: Tensor) -> Tensor:
    """Membranes of these steps, from `v` before them; what is left after the last is in `after`, and returned."""
    for x_t, m_t, decay_t, threshold_t in steps:
        if isinstance(decay_t, float):
            torch.add(x_t, v, alpha=decay_t, out=m_t)
        else:
            torch.addcmul(x_t, v, decay_t, out=m_t)
        torch.clamp(m_t, max=threshold_t, out=after)
        v = after
    return v


class _ChargeAndReset(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx,
        x: Tensor,
        initial: Tensor,
        decay: Tensor,
        threshold: Tensor,
        spike_bits: int | None,
        through_time: bool,
        clipped_gradient: bool,
    ) -> tuple[Tensor, Tensor]:
        membrane = torch.empty_like(x, memory_format=torch.contiguous_format)
        outputs = torch.empty_like(membrane)
        after = torch.empty_like(membrane[0])
        ctx.save_for_backward(membrane, initial, decay, threshold)
        ctx.spike_bits, ctx.through_time = spike_bits, through_time
        ctx.clipped_gradient = clipped_gradient
        single = decay.numel() == threshold.numel() == len(x)
        compiled = usable(x, initial, decay, threshold)
        ctx.compiled = single and compiled
        if compiled:
            _native_forward(x, initial, (decay, threshold), single, spike_bits, membrane, outputs, after)
            return outputs, after
        whole = single and on_triton(x, initial, decay, threshold)
        if whole:
            given = (t.contiguous() for t in (x, initial, decay, threshold))
            triton_charge(*given, membrane, after)
        else:
            decays, thresholds, v = _each(decay), _each(threshold), initial
        for block in time_blocks(x):
            if not whole:
                steps = zip(
                    x[block].unbind(), membrane[block].unbind(), decays[block], thresholds[block], strict=True
                )
                v = _step_by_step(steps, v, after)
            out = torch.sub(membrane[block], threshold[block], out=outputs[block]).clamp_min_(0)
            if spike_bits is not None:
                _quantise_in_place(out, spike_bits)
        return outputs, after

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_out: Tensor, grad_after: Tensor) -> tuple[Tensor | None, ...]:
        membrane, initial, decay, threshold = saved = ctx.saved_tensors
        if ctx.compiled:
            return _native_backward(ctx, saved, grad_out, grad_after)
        _, needs_initial, needs_decay, needs_threshold, *_ = ctx.needs_input_grad
        grad_m = torch.empty_like(membrane)
        grad_decay = torch.zeros_like(decay) if needs_decay else None
        grad_threshold = torch.zeros_like(threshold) if needs_threshold else None
        grad_v = grad_after  # of v_t, at the last step of the block that comes next
        for block in reversed(time_blocks(membrane)):
            excess = membrane[block] - threshold[block]
            fired = (excess > 0).to(excess.dtype)
            direct = grad_out[block] * fired
            if ctx.spike_bits is not None and ctx.clipped_gradient:
                direct.mul_(_unclamped(excess, ctx.spike_bits))
            grads_m = grad_m[block]
            direct[-1].addcmul_(1 - fired[-1], grad_v)
            if ctx.through_time:
                reverse_scan((1 - fired[:-1]) * decay[block][1:], direct, grads_m)
            else:
                grads_m.copy_(direct)
            if needs_threshold:
                grads_v = torch.zeros_like(direct)
                if ctx.through_time:
                    torch.mul(grads_m[1:], decay[block][1:], out=grads_v[:-1])
                grads_v[-1] = grad_v
                of_firing = grads_v.sub_(direct).mul_(fired)
                grad_threshold[block] = of_firing.sum_to_size(threshold[block].shape)
            if needs_decay:
                before = slice(max(block.start - 1, 0), block.stop - 1)
                v = torch.minimum(membrane[before], threshold[before])
                if block.start == 0:
                    v = torch.cat([initial[None], v])
                grad_decay[block] = v.mul_(grads_m).sum_to_size(decay[block].shape)
            grad_v = grads_m[0] * decay[block.start] if ctx.through_time else torch.zeros_like(grad_after)
        return grad_m, grad_v if needs_initial else None, grad_decay, grad_threshold, None, None, None


def _native_forward(
    x: Tensor,
    initial: Tensor,
    constants: tuple[Tensor, Tensor],
    single: bool,
    spike_bits: int | None,
    membrane: Tensor,
    outputs: Tensor,
    after: Tensor,
) -> None:
    scale, top = (0.0, 0) if spike_bits is None else _levels(spike_bits)
    given = [c.contiguous() if single else c.expand_as(x).contiguous() for c in constants]
    numbers = not single, scale, top
    start = initial.contiguous()
    launch(
        "charge_forward",
        [x.contiguous(), start, *given, *numbers, membrane, outputs, after],
        len(x),
        after.numel(),
    )


def _native_backward(
    ctx, saved: tuple[Tensor, ...], grad_out: Tensor, grad_after: Tensor
) -> tuple[Tensor | None, ...]:
    membrane, initial, decay, threshold = saved
    _, needs_initial, needs_decay, needs_threshold, *_ = ctx.needs_input_grad
    grad_x, grad_initial = torch.empty_like(membrane), torch.empty_like(grad_after)
    sums = [None, None]
    if needs_decay or needs_threshold:
        groups = -(-grad_after.numel() // LANE_GROUP)
        sums = [membrane.new_zeros(groups, len(membrane)) for _ in sums]
    highest = math.inf
    if ctx.spike_bits is not None and ctx.clipped_gradient:
        scale, top = _levels(ctx.spike_bits)
        # half-way between the highest level and the one above, which is even, so that rounding goes up there
        highest = float(np.nextafter(np.float32((top + 0.5) / scale), np.float32(0)))
    given = [membrane, grad_out.contiguous(), grad_after.contiguous(), initial.contiguous()]
    given += [decay.contiguous(), threshold.contiguous(), highest, ctx.through_time]
    launch(
        "charge_backward",
        [*given, grad_x, grad_initial, *sums],
        len(membrane),
        grad_after.numel(),
    )
    of_decay, of_threshold = (None if s is None else s.sum(0) for s in sums)
    return (
        grad_x,
        grad_initial if needs_initial else None,
        of_decay.view(decay.shape) if needs_decay else None,
        of_threshold.view(threshold.shape) if needs_threshold else None,
        None,
        None,
        None,
    )

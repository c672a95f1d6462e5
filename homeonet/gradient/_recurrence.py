"""The linear recurrence ``h_t = a_t h_{t-1} + x_t``, serial and parallel in time.

``linear_recurrence`` cuts the T steps into about √T chunks. All chunks advance together, one tensor operation a
step; then what each hands on is carried from chunk to chunk. That is O(T) work in O(√T) operations, never divides
by a cumulative product (which underflows), and saves the decay and the result only: memory is linear in T. Its
backward pass is the same recurrence run from the end.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from homeonet.errors import InputError

__all__ = ["linear_recurrence", "linear_recurrence_reference"]

#: Below this length one operation a step is the faster form.
_SERIAL_STEPS = 48


def linear_recurrence_reference(decay: Tensor, x: Tensor, initial: Tensor | None = None) -> Tensor:
    """The recurrence as it is written, differentiated by autograd: slow, to be compared with.

    Parameters and result as for :func:`linear_recurrence`.
    """
    h = torch.zeros_like(x[0]) if initial is None else initial
    states = []
    for decay_t, x_t in zip(decay, x, strict=True):
        h = decay_t * h + x_t
        states.append(h)
    return torch.stack(states)


def linear_recurrence(decay: Tensor, x: Tensor, initial: Tensor | None = None) -> Tensor:
    """All states of ``h_t = decay_t * h_{t-1} + x_t``, for t = 1 … T.

    Parameters
    ----------
    decay : Tensor, shape (T, ...)
        Of the shape of `x`. Any finite values; the recurrence is stable where ``|decay| <= 1``.
    x : Tensor, shape (T, ...)
    initial : Tensor, shape (...), optional
        h_0; zero without it.

    Returns
    -------
    Tensor, shape (T, ...)

    Raises
    ------
    InputError
        If the shapes differ, or T is 0.

    References
    ----------
    Blelloch 1990 (prefix sums); Martin & Cundy 2018 (parallel linear recurrences).
    """
    if decay.shape != x.shape:
        raise InputError(
            f"decay has shape {tuple(decay.shape)} and x {tuple(x.shape)}; give them the same (expand the decay)"
        )
    if x.dim() == 0 or x.shape[0] == 0:
        raise InputError(f"x has shape {tuple(x.shape)}: its first axis is time and needs at least one step")
    if initial is not None and initial.shape != x.shape[1:]:
        raise InputError(f"initial has shape {tuple(initial.shape)}; a state has shape {tuple(x.shape[1:])}")
    return _LinearRecurrence.apply(decay, x, initial)


class _LinearRecurrence(torch.autograd.Function):
    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu")
    def forward(ctx, decay: Tensor, x: Tensor, initial: Tensor | None) -> Tensor:
        states = scan(decay, x, initial)
        ctx.save_for_backward(decay, states, initial)
        return states

    @staticmethod
    @torch.autograd.function.once_differentiable
    @torch.amp.custom_bwd(device_type="cpu")
    def backward(ctx, grad_states: Tensor) -> tuple[Tensor | None, Tensor, Tensor | None]:
        decay, states, initial = ctx.saved_tensors
        grad_x = reverse_scan(decay[1:], grad_states)
        grad_decay = grad_initial = None
        if ctx.needs_input_grad[0]:
            grad_decay = torch.empty_like(grad_x)
            torch.mul(grad_x[1:], states[:-1], out=grad_decay[1:])
            if initial is None:
                grad_decay[0] = 0
            else:
                torch.mul(grad_x[0], initial, out=grad_decay[0])
        if initial is not None and ctx.needs_input_grad[2]:
            grad_initial = grad_x[0] * decay[0]
        return grad_decay, grad_x, grad_initial


def scan(decay: Tensor, x: Tensor, initial: Tensor | None = None) -> Tensor:
    """:func:`linear_recurrence` without autograd and without checks."""
    n_steps = x.shape[0]
    states = torch.empty_like(x, memory_format=torch.contiguous_format)
    if n_steps <= _SERIAL_STEPS:
        _serial(decay, x, initial, states)
        return states
    size = 1 << round(math.log2(n_steps) / 2)
    whole = n_steps // size * size
    _chunked(decay[:whole], x[:whole], initial, states[:whole], size, reverse=False)
    if whole < n_steps:
        _serial(decay[whole:], x[whole:], states[whole - 1], states[whole:])
    return states


def reverse_scan(factor: Tensor, x: Tensor) -> Tensor:
    """``g_t = factor_t g_{t+1} + x_t`` from the last step to the first, beginning with ``g_T = x_T``.

    `factor` has a row less than `x`, or one that is not used. With ``factor_t = decay_{t+1}`` this is the adjoint of
    :func:`scan`.
    """
    grads = torch.empty_like(x, memory_format=torch.contiguous_format)
    grads[-1] = x[-1]
    n_left = x.shape[0] - 1
    if n_left <= _SERIAL_STEPS:
        _serial(factor[:n_left], x[:-1], grads[-1], grads[:-1], reverse=True)
        return grads
    size = 1 << round(math.log2(n_left) / 2)
    head = n_left % size
    _chunked(factor[head:n_left], x[head:-1], grads[-1], grads[head:-1], size, reverse=True)
    if head:
        _serial(factor[:head], x[:head], grads[head], grads[:head], reverse=True)
    return grads


def _serial(decay: Tensor, x: Tensor, initial: Tensor | None, out: Tensor, *, reverse: bool = False) -> None:
    """One operation a step, from the last one if `reverse`."""
    steps = list(zip(decay.unbind(0), x.unbind(0), out.unbind(0), strict=True))
    h = initial
    for decay_t, x_t, out_t in reversed(steps) if reverse else steps:
        if h is None:
            out_t.copy_(x_t)
        else:
            torch.addcmul(x_t, decay_t, h, out=out_t)
        h = out_t


def _chunked(
    decay: Tensor, x: Tensor, initial: Tensor | None, out: Tensor, size: int, *, reverse: bool
) -> None:
    """Scan chunks of `size` steps side by side, then hand the state from chunk to chunk."""
    n_chunks = x.shape[0] // size
    decays = decay.reshape(n_chunks, size, *decay.shape[1:])
    inputs = x.reshape(n_chunks, size, *x.shape[1:])
    local = out.view(n_chunks, size, *x.shape[1:])
    product = torch.empty_like(local)
    order = range(size - 1, -1, -1) if reverse else range(size)
    last = None
    for k in order:
        if last is None:
            local[:, k] = inputs[:, k]
            product[:, k] = decays[:, k]
        else:
            torch.addcmul(inputs[:, k], decays[:, k], local[:, last], out=local[:, k])
            torch.mul(decays[:, k], product[:, last], out=product[:, k])
        last = k
    chunks = range(n_chunks - 1, -1, -1) if reverse else range(n_chunks)
    carried = torch.zeros_like(local[:, 0])
    h = initial
    for q in chunks:
        if h is not None:
            carried[q] = h
        h = torch.addcmul(local[q, last], product[q, last], carried[q])
    local.addcmul_(product, carried.unsqueeze(1))

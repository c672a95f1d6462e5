"""The linear recurrence ``h_t = a_t h_{t-1} + x_t``, serial and parallel in time.

``linear_recurrence`` cuts the T steps into about √T chunks. All chunks advance together, one tensor operation a
step; then what each hands on is carried from chunk to chunk. That is O(T) work in O(√T) operations, never divides
by a cumulative product (which underflows), and saves the decay and the result only: memory is linear in T. Its
backward pass is the same recurrence run from the end. On a CPU with a compiler, and on a GPU with Triton, a kernel
does the same in one pass; `scan_backend` says which of the three it is.
"""

from __future__ import annotations

import math
from functools import reduce

import torch
from torch import Tensor

from homeonet.errors import InputError
from homeonet.gradient.kernels._native import launch, usable
from homeonet.gradient.kernels._triton import on_triton, triton_scan

__all__ = ["linear_recurrence", "linear_recurrence_reference", "scan_backend"]

#: Products of decays below this are zero, far below the resolution of what they multiply.
_SMALLEST = 1e-30
#: Up to this length one operation per step is the faster form.
_SERIAL_STEPS = 48
#: Eight arrays of this many floats fit a second-level cache.
_BLOCK_ELEMENTS = 1 << 16
#: So long that launches cost nothing, and what is kept for a moment takes a quarter of a gigabyte per array at most.
_GPU_BLOCK_ELEMENTS = 1 << 26


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
        As many as `x` has, any finite values; the recurrence is stable where ``|decay| <= 1``.
    x : Tensor, shape (T, ...)
    initial : Tensor, shape (...), optional
        h_0; zero without it.

    Returns
    -------
    Tensor, shape (T, ...)
        In the dtype that the arguments are promoted to; computed in float32 at least.

    Raises
    ------
    InputError
        If the shapes or devices differ, T is 0, or the arguments are not in floating point.

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
    given = [decay, x] if initial is None else [decay, x, initial]
    devices, dtypes = [str(t.device) for t in given], [t.dtype for t in given]
    if len(set(devices)) > 1:
        raise InputError(
            f"decay, x and initial are on {', '.join(devices)}; move them to one device with .to()"
        )
    dtype = reduce(torch.promote_types, dtypes)
    if not dtype.is_floating_point:
        raise InputError(
            f"decay, x and initial are {', '.join(map(str, dtypes))}; give real numbers in floating point"
        )
    computed = torch.promote_types(dtype, torch.float32)
    decay, x, initial = (t if t is None else t.to(computed) for t in (decay, x, initial))
    return _LinearRecurrence.apply(decay, x, initial).to(dtype)


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


def time_blocks(x: Tensor) -> list[slice]:
    """Stretches of the first axis of `x`: what is computed of one stays in a processor's cache, or fills a GPU."""
    elements = _BLOCK_ELEMENTS if x.device.type == "cpu" else _GPU_BLOCK_ELEMENTS
    rows = max(1, elements // max(1, x[0].numel()))
    return [slice(start, min(start + rows, len(x))) for start in range(0, len(x), rows)]


def scan(decay: Tensor, x: Tensor, initial: Tensor | None = None) -> Tensor:
    """:func:`linear_recurrence` without autograd and without checks."""
    states = torch.empty_like(x, memory_format=torch.contiguous_format)
    _scan_into(states, decay, x, initial)
    return states


def reverse_scan(factor: Tensor, x: Tensor, out: Tensor | None = None) -> Tensor:
    """``g_t = factor_t g_{t+1} + x_t`` from the last step to the first, beginning with ``g_T = x_T``.

    `factor` has a row less than `x`, or one that is not used. With ``factor_t = decay_{t+1}`` this is the adjoint of
    :func:`scan`. The result is written to `out` if given; it must not share memory with `x`.
    """
    grads = torch.empty_like(x, memory_format=torch.contiguous_format) if out is None else out
    grads[-1] = x[-1]
    _scan_into(grads[:-1], factor[: len(x) - 1], x[:-1], grads[-1], reverse=True)
    return grads


def scan_backend(*tensors: Tensor) -> str:
    """What computes the recurrence of these tensors.

    Returns
    -------
    {"cpp", "triton", "torch"}
        "cpp" for float32 on a CPU with a C++ compiler, "triton" for float32 on a GPU with Triton, "torch" (tensor
        operations) for all else.
    """
    if usable(*tensors):
        return "cpp"
    return "triton" if on_triton(*tensors) else "torch"


def _scan_into(
    out: Tensor, decay: Tensor, x: Tensor, initial: Tensor | None, *, reverse: bool = False
) -> None:
    n_steps = x.shape[0]
    backend = scan_backend(out, decay, x, *([] if initial is None else [initial]))
    if n_steps and backend != "torch":
        given = [t if t is None else t.contiguous() for t in (decay, x, initial)]
        if backend == "triton":
            triton_scan(out, *given, reverse=reverse)
        else:
            launch("scan", [*given, reverse, out], n_steps, out[0].numel())
        return
    if n_steps <= _SERIAL_STEPS:
        _serial(decay, x, initial, out, reverse=reverse)
        return
    size = 1 << round(math.log2(n_steps) / 2)
    rest = n_steps % size
    if reverse:  # from the end: whole chunks, then what is left at the beginning
        _chunked(decay[rest:], x[rest:], initial, out[rest:], size, reverse=True)
        if rest:
            _serial(decay[:rest], x[:rest], out[rest], out[:rest], reverse=True)
    else:
        whole = n_steps - rest
        _chunked(decay[:whole], x[:whole], initial, out[:whole], size)
        if rest:
            _serial(decay[whole:], x[whole:], out[whole - 1], out[whole:])


def _serial(decay: Tensor, x: Tensor, initial: Tensor | None, out: Tensor, *, reverse: bool = False) -> None:
    """One operation per step, from the last one if `reverse`."""
    steps = list(zip(decay.unbind(0), x.unbind(0), out.unbind(0), strict=True))
    h = initial
    for decay_t, x_t, out_t in reversed(steps) if reverse else steps:
        if h is None:
            out_t.copy_(x_t)
        else:
            torch.addcmul(x_t, decay_t, h, out=out_t)
        h = out_t


def _chunked(
    decay: Tensor, x: Tensor, initial: Tensor | None, out: Tensor, size: int, *, reverse: bool = False
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
            # below the threshold a product counts as zero: arithmetic on denormal numbers is a hundred times slower
            torch.hardshrink(decays[:, k] * product[:, last], _SMALLEST, out=product[:, k])
        last = k
    chunks = range(n_chunks - 1, -1, -1) if reverse else range(n_chunks)
    carried = torch.zeros_like(local[:, 0])
    h = initial
    for q in chunks:
        if h is not None:
            carried[q] = h
        h = torch.addcmul(local[q, last], product[q, last], carried[q])
    local.addcmul_(product, carried.unsqueeze(1))

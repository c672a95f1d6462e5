"""Triton's side of the linear recurrence; see ``_triton.py``. A module of its own, since importing it needs Triton."""

import triton
import triton.language as tl

__all__ = ["ends", "states"]


@triton.jit
def after(decay_1, state_1, decay_2, state_2):
    return decay_1 * decay_2, decay_2 * state_1 + state_2


@triton.jit
def ends(
    decay, x, product, state, n_steps, n_lanes, stretch,
    REVERSE: tl.constexpr, STEPS: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    """What a stretch makes of the state before it: ``product * before + state``."""
    lane = tl.program_id(0) * LANES + tl.arange(0, LANES)
    begin = tl.program_id(1) * stretch
    row = tl.arange(0, STEPS)
    last = row == STEPS - 1
    whole = tl.full((LANES,), 1.0, tl.float32)
    carried = tl.zeros((LANES,), tl.float32)
    for start in range(0, stretch, STEPS):
        step = begin + start + row
        inside = (step < n_steps) & (start + row < stretch)
        place = tl.where(REVERSE, n_steps - 1 - step, step).to(tl.int64)
        at = place[:, None] * n_lanes + lane[None, :]
        mask = inside[:, None] & (lane < n_lanes)[None, :]
        a = tl.load(decay + at, mask=mask, other=1.0).to(tl.float32)
        b = tl.load(x + at, mask=mask, other=0.0).to(tl.float32)
        a, b = tl.associative_scan((a, b), 0, after)
        end_a = tl.sum(tl.where(last[:, None], a, 0.0), 0)
        end_b = tl.sum(tl.where(last[:, None], b, 0.0), 0)
        carried = end_a * carried + end_b
        whole = whole * end_a
    at = tl.program_id(1) * n_lanes + lane
    tl.store(product + at, whole, mask=lane < n_lanes)
    tl.store(state + at, carried, mask=lane < n_lanes)


@triton.jit
def states(
    decay, x, before, out, n_steps, n_lanes, stretch,
    REVERSE: tl.constexpr, STEPS: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    """All states of a stretch, from the state before it."""
    lane = tl.program_id(0) * LANES + tl.arange(0, LANES)
    begin = tl.program_id(1) * stretch
    row = tl.arange(0, STEPS)
    last = row == STEPS - 1
    carried = tl.load(before + tl.program_id(1) * n_lanes + lane, mask=lane < n_lanes, other=0.0)
    for start in range(0, stretch, STEPS):
        step = begin + start + row
        inside = (step < n_steps) & (start + row < stretch)
        place = tl.where(REVERSE, n_steps - 1 - step, step).to(tl.int64)
        at = place[:, None] * n_lanes + lane[None, :]
        mask = inside[:, None] & (lane < n_lanes)[None, :]
        a = tl.load(decay + at, mask=mask, other=1.0).to(tl.float32)
        b = tl.load(x + at, mask=mask, other=0.0).to(tl.float32)
        a, b = tl.associative_scan((a, b), 0, after)
        h = a * carried[None, :] + b
        tl.store(out + at, h, mask=mask)
        carried = tl.sum(tl.where(last[:, None], h, 0.0), 0)

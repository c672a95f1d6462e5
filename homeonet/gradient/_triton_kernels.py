"""Triton's side of the linear recurrence; see ``_triton.py``. A module of its own, since importing it needs Triton."""

import triton
import triton.language as tl

__all__ = ["ends", "integrate", "states"]


@triton.jit
def after(decay_1, state_1, decay_2, state_2):
    return decay_1 * decay_2, decay_2 * state_1 + state_2


@triton.jit
def tile(decay, x, begin, start, row, lane, n_steps, n_lanes, stretch, REVERSE: tl.constexpr):
    """Where a tile lies, which of it counts, and what each of its steps makes of the state before the tile."""
    step = begin + start + row
    inside = (step < n_steps) & (start + row < stretch)
    place = tl.where(REVERSE, n_steps - 1 - step, step).to(tl.int64)
    at = place[:, None] * n_lanes + lane[None, :]
    mask = inside[:, None] & (lane < n_lanes)[None, :]
    a = tl.load(decay + at, mask=mask, other=1.0).to(tl.float32)
    b = tl.load(x + at, mask=mask, other=0.0).to(tl.float32)
    a, b = tl.associative_scan((a, b), 0, after)
    return at, mask, a, b


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
        _at, _mask, a, b = tile(decay, x, begin, start, row, lane, n_steps, n_lanes, stretch, REVERSE)
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
        at, mask, a, b = tile(decay, x, begin, start, row, lane, n_steps, n_lanes, stretch, REVERSE)
        h = a * carried[None, :] + b
        tl.store(out + at, h, mask=mask)
        carried = tl.sum(tl.where(last[:, None], h, 0.0), 0)


@triton.jit
def integrate(
    x, initial, decay, gain, threshold, membrane, outputs, after, spiked, n_steps, n_lanes,
    INITIAL: tl.constexpr, DECAY: tl.constexpr, GAIN: tl.constexpr, THRESHOLD: tl.constexpr,
    HARD: tl.constexpr, SCALED: tl.constexpr, MARK: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    """Membranes and outputs of neurons with a reset, all steps; a constant's step from lane to lane is 0 or 1."""
    lane = tl.program_id(0) * LANES + tl.arange(0, LANES)
    mask = lane < n_lanes
    u = tl.load(initial + lane * INITIAL, mask=mask, other=0.0)
    dec = tl.load(decay + lane * DECAY, mask=mask, other=0.0)
    gai = tl.load(gain + lane * GAIN, mask=mask, other=0.0)
    thr = tl.load(threshold + lane * THRESHOLD, mask=mask, other=1.0)
    marks = tl.zeros((LANES,), tl.float32)
    at = lane.to(tl.int64)
    for _ in range(n_steps):
        m = gai * tl.load(x + at, mask=mask, other=0.0) + dec * u
        fires = m >= thr
        tl.store(membrane + at, m, mask=mask)
        tl.store(outputs + at, tl.where(fires, thr if SCALED else 1.0, 0.0), mask=mask)
        u = tl.where(fires, 0.0 if HARD else m - thr, m)
        marks = tl.where(fires, 1.0, marks)
        at += n_lanes
    tl.store(after + lane, u, mask=mask)
    if MARK:
        tl.store(spiked + lane, marks, mask=mask)

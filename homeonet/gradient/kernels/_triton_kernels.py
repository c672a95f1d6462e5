"""Triton's side of the linear recurrence; see ``_triton.py``. A module of its own, since importing it needs Triton."""

import triton
import triton.language as tl

__all__ = ["carry", "charge", "ends", "integrate", "states"]


@triton.jit
def after(decay_1, state_1, decay_2, state_2):
    return decay_1 * decay_2, decay_2 * state_1 + state_2


@triton.jit
def tile(
    decay, x, weight, bias, begin, start, row, lane, n_steps, n_lanes, n_units, stretch,
    REVERSE: tl.constexpr, KERNEL: tl.constexpr, POWER: tl.constexpr,
):  # fmt: skip
    """Where a tile lies, which of it counts, its decays, and what each of its steps makes of the state before the tile.

    With KERNEL = 0 decays are given. Else ``decay = sigmoid(bias + weight * x)**POWER``, a convolution over KERNEL
    inputs of `x`, which begins KERNEL - 1 steps earlier, and the input of the recurrence is ``(1 - decay) x``: DSN.
    """
    step = begin + start + row
    inside = (step < n_steps) & (start + row < stretch)
    place = tl.where(REVERSE, n_steps - 1 - step, step).to(tl.int64)
    at = place[:, None] * n_lanes + lane[None, :]
    mask = inside[:, None] & (lane < n_lanes)[None, :]
    if KERNEL == 0:
        d = tl.load(decay + at, mask=mask, other=1.0).to(tl.float32)
        b = tl.load(x + at, mask=mask, other=0.0).to(tl.float32)
    else:
        unit = lane % n_units
        current = tl.load(x + at, mask=mask, other=0.0)
        gate = current * tl.load(weight + unit)[None, :]
        for j in tl.static_range(1, KERNEL):
            current = tl.load(x + at + j * n_lanes, mask=mask, other=0.0)
            gate += current * tl.load(weight + j * n_units + unit)[None, :]
        gate = 1.0 / (1.0 + tl.exp(-(gate + tl.load(bias + unit)[None, :])))
        d = gate * gate * gate * gate if POWER == 4 else tl.exp(tl.log(gate) * POWER)
        b = tl.where(mask, (1.0 - d) * current, 0.0)
        d = tl.where(mask, d, 1.0)
    a, b = tl.associative_scan((d, b), 0, after)
    return at, mask, d, a, b


@triton.jit
def ends(
    decay, x, weight, bias, product, state, n_steps, n_lanes, n_units, stretch,
    REVERSE: tl.constexpr, KERNEL: tl.constexpr, POWER: tl.constexpr, STEPS: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    """What a stretch makes of the state before it: ``product * before + state``."""
    lane = tl.program_id(0) * LANES + tl.arange(0, LANES)
    begin = tl.program_id(1) * stretch
    row = tl.arange(0, STEPS)
    last = row == STEPS - 1
    whole = tl.full((LANES,), 1.0, tl.float32)
    carried = tl.zeros((LANES,), tl.float32)
    for start in range(0, stretch, STEPS):
        _at, _mask, _d, a, b = tile(
            decay, x, weight, bias, begin, start, row, lane, n_steps, n_lanes, n_units, stretch,
            REVERSE, KERNEL, POWER,
        )  # fmt: skip
        end_a = tl.sum(tl.where(last[:, None], a, 0.0), 0)
        end_b = tl.sum(tl.where(last[:, None], b, 0.0), 0)
        carried = end_a * carried + end_b
        whole = whole * end_a
    at = tl.program_id(1) * n_lanes + lane
    tl.store(product + at, whole, mask=lane < n_lanes)
    tl.store(state + at, carried, mask=lane < n_lanes)


@triton.jit
def carry(product, state, before, n_stretches, n_lanes, LANES: tl.constexpr):
    """The state before each stretch, from that before the first."""
    lane = tl.program_id(0) * LANES + tl.arange(0, LANES)
    mask = lane < n_lanes
    at = lane.to(tl.int64)
    h = tl.load(before + at, mask=mask, other=0.0)
    for _ in range(1, n_stretches):
        h = tl.load(product + at, mask=mask, other=0.0) * h + tl.load(state + at, mask=mask, other=0.0)
        at += n_lanes
        tl.store(before + at, h, mask=mask)


@triton.jit
def states(
    decay, x, weight, bias, threshold, before, out, outputs, n_steps, n_lanes, n_units, stretch,
    REVERSE: tl.constexpr, KERNEL: tl.constexpr, POWER: tl.constexpr,
    THRESHOLD: tl.constexpr, LEVELS: tl.constexpr, STEPS: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    """All states of a stretch, from the state before it; of a DSN also its decays, and its outputs of up to LEVELS."""
    lane = tl.program_id(0) * LANES + tl.arange(0, LANES)
    begin = tl.program_id(1) * stretch
    row = tl.arange(0, STEPS)
    last = row == STEPS - 1
    carried = tl.load(before + tl.program_id(1) * n_lanes + lane, mask=lane < n_lanes, other=0.0)
    for start in range(0, stretch, STEPS):
        at, mask, d, a, b = tile(
            decay, x, weight, bias, begin, start, row, lane, n_steps, n_lanes, n_units, stretch,
            REVERSE, KERNEL, POWER,
        )  # fmt: skip
        h = a * carried[None, :] + b
        tl.store(out + at, h, mask=mask)
        if KERNEL > 0:
            level = h / tl.load(threshold + lane * THRESHOLD, mask=lane < n_lanes, other=1.0)[None, :]
            if LEVELS == 1:
                level = tl.where(level >= 0.5, 1.0, 0.0)
            else:
                up = tl.floor(level + 0.5)
                odd = up - 2.0 * tl.floor(up * 0.5) == 1.0
                # halves go to the even level, as torch has it
                up = tl.where((up - level == 0.5) & odd, up - 1.0, up)
                clipped = tl.minimum(tl.maximum(up, 0.0), LEVELS * 1.0)
                # what is no number stays none, and is found
                level = tl.where(level == level, clipped, level)  # noqa: PLR0124
            tl.store(decay + at, d, mask=mask)
            tl.store(outputs + at, level, mask=mask)
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


@triton.jit
def charge(x, initial, decay, threshold, membrane, after, n_steps, n_lanes, LANES: tl.constexpr):
    """Membranes of HD-LIF, all steps, each with a decay and a threshold of its own: ``v = min(m, threshold)``."""
    lane = tl.program_id(0) * LANES + tl.arange(0, LANES)
    mask = lane < n_lanes
    v = tl.load(initial + lane, mask=mask, other=0.0)
    at = lane.to(tl.int64)
    for t in range(n_steps):
        m = tl.load(x + at, mask=mask, other=0.0) + tl.load(decay + t) * v
        limit = tl.load(threshold + t)
        tl.store(membrane + at, m, mask=mask)
        v = tl.where(m > limit, limit, m)
        at += n_lanes
    tl.store(after + lane, v, mask=mask)

"""Counter-based random numbers: no state, the same on every target. This is the NumPy form.

A draw is a pure function of ``(stream, step, index)``: it does not depend on the order of execution, on the
number of replicas, on the device or on where a run was interrupted. The mixing function is the finaliser of
SplitMix64 (Steele, Lea & Flood 2014), applied to the stream, the step and the index in turn.

=================  ==========================================================================================
``draw_key``       ``(stream, step)`` -> key, an integer below 2**52 in a double; once per step, not per neuron
``uniform_draw``   ``(key, index)`` -> uniform on (0, 1), 52 bits
``normal_draw``    ``(active, key, index)`` -> standard normal (Irwin-Hall of four 16-bit numbers, support
                   ±3.46), or 0 where ``active`` is 0, without drawing
=================  ==========================================================================================

``cpp/homeonet_random.h`` gives the same values bit for bit; ``_random_functions.py`` tells Brian2 of both.
"""

from __future__ import annotations

from hashlib import sha256

import numpy as np

__all__ = ["draw_key", "normal_draw", "stream_id", "uniform_draw"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(0xD1342543DE82EF95)
_MULTIPLY = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def _as_bits(value: np.ndarray | float) -> np.ndarray:
    return np.asarray(value).astype(np.int64).astype(np.uint64)


def _mix(z: np.ndarray) -> np.ndarray:
    z = (z ^ (z >> np.uint64(30))) * _MULTIPLY[0]
    z = (z ^ (z >> np.uint64(27))) * _MULTIPLY[1]
    return z ^ (z >> np.uint64(31))


def _bits(key: np.ndarray, index: np.ndarray) -> np.ndarray:
    return _mix((_as_bits(key) << np.uint64(12)) + (_as_bits(index) + np.uint64(1)) * _GOLDEN)


def draw_key(stream: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The key of all draws of `stream` in `step`: an integer in [0, 2**52) as float."""
    with np.errstate(over="ignore"):
        bits = _mix(_mix(_as_bits(stream) * _GOLDEN) + _as_bits(step) * _STEP)
    return (bits >> np.uint64(12)).astype(float)


def uniform_draw(key: np.ndarray, index: np.ndarray) -> np.ndarray:
    """A uniform number in the open interval (0, 1)."""
    with np.errstate(over="ignore"):
        return ((_bits(key, index) >> np.uint64(12)).astype(float) + 0.5) * (1.0 / 4503599627370496.0)


def normal_draw(active: np.ndarray, key: np.ndarray, index: np.ndarray) -> np.ndarray:
    """A standard normal number; zero where `active` is zero."""
    with np.errstate(over="ignore"):
        bits = _bits(key, index)
    low = np.uint64(0xFFFF)
    total = sum(((bits >> np.uint64(shift)) & low).astype(np.int64) for shift in (0, 16, 32, 48))
    return np.where(np.asarray(active) == 0, 0.0, (total - 131070) * (1.7320508075688772 / 65536.0))


def stream_id(seed: int, purpose: str) -> int:
    """The stream of one purpose ("train/input", "weights/exc_exc", …) under a user's seed, below 2**52."""
    code = np.uint64(int.from_bytes(sha256(purpose.encode()).digest()[:8], "big"))
    with np.errstate(over="ignore"):
        bits = _mix(_mix(np.array([seed], dtype=np.uint64) * _GOLDEN + np.uint64(1)) ^ code)
    return int(bits[0] >> np.uint64(12))

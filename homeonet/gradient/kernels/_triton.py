"""What runs on a GPU by Triton: the linear recurrence, and the forward pass of neurons with a reset.

**The recurrence** is computed in tiles of time and lanes, read once or twice. Each program takes a stretch of steps for
some lanes and goes through it tile by tile; within a tile an associative scan finds all states, and the last one is
carried to the next. Where there are too few lanes to fill a GPU, time is cut into stretches that run side by side: one
pass finds what each hands on, a short one carries that from stretch to stretch, the last finds the states. Decays and
inputs are read twice then: five transfers per element instead of three. DSN's forward pass is the same kernel with its
decay, its input and its spikes computed in the tile: one array is read and three are written, where one kernel
per operation would go through memory some twenty times.

**Neurons with a reset**, HD-LIF among them, are serial in time: a program takes some lanes through all steps, one
launch instead of several per step. Their backward pass is a linear recurrence, and so the first kernel.
"""

from __future__ import annotations

import math
import warnings
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

__all__ = ["on_triton", "triton_available", "triton_charge", "triton_dsn", "triton_integrate", "triton_scan"]

#: Steps and lanes of a tile: lanes are contiguous in memory.
_TILE_STEPS, _TILE_LANES = 64, 32
#: Lanes of a program that goes through time step by step.
_LANES = 128
#: Programs that fill a GPU of any size, and the shortest stretch worth a program.
_PROGRAMS, _SHORTEST = 1024, 256


@lru_cache(maxsize=1)
def triton_available() -> bool:
    """Whether Triton can be imported; it comes with PyTorch's builds for CUDA."""
    try:
        import triton  # noqa: F401
    except ImportError:
        return False
    return True


def on_triton(*tensors: Tensor) -> bool:
    """Whether Triton's kernels can serve these tensors: float32 on a GPU. Warns once where Triton is missing there."""
    if not all(t.is_cuda and t.dtype == torch.float32 for t in tensors):
        return False
    if not triton_available():
        _warn_without_triton()
        return False
    return True


@lru_cache(maxsize=1)
def _warn_without_triton() -> None:
    warnings.warn(
        "Triton was not found, so spiking layers run on the GPU as torch operations, many times slower; "
        "pip install triton (PyTorch's own builds for CUDA bring it)",
        stacklevel=4,
    )


def _device_of(x: Tensor) -> AbstractContextManager:
    """Where kernels of `x` are launched: Triton takes the current GPU, whichever holds the tensors."""
    return torch.cuda.device(x.device) if x.is_cuda else nullcontext()


def triton_charge(
    x: Tensor, initial: Tensor, decay: Tensor, threshold: Tensor, membrane: Tensor, after: Tensor
) -> None:
    """``m_t = λ_t v_{t-1} + x_t`` and ``v_t = min(m_t, θ_t)`` for all steps, into `membrane` and `after`, the last v.

    Parameters
    ----------
    x, membrane : Tensor, shape (T, ...)
        In float32, contiguous, on one GPU, as all.
    initial, after : Tensor, shape (...)
    decay, threshold : Tensor
        One value per step.
    """
    from homeonet.gradient.kernels._triton_kernels import charge

    n_lanes = after.numel()
    grid = (math.ceil(n_lanes / _LANES),)
    if n_lanes:
        with _device_of(x):
            charge[grid](x, initial, decay, threshold, membrane, after, len(x), n_lanes, LANES=_LANES)


def triton_integrate(
    x: Tensor,
    initial: Tensor,
    constants: tuple[Tensor, Tensor, Tensor],
    lane_steps: tuple[int, ...],
    membrane: Tensor,
    outputs: Tensor,
    after: Tensor,
    spiked: Tensor | None,
    *,
    hard: bool,
    scaled: bool,
) -> None:
    """``m_t = g x_t + λ u_{t-1}``, outputs where ``m_t >= θ``, and the reset, for all steps.

    Parameters
    ----------
    x, membrane, outputs : Tensor, shape (T, ...)
        In float32, contiguous, on one GPU; the last two are written.
    initial : Tensor
        u_0, one value or one per lane.
    constants : tuple of Tensor
        λ, g and θ, each one value or one per lane.
    lane_steps : tuple of int
        1 where the initial membrane, λ, g and θ have one value per lane, else 0.
    after, spiked : Tensor, shape (...)
        The last membrane; 1 for lanes that spiked at all, if asked for.
    hard, scaled : bool
        Reset to zero; outputs of height θ.
    """
    from homeonet.gradient.kernels._triton_kernels import integrate

    n_lanes = after.numel()
    names = ("INITIAL", "DECAY", "GAIN", "THRESHOLD")
    options = dict(zip(names, lane_steps, strict=True))
    options |= {"HARD": hard, "SCALED": scaled, "MARK": spiked is not None, "LANES": _LANES}
    marks = after if spiked is None else spiked
    given = (x, initial, *constants, membrane, outputs, after, marks, len(x), n_lanes)
    if n_lanes:
        with _device_of(x):
            integrate[(math.ceil(n_lanes / _LANES),)](*given, **options)


def triton_scan(
    out: Tensor, decay: Tensor, x: Tensor, initial: Tensor | None, *, reverse: bool = False
) -> None:
    """All states of ``h_t = decay_t h_{t-1} + x_t`` into `out`, from the last step to the first if `reverse`.

    Parameters
    ----------
    out, decay, x : Tensor, shape (T, ...)
        In float32, contiguous, on one GPU.
    initial : Tensor, shape (...), optional
        The state before the first step; zero without it.
    """
    unused = out[0]
    _recurrence(out, decay, x, (unused,) * 4, initial, {"REVERSE": reverse})


def triton_dsn(
    inputs: Tensor,
    initial: Tensor,
    weight: Tensor,
    bias: Tensor,
    threshold: Tensor,
    *,
    power: float,
    levels: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Decays, membranes and outputs of DSN over a whole sequence, its decay, scan and spikes in one kernel.

    Parameters
    ----------
    inputs : Tensor, shape (T + k - 1, B, ...)
        Inputs of all steps, after the k - 1 before them. All tensors are float32, contiguous, and on one GPU.
    initial : Tensor, shape (B, ...)
    weight, bias : Tensor, shape (k, ...), (...)
        The filter and the bias of each unit.
    threshold : Tensor
        One value, or one per lane.
    power : float
        Exponent of the sigmoid, 1/τ.
    levels : int
        Largest output.
    """
    decay = torch.empty_like(inputs[len(weight) - 1 :])
    membrane, outputs = torch.empty_like(decay), torch.empty_like(decay)
    options = {"REVERSE": False, "KERNEL": len(weight), "POWER": power, "LEVELS": levels}
    options |= {"THRESHOLD": int(threshold.numel() > 1)}
    _recurrence(membrane, decay, inputs, (weight, bias, threshold, outputs), initial, options)
    return decay, membrane, outputs


def _recurrence(
    out: Tensor,
    decay: Tensor,
    x: Tensor,
    of_neuron: tuple[Tensor, Tensor, Tensor, Tensor],
    initial: Tensor | None,
    options: dict[str, Any],
) -> None:
    from homeonet.gradient.kernels._triton_kernels import carry, ends, states

    weight, bias, threshold, outputs = of_neuron
    n_steps, n_lanes = out.shape[0], out[0].numel()
    if not n_lanes:
        return
    n_lane_blocks = math.ceil(n_lanes / _TILE_LANES)
    stretch = _stretch(n_steps, n_lane_blocks)
    n_stretches = math.ceil(n_steps / stretch)
    options = {"KERNEL": 0, "POWER": 1, "THRESHOLD": 0, "LEVELS": 0} | options
    options |= {"STEPS": _TILE_STEPS, "LANES": _TILE_LANES}
    sizes = (n_steps, n_lanes, bias.numel(), stretch)
    before = torch.zeros((n_stretches, n_lanes), dtype=torch.float32, device=x.device)
    if initial is not None:
        before[0] = initial.reshape(-1)
    grid = (n_lane_blocks, n_stretches)
    with _device_of(x):
        if n_stretches > 1:
            product, state = torch.empty_like(before), torch.empty_like(before)
            of_ends = {name: value for name, value in options.items() if name not in ("THRESHOLD", "LEVELS")}
            ends[grid](decay, x, weight, bias, product, state, *sizes, **of_ends)
            carry[(n_lane_blocks,)](product, state, before, n_stretches, n_lanes, LANES=_TILE_LANES)
        states[grid](decay, x, weight, bias, threshold, before, out, outputs, *sizes, **options)


def _stretch(n_steps: int, n_lane_blocks: int) -> int:
    """Steps of a stretch: all, unless there are too few lanes to fill a GPU."""
    wanted = max(1, min(_PROGRAMS // n_lane_blocks, n_steps // _SHORTEST))
    return math.ceil(math.ceil(n_steps / wanted) / _TILE_STEPS) * _TILE_STEPS

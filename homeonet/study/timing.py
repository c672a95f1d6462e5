"""How layers are timed: everyone in turn, in rounds, so that the drift of a machine meets all alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn

__all__ = [
    "BATCH",
    "UNITS",
    "Call",
    "Compared",
    "Contestant",
    "Effort",
    "Inputs",
    "compare",
    "compete",
    "ratios",
]

BATCH, UNITS = 16, 128
LONGEST_SECONDS = 60.0  # of one repetition
_MEASUREMENT_SECONDS = 0.03  # a measurement repeats a call until it lasts about as long
_WITHOUT_WARM_UP = 3.0  # a call that is expected to last longer is not repeated to warm up

Call = Callable[[], Tensor]


@dataclass
class Contestant:
    """One way to compute forward and backward.

    Attributes
    ----------
    prepare : callable
        ``prepare(inputs)`` gives what is timed.
    order : int
        Its time grows as T to this power.
    matrices : int
        T × T matrices of float32 that it holds.
    needed : bool
        A goal needs its time at every length, however long that takes.
    seconds : dict
        By T, the time of each round.
    skipped : dict
        By T, why it was not measured.
    """

    name: str
    prepare: Callable[[Inputs], Call]
    order: int = 1
    matrices: int = 0
    needed: bool = False
    seconds: dict[int, list[float]] = field(default_factory=dict)
    skipped: dict[int, str] = field(default_factory=dict)


class Inputs:
    """Inputs of T steps, and the gradient of the outputs, alike for all contestants of a length."""

    def __init__(self, n_steps: int) -> None:
        generator = torch.Generator().manual_seed(n_steps)
        shape = (n_steps, BATCH, UNITS)
        self.x = (torch.randn(shape, generator=generator) * 0.5 + 0.3).requires_grad_()
        self.decay = torch.sigmoid(torch.randn(shape, generator=generator) + 2).requires_grad_()
        self.grad = torch.randn(shape, generator=generator)

    def __len__(self) -> int:
        return len(self.x)

    def through(self, layer: nn.Module, forward: Callable[[Tensor], Tensor] | None = None) -> Call:
        """Forward and backward of `layer` in training mode; by `forward`, if it is not called by itself."""
        compute = layer.train() if forward is None else forward

        def call() -> Tensor:
            self.x.grad = None
            layer.zero_grad()
            out = compute(self.x)
            out.backward(self.grad)
            return out

        return call

    def scanned(self, scan: Callable[[Tensor, Tensor], Tensor]) -> Call:
        """Forward and backward of a linear recurrence."""

        def call() -> Tensor:
            self.x.grad = self.decay.grad = None
            out = scan(self.decay, self.x)
            out.backward(self.grad)
            return out

        return call


@dataclass(frozen=True)
class Effort:
    """Rounds at each length, seconds that a contestant may use for those after the first, rounds of training steps."""

    rounds: int
    seconds: float
    training_rounds: int


def compete(contestants: list[Contestant], n_steps: int, effort: Effort) -> None:
    """Time everyone at one length, in rounds; notes the times, or why there are none."""
    inputs, ready, free = Inputs(n_steps), [], _available_bytes() - 24 * 4 * n_steps * BATCH * UNITS
    for contestant in contestants:
        expected = extrapolated(contestant, n_steps)
        held = contestant.matrices * 4 * n_steps**2
        if expected > LONGEST_SECONDS and not contestant.needed:
            contestant.skipped[n_steps] = f"> {LONGEST_SECONDS:g} s: {_duration(expected)} extrapolated"
        elif free < held:
            contestant.skipped[n_steps] = "too little memory"
        else:
            free -= held
            call = contestant.prepare(inputs)
            if expected < _WITHOUT_WARM_UP:
                call()
                expected = min(_timed(call, 1) for _ in range(3 if expected < 1 else 1))
            contestant.seconds[n_steps] = []
            ready.append((contestant, call, max(1, math.ceil(_MEASUREMENT_SECONDS / max(expected, 1e-6)))))
    spent = dict.fromkeys((contestant.name for contestant in contestants), 0.0)
    for number in range(effort.rounds):
        for contestant, call, repeats in ready if number % 2 == 0 else reversed(ready):
            if number and spent[contestant.name] > effort.seconds:
                continue
            taken = _timed(call, repeats)
            spent[contestant.name] += repeats * taken
            contestant.seconds[n_steps].append(taken)


def extrapolated(contestant: Contestant, n_steps: int) -> float:
    """Seconds expected at least, from the longest sequence measured; 0 before any was."""
    if not contestant.seconds:
        return 0.0
    longest = max(contestant.seconds)
    return min(contestant.seconds[longest]) * (n_steps / longest) ** contestant.order


def _timed(call: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def _available_bytes() -> float:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return math.inf


def _duration(seconds: float) -> str:
    """`seconds` in a unit that suits it."""
    for unit, size in (("h", 3600.0), ("min", 60.0), ("s", 1.0)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{1e3 * seconds:.3g} ms"


def ratios(of: Contestant, to: Contestant, n_steps: int) -> list[float]:
    """Time of one by time of the other, in each round that has both (the slow ones take part in the first few)."""
    return [a / b for a, b in zip(of.seconds.get(n_steps, []), to.seconds.get(n_steps, []), strict=False)]


@dataclass(frozen=True)
class Compared:
    """A training step beside the first one of its group: median ratio and its 95 % interval over rounds."""

    name: str
    seconds: float
    ratio: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.ratio:.3f} [{self.low:.3f}, {self.high:.3f}]"


def compare(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, Compared]:
    """Time all in turn, each round in another order, and compare with the first."""
    names = list(calls)
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(-2, rounds):
        turn = number % len(names)
        order = names[turn:] + names[:turn]
        for name in order if number // len(names) % 2 == 0 else reversed(order):
            taken = _timed(calls[name], 1)
            if number >= 0:
                times[name].append(taken)
    found = {}
    for name in names:
        quotients = sorted(own / base for own, base in zip(times[name], times[names[0]], strict=True))
        rank = max(0, math.floor(rounds / 2 - 0.98 * math.sqrt(rounds)))  # of the median's 95 % interval
        low, high = quotients[rank], quotients[-1 - rank]
        found[name] = Compared(name, median(times[name]), median(quotients), low, high)
    return found

"""What `study.py` measures of single layers: training time against T, and parallel against step by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import homeonet.gradient  # noqa: F401  before torch: it says how idle threads wait

# isort: split
import numpy as np
import torch
import xarray as xr

from homeonet.claims import Measured, measured_over_seeds
from homeonet.gradient import DSN
from homeonet.machine.allocator import keep_freed_memory
from homeonet.store import write_records
from homeonet.study.intervals import interval_text
from homeonet.study.layers import neurons
from homeonet.study.timing import BATCH, UNITS, Effort, compete

__all__ = ["difference_claims", "seconds_of", "time_claims", "time_rows"]

_NAMES = {"DSN": "DSN", "PSN": "PSN", "SlidingPSN(32)": "sliding PSN", "LIF": "LIF"}
#: A contestant may use so many seconds at a length, after its first round: PSN takes most of a minute at the longest.
_SECONDS = 300.0
_STEPS_APART = 32


def seconds_of(lengths: Sequence[int], rounds: int, path: Path) -> xr.DataArray:
    """Seconds of a forward and a backward pass (neuron, steps, round), in turns; kept in the file `path`."""
    if path.exists():
        with xr.open_dataarray(path, engine="h5netcdf") as kept:
            if list(kept["steps"].values) == sorted(lengths) and kept.sizes["round"] == rounds:
                return kept.load()
    keep_freed_memory()
    contestants = [c for c in neurons() if c.name in _NAMES]
    for n_steps in sorted(lengths):
        compete(contestants, n_steps, Effort(rounds, _SECONDS, 0))
    values = np.full((len(_NAMES), len(lengths), rounds), np.nan)
    for i, contestant in enumerate(contestants):
        for j, n_steps in enumerate(sorted(lengths)):
            taken = contestant.seconds.get(n_steps, [])
            values[i, j, : len(taken)] = taken
    coordinates = {"neuron": [_NAMES[c.name] for c in contestants], "steps": sorted(lengths)}
    about = {"units": "s", "threads": torch.get_num_threads()}
    found = xr.DataArray(values, coordinates, ("neuron", "steps", "round"), name="seconds", attrs=about)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_records(path, found.to_dataset())
    return found


def time_rows(seconds: xr.DataArray) -> list[list[str]]:
    """Median milliseconds by neuron and length, with the time as a multiple of DSN's."""
    rows = [["forward + backward, ms (times DSN)", *(f"T = {n}" for n in seconds["steps"].values)]]
    for name in seconds["neuron"].values:
        ratios = (seconds.sel(neuron=name) / seconds.sel(neuron="DSN")).median("round")
        own = 1e3 * seconds.sel(neuron=name).median("round")
        rows.append(
            [str(name), *(f"{float(m):.3g} ({float(r):.3g})" for m, r in zip(own, ratios, strict=True))]
        )
    return rows


def time_claims(seconds: xr.DataArray) -> dict[str, Sequence[Measured]]:
    """Ratios of times within a round, at the shortest and the longest sequence."""
    first, last = (int(n) for n in (seconds["steps"].min(), seconds["steps"].max()))
    ratios = {
        "dsn-speed-psn": ("PSN", "DSN", last),
        "dsn-speed-sliding": ("sliding PSN", "DSN", last),
        "dsn-short": ("DSN", "PSN", first),
    }
    found: dict[str, Sequence[Measured]] = {}
    for name, (over, under, n_steps) in ratios.items():
        at = seconds.sel(steps=n_steps)
        quotient = (at.sel(neuron=over) / at.sel(neuron=under)).values
        found[name] = [measured_over_seeds(f"T = {n_steps}, {over} ÷ {under}, CPU", quotient)]
    return found


@torch.no_grad()
def _parallel_minus_serial(steps: int, memory: float | None, seed: int) -> float:
    """Largest |membrane in parallel − membrane step by step|, looked at every so many steps, in float32."""
    torch.manual_seed(seed)
    neuron, x = DSN(UNITS, longest_memory=memory), torch.randn(steps, BATCH, UNITS)
    largest, state = 0.0, None
    for t, x_t in enumerate(x, 1):
        _, state = neuron.single_step(x_t, state)
        if t % _STEPS_APART == 0:
            _, whole = neuron.sequence(x[:t], None)
            largest = max(largest, float((whole.membrane - state.membrane).abs().max()))
    return largest


def difference_claims(steps: int, seeds: Sequence[int]) -> tuple[str, dict[str, Sequence[Measured]]]:
    """Parallel and serial membranes beside one another, for short memories and for long ones: a sentence and claims."""
    found, said = [], []
    for title, memory in (
        ("initial memories of half a step", None),
        (f"memories up to {steps} steps", float(steps)),
    ):
        values = np.array([_parallel_minus_serial(steps, memory, seed) for seed in seeds])
        found.append(measured_over_seeds(f"T = {steps}, {title}", values))
        said.append(f"{interval_text(values, '.1e')} for {title}")
    text = f"Largest |parallel − serial| membrane of inputs N(0, 1), T = {steps}, float32: {'; '.join(said)}."
    return text, {"dsn-exact": found}

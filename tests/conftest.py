"""Fixtures of the tests of the plastic engine: a bench on which a test sets every array by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from homeonet.config import PATHWAYS, Config, load_config
from homeonet.plastic import SegmentResult, Structure, assemble, connect, engine_for

#: Sizes that most tests share, so that few programs are compiled.
SMALL = {
    "input.side": 6,
    "exc.n": 30,
    "inh.n": 10,
    "sleep.ratio": 0.0,
    "input_exc.density": 0.4,
}
NEVER = 1e15


class Bench:
    """One network of hand-made arrays, advanced by any number of steps at a time."""

    def __init__(self, configs: list[Config], connections=None, make_engine=engine_for) -> None:
        self.config, self.dt, self.step = configs[0], configs[0].simulation.dt, 0
        self.structure = Structure.of(configs[0], len(configs))
        self.connections = connections or connect(self.structure, configs)
        self.engine = make_engine(self.structure, self.connections)
        self.arrays = assemble(self.structure, configs)
        self.stimulus = np.zeros((self.engine.stimulus_rows, len(configs) * self.structure.size("input")))

    def silence_synapses(self, *pathways: str) -> None:
        """Let spikes of these pathways (or of all) leave the membranes alone."""
        for name in pathways or PATHWAYS:
            self.arrays[f"{PATHWAYS[name][1]}.{name}_gain"][:] = 0.0

    def silence_noise(self) -> None:
        """No membrane noise in either population."""
        for population in ("exc", "inh"):
            self.arrays[f"{population}.noise_scale"][:] = 0.0

    def fire(self, population: str, units) -> None:
        """Make neurons spike in the next step."""
        self.arrays[f"{population}.v"][units] = 1.0

    def fall_asleep(self, n_steps: float = NEVER) -> None:
        """Sleep from the next step on, for a number of steps, whatever the weights do."""
        self.arrays["controller.steps_awake"][:] = self.arrays["controller.interval_steps"][:] = 1.0
        self.arrays["controller.longest_steps"][:] = n_steps
        self.arrays["controller.base_level"][:] = -1.0

    def run(self, n_steps: int) -> SegmentResult:
        """Advance; the arrays are replaced by what the segment leaves."""
        result = self.engine.run(
            self.arrays, self.stimulus, first_step=self.step, n_steps=n_steps, dt=self.dt
        )
        self.arrays, self.step = {k: v.copy() for k, v in result.arrays.items()}, self.step + n_steps
        return result


@pytest.fixture(scope="session")
def bench() -> Callable[..., Bench]:
    """Make a bench: ``bench("massey2026", exc__refractory="2 ms")``; keywords as for ``Config.replace``."""

    def make(preset: str = "massey2026", *, connections=None, **overrides: object) -> Bench:
        dotted = {key.replace("__", "."): value for key, value in overrides.items()}
        return Bench([load_config(preset, SMALL | dotted)], connections)

    return make


@pytest.fixture(scope="session")
def bench_of() -> type[Bench]:
    """The class behind `bench`, for several replicas or another engine."""
    return Bench

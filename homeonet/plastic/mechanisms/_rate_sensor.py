"""Rate sensors: the mean rates of populations that a user's sleep controller reads, as ``rate_NAME`` in Hz.

Every neuron counts its spikes; the slow clock adds them up over each replica, every 100 ms, and what is new since its
last tick is the rate until the next one. Sums are of whole numbers: no order of them changes a bit.
"""

from __future__ import annotations

from collections.abc import Sequence

from homeonet.plastic.mechanisms._equations import Mechanism, Sizes
from homeonet.plastic.mechanisms._times import TOTALS_PERIOD

__all__ = ["sensed_spikes", "sensor_equations", "sensor_step", "sensor_values", "spikes_so_far"]

_OF_POPULATION = """
spikes_{name} : 1
last_spikes_{name} : 1
rate_{name} : 1
per_spike_{name} : 1
"""

_STEP = """
rate_{name} = (spikes_{name} - last_spikes_{name})*per_spike_{name}
last_spikes_{name} = spikes_{name}
"""


def sensed_spikes() -> Mechanism:
    """State `n_fired`, a neuron's spikes so far, awake and asleep."""
    return Mechanism(equations="n_fired : 1", reset="n_fired += 1", state={"n_fired": 0.0})


def spikes_so_far(population: str) -> str:
    """The equation by which a replica adds up the spikes of a population."""
    return f"spikes_{population}_post = n_fired_pre : 1 (summed)"


def sensor_equations(populations: Sequence[str]) -> str:
    """Equations of the neuron that holds the rates of a replica."""
    return "".join(_OF_POPULATION.format(name=name) for name in populations)


def sensor_step(populations: Sequence[str]) -> str:
    """Run at each tick of the slow clock, after the spikes were summed."""
    return "".join(_STEP.format(name=name) for name in populations)


def sensor_values(populations: Sequence[str], sizes: Sizes) -> dict[str, float]:
    """Values before the first step: no spikes, and what one spike adds to the rate of each population."""
    values = {f"{kind}_{name}": 0.0 for name in populations for kind in ("spikes", "last_spikes", "rate")}
    return values | {f"per_spike_{name}": 1 / (sizes.size(name) * TOTALS_PERIOD) for name in populations}

"""AHSAR: the threshold of each population follows its firing rate, and neighbours share the burden.

Its layers are the populations of the network, in their order; networks that are stacked learn one after the other,
each with an AHSAR of its own. One neuron per replica holds r̄ and h of them all. At the first tick of the
slow clock (100 ms) at which `window` has passed since the last update, with r_l the mean rate of population l in
between and r* the target rate::

    r̄_l ← momentum r̄_l + (1 - momentum) r_l                d_l = (r̄_l - r*) / r*
    h_l ← (1 - relaxation) h_l + strength tanh(d_l) + diffusion (h_{l-1} - 2 h_l + h_{l+1})
    s_l = 1 + span tanh(h_l)
    threshold = E_leak + s_l (v_threshold - E_leak) + adaptation

The ends reflect: there h_{l-1} or h_{l+1} is h_l. r̄ starts at r*, h at 0. Thresholds change between steps, all of a
population by as much, and stay as training left them when features are read out. With `strength` 0 the thresholds
stay where they are, and not a bit of a run differs from one without AHSAR.

Asleep everything stands still, unless `during` is "always": neither spikes nor time count. Without input the rates
of sleep are low, and would lower the thresholds although nothing is wrong with the rates that images evoke.

Source: Chen et al. 2025, "Plug-and-Play Homeostatic Spark", arXiv 2512.05015, for the mechanism: state, bounded scale,
diffusion. Its equations and constants are not public; these are this project's, as in
``homeonet.gradient.homeostasis.AHSAR``. The gain over epochs, which follows the validation accuracy, is not here:
nothing is validated while a network learns by STDP.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from homeonet.config import Config, Population
from homeonet.plastic.mechanisms._equations import Mechanism
from homeonet.plastic.mechanisms._times import TOTALS_PERIOD

__all__ = [
    "ahsar_equations",
    "ahsar_samples",
    "ahsar_step",
    "ahsar_values",
    "counted_spikes",
    "moved_threshold",
    "threshold_scales",
]

_EVERYWHERE = """
wake_step : 1 (linked)
asleep : 1 (linked)
last_step : 1
target_rate : Hz
momentum : 1
relaxation : 1
strength : 1
span : 1
diffusion : 1
window_steps : 1
tick_steps : 1
step_length : second
count_asleep : 1
"""

# count: spikes so far; mean_rate: r̄; state: h; rise: what is added to the threshold; reach: its distance from rest
_OF_LAYER = """
count_{layer} : 1
last_count_{layer} : 1
mean_rate_{layer} : Hz
state_{layer} : 1
rise_{layer} : volt
reach_{layer} : volt
size_{layer} : 1
"""

#: Steps that count are those awake, or all; the present one is not over.
_CLOCK = """
now = count_asleep*tick_steps*t_in_timesteps + (1 - count_asleep)*(wake_step - 1 + asleep)
due = int(now - last_step >= window_steps)
duration = clip(now - last_step, 1, inf)*step_length
last_step = last_step + due*(now - last_step)
"""

_RATE = """
rate_{layer} = (count_{layer} - last_count_{layer})/(size_{layer}*duration)
last_count_{layer} = last_count_{layer} + due*(count_{layer} - last_count_{layer})
mean_rate_{layer} = mean_rate_{layer} + due*(1 - momentum)*(rate_{layer} - mean_rate_{layer})
flow_{layer} = diffusion*(state_{before} - 2*state_{layer} + state_{after})
"""

_STATE = """
drive_{layer} = strength*tanh((mean_rate_{layer} - target_rate)/target_rate)
state_{layer} = state_{layer} + due*(drive_{layer} + flow_{layer} - relaxation*state_{layer})
rise_{layer} = span*tanh(state_{layer})*reach_{layer}
"""


def _for_each(layers: Sequence[str], text: str) -> str:
    """A text for each layer, with the layers that are its neighbours in the order given."""
    last = len(layers) - 1
    return "".join(
        text.format(layer=layer, before=layers[max(k - 1, 0)], after=layers[min(k + 1, last)])
        for k, layer in enumerate(layers)
    )


def ahsar_equations(layers: Sequence[str]) -> str:
    """Equations of the neuron that holds a replica's states."""
    return _EVERYWHERE + _for_each(layers, _OF_LAYER)


def ahsar_step(layers: Sequence[str]) -> str:
    """Run at each tick of the slow clock, after the spikes were summed. All flows are known before a state moves."""
    return _CLOCK + _for_each(layers, _RATE) + _for_each(layers, _STATE)


def ahsar_samples(layers: Sequence[str]) -> list[str]:
    """What is recorded over time."""
    return [f"{kind}_{layer}" for layer in layers for kind in ("mean_rate", "state")]


def counted_spikes(population: str) -> Mechanism:
    """State `n_spikes`, a neuron's spikes so far; needs `asleep` in the group."""
    return Mechanism(
        equations=f"n_spikes : 1\ncount_asleep : 1 (linked)\nrise_{population} : volt (linked)",
        reset="n_spikes += 1 - asleep*(1 - count_asleep)",
        linked=("asleep",),
        state={"n_spikes": 0.0},
    )


def ahsar_values(config: Config, layers: Sequence[str]) -> dict[str, float]:
    """Values of the parameters and the state at the start."""
    ahsar, dt = config.ahsar, config.simulation.dt
    values = {
        name: getattr(ahsar, name)
        for name in ("target_rate", "momentum", "relaxation", "strength", "span", "diffusion")
    }
    values |= {
        "last_step": 0.0,
        "window_steps": round(ahsar.window / dt),
        "tick_steps": round(TOTALS_PERIOD / dt),
        "step_length": dt,
        "count_asleep": float(ahsar.during == "always"),
    }
    for layer in layers:
        population = config.population[layer]
        assert isinstance(population, Population)
        values |= {f"{name}_{layer}": 0.0 for name in ("count", "last_count", "state", "rise")}
        values[f"mean_rate_{layer}"] = ahsar.target_rate
        values[f"reach_{layer}"] = population.v_threshold - population.e_leak
        values[f"size_{layer}"] = population.n
    return values


def threshold_scales(
    arrays: Mapping[str, np.ndarray], replica: int, layers: Sequence[str]
) -> dict[str, float]:
    """The scale s of each layer, from the arrays of a network with AHSAR."""
    span = float(arrays["ahsar.span"][replica])
    return {layer: 1 + span * math.tanh(arrays[f"ahsar.state_{layer}"][replica]) for layer in layers}


def moved_threshold(population: Population, scale: float) -> float:
    """The threshold of a population at rest, in volt, where its distance from rest is `scale` times as large."""
    return population.v_threshold + (scale - 1) * (population.v_threshold - population.e_leak)

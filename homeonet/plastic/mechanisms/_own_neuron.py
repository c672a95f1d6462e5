"""Neurons that a user writes as text: the equations as they stand, with refractoriness and noise."""

from __future__ import annotations

import json

from homeonet.config import NeuronText, unit_and_factor
from homeonet.plastic.mechanisms._equations import Mechanism, Place

__all__ = ["compiled_neuron", "own_neuron"]

_REFRACTORINESS = "dhold/dt = -1/dt : 1\nready = int(hold < 0.5) : 1"


def compiled_neuron(text: NeuronText) -> str:
    """What of a user's neuron is compiled, as canonical text: all but the values of parameters and the first state."""
    return json.dumps(
        {
            "equations": text.equations,
            "threshold": text.threshold,
            "reset": text.reset,
            "parameters": {
                name: unit_and_factor(value)[1] for name, value in sorted(text.parameters.items())
            },
            "state": text.state,
            "method": text.method,
            "noise": text.reads_noise,
        },
        sort_keys=True,
    )


def own_neuron(compiled: str) -> Mechanism:
    """The mechanism of what `compiled_neuron` gave."""
    text = json.loads(compiled)
    return Mechanism(
        equations=f"{text['equations'].strip()}\n{_REFRACTORINESS}",
        constants={**text["parameters"], "hold_steps": "1", "learning": "1"},
        linked=("asleep",),
        threshold=f"({text['threshold'].strip()}) and hold < 0.5",
        reset=f"{text['reset'].strip()}\nhold = hold_steps",
        state=dict.fromkeys([*text["state"], "hold"], 0.0),
        values=_values,
    )


def _values(place: Place) -> dict[str, float]:
    text = place.config.neuron[place.section.neuron]
    given = {**text.parameters, **place.section.parameters, **text.initial}
    values = {name: unit_and_factor(value)[0] for name, value in given.items()}
    return values | {
        "hold_steps": round(text.refractory / place.dt),
        "learning": float(not place.evaluation),
    }

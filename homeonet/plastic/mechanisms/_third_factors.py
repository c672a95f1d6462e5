"""What rules read beside spikes: sleep, a number for each image, and the moment at which an image ends.

Synapses cannot read linked variables of their target: third factors are copied to plain ones of the neurons onto which
the pathway leads. The numbers of the images stand in the table of the stimulus, in columns after the pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

from homeonet.config import ASLEEP
from homeonet.plastic.mechanisms._equations import Action, Mechanism, Place, combine
from homeonet.plastic.mechanisms._poisson import FIRST_STEP, LAST_STEP, ROW_TIME
from homeonet.plastic.mechanisms._rules import third_factor

__all__ = ["IMAGE_END", "image_end", "third_factors"]

#: The event of a neuron in the last step of each image.
IMAGE_END = "image_end"
_FIRST = "image_start"


def image_end() -> Mechanism:
    """The event of the last step of each image."""
    return Mechanism(
        constants={"image_steps": "1"},
        linked=("wake_step", "asleep"),
        events={IMAGE_END: LAST_STEP},
        values=lambda place: {"image_steps": _image_steps(place)},
    )


def third_factors(names: Sequence[str], signals: Sequence[str]) -> Mechanism:
    """Variables of neurons that hold the third factors `names`; the table has columns of all `signals`, in order."""
    parts = []
    if ASLEEP in names:
        name = third_factor(ASLEEP)
        parts.append(
            Mechanism(
                equations=f"{name} : 1",
                linked=("asleep",),
                actions=(Action("", f"{name} = asleep", "before_groups"),),
                state={name: 0.0},
            )
        )
    own = [name for name in names if name != ASLEEP]
    if own:
        shown = [
            f"{third_factor(name)} = stimulus(row_time, int(signal_column + {signals.index(name)}))"
            for name in own
        ]
        parts.append(
            Mechanism(
                equations="\n".join([ROW_TIME, *(f"{third_factor(name)} : 1" for name in own)]),
                constants={"image_steps": "1"},
                parameters={"first_wake_step": "1", "signal_column": "1"},
                linked=("wake_step", "asleep"),
                events={_FIRST: FIRST_STEP},
                actions=(Action(_FIRST, "\n".join(shown), "before_synapses"),),
                state={third_factor(name): 0.0 for name in own},
                values=_values,
            )
        )
    return combine(parts)


def _values(place: Place) -> dict[str, float]:
    structure = place.structure
    column = structure.replicas * structure.size("input") + place.replica * len(structure.signals)
    return {"image_steps": _image_steps(place), "first_wake_step": 0.0, "signal_column": column}


def _image_steps(place: Place) -> int:
    return round(place.config.input.presentation / place.dt)

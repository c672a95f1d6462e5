"""What sleep does to the weights, and the tally of the weights that tells when to sleep.

Both are custom events of the postsynaptic population that drive an ``on_post`` pathway: they cost nothing in
the steps in which the event does not fire. ``tally`` sums the weights onto each neuron every second awake and
every 100 ms asleep; ``renormalise`` fires every k steps asleep.

=============  =============================================  =====================================
form           change of w every k steps                      source
=============  =============================================  =====================================
power_law      ``w_target (w / w_target) ** decay**k``        Massey et al. 2026, section 2.2.4
scaling        ``w * decay**k``                               control: multiplicative scaling
normalise      ``w * initial sum / current sum``, a neuron    control: instantaneous normalisation
none           nothing                                        control: noise without decay
=============  =============================================  =====================================

k steps at once equal k single steps of the power law wherever no spike falls in between: the logarithm of
``w / w_target`` shrinks by the same factor. ``decay`` is per millisecond.
"""

from __future__ import annotations

import numpy as np

from homeonet.errors import InputError
from homeonet.plastic.mechanisms._equations import Action, Mechanism, Place

__all__ = ["homeostasis", "renormalisation_statement", "tally_statement"]

_EVENTS = {
    "tally": "(t_in_timesteps + 1) % tally_awake == 0 or (asleep > 0.5 and (t_in_timesteps + 1) % tally_asleep == 0)",
    "renormalise": "asleep > 0.5 and (t_in_timesteps + 1) % renormalise_every == 0",
}

_STATEMENTS = {
    "power_law": "w = clip({w_target}*(w*{inverse_w_target})**sleep_decay_post, {w_min}, {w_max})",
    "scaling": "w = clip(w*sleep_decay_post, {w_min}, {w_max})",
    "normalise": "w = clip(w*initial_{pathway}_post/clip(sum_{pathway}_post, 1e-12, inf), {w_min}, {w_max})",
}


def homeostasis(pathways: list[str], form: str, *, renormalised: bool) -> Mechanism:
    """State of the tally (`sum_<pathway>`, weights onto each neuron), and both events with their parameters."""
    if not pathways:
        return Mechanism()
    lines = [f"sum_{pathway} : 1" for pathway in pathways]
    if form == "normalise":
        lines += [f"initial_{pathway} : 1 (constant)" for pathway in pathways]
    kinds = ("sum", "initial") if form == "normalise" else ("sum",)
    names = [f"{kind}_{pathway}" for pathway in pathways for kind in kinds]

    def values(place: Place) -> dict[str, float]:
        # as the tally would find them; onto each neuron in equal shares is corrected by the first tally
        n = place.structure.size(place.population)
        sums = {pathway: place.weights[pathway].sum() / n for pathway in pathways}
        return _values(place) | {name: sums[name.partition("_")[2]] for name in names}

    return Mechanism(
        equations="\n".join(lines),
        constants=dict.fromkeys(("tally_awake", "tally_asleep", "renormalise_every"), "1"),
        parameters={"sleep_decay": "1"},
        linked=("asleep",),
        events={name: _EVENTS[name] for name in (("tally", "renormalise") if renormalised else ("tally",))},
        actions=(Action("tally", "\n".join(f"sum_{name} = 0" for name in pathways), "before_synapses"),),
        state=dict.fromkeys(names, 0.0),
        values=values,
    )


def tally_statement(pathway: str) -> str:
    """Adds each weight to its neuron's sum."""
    return f"sum_{pathway}_post += w"


def renormalisation_statement(form: str) -> str:
    """The change of `w`, with the pathway's parameters in braces; "" for none."""
    return _STATEMENTS.get(form, "")


def _values(place: Place) -> dict[str, float]:
    """Values of the parameters of both events; InputError if a decay is so slow that in float32 it is none."""
    config = place.config
    dt, sleep = config.simulation.dt, config.sleep
    decay = sleep.decay ** (sleep.every / 1e-3)
    if config.simulation.precision == "float32" and decay < 1 and np.float32(decay) == 1:
        raise InputError(
            f"sleep.decay = {sleep.decay!r} every {1e3 * sleep.every:g} ms is 1 in float32; set a longer sleep.every, "
            "or simulation.precision = 'float64'"
        )
    # instantaneous normalisation divides by the sum of the same step
    tally_asleep = sleep.every if sleep.renormalisation == "normalise" else 0.1
    return {
        "tally_awake": round(1.0 / dt),
        "tally_asleep": round(tally_asleep / dt),
        "renormalise_every": round(sleep.every / dt),
        "sleep_decay": decay,
    }

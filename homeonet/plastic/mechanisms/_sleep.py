"""The sleep controller: one neuron per replica that decides, step by step, whether the network sleeps.

Falls asleep after `interval_steps` awake, or when the total excitatory weight W exceeds `trigger_level`; wakes
after `longest_steps`, or when W is at most `base_level`. It counts wake steps, which are the inputs' clock: a
segment ends with the step in which they reach `last_wake_step`, if not before.
W, the sum over the watched pathways, comes from the tally of the weights (`_renormalisation.py`), every second awake
and every 100 ms asleep.

Source: Massey et al. 2026, section 2.2.4: sleep starts when W(t) > alpha_trig W(0) or an interval has elapsed,
and ends when W(t) <= alpha_base W(0) or the longest sleep is reached.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from homeonet.config import Config
from homeonet.plastic.mechanisms._rules import renamed
from homeonet.plastic.mechanisms._times import NEVER

__all__ = [
    "ALWAYS_AWAKE",
    "CONTROLLER_STATE",
    "compiled_controller",
    "controller",
    "controller_step",
    "controller_values",
    "sensed_populations",
    "weighed_pathways",
]

_EQUATIONS = """
asleep : 1
wake_step : 1
steps_asleep : 1
steps_awake : 1
W = {total} : 1
{totals}
interval_steps : 1
shortest_wake_steps : 1
longest_steps : 1
trigger_level : 1
base_level : 1
last_wake_step : 1
"""


def compiled_controller(config: Config) -> str:
    """What of a user's controller is compiled, as canonical text; "" for the one that is built in."""
    text = config.controller.get(config.sleep.trigger)
    if text is None:
        return ""
    names = {"parameters": sorted(text.parameters), "state": sorted(text.state)}
    names |= {"rates": text.rates} if text.rates else {}
    names |= {"pathways": text.pathways} if text.pathways else {}
    statements = {"each_step": text.each_step, "falls": text.falls, "wakes": text.wakes}
    return json.dumps(names | statements, sort_keys=True)


def controller(watched: Sequence[str], own: str = "") -> str:
    """Equations of a replica's controller, whose W adds up the watched pathways; `own` as of `compiled_controller`."""
    rates = [f"rate_{population}" for population in sensed_populations(own)]
    totals = [f"total_{pathway}" for pathway in weighed_pathways(watched, own)]
    linked = "\n".join(f"{name} : 1 (linked)" for name in (*totals, *rates))
    total = " + ".join(f"total_{pathway}" for pathway in watched)
    equations = _EQUATIONS.format(total=total or "0", totals=linked)
    kept = (name for name in _own_names(own).values() if name.startswith("own_"))
    return equations + "".join(f"{name} : 1\n" for name in kept)


def weighed_pathways(watched: Sequence[str], own: str) -> tuple[str, ...]:
    """Pathways whose total weights the controller reads: those watched, and what a user's controller names."""
    return tuple(dict.fromkeys([*watched, *(json.loads(own).get("pathways", ()) if own else ())]))


def sensed_populations(own: str) -> tuple[str, ...]:
    """Populations whose rates a user's controller reads."""
    return tuple(json.loads(own).get("rates", ())) if own else ()


_BY_CLOCK_AND_WEIGHT = """
falls = (1 - asleep)*int(steps_awake >= interval_steps or (steps_awake >= shortest_wake_steps and W > trigger_level))
wakes = asleep*int(steps_asleep >= longest_steps or W <= base_level)
"""

_STEP = """
asleep = asleep + falls - wakes
steps_asleep = asleep*((1 - falls)*steps_asleep + 1)
steps_awake = (1 - asleep)*((1 - wakes)*steps_awake + 1)
wake_step = wake_step + 1 - asleep
"""


def controller_step(own: str = "") -> str:
    """Statements at the start of each step; everything after sees the new state."""
    if not own:
        return _BY_CLOCK_AND_WEIGHT.rstrip() + _STEP
    text, names = json.loads(own), _own_names(own)
    lines = [
        "awake_for = steps_awake*own_step",
        "asleep_for = steps_asleep*own_step",
        renamed(text["each_step"], names),
        f"falls = own_may_sleep*(1 - asleep)*int({renamed(text['falls'], names)})",
        f"wakes = asleep*int({renamed(text['wakes'], names)})",
    ]
    return "\n".join(line for line in lines if line) + _STEP


def _own_names(own: str) -> dict[str, str]:
    """Variables that a user's controller reads and has, by their names in its text; those it has begin with own_."""
    text = json.loads(own) if own else {"parameters": [], "state": []}
    pathways = text.get("pathways", ())
    totals = {f"W_{name}": f"total_{name}" for name in pathways}
    starts = {f"W_start_{name}": f"own_W_start_{name}" for name in pathways}
    fixed = {"W_start": "own_W_start", "step": "own_step", "may_sleep": "own_may_sleep"} if own else {}
    return totals | starts | fixed | {name: f"own_{name}" for name in (*text["parameters"], *text["state"])}


#: State variables, all zero at the start of a run.
CONTROLLER_STATE = ("asleep", "wake_step", "steps_asleep", "steps_awake")


#: Parameters of a controller that never sleeps.
ALWAYS_AWAKE = {
    "interval_steps": NEVER,
    "shortest_wake_steps": NEVER,
    "longest_steps": 1.0,
    "trigger_level": NEVER,
    "base_level": -1.0,
}


def controller_values(config: Config, watched: float, totals: Mapping[str, float]) -> dict[str, float]:
    """Values of the controller's parameters.

    Parameters
    ----------
    watched : float
        W(0), the sum of the weights of the watched pathways at the start of training.
    totals : mapping of str to float
        The same of each pathway.
    """
    sleep, dt = config.sleep, config.simulation.dt
    if own := config.controller.get(sleep.trigger):
        values = {
            **own.parameters,
            **own.state,
            "W_start": watched,
            **{f"W_start_{name}": totals[name] for name in own.pathways},
            "step": dt,
            "may_sleep": float(sleep.ratio > 0),
        }
        return ALWAYS_AWAKE | {f"own_{name}": value for name, value in values.items()}
    if sleep.ratio == 0:
        return ALWAYS_AWAKE
    by_clock, by_weight = sleep.trigger != "threshold", sleep.trigger != "interval"
    return {
        "interval_steps": round(sleep.interval / dt) if by_clock else NEVER,
        "shortest_wake_steps": round(sleep.shortest_wake / dt),
        "longest_steps": max(1, round(min(sleep.ratio * sleep.interval, sleep.longest) / dt)),
        "trigger_level": sleep.alpha_trigger * watched if by_weight else NEVER,
        "base_level": sleep.alpha_base * watched,
    }

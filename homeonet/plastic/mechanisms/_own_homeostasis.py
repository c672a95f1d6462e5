"""Homeostasis that a user writes as text: events of a population that act on its weights and on its neurons."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from homeonet.config import Config
from homeonet.plastic.mechanisms._equations import Action, Mechanism, Place
from homeonet.plastic.mechanisms._rules import renamed, spike_traces
from homeonet.plastic.mechanisms._traces import decaying

__all__ = ["OwnHomeostasis", "compiled_homeostasis"]

_CONDITIONS = {"asleep": "asleep > 0.5 and ", "awake": "asleep < 0.5 and ", "always": ""}


def compiled_homeostasis(config: Config, name: str) -> str:
    """What of a user's homeostasis is compiled, as canonical text: all but values."""
    text = config.homeostasis[name]
    return json.dumps(
        {
            "when": text.when,
            "traces": {key: [trace.rise, trace.pairing] for key, trace in text.traces.items()},
            "parameters": sorted(text.parameters),
            "on_weights": text.on_weights,
            "on_neurons": text.on_neurons,
            "totals": text.reads_totals,
            "pathways": config.pathways_of(name),
            "populations": config.populations_of(name),
        },
        sort_keys=True,
    )


@dataclass(frozen=True)
class OwnHomeostasis:
    """A user's homeostasis, as `compiled_homeostasis` gave it."""

    name: str
    compiled: str

    def _own(self, variable: str) -> str:
        return f"homeostasis_{self.name}_of_{variable}"

    def acts_on(self, pathway: str) -> bool:
        """Whether it changes the weights of a pathway."""
        return pathway in json.loads(self.compiled)["pathways"]

    def on_pathway(self, pathway: str, limits: Mapping[str, str]) -> list[tuple[str, str]]:
        """Names of events and the statements of synapses at them, in order; `limits` are the pathway's parameters."""
        text = json.loads(self.compiled)
        names = {name: f"{self._own(name)}_post" for name in (*text["traces"], *text["parameters"])}
        names |= {name: f"{self._own(f'{name}_{pathway}')}_post" for name in ("total", "total_start")}
        statements = renamed(text["on_weights"], {**limits, **names})
        act = (f"act_{self.name}", f"{statements}\nw = clip(w, {limits['w_min']}, {limits['w_max']})")
        total = (f"total_{self.name}", f"{names['total']} += w")
        return [total, act] if text["totals"] else [act]

    def on_population(self, population: str, incoming: Sequence[str]) -> Mechanism:
        """Its part in a population: traces, parameters, sums of weights and the event at which it acts."""
        text = json.loads(self.compiled)
        mine = [pathway for pathway in incoming if pathway in text["pathways"]]
        on_neurons = text["on_neurons"] if population in text["populations"] else ""
        if not (mine or on_neurons.strip()):
            return Mechanism()
        own = {name: self._own(name) for name in (*text["traces"], *text["parameters"])}
        summed = [self._own(f"total_{pathway}") for pathway in mine] if text["totals"] else []
        at_start = [self._own(f"total_start_{pathway}") for pathway in mine] if text["totals"] else []
        condition = f"{_CONDITIONS[text['when']]}(t_in_timesteps + 1) % {self._own('every')} == 0"
        statements = [*(f"{name} = 0" for name in summed), renamed(on_neurons, own)]
        traces = spike_traces(own, text["traces"])
        names = [f"act_{self.name}", *([f"total_{self.name}"] if summed else [])]

        def values(place: Place) -> dict[str, float]:
            found = place.config.homeostasis[self.name]
            known = {self._own(name): value for name, value in found.parameters.items()}
            known |= {
                f"tau_{self._own(name)}": decaying(place, trace.tau) for name, trace in found.traces.items()
            }
            known |= {
                self._own(f"total_start_{pathway}"): place.weights[pathway].sum()
                / place.structure.size(population)
                for pathway in mine
            }
            return known | {self._own("every"): round(found.every / place.dt)}

        return Mechanism(
            equations="\n".join([traces.equations, *(f"{name} : 1" for name in summed)]),
            constants={**traces.constants, self._own("every"): "1"},
            of_neurons={own[name]: "1" for name in text["parameters"]} | dict.fromkeys(at_start, "1"),
            linked=("asleep",),
            reset=traces.reset,
            events=dict.fromkeys(names, condition),
            actions=(Action(names[0], "\n".join(filter(None, statements)), "before_synapses"),)
            if any(statements)
            else (),
            state={**traces.state, **dict.fromkeys(summed, 0.0)},
            values=values,
        )

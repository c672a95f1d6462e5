"""What a plasticity rule is: two changes of the weight, and the traces they read. Built in, or a user's text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from homeonet.config.rule_text import RuleText
from homeonet.plastic.mechanisms._equations import Mechanism, Place, combine
from homeonet.plastic.mechanisms._traces import decaying

__all__ = [
    "Rule",
    "compiled_text",
    "every_event",
    "own_rule",
    "renamed",
    "spike_traces",
    "third_factor",
    "variable",
]

_IDENTIFIER = re.compile(r"\b[a-zA-Z_]\w*\b")


@dataclass(frozen=True)
class Rule:
    """Changes of `w` at presynaptic and postsynaptic spikes, as Brian2 text.

    Names in braces are parameters of the pathway; they live on the target population and are read through
    ``_post``, so that one replica shares them and several have their own. A user's rule has whole statements, and
    `names` in them that stand for variables of neurons or, its `state`, of synapses (with `initial` values, where they
    are not the user's); it may also act on a clock, `every` so many steps, and at the end of images. `source` is the
    publication.
    """

    pre: str = ""
    post: str = ""
    every: str = ""
    image_end: str = ""
    source_traces: tuple[str, ...] = ()
    target_traces: tuple[str, ...] = ()
    source: str = ""
    names: Mapping[str, str] | None = None
    state: tuple[str, ...] = ()
    initial: Mapping[str, float] = field(default_factory=dict)
    third_factors: tuple[str, ...] = ()
    on_source: Mechanism = field(default_factory=Mechanism)
    on_target: Mechanism = field(default_factory=Mechanism)

    @property
    def plastic(self) -> bool:
        """Whether the rule changes weights at all."""
        return bool(self.pre or self.post or self.every or self.image_end)

    def change(self, text: str, of_pathway: Mapping[str, str], gate: str = "") -> str:
        """Statements that make the change `text` (`pre`, `post`, …) of `w`, and clip it; "" for none.

        `gate` names a variable that is 1 where the weight may change, and else 0.
        """
        if not text.strip():
            return ""
        if self.names is None:
            gated = {**of_pathway, "eta": f"{gate}*{of_pathway['eta']}"} if gate else of_pathway
            return f"w = clip(w {text}, {{w_min}}, {{w_max}})".format(**gated)
        statements, changed = renamed(text, {**of_pathway, **self.names}), "w"
        if gate:  # all of the change, whether the text has a learning rate or not
            statements, changed = f"w_before = w\n{statements}", f"w_before + {gate}*(w - w_before)"
        return f"{statements}\nw = clip({changed}, {{w_min}}, {{w_max}})".format(**of_pathway)


def variable(rule: str, name: str) -> str:
    """The variable of a neuron that holds a trace or a parameter of a user's rule."""
    return f"rule_{rule}_of_{name}"


def compiled_text(rule: RuleText) -> str:
    """What of a user's rule is compiled, as canonical text: all but the values of parameters and time constants."""
    return json.dumps(
        {
            "pre_traces": {name: [trace.rise, trace.pairing] for name, trace in rule.pre_traces.items()},
            "post_traces": {name: [trace.rise, trace.pairing] for name, trace in rule.post_traces.items()},
            "parameters": sorted(rule.parameters),
            "state": sorted(rule.state),
            "third_factors": sorted(rule.third_factors),
            **rule.statements,
        },
        sort_keys=True,
    )


def own_rule(name: str, text: str) -> Rule:
    """The rule of what `compiled_text` gave for the user's rule `name`."""
    parts = json.loads(text)
    names = {parameter: f"{variable(name, parameter)}_post" for parameter in parts["parameters"]}
    names |= {trace: f"{variable(name, trace)}_pre" for trace in parts["pre_traces"]}
    names |= {trace: f"{variable(name, trace)}_post" for trace in parts["post_traces"]}
    names |= {state: variable(name, state) for state in parts["state"]}
    names |= {factor: f"{third_factor(factor)}_post" for factor in parts["third_factors"]}
    acts = [k for k in ("every", "image_end") if parts[f"on_{k}"].strip()]
    on_target = _side(name, parts["post_traces"], parts["parameters"])
    return Rule(
        parts["on_pre"],
        parts["on_post"],
        parts["on_every"],
        parts["on_image_end"],
        names=names,
        state=tuple(variable(name, state) for state in parts["state"]),
        third_factors=tuple(parts["third_factors"]),
        on_source=_side(name, parts["pre_traces"], parts["parameters"]),
        on_target=combine([on_target, *(_clock(name) for k in acts if k == "every")]),
    )


def third_factor(name: str) -> str:
    """The variable of a neuron that holds a third factor."""
    return f"signal_{name}"


def every_event(rule: str) -> str:
    """The event at which a user's rule acts on its clock."""
    return f"every_{rule}"


def _clock(rule: str) -> Mechanism:
    steps = f"rule_{rule}_every"
    return Mechanism(
        constants={steps: "1"},
        events={every_event(rule): f"(t_in_timesteps + 1) % {steps} == 0"},
        values=lambda place: {steps: round((place.config.rule[rule].every or 0) / place.dt)},
    )


def spike_traces(own: Mapping[str, str], traces: Mapping[str, list[str]]) -> Mechanism:
    """Traces of a neuron's spikes, as variables `own`: all rises are known before any trace has risen."""
    rises = [f"new_{own[name]} = 1.0*({renamed(rise, own)})" for name, (rise, _) in traces.items()]
    updates = [
        f"{own[name]} = {'' if pairing == 'nearest' else f'{own[name]} + '}new_{own[name]}"
        for name, (_, pairing) in traces.items()
    ]
    return Mechanism(
        equations="\n".join(f"d{own[name]}/dt = -{own[name]}/tau_{own[name]} : 1" for name in traces),
        constants={f"tau_{own[name]}": "second" for name in traces},
        reset="\n".join([*rises, *updates]),
        state={own[name]: 0.0 for name in traces},
    )


def _side(rule: str, traces: Mapping[str, list[str]], parameters: list[str]) -> Mechanism:
    """The traces and parameters of a user's rule on one side of its synapses."""
    own = {name: variable(rule, name) for name in [*traces, *parameters]}

    def values(place: Place) -> dict[str, float]:
        text = place.config.rule[rule]
        found = {variable(rule, name): value for name, value in text.parameters.items()}
        both = {**text.pre_traces, **text.post_traces}
        return found | {
            f"tau_{variable(rule, name)}": decaying(place, trace.tau) for name, trace in both.items()
        }

    return replace(
        spike_traces(own, traces), of_neurons={own[name]: "1" for name in parameters}, values=values
    )


def renamed(text: str, names: Mapping[str, str]) -> str:
    """A text with names in place of others."""
    return _IDENTIFIER.sub(lambda found: names.get(found[0], found[0]), text.strip())

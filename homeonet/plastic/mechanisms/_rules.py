"""What a plasticity rule is: two changes of the weight, and the traces they read. Built in, or a user's text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from homeonet.config.rule_text import RuleText
from homeonet.plastic.mechanisms._equations import Mechanism, Place

__all__ = ["Rule", "compiled_text", "own_rule", "variable"]

_IDENTIFIER = re.compile(r"\b[a-zA-Z_]\w*\b")


@dataclass(frozen=True)
class Rule:
    """Changes of `w` at presynaptic and postsynaptic spikes, as Brian2 text.

    Names in braces are parameters of the pathway; they live on the target population and are read through
    ``_post``, so that one replica shares them and several have their own. A user's rule has whole statements, and
    `names` in them that stand for variables of neurons. `source` is the publication.
    """

    pre: str = ""
    post: str = ""
    source_traces: tuple[str, ...] = ()
    target_traces: tuple[str, ...] = ()
    source: str = ""
    names: Mapping[str, str] | None = None
    on_source: Mechanism = field(default_factory=Mechanism)
    on_target: Mechanism = field(default_factory=Mechanism)

    @property
    def plastic(self) -> bool:
        """Whether the rule changes weights at all."""
        return bool(self.pre or self.post)

    def change(self, text: str, of_pathway: Mapping[str, str], gate: str = "") -> str:
        """Statements that make the change `text` (`pre` or `post`) of `w`, and clip it; "" for none.

        `gate` names a variable that is 1 where the weight may change, and else 0.
        """
        if not text.strip():
            return ""
        if self.names is None:
            gated = {**of_pathway, "eta": f"{gate}*{of_pathway['eta']}"} if gate else of_pathway
            return f"w = clip(w {text}, {{w_min}}, {{w_max}})".format(**gated)
        statements, changed = _renamed(text, {**of_pathway, **self.names}), "w"
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
            "on_pre": rule.on_pre,
            "on_post": rule.on_post,
        },
        sort_keys=True,
    )


def own_rule(name: str, text: str) -> Rule:
    """The rule of what `compiled_text` gave for the user's rule `name`."""
    parts = json.loads(text)
    names = {parameter: f"{variable(name, parameter)}_post" for parameter in parts["parameters"]}
    names |= {trace: f"{variable(name, trace)}_pre" for trace in parts["pre_traces"]}
    names |= {trace: f"{variable(name, trace)}_post" for trace in parts["post_traces"]}
    return Rule(
        parts["on_pre"],
        parts["on_post"],
        names=names,
        on_source=_traces(name, parts["pre_traces"], parts["parameters"]),
        on_target=_traces(name, parts["post_traces"], parts["parameters"]),
    )


def _traces(rule: str, traces: Mapping[str, list[str]], parameters: list[str]) -> Mechanism:
    """The traces of one side: all rises are known before any trace has risen."""
    own = {name: variable(rule, name) for name in [*traces, *parameters]}
    rises = [f"new_{own[name]} = 1.0*({_renamed(rise, own)})" for name, (rise, _) in traces.items()]
    updates = [
        f"{own[name]} = {'' if pairing == 'nearest' else f'{own[name]} + '}new_{own[name]}"
        for name, (_, pairing) in traces.items()
    ]

    def values(place: Place) -> dict[str, float]:
        text = place.config.rule[rule]
        found = {variable(rule, name): value for name, value in text.parameters.items()}
        both = {**text.pre_traces, **text.post_traces}
        return found | {f"tau_{variable(rule, name)}": trace.tau for name, trace in both.items()}

    return Mechanism(
        equations="\n".join(f"d{own[name]}/dt = -{own[name]}/tau_{own[name]} : 1" for name in traces),
        constants={f"tau_{own[name]}": "second" for name in traces},
        of_neurons={own[name]: "1" for name in parameters},
        reset="\n".join([*rises, *updates]),
        state={own[name]: 0.0 for name in traces},
        values=values,
    )


def _renamed(text: str, names: Mapping[str, str]) -> str:
    return _IDENTIFIER.sub(lambda found: names.get(found[0], found[0]), text.strip())

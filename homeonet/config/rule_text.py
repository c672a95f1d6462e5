"""Learning rules as text: what a user writes under ``[rule.NAME]``, checked before anything is compiled.

Statements are Brian2's language and only ever parsed: assignments to the weight `w` or to names of one's own, of
numbers, operators and a few functions.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from homeonet.config._units import Milliseconds
from homeonet.config.parameters import ReadOnly, Table
from homeonet.config.statements import LONGEST, RESERVED, check_expression, check_name, check_statements

__all__ = ["ASLEEP", "BUILT_IN_RULES", "RuleText", "Trace"]

#: The third factor that every network has: 1 asleep, 0 awake.
ASLEEP = "asleep"
#: Rules that pathways know by name.
BUILT_IN_RULES = (
    "static",
    "stdp",
    "stdp_reversed",
    "stdp_elapsed",
    "presynaptic_offset",
    "istdp",
    "istdp_antisymmetric",
)
#: What every statement may read beside the rule's own traces and parameters.
_OF_PATHWAY = ("w", "eta", "w_min", "w_max", "w_target")
_RESERVED = RESERVED | {*_OF_PATHWAY, "gain"}


class Trace(BaseModel):
    """A variable of each neuron that decays with `tau` and, at each of its spikes, rises by `rise`, or is set to it.

    `rise` is a number or an expression of the traces of the same side and the rule's parameters, with the values from
    before the spike. A text is read as `tau` of a trace that rises by one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tau: Milliseconds = Field(gt=0)
    rise: str = Field("1", max_length=LONGEST)
    pairing: Annotated[str, Field(pattern="^(all|nearest)$")] = "all"

    @model_validator(mode="before")
    @classmethod
    def _from_tau(cls, value: Any) -> Any:
        if isinstance(value, dict) and type(value.get("rise")) in (int, float):
            return value | {"rise": repr(value["rise"])}
        return value if isinstance(value, (dict, BaseModel)) else {"tau": value}


class RuleText(BaseModel):
    """A learning rule: what spikes, the clock and the end of an image do to the weight `w` of a synapse.

    Statements see `w`, `eta`, `w_min`, `w_max` and `w_target` of the pathway, the rule's `parameters` (plain numbers),
    its traces, with the values from before the spikes of the step, its `state`, variables of each synapse that begin
    with the value given and that statements may change, and its `third_factors`: `asleep`, 1 or 0, and [signal.NAME],
    whose value is that of the image shown. After the statements `w` is clipped to [w_min, w_max].

    `on_pre` and `on_post` follow spikes, `on_every` the clock, each `every`, and `on_image_end` the last step of each
    image.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    source_text: str = Field("", max_length=LONGEST)
    pre_traces: Table[Trace] = Field(default_factory=ReadOnly)
    post_traces: Table[Trace] = Field(default_factory=ReadOnly)
    parameters: Table[float] = Field(default_factory=ReadOnly)
    state: Table[float] = Field(default_factory=ReadOnly)
    third_factors: tuple[str, ...] = ()
    on_pre: str = Field("", max_length=LONGEST)
    on_post: str = Field("", max_length=LONGEST)
    every: Milliseconds | None = Field(None, gt=0)
    on_every: str = Field("", max_length=LONGEST)
    on_image_end: str = Field("", max_length=LONGEST)

    @field_validator("pre_traces", "post_traces", "parameters", "state")
    @classmethod
    def _named(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            check_name(name, _RESERVED | {ASLEEP})
        return value

    @property
    def statements(self) -> dict[str, str]:
        """What is done, by when it is."""
        return {name: getattr(self, name) for name in ("on_pre", "on_post", "on_every", "on_image_end")}

    @model_validator(mode="after")
    def _statements(self) -> RuleText:
        groups = (self.pre_traces, self.post_traces, self.parameters, self.state, self.third_factors)
        names = [name for group in groups for name in group]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"{twice[0]} is defined twice, as a trace, parameter, state or third factor; give each its own name"
            )
        for where, traces in (("pre_traces", self.pre_traces), ("post_traces", self.post_traces)):
            for name, trace in traces.items():
                check_expression(f"{where}.{name}.rise", trace.rise, {*traces, *self.parameters})
        if not any(text.strip() for text in self.statements.values()):
            raise ValueError('it does nothing; give on_pre or on_post, for example on_pre = "w -= eta"')
        if bool(self.on_every.strip()) != (self.every is not None):
            raise ValueError('every and on_every go together; give both, for example every = "100 ms"')
        for where, text in self.statements.items():
            check_statements(where, text, {*names, *_OF_PATHWAY}, {"w", *self.state})
        return self

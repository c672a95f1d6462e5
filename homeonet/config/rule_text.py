"""Learning rules as text: what a user writes under ``[rule.NAME]``, checked before anything is compiled.

Statements are Brian2's language and only ever parsed: assignments to the weight `w` or to names of one's own, of
numbers, operators and a few functions.
"""

from __future__ import annotations

import ast
import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from homeonet.config._units import quantity
from homeonet.errors import one_line
from homeonet.machine.text import close_matches

__all__ = ["BUILT_IN_RULES", "RuleText", "Trace", "check_name"]

#: Rules that pathways know by name.
BUILT_IN_RULES = ("static", "stdp", "stdp_reversed", "presynaptic_offset", "istdp", "istdp_antisymmetric")
#: What every statement may read beside the rule's own traces and parameters.
_OF_PATHWAY = ("w", "eta", "w_min", "w_max", "w_target")
_FUNCTIONS = ("abs", "clip", "cos", "exp", "int", "log", "sign", "sin", "sqrt", "tanh")
_CONSTANTS = ("inf", "pi", "e")
_RESERVED = {"w_before", *_OF_PATHWAY, *_FUNCTIONS, *_CONSTANTS, "dt", "i", "j", "t", "N", "unit", "gain"}
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_ALLOWED = (
    ast.Module, ast.Assign, ast.AugAssign, ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Call,
    ast.Name, ast.Constant, ast.Load, ast.Store, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip
_NOT_BRIAN2 = (
    ast.MatMult,
    ast.BitAnd,
    ast.BitOr,
    ast.BitXor,
    ast.LShift,
    ast.RShift,
    ast.In,
    ast.NotIn,
    ast.Is,
)
_LONGEST = 4000


class Trace(BaseModel):
    """A variable of each neuron that decays with `tau` and, at each of its spikes, rises by `rise`, or is set to it.

    `rise` is a number or an expression of the traces of the same side and the rule's parameters, with the values from
    before the spike. A text is read as `tau` of a trace that rises by one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tau: quantity("ms", gt=0)
    rise: str = Field("1", max_length=_LONGEST)
    pairing: Annotated[str, Field(pattern="^(all|nearest)$")] = "all"

    @model_validator(mode="before")
    @classmethod
    def _from_tau(cls, value: Any) -> Any:
        if isinstance(value, dict) and type(value.get("rise")) in (int, float):
            return value | {"rise": repr(value["rise"])}
        return value if isinstance(value, (dict, BaseModel)) else {"tau": value}


class RuleText(BaseModel):
    """A learning rule: what a presynaptic and a postsynaptic spike do to the weight `w` of a synapse.

    Statements see `w`, `eta`, `w_min`, `w_max` and `w_target` of the pathway, the rule's `parameters` (plain numbers)
    and its traces, with the values from before the spikes of the step. After them `w` is clipped to [w_min, w_max].
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    source_text: str = Field("", max_length=_LONGEST)
    pre_traces: dict[str, Trace] = Field(default_factory=dict)
    post_traces: dict[str, Trace] = Field(default_factory=dict)
    parameters: dict[str, float] = Field(default_factory=dict)
    on_pre: str = Field("", max_length=_LONGEST)
    on_post: str = Field("", max_length=_LONGEST)

    @field_validator("pre_traces", "post_traces", "parameters")
    @classmethod
    def _named(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            check_name(name, _RESERVED)
        return value

    @model_validator(mode="after")
    def _statements(self) -> RuleText:
        groups = (self.pre_traces, self.post_traces, self.parameters)
        names = [name for group in groups for name in group]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"{twice[0]} is defined twice, as a trace or parameter; give each a name of its own"
            )
        for where, traces in (("pre_traces", self.pre_traces), ("post_traces", self.post_traces)):
            for name, trace in traces.items():
                _check(f"{where}.{name}.rise", trace.rise, {*traces, *self.parameters}, statements=False)
        if not (self.on_pre.strip() or self.on_post.strip()):
            raise ValueError('it does nothing; give on_pre or on_post, for example on_pre = "w -= eta"')
        for where, text in (("on_pre", self.on_pre), ("on_post", self.on_post)):
            _check(where, text, {*names, *_OF_PATHWAY}, statements=True)
        return self


def check_name(name: str, reserved: set[str] | frozenset[str] = frozenset()) -> None:
    """Raise ValueError for what cannot name a mechanism's part."""
    if name in reserved:
        raise ValueError(f"{name} is a reserved name; choose another")
    if name.endswith(("_pre", "_post")):
        raise ValueError(
            f"{name} must not end in _pre or _post, which name neurons' own variables; choose another"
        )
    if len(name) > 40 or not _NAME.fullmatch(name):
        raise ValueError(
            f"{one_line(repr(name), 60)} is no name; use small letters, digits and single underscores, such as x_slow"
        )


def _check(where: str, text: str, known: set[str], *, statements: bool) -> None:
    try:
        tree = ast.parse(text if statements else text.strip() or "0", mode="exec" if statements else "eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise ValueError(
            f"{where}, line {line}: {_line(text, line)} is not an equation; correct it"
        ) from None
    own: set[str] = set()
    for node in tree.body if isinstance(tree, ast.Module) else [tree.body]:
        line = _line(text, node.lineno)
        bad = next(
            (n for n in ast.walk(node) if not isinstance(n, _ALLOWED) or isinstance(n, _NOT_BRIAN2)), None
        )
        if bad is not None or (statements and not isinstance(node, (ast.Assign, ast.AugAssign))):
            kind, example = ("a statement", "w -= eta*x") if statements else ("an expression", "1 + x")
            raise ValueError(
                f"{where}, line {node.lineno}: {line} is not {kind} of Brian2's; write for example {example}"
            )
        calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
        called = {n.func.id for n in calls if isinstance(n.func, ast.Name)}
        keywords = [n for n in calls if n.keywords or not isinstance(n.func, ast.Name)]
        unknown = sorted(called - set(_FUNCTIONS))
        if unknown or keywords:
            what = unknown[0] if unknown else line
            raise ValueError(
                f"{where}, line {node.lineno}: {what} cannot be called; use {', '.join(_FUNCTIONS)}"
            )
        for constant in (n.value for n in ast.walk(node) if isinstance(n, ast.Constant)):
            if type(constant) not in (int, float):
                raise ValueError(
                    f"{where}, line {node.lineno}: {constant!r} is no number; write numbers and names"
                )
        read = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
        if isinstance(node, ast.AugAssign):
            read.append(node.target.id)
        for name in read:
            if name not in known | own | called | set(_CONSTANTS):
                close = close_matches(name, known | own)
                hint = (
                    f"did you mean {' or '.join(close)}?"
                    if close
                    else f"known are {', '.join(sorted(known))}"
                )
                raise ValueError(f"{where}, line {node.lineno}: {name} is not defined; {hint}")
        if isinstance(node, (ast.Assign, ast.AugAssign)):
            own |= _assigned(where, node, line, known)


def _assigned(where: str, node: ast.Assign | ast.AugAssign, line: str, known: set[str]) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if len(targets) != 1 or not isinstance(targets[0], ast.Name):
        raise ValueError(f"{where}, line {node.lineno}: {line} must assign to one name")
    name = targets[0].id
    if name != "w" and (name in known or name in _RESERVED):
        raise ValueError(
            f"{where}, line {node.lineno}: {name} cannot be assigned to; a rule changes w, and may use names of its own"
        )
    if name != "w":
        check_name(name)  # as all names that are Brian2's too
    return {name}


def _line(text: str, number: int) -> str:
    lines = text.splitlines() or [""]
    return one_line(repr(lines[min(number, len(lines)) - 1].strip()), 120)

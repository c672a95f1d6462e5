"""What a user's mechanisms are written in: Brian2's statements and expressions, parsed and never evaluated.

Checked here, before anything is compiled: that every line is one of the language, that every name is known, that
nothing is assigned to that belongs to others. Units are Brian2's to check.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection

from homeonet.errors import one_line
from homeonet.machine.text import close_matches

__all__ = [
    "CONSTANTS",
    "FUNCTIONS",
    "LONGEST",
    "RESERVED",
    "UNITS",
    "check_expression",
    "check_name",
    "check_statements",
    "names_in",
]

FUNCTIONS = ("abs", "clip", "cos", "exp", "int", "log", "sign", "sin", "sqrt", "tanh")
CONSTANTS = ("inf", "pi", "e")
#: Units that text with units may name, as Brian2 does.
UNITS = frozenset(
    {"volt", "amp", "siemens", "second", "hertz", "Hz", "kHz", "ohm", "farad", "Mohm", "Gohm", "kohm"}
    | {f"{prefix}{unit}" for prefix in "pnum" for unit in ("V", "A", "S", "s", "F")}
    | {f"{prefix}{unit}" for prefix in "pnumkM" for unit in ("volt", "amp", "siemens", "second", "farad")}
)
#: Names of no part of a mechanism: they are Brian2's or the network's.
RESERVED = frozenset({*FUNCTIONS, *CONSTANTS, *UNITS, "dt", "i", "j", "t", "N", "unit", "w_before"})
#: Characters of one text.
LONGEST = 4000

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


def check_name(name: str, reserved: frozenset[str] = RESERVED) -> None:
    """Raise ValueError for what cannot name a mechanism's part."""
    if name in reserved:
        raise ValueError(f"{name} is a reserved name; choose another")
    if name.endswith(("_pre", "_post")):
        raise ValueError(
            f"{name} must not end in _pre or _post, which name neurons' own variables; choose another"
        )
    if len(name) > 40 or not _NAME.fullmatch(name):
        raise ValueError(
            f"{one_line(repr(name), 60)} is no name; use lower-case letters, digits and single underscores, as x_slow"
        )


def check_expression(where: str, text: str, known: Collection[str]) -> None:
    """Raise ValueError for what is no expression of `known` names; the message begins with `where`."""
    _check(where, text, set(known), frozenset(), statements=False)


def check_statements(
    where: str, text: str, known: Collection[str], changed: Collection[str] = ("w",)
) -> None:
    """Raise ValueError for what are no statements that change those names of `known` that are `changed`."""
    _check(where, text, set(known), frozenset(changed), statements=True)


def names_in(text: str) -> set[str]:
    """All names of a text that was checked."""
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def _parts(tree: ast.AST) -> list[ast.stmt] | list[ast.expr]:
    """The statements of a text, or the one expression that it is."""
    return (
        tree.body if isinstance(tree, ast.Module) else [tree.body] if isinstance(tree, ast.Expression) else []
    )


def _check(where: str, text: str, known: set[str], changed: frozenset[str], *, statements: bool) -> None:
    try:
        tree = ast.parse(text if statements else text.strip() or "0", mode="exec" if statements else "eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise ValueError(
            f"{where}, line {line}: {_line(text, line)} is not an equation; correct it"
        ) from None
    own: set[str] = set()
    for node in _parts(tree):
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
        unknown = sorted(called - set(FUNCTIONS))
        if unknown or keywords:
            what = unknown[0] if unknown else line
            raise ValueError(
                f"{where}, line {node.lineno}: {what} cannot be called; use {', '.join(FUNCTIONS)}"
            )
        for constant in (n.value for n in ast.walk(node) if isinstance(n, ast.Constant)):
            if type(constant) not in (int, float):
                raise ValueError(
                    f"{where}, line {node.lineno}: {constant!r} is no number; write numbers and names"
                )
        read = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            read.append(node.target.id)
        for name in read:
            if name not in known | own | called | set(CONSTANTS):
                close = close_matches(name, known | own)
                hint = (
                    f"did you mean {' or '.join(close)}?"
                    if close
                    else f"known are {', '.join(sorted(known - UNITS))}"
                )
                raise ValueError(f"{where}, line {node.lineno}: {name} is not defined; {hint}")
        if isinstance(node, (ast.Assign, ast.AugAssign)):
            own |= _assigned(where, node, line, known, changed)


def _assigned(
    where: str, node: ast.Assign | ast.AugAssign, line: str, known: set[str], changed: frozenset[str]
) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if len(targets) != 1 or not isinstance(targets[0], ast.Name):
        raise ValueError(f"{where}, line {node.lineno}: {line} must assign to one name")
    name = targets[0].id
    if name not in changed and (name in known or name in RESERVED):
        own = (
            f"{', '.join(sorted(changed))} may be changed, and names of its own"
            if changed
            else "use names of its own"
        )
        raise ValueError(f"{where}, line {node.lineno}: {name} cannot be assigned to; {own}")
    if name not in changed:
        check_name(name)  # as all names that are Brian2's too
    return {name}


def _line(text: str, number: int) -> str:
    lines = text.splitlines() or [""]
    return one_line(repr(lines[min(number, len(lines)) - 1].strip()), 120)

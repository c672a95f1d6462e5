"""The package's rooms: what its root holds, which way imports run, and how long a file may be."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import homeonet

PACKAGE = Path(homeonet.__file__).parent
ROOT = {"__init__", "__main__", "_version", "errors", "progress"}
#: Rooms, from the ground up: a room imports from those below it, never from its own storey or above.
STOREYS = (
    ("errors", "_version", "progress"),
    ("machine",),
    ("store",),
    ("data", "analysis"),
    ("plotting", "config"),
    ("plastic", "gradient"),
    ("runs",),
    ("sweep", "claims"),
    ("study",),
    ("cli",),
    ("__init__", "__main__"),
)
#: The same within a room.
INSIDE = {
    "plastic": ("mechanisms", "network", "program", "engine"),
    "gradient": ("kernels", "neurons", "networks", "homeostasis", "deployment", "training"),
}
#: What a room never imports, directly or by way of another one's import at its top.
NEVER = {
    "plastic": {"torch"},
    "config": {"torch", "brian2"},
    "gradient": {"brian2"},
    "analysis": {"torch", "brian2"},
    "plotting": {"torch", "brian2"},
    "data": {"torch", "brian2"},
}
LONGEST = 400
#: Files that are longer, each with its reason.
LONGER: dict[str, str] = {}


@dataclass(frozen=True)
class Import:
    """One import: of which module, in which line, whether it waits until a function is called or is for types alone."""

    module: str
    line: int
    lazy: bool
    of_types: bool


def _modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = _modules()


def _imports(name: str) -> Iterator[Import]:
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    lazy = {id(inner) for node in ast.walk(tree) if isinstance(node, functions) for inner in ast.walk(node)}
    of_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        kind = id(node) in lazy, id(node) in of_types
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, *kind)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}, line {node.lineno}: imports are absolute"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield Import(full if full in MODULES else str(node.module), node.lineno, *kind)


IMPORTS = {name: list(_imports(name)) for name in MODULES}


def _room(module: str, depth: int = 1) -> str:
    parts = module.split(".")
    return parts[depth] if len(parts) > depth else "__init__"


def _storey(room: str) -> int:
    return next(k for k, rooms in enumerate(STOREYS) if room in rooms)


def test_the_root_holds_nothing_else() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} <= ROOT
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms | ROOT == {room for rooms in STOREYS for room in rooms}


def test_imports_run_one_way() -> None:
    upward = [
        f"{name}, line {found.line}: imports {found.module}"
        for name, imports in IMPORTS.items()
        for found in imports
        if found.module in MODULES
        and _room(found.module) not in ("__init__", _room(name))
        and _storey(_room(found.module)) >= _storey(_room(name))
    ]
    assert not upward, "\n".join(upward)


@pytest.mark.parametrize("room", INSIDE)
def test_imports_run_one_way_inside(room: str) -> None:
    order = INSIDE[room]
    upward = [
        f"{name}, line {found.line}: imports {found.module}"
        for name, imports in IMPORTS.items()
        for found in imports
        if _room(name) == room == _room(found.module)
        and (part := _room(name, 2)) != "__init__"
        and (found.module.count(".") < 2 or order.index(_room(found.module, 2)) > order.index(part))
    ]
    assert not upward, "\n".join(upward)


def test_no_module_imports_itself_by_a_detour() -> None:
    """Neither at once nor when a function is called; types alone may refer to one another."""
    within = {
        name: {found.module for found in imports if found.module in MODULES and not found.of_types} - {name}
        for name, imports in IMPORTS.items()
    }
    # what imports nothing that is left cannot be part of a circle
    while done := {name for name, wanted in within.items() if not wanted & within.keys()}:
        within = {name: wanted for name, wanted in within.items() if name not in done}
    circle: list[str] = []
    if within:
        name = next(iter(within))
        while name not in circle:
            circle.append(name)
            name = next(iter(within[name] & within.keys()))
        circle = [*circle[circle.index(name) :], name]
    assert not circle, " → ".join(circle)


@pytest.mark.parametrize("room", NEVER)
def test_rooms_stay_apart(room: str) -> None:
    seen: dict[str, str] = {}
    waiting = [(name, name) for name in MODULES if _room(name) == room]
    wrong = []
    while waiting:
        name, way = waiting.pop()
        if name in seen:
            continue
        seen[name] = way
        for found in IMPORTS[name]:
            top = found.module.split(".")[0]
            if top in NEVER[room]:
                wrong.append(f"{way}, line {found.line}: imports {top}")
            if found.module in MODULES and not (found.lazy or found.of_types):
                waiting.append((found.module, f"{way} → {found.module}"))
    assert not wrong, "\n".join(wrong)


def test_the_command_starts_without_other_packages() -> None:
    """So it starts at once, and Ctrl-C is answered while those are imported that its work needs."""
    seen: set[str] = set()
    waiting = ["homeonet.__main__", "homeonet.cli.main"]
    foreign = []
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            now = [found for found in IMPORTS[name] if not (found.lazy or found.of_types)]
            waiting += [found.module for found in now if found.module in MODULES]
            foreign += [
                f"{name}, line {found.line}: imports {found.module}"
                for found in now
                if found.module not in MODULES and found.module.split(".")[0] not in sys.stdlib_module_names
            ]
    assert not foreign, "\n".join(foreign)


def test_no_file_is_long_without_a_reason() -> None:
    lengths = {
        str(path.relative_to(PACKAGE)): len(path.read_text(encoding="utf-8").splitlines())
        for path in MODULES.values()
    }
    assert {name for name, lines in lengths.items() if lines > LONGEST} == set(LONGER)


def test_constants_stand_above_their_users() -> None:
    """Unless they are made of functions that stand above them."""
    low = []
    for name, path in MODULES.items():
        used: set[str] = set()
        defined: set[str] = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                used |= names
                defined.add(node.name)
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                given = {target.id for target in targets if isinstance(target, ast.Name)}
                if given & used and not (names - given) & defined:
                    low += [f"{name}, line {node.lineno}: {constant}" for constant in given & used]
                elif given & used:
                    defined |= given
    assert not low, "\n".join(low)

"""What a sweep is made of: fixed parameters, crossed lists, and named cases. Runs and writes nothing."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import tomli_w

from homeonet.config.parameters import dotted, read_toml
from homeonet.data import Dataset, pinned
from homeonet.errors import InputError
from homeonet.machine.text import plain, shown
from homeonet.runs.kinds import KINDS

__all__ = ["MOST_CELLS", "Cell", "Grid", "load_grid"]

#: A grid with more cells than this is probably a mistake, and needs to be confirmed.
MOST_CELLS = 100_000
_SECTIONS = ("set", "grid", "case", "model")


@dataclass(frozen=True)
class Cell:
    """One point of a grid.

    Attributes
    ----------
    values : dict of str to value
        Where it lies: a value for each axis of the grid.
    config : Config or TrainConfig
        The whole configuration of the run.
    """

    values: dict[str, Any]
    config: Any

    @property
    def id(self) -> str:
        """The hash of the configuration, which names the cell's folder; equal configurations share one."""
        return self.config.run_id


@dataclass(frozen=True)
class Grid:
    """Parameters to cross, each point of which is a run.

    Parameters
    ----------
    fixed : mapping of str to value
        Parameters that all cells share, by their dotted names. One of them, or an axis, is `preset` (cells are
        runs of the plastic network, as of ``homeonet run``) or `neuron` (gradient training, ``homeonet train``).
    axes : mapping of str to sequence
        The lists that are crossed, by their dotted names; `seed` is usually one.
    cases : mapping of str to mapping, optional
        Named sets of parameters, crossed with the axes as one more axis called "case".
    models : mapping of str to mapping, optional
        Whole configurations by the names that `preset` gives them, such as the file that one was read from.

    Raises
    ------
    InputError
        If nothing is crossed, a list is empty or holds a value twice, or a parameter is given twice.

    Examples
    --------
    >>> grid = Grid({"preset": "massey2026", "train": 100}, {"sleep.ratio": [0.0, 0.1], "seed": [1, 2, 3]})
    >>> len(grid)
    6
    """

    fixed: Mapping[str, Any]
    axes: Mapping[str, Sequence[Any]]
    cases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("fixed", "axes"):  # arrays and numbers of NumPy become Python's
            given = getattr(self, name)
            object.__setattr__(self, name, {key: plain(value) for key, value in given.items()})
        cases = {name: {key: plain(v) for key, v in case.items()} for name, case in self.cases.items()}
        object.__setattr__(self, "cases", cases)
        if not self.axes and not self.cases:
            raise InputError(
                "the grid is empty: nothing is crossed; add for example [grid] with seed = [1, 2, 3]"
            )
        for name, values in self.axes.items():
            if isinstance(values, str) or not isinstance(values, Sequence):
                raise InputError(
                    f"grid: {name} = {shown(values)} is not a list; write {name} = [{shown(values)}]"
                )
            if not values:
                raise InputError(f"grid: {name} = [] has no values; give at least one or leave it out")
            for k, value in enumerate(values):
                # 1 and 1.0 are one configuration; False and 0 are not
                if any(
                    value == other and isinstance(value, bool) == isinstance(other, bool)
                    for other in values[:k]
                ):
                    raise InputError(f"grid: {name} holds {shown(value)} twice; give each value once")
        names = Counter([*self.fixed, *self.axes, *{n for case in self.cases.values() for n in case}])
        for name, count in names.items():
            if count > 1:
                raise InputError(
                    f"{name} is given twice; it can be fixed, in [grid] or in cases, not in several of them"
                )
        if "case" in self.axes:
            raise InputError("grid: an axis cannot be called case; choose the name of a parameter")
        try:
            self.to_toml()
        except TypeError as error:
            raise InputError(
                f"the grid cannot be written as TOML ({error}); give numbers, text and truth values of Python"
            ) from None

    def __len__(self) -> int:
        return math.prod(len(values) for values in self.coordinates.values())

    @property
    def coordinates(self) -> dict[str, list[Any]]:
        """Axes with their values, the cases first."""
        cases = {"case": list(self.cases)} if self.cases else {}
        return cases | {name: list(values) for name, values in self.axes.items()}

    @property
    def kind(self) -> str:
        """What the cells are, by its name among the kinds of runs: "plastic" or "gradient"."""
        names = {*self.fixed, *self.axes, *(name for case in self.cases.values() for name in case)}
        kinds = [name for name, kind in KINDS.items() if kind.parameter in names]
        if len(kinds) != 1:
            raise InputError(
                'the grid must name either a preset (preset = "massey2026") or a neuron (neuron = "lif"), '
                f"and it names {'both' if kinds else 'neither'}"
            )
        return kinds[0]

    def cells(self) -> list[Cell]:
        """All points with their validated configurations, in the order of the axes.

        Raises
        ------
        InputError
            If a parameter is not known or a value is out of its range: says in which cell.
        """
        configure = KINDS[self.kind].configure(self.models)
        return [
            Cell(values, _configured(configure, self._parameters(values), values))
            for values in self._points()
        ]

    def with_models(self, folder: Path | None = None) -> Grid:
        """The grid with the configurations of the files that `preset` names, so that it needs them no more.

        They are looked for in `folder`, then in the current one.
        """
        from homeonet.config import load_config, preset_names

        def file_of(name: str) -> Path | None:
            there = [path for path in ((folder or Path()) / name, Path(name)) if path.is_file()]
            return there[0] if there and name.lower().endswith(".toml") else None

        tables = [
            self.fixed,
            *self.cases.values(),
            *({"preset": value} for value in self.axes.get("preset", ())),
        ]
        named = [table["preset"] for table in tables if isinstance(table.get("preset"), str)]
        files = {
            name: file_of(name) for name in named if name not in preset_names() and name not in self.models
        }
        found = {name: load_config(path).to_dict() for name, path in files.items() if path is not None}
        return replace(self, models={**self.models, **found})

    def with_data(self, folder: str | Path | None, given: Dataset | None = None) -> Grid:
        """The grid with the names of its data made ones that say what they hold, as a single run has them.

        Raises
        ------
        InputError
            If data are `given`, and the cells name others in turn.
        """
        if given is not None:
            if "data" in (names := {*self.axes, *(name for case in self.cases.values() for name in case)}):
                raise InputError(
                    "data is in the grid, and dataset= stands for the data of all cells; leave one of them out"
                )
            of_data = KINDS[self.kind].data_parameters(given, names | set(self.fixed))
            return replace(self, fixed={**self.fixed, **of_data})

        def named(table: Mapping[str, Any]) -> dict[str, Any]:
            return {key: pinned(value, folder) if key == "data" else value for key, value in table.items()}

        axes = {
            name: [pinned(value, folder) for value in values] if name == "data" else values
            for name, values in self.axes.items()
        }
        cases = {name: named(case) for name, case in self.cases.items()}
        return Grid(named(self.fixed), axes, cases, self.models)

    def to_toml(self) -> str:
        """The grid as :func:`load_grid` reads it."""
        tables: dict[str, Any] = {"set": dict(self.fixed)}
        if self.axes:
            tables["grid"] = {name: list(values) for name, values in self.axes.items()}
        if self.cases:
            tables["case"] = {name: dict(case) for name, case in self.cases.items()}
        if self.models:
            tables["model"] = {name: dict(model) for name, model in self.models.items()}
        return tomli_w.dumps(tables)

    def _points(self) -> Iterator[dict[str, Any]]:
        names = list(self.coordinates)
        for values in itertools.product(*self.coordinates.values()):
            yield dict(zip(names, values, strict=True))

    def _parameters(self, values: Mapping[str, Any]) -> dict[str, Any]:
        case = self.cases[values["case"]] if self.cases else {}
        return {**self.fixed, **case, **{name: value for name, value in values.items() if name in self.axes}}


def load_grid(path: str | Path) -> Grid:
    """Read a grid from a TOML file.

    Top-level keys are as the options of ``homeonet run`` (`preset`, `data`, `train`, `test`, …) or ``homeonet train``
    (`neuron`, `net`, …); ``[set]`` holds any other fixed parameters, ``[grid]`` the lists that are crossed, and each
    ``[case.NAME]`` a named set of parameters.

    Raises
    ------
    InputError
        If the file cannot be read or is not such a grid.
    """
    path = Path(path)
    tables = read_toml(path)
    for name in _SECTIONS:
        if not isinstance(tables.get(name, {}), dict):
            raise InputError(f"{path}: {name} must be a table; write [{name}]")
    sections = {name: tables.pop(name, {}) for name in _SECTIONS}
    top, fixed = dotted(tables), dotted(sections["set"])
    for name in top.keys() & fixed.keys():
        raise InputError(f"{path}: {name} is given twice, at the top and in [set]; remove one")
    for name, case in sections["case"].items():
        if not isinstance(case, dict):
            raise InputError(f'{path}: case {name} must be a table; write [case."{name}"]')
    cases = {name: dotted(case) for name, case in sections["case"].items()}
    grid = Grid(top | fixed, dotted(sections["grid"]), cases, sections["model"])
    return grid.with_models(path.parent)


def _configured(configure: Any, parameters: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    try:
        return configure(parameters)
    except InputError as error:
        where = ", ".join(f"{name} = {shown(value)}" for name, value in values.items())
        raise InputError(f"{error} (cell: {where})") from None

"""The claims of five papers: sentence, published figure, study, and the rule that judges what it measures."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from homeonet.analysis import LOOKS
from homeonet.config.parameters import explain, read_toml
from homeonet.errors import InputError
from homeonet.machine.text import close_matches

__all__ = ["Claim", "Registry", "Source", "close_to", "load_registry"]

#: The rules by their kind. A margin is judged by two one-sided tests at 5 %, or one: by the interval of 90 %.
_RULES = {
    "above": "superiority",
    "at_least": "superiority",
    "at_most": "superiority",
    "below": "superiority",
    "between": "equivalence",
    "equivalent_within": "equivalence",
    "not_below": "non-inferiority",
    "not_above": "non-inferiority",
}
_MEETS: dict[str, Callable[[float, float], bool]] = {
    "above": operator.gt,
    "at_least": operator.ge,
    "not_below": operator.ge,
    "at_most": operator.le,
    "not_above": operator.le,
    "below": operator.lt,
}
#: Where a rule's bound is a least or a greatest value.
_DIRECTIONS = {"above": 1, "at_least": 1, "at_most": -1, "below": -1}
_LEVELS = {"superiority": 0.95, "equivalence": 0.90, "non-inferiority": 0.90}


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Source(_Section):
    """A paper; `caveat` is said with every verdict on it."""

    title: str = Field(min_length=1)
    authors: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    caveat: str | None = Field(default=None, min_length=1)


class Claim(_Section):
    """One claim: either a study with a quantity and a rule, or a reason why it cannot be tested here.

    Parameters
    ----------
    source
        Key of its paper.
    place
        Where the paper says so; what no source says is "this project's question".
    claim
        What is claimed, as a sentence.
    paper
        The paper's figure, as text.
    study
        Name of the folder, in ``studies/``, of what measures it.
    quantity
        What is measured, with its unit.
    above, at_least, at_most, below, between, equivalent_within, not_below, not_above
        The rule, exactly one of them. `above` and `below` are strict; the whole 95 % interval has to meet these four.
        `between` two bounds and `equivalent_within` a margin on either side of 0 are equivalence, `not_below` and
        `not_above` a bound that has the margin in it ("costs no more than a point": ``not_below = -1``) are
        non-inferiority: the whole 90 % interval has to meet them, which is two one-sided tests at 5 %, or one.
    negligible
        With `above`, `at_least`, `at_most` or `below`: the size up to which an effect counts as none, so that a claim
        of an effect fails where the whole interval lies short of it, and one of an effect that is 0 can be decided.
        Default: the bound, beyond which the whole interval has to lie.
    deterministic
        Whether the quantity does not depend on the seed: every value has to meet the rule, and one decides.
    planned
        Number of values, such as seeds, that was fixed before the run and is looked at once. Default: seeds may be
        added, and the claim is looked at whenever there are as many as one of `homeonet.analysis.LOOKS`.
    untestable
        Why there is no study.
    changed
        What changed in the claim or its measuring, and why, each with its date.
    """

    source: str
    place: str = Field(min_length=1)
    claim: str = Field(min_length=1)
    paper: str = Field(min_length=1)
    study: str | None = Field(default=None, pattern=r"^[a-z0-9_]+$")
    quantity: str | None = Field(default=None, min_length=1)
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    below: float | None = None
    between: tuple[float, float] | None = None
    equivalent_within: float | None = Field(default=None, gt=0)
    not_below: float | None = None
    not_above: float | None = None
    negligible: float | None = None
    deterministic: bool = False
    planned: int | None = Field(default=None, ge=2)
    untestable: str | None = Field(default=None, min_length=1)
    changed: tuple[Annotated[str, Field(pattern=r"^\d{4}-\d{2}: .+")], ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        rules = [name for name in _RULES if getattr(self, name) is not None]
        if self.untestable is not None:
            if rules or self.study is not None or self.quantity is not None:
                raise ValueError("give either `untestable`, or study, quantity and a rule")
            return self
        if self.study is None or self.quantity is None:
            raise ValueError("add study and quantity, or say in `untestable` why there is no study")
        if len(rules) != 1:
            raise ValueError(f"has {len(rules)} rules; give exactly one of {', '.join(_RULES)}")
        if self.between is not None and not self.between[0] <= self.between[1]:
            raise ValueError(f"between = {list(self.between)}: the lower end comes first")
        if self.deterministic and (self.planned, self.negligible) != (None, None):
            raise ValueError("is deterministic, so one value decides; leave `planned` and `negligible` out")
        if self.negligible is not None:
            if _RULES[rules[0]] != "superiority":
                raise ValueError(f"`negligible` goes with {', '.join(_DIRECTIONS)}; leave it out")
            if not (self.negligible - self.bounds[0]) * _DIRECTIONS[rules[0]] > 0:
                raise ValueError(
                    f"negligible = {self.negligible:g} does not lie beyond the bound of {self.rule}"
                )
        return self

    @property
    def _rule(self) -> str:
        return next((name for name in _RULES if getattr(self, name) is not None), "")

    @property
    def kind(self) -> str:
        """Deterministic, superiority, equivalence or non-inferiority; empty where there is no rule."""
        return "deterministic" if self.deterministic else _RULES.get(self._rule, "")

    @property
    def level(self) -> float:
        """Of the interval that has to meet the rule as a whole."""
        return _LEVELS.get(self.kind, 0.95)

    @property
    def bounds(self) -> tuple[float, ...]:
        """The bounds of the rule; empty where there is none."""
        if not self._rule:
            return ()
        if self.equivalent_within is not None:
            return -self.equivalent_within, self.equivalent_within
        value = getattr(self, self._rule)
        return value if isinstance(value, tuple) else (value,)

    @property
    def rule(self) -> str:
        """The rule in words; empty where there is none."""
        if self.equivalent_within is not None:
            return f"within ±{self.equivalent_within:g}"
        if self.between is not None:
            return f"between {self.between[0]:g} and {self.between[1]:g}"
        words = {"at_least": "≥", "at_most": "≤"}
        bound = "".join(f"{bound:g}" for bound in self.bounds)
        return f"{words.get(self._rule, self._rule.replace('_', ' '))} {bound}".strip()

    @property
    def failure(self) -> str:
        """What violates the rule, in words, where that is not the opposite of it."""
        if self.negligible is None:
            return ""
        return f"fails {'below' if _DIRECTIONS[self._rule] > 0 else 'above'} {self.negligible:g}"

    @property
    def manner(self) -> str:
        """How the rule is judged, in words; empty where there is none."""
        if not self.kind:
            return ""
        if self.kind == "deterministic":
            return "deterministic: every value"
        tests = {"equivalence": ", two one-sided tests at 5 %", "non-inferiority": ", one-sided test at 5 %"}
        interval = f"{self.kind}: the whole {100 * self.level:.0f} % interval{tests.get(self.kind, '')}"
        if self.planned:
            return f"{interval}, at the n = {self.planned} that were planned"
        return f"{interval}, at {', '.join(map(str, LOOKS[:-1]))} or {LOOKS[-1]} seeds"

    def meets(self, value: float) -> bool:
        """Whether a value meets the rule."""
        bounds = self.bounds
        if len(bounds) == 2:
            return bounds[0] <= value <= bounds[1]
        return _MEETS[self._rule](value, bounds[0]) if bounds else False

    def judge(self, low: float, high: float) -> Literal["passes", "fails", "undecided"]:
        """How an interval comes out: it passes or fails as a whole, or is undecided."""
        ends_meet = self.meets(low), self.meets(high)
        if all(ends_meet):
            return "passes"
        if self.negligible is not None:
            short = high < self.negligible if _DIRECTIONS[self._rule] > 0 else low > self.negligible
            return "fails" if short else "undecided"
        crossed = any(ends_meet) or any(low < bound < high for bound in self.bounds)
        return "undecided" if crossed else "fails"

    def distance(self, mean: float) -> float:
        """How far an interval around `mean` may reach to either side and be decided."""
        if self.negligible is None:
            return min(abs(mean - bound) for bound in self.bounds)
        sign = _DIRECTIONS[self._rule]
        return max(sign * (mean - self.bounds[0]), sign * (self.negligible - mean))


class Registry(_Section):
    """All claims, by id, and their papers, by key; both in the order of the file."""

    sources: dict[str, Source]
    claims: dict[str, Claim]

    @model_validator(mode="after")
    def _known_sources(self) -> Self:
        for name, claim in self.claims.items():
            if claim.source not in self.sources:
                raise ValueError(f"{name}.source = {claim.source!r} is not one of {', '.join(self.sources)}")
        return self

    def __getitem__(self, name: str) -> Claim:
        """The claim of that id; an InputError that names close ones if there is none."""
        if name not in self.claims:
            raise InputError(f"claim {name!r} is not known; {close_to(name, self.claims)}")
        return self.claims[name]

    def source(self, claim: Claim) -> Source:
        """The paper of a claim."""
        return self.sources[claim.source]


def close_to(name: str, known: Any) -> str:
    """What may have been meant, as the remedy of an error."""
    close = close_matches(name, known)
    close = close or [other for other in known if name and name in other][:3]
    return f"did you mean {', '.join(close)}?" if close else "`homeonet claims` lists all of them"


def load_registry(path: str | Path | None = None) -> Registry:
    """Read and check a registry of claims; by default that of the package.

    Raises
    ------
    InputError
        If the file cannot be read, or an entry is not whole: it names the entry and the remedy.
    """
    if path is None:
        return _shipped()
    return _read(Path(path))


@lru_cache
def _shipped() -> Registry:
    with resources.as_file(resources.files("homeonet.claims") / "registry.toml") as path:
        return _read(path)


def _read(path: Path) -> Registry:
    try:
        return Registry.model_validate(read_toml(path))
    except ValidationError as error:
        found = "; ".join(explain(item) for item in error.errors())
        raise InputError(f"{path}: {found}") from None

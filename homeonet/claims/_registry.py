"""The claims of five papers: sentence, published figure, study, and the rule that judges what it measures."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from homeonet.config.parameters import explain, read_toml
from homeonet.errors import InputError
from homeonet.machine.text import close_matches

__all__ = ["Claim", "Registry", "Source", "close_to", "load_registry"]

_RULES = ("above", "at_least", "at_most", "below", "between")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Source(_Section):
    """A paper whose claims are judged."""

    title: str = Field(min_length=1)
    authors: str = Field(min_length=1)
    reference: str = Field(min_length=1)


class Claim(_Section):
    """One claim: either a study with a quantity and a rule, or a reason why it cannot be tested here.

    Parameters
    ----------
    source
        Key of its paper.
    place
        Where the paper says so.
    claim
        What is claimed, as a sentence.
    paper
        The paper's figure, as text.
    study
        Name of the folder, in ``studies/``, of what measures it.
    quantity
        What is measured, with its unit.
    above, at_least, at_most, below, between
        The rule, exactly one of them; `above` and `below` are strict.
    deterministic
        Whether the quantity does not depend on the seed, so that one value decides.
    untestable
        Why there is no study.
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
    deterministic: bool = False
    untestable: str | None = Field(default=None, min_length=1)

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
        return self

    @property
    def rule(self) -> str:
        """The rule in words; empty where there is none."""
        if self.between is not None:
            return f"between {self.between[0]:g} and {self.between[1]:g}"
        for name, words in (("above", "above"), ("at_least", "≥"), ("at_most", "≤"), ("below", "below")):
            bound = getattr(self, name)
            if bound is not None:
                return f"{words} {bound:g}"
        return ""

    def meets(self, value: float) -> bool:
        """Whether a value meets the rule."""
        if self.between is not None:
            return self.between[0] <= value <= self.between[1]
        if self.at_least is not None:
            return value >= self.at_least
        if self.at_most is not None:
            return value <= self.at_most
        if self.above is not None:
            return value > self.above
        return self.below is not None and value < self.below


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

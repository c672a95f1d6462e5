"""Claims, what was measured of them and the verdicts, put together into rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from homeonet.claims._measured import Measured, StudyClaims, load_measured
from homeonet.claims._registry import Claim, Registry, close_to, load_registry
from homeonet.claims._verdict import VERDICTS, Judged, Verdict, judge
from homeonet.errors import InputError
from homeonet.machine.html import escape, folded, table

__all__ = [
    "ClaimRow",
    "ClaimTable",
    "claim_rows",
    "find_measured",
    "number",
    "shipped_measured",
    "summary",
    "value_text",
]


@dataclass(frozen=True)
class ClaimRow:
    """One claim with everything known of it here."""

    id: str
    claim: Claim
    reference: str
    verdict: Verdict
    scale: str | None
    command: str | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `measured`, `ci` and `n` are single values for one case, else by case."""
        return {
            "id": self.id,
            "source": f"{self.reference}, {self.claim.place}",
            "claim": self.claim.claim,
            "paper": self.claim.paper,
            "quantity": self.claim.quantity,
            "rule": self.claim.rule or None,
            "fails": self.claim.failure or None,
            "manner": self.claim.manner or None,
            "measured": self._by_case(lambda case: case.mean),
            "ci": self._by_case(lambda case: [case.low, case.high]),
            "n": self._by_case(lambda case: case.n),
            "unit": self.cases[0].unit if len({case.unit for case in self.cases}) == 1 else None,
            "verdict": self.verdict.verdict,
            "needed": self.verdict.needed,
            "reason": self.verdict.reason,
            "caveat": self.verdict.caveat,
            "command": self.command,
            "scale": self.scale,
            "cases": [_case_dict(judged) for judged in self.verdict.cases],
        }

    def _repr_html_(self) -> str:
        claim = self.claim
        about = {
            "claim": claim.claim,
            "paper": f"{claim.paper} ({self.reference}, {claim.place})",
            "quantity": claim.quantity,
            "rule": "; ".join(filter(None, (claim.rule, claim.failure, claim.manner))),
            "scale": self.scale,
            "reason": self.verdict.reason,
            "command": self.command,
        }
        rows = [["", ""], *([name, text] for name, text in about.items() if text)]
        cases = [["case", "measured [interval]", "n", "outcome"]]
        cases += [
            [judged.case.case, value_text(judged.at), str(judged.at.n), judged.outcome]
            for judged in self.verdict.cases
        ]
        return table(rows, f"{self.id}: {self.verdict}") + (table(cases) if self.cases else "")

    @property
    def cases(self) -> tuple[Measured, ...]:
        """The cases as they were judged: mean, interval and number of values at the look."""
        return tuple(judged.at for judged in self.verdict.cases)

    def _by_case(self, value: Callable[[Measured], Any]) -> Any:
        if len(self.cases) < 2:
            return value(self.cases[0]) if self.cases else None
        return {case.case: value(case) for case in self.cases}


class ClaimTable(list[ClaimRow]):
    """Rows of claims, in the registry's order; a notebook shows the verdicts by paper, cases folded."""

    def _repr_html_(self) -> str:
        papers: dict[str, list[ClaimRow]] = {}
        for row in self:
            papers.setdefault(row.reference, []).append(row)
        parts = [f"<p>{escape(summary(self))}</p>"]
        for reference, rows in papers.items():
            parts.append(f"<p><b>{escape(reference)}</b></p>")
            parts += [
                folded(f"{row.verdict}: {row.claim.claim} ({row.id})", row._repr_html_()) for row in rows
            ]
        return "".join(parts)


def _case_dict(judged: Judged) -> dict[str, Any]:
    """A case with what it was judged by; `values` are all that are there, `n` those of the look."""
    at = judged.at
    return {
        "case": at.case,
        "mean": at.mean,
        "ci": [at.low, at.high],
        "n": at.n,
        "unit": at.unit,
        "values": list(judged.case.values),
        "checks": [asdict(check) | {"passed": check.passed} for check in at.checks],
        "outcome": judged.outcome,
        "why": judged.why,
        "needed": judged.needed,
    }


def claim_rows(
    studies: Mapping[Path, StudyClaims] | None = None, registry: Registry | None = None
) -> ClaimTable:
    """A row per claim, in the registry's order; by default with the results that come with the package.

    Returns
    -------
    ClaimTable
        A list of rows, which a notebook shows as a table.

    Raises
    ------
    InputError
        If a study measured a claim that is not in the registry.
    """
    registry = registry or load_registry()
    found = shipped_measured() if studies is None else studies
    measured: dict[str, tuple[Path, StudyClaims]] = {}
    for path, study in found.items():
        for name in study.measured:
            if name not in registry.claims:
                raise InputError(
                    f"{path} measures {name!r}, which is no claim; {close_to(name, registry.claims)}"
                )
            if name in measured:
                kept = max(path, measured[name][0], key=lambda file: file.stat().st_mtime)
                warnings.warn(
                    f"{name} is measured in {path} and {measured[name][0]}; {kept} is newer", stacklevel=2
                )
                if kept != path:
                    continue
            measured[name] = path, study
    return ClaimTable(
        _row(name, claim, registry, measured.get(name)) for name, claim in registry.claims.items()
    )


def _row(name: str, claim: Claim, registry: Registry, found: tuple[Path, StudyClaims] | None) -> ClaimRow:
    cases: Sequence[Measured] = ()
    scale = None
    command = f"python studies/{claim.study}/study.py" if claim.study else None
    if found is not None and claim.study is not None:
        path, study = found
        cases, scale, command = study.measured[name], study.scale, study.command
        if len({case.case for case in cases}) < len(cases):
            raise InputError(f"{path}: two cases of {name} have the same name; name each after what differs")
    source = registry.source(claim)
    return ClaimRow(name, claim, source.reference, judge(claim, cases, source.caveat), scale, command)


def shipped_measured() -> dict[Path, StudyClaims]:
    """What the studies measured for this version of the package, by file."""
    folder = resources.files("homeonet.claims") / "measured"
    paths = sorted(Path(str(entry)) for entry in folder.iterdir()) if folder.is_dir() else []
    return {path: load_measured(path) for path in paths if path.suffix == ".json"}


def find_measured(folder: str | Path) -> dict[Path, StudyClaims]:
    """Every ``claims.json`` in `folder` and below, or a single such file.

    Raises
    ------
    InputError
        If there is none, or one cannot be read.
    """
    place = Path(folder)
    paths = [place] if place.is_file() else sorted(place.rglob("claims.json"))
    if not paths:
        raise InputError(f"{folder} holds no claims.json; give the results folder of a study, or run one")
    return {path: load_measured(path) for path in paths}


def number(value: float, unit: str = "") -> str:
    """A quantity as it is printed: differences in points with their sign, shares of 100 with one decimal."""
    if unit == "points":
        tiny = abs(value) < 0.005
        return f"{value:+.1f}" if abs(value) >= 0.095 else "+0.0" if tiny else f"{value:+.2f}"
    if unit == "%":
        return f"{value:.1f}"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def value_text(case: Measured) -> str:
    """Mean with its interval, where it has one, and unit."""
    text = number(case.mean, case.unit)
    if case.high > case.low:
        text += f" [{number(case.low, case.unit)}, {number(case.high, case.unit)}]"
    return f"{text} {case.unit}".strip() if case.unit != "points" else text


def summary(rows: Sequence[ClaimRow]) -> str:
    """How many claims have which verdict."""
    counts = {verdict: sum(row.verdict.verdict == verdict for row in rows) for verdict in VERDICTS}
    found = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    return f"{len(rows)} claims: {found}"

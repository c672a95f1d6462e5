"""From the cases that were measured to a verdict: each passes, fails or is undecided, by its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from homeonet.claims._measured import Measured
from homeonet.claims._registry import Claim

__all__ = ["VERDICTS", "Outcome", "Verdict", "judge", "outcome"]

Outcome = Literal["passes", "fails", "undecided"]

#: All verdicts, from the best to those that say nothing.
VERDICTS = ("holds", "partly", "does not hold", "not measured", "not testable here")


@dataclass(frozen=True)
class Verdict:
    """A verdict, why, and how each case came out."""

    verdict: str
    reason: str
    outcomes: tuple[Outcome, ...] = ()

    @property
    def undecided(self) -> bool:
        """Whether no case decided anything, so that a claim that holds "partly" may hold or not."""
        return bool(self.outcomes) and set(self.outcomes) == {"undecided"}

    def __str__(self) -> str:
        return f"{self.verdict} (undecided)" if self.undecided else self.verdict


def outcome(claim: Claim, case: Measured) -> Outcome:
    """How one case comes out.

    It passes if its whole interval meets the claim's rule and fails if its whole interval violates it. A single
    value of a quantity that depends on the seed has no interval and decides nothing.
    """
    if case.n < 2 and case.low == case.high and not claim.deterministic:
        return "undecided"
    low, high = (_rounded(end) for end in (case.low, case.high))
    ends = claim.meets(low), claim.meets(high)
    if all(ends):
        return "passes"
    if any(ends) or _encloses(claim, case):
        return "undecided"
    return "fails"


def judge(claim: Claim, cases: Sequence[Measured] | None) -> Verdict:
    """The verdict on a claim.

    It holds if all cases pass, does not hold if none passes and at least one fails, and holds partly otherwise:
    where some pass, or where none is decided.
    """
    if claim.untestable is not None:
        return Verdict("not testable here", claim.untestable)
    if not cases:
        return Verdict("not measured", f"no result of studies/{claim.study} is there yet")
    outcomes = tuple(outcome(claim, case) for case in cases)
    passed, failed = outcomes.count("passes"), outcomes.count("fails")
    verdict = "partly"
    if passed == len(cases):
        verdict = "holds"
    elif failed and not passed:
        verdict = "does not hold"
    return Verdict(verdict, _reason(claim, cases, outcomes), outcomes)


def _rounded(value: float) -> float:
    """Without the last digits of a double, which no measurement has and no bound should hang on."""
    return float(f"{value:.9g}")


def _encloses(claim: Claim, case: Measured) -> bool:
    """Whether an interval with both ends outside `between` has all of it inside."""
    return claim.between is not None and case.low < claim.between[0] and case.high > claim.between[1]


def _reason(claim: Claim, cases: Sequence[Measured], outcomes: Sequence[Outcome]) -> str:
    """Which cases passed, failed and are undecided; one sentence per kind."""
    sentences = []
    for kind, verb in (("passes", "meets"), ("fails", "violates"), ("undecided", "undecided")):
        these = [case for case, found in zip(cases, outcomes, strict=True) if found == kind]
        if not these:
            continue
        words = f"{verb} the rule ({claim.rule})"
        if kind == "undecided":
            seeds = all(case.n < 2 and case.low == case.high for case in these)
            why = "one seed gives no interval" if seeds else f"the interval crosses the bound ({claim.rule})"
            words = f"undecided, {why}"
        if len(cases) == 1:
            sentences.append(words[0].upper() + words[1:])
        elif len(these) == len(cases):
            sentences.append(f"All {len(cases)} cases: {words}")
        else:
            sentences.append(f"{'; '.join(case.case for case in these)}: {words}")
    return ". ".join(sentences) + "."

"""From the cases that were measured to a verdict: each passes, fails, is undecided or void."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from homeonet.analysis import LOOKS, Interval, last_look, mean_interval, repeated_interval, values_to_decide
from homeonet.claims._measured import Measured
from homeonet.claims._registry import Claim

__all__ = ["VERDICTS", "Judged", "Outcome", "Verdict", "judge", "judge_case"]

Outcome = Literal["passes", "fails", "undecided", "void"]

#: All verdicts, from the best to those that say nothing.
VERDICTS = (
    "holds",
    "holds here in part",
    "does not hold",
    "undecided",
    "void",
    "not measured",
    "not testable here",
)


@dataclass(frozen=True)
class Judged:
    """How one case came out.

    Parameters
    ----------
    case
        What was measured.
    outcome
        It "passes" if its whole interval meets the rule and "fails" if its whole interval violates it, is "undecided"
        between and "void" if one of its checks failed.
    at
        The case as it was judged: mean, interval and number of values at the look.
    why
        What leaves it undecided or void; else empty.
    needed
        Of an undecided case: how many values would decide it if mean and spread stay; None where none would.
    """

    case: Measured
    outcome: Outcome
    at: Measured
    why: str = ""
    needed: int | None = None

    @property
    def n(self) -> str:
        """Number of values at the look, and of those that are there if they are more."""
        there = max(len(self.case.values), self.case.n)
        return f"{self.at.n}" if there == self.at.n else f"{self.at.n} of {there}"


@dataclass(frozen=True)
class Verdict:
    """A verdict, why, and how each case came out; `caveat` is what is to be said with it."""

    verdict: str
    reason: str
    cases: tuple[Judged, ...] = ()
    caveat: str | None = None

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """How each case came out."""
        return tuple(case.outcome for case in self.cases)

    @property
    def needed(self) -> int | None:
        """How many values would decide all cases that are undecided; None where none would, or none are."""
        needs = [case.needed for case in self.cases if case.outcome == "undecided"]
        found = [need for need in needs if need is not None]
        return max(found) if found and len(found) == len(needs) else None

    def __str__(self) -> str:
        if self.verdict == "undecided":
            return f"undecided (needs n {_about(self.needed)})"
        void = self.outcomes.count("void")
        left_out = 0 < void < len(self.outcomes)
        return f"{self.verdict} ({void} of {len(self.outcomes)} cases void)" if left_out else self.verdict


def judge_case(claim: Claim, case: Measured) -> Judged:
    """How one case comes out, by the rule of its claim.

    Every value of a deterministic claim has to meet its rule. Of any other the interval has to: of values that were
    planned, or that have no interval but their own, the one of a single look; else the one of the last look of
    `homeonet.analysis.LOOKS`, which holds at all of them.
    """
    failed = [check for check in case.checks if not check.passed]
    if failed:
        return Judged(case, "void", case, "; ".join(map(str, failed)))
    if claim.deterministic:
        every = case.values or (case.low, case.high)
        at = dataclasses.replace(case, low=min(every), high=max(every))
        return Judged(case, "passes" if all(claim.meets(_rounded(value)) for value in every) else "fails", at)
    interval, why = _interval(claim, case)
    if interval is None:
        return Judged(case, "undecided", case, why, claim.planned or LOOKS[0])
    at = dataclasses.replace(case, mean=interval.estimate, low=interval.low, high=interval.high, n=interval.n)
    outcome = claim.judge(_rounded(at.low), _rounded(at.high))
    if outcome == "undecided":
        return Judged(case, outcome, at, "the interval crosses the bound", _needed(claim, at))
    return Judged(case, outcome, at)


def judge(claim: Claim, cases: Sequence[Measured] | None, caveat: str | None = None) -> Verdict:
    """The verdict on a claim.

    Void cases count neither way; if all are void, so is the claim. It *holds* if all others pass and *does not hold*
    if all others fail. If one passes and one fails, it *holds here in part*, whatever others that are undecided would
    add. Else it is *undecided*: one case that is not decided leaves open whether it holds everywhere, or nowhere.
    """
    if claim.untestable is not None:
        return Verdict("not testable here", claim.untestable)
    if not cases:
        return Verdict("not measured", f"no result of studies/{claim.study} is there yet", caveat=caveat)
    judged = tuple(judge_case(claim, case) for case in cases)
    kinds = {case.outcome for case in judged} - {"void"}
    if not kinds:
        verdict = "void"
    elif kinds == {"passes"}:
        verdict = "holds"
    elif kinds == {"fails"}:
        verdict = "does not hold"
    else:
        verdict = "holds here in part" if {"passes", "fails"} <= kinds else "undecided"
    return Verdict(verdict, _reason(claim, judged, caveat), judged, caveat)


def _interval(claim: Claim, case: Measured) -> tuple[Interval | None, str]:
    """The interval that a case is judged by, or why there is none."""
    if not case.values:
        if case.n < 2 and case.low == case.high:
            return None, "one value gives no interval"
        return Interval(case.mean, case.low, case.high, 0.95, case.n), ""
    n = len(case.values)
    if claim.planned is not None:
        if n < claim.planned:
            return None, f"{claim.planned} values were planned and {n} are there"
        return mean_interval(case.values[: claim.planned], claim.level), ""
    if not last_look(n):
        return None, f"the first look is at {LOOKS[0]} seeds and {n} {'is' if n == 1 else 'are'} there"
    return repeated_interval(case.values, claim.level), ""


def _needed(claim: Claim, at: Measured) -> int | None:
    """How many values would decide it if mean and spread stay."""
    distance = claim.distance(at.mean)
    if not at.values:  # an interval of its own: its width goes with the square root of n
        half = max(at.high - at.mean, at.mean - at.low)
        return None if distance == 0 else int(np.ceil(at.n * (half / distance) ** 2))
    spread = float(np.std(at.values[: at.n], ddof=1))
    return values_to_decide(spread, distance, claim.level, single=claim.planned is not None)


def _rounded(value: float) -> float:
    """Without the last digits of a double, which no measurement has and no bound should hang on."""
    return float(f"{value:.9g}") if abs(value) > 1e-12 else 0.0


def _about(needed: int | None) -> str:
    """A number of values as it is said: an estimate of more than the last look has two digits."""
    if needed is None or needed > 10_000:
        return "> 10000"
    return f"= {needed}" if needed <= LOOKS[-1] else f"≈ {float(f'{needed:.2g}'):g}"


def _reason(claim: Claim, judged: Sequence[Judged], caveat: str | None) -> str:
    """Which cases passed, failed, are undecided or void; one sentence per kind."""
    verbs = {
        "passes": f"meets the rule ({claim.rule})",
        "fails": f"violates the rule ({claim.failure or claim.rule})",
        "undecided": f"undecided ({claim.rule})",
        "void": "void",
    }
    sentences = []
    for kind, verb in verbs.items():
        these = [case for case in judged if case.outcome == kind]
        if not these:
            continue
        whys = list(dict.fromkeys(_why(case) for case in these))
        alike = len(whys) == 1
        words = f"{verb}, {whys[0]}" if alike and whys[0] else verb
        if len(judged) == 1:
            sentences.append(words[0].upper() + words[1:])
        elif len(these) == len(judged) and alike:
            sentences.append(f"All {len(judged)} cases: {words}")
        else:
            named = (f"{c.case.case}{'' if alike or not _why(c) else f' ({_why(c)})'}" for c in these)
            sentences.append(f"{'; '.join(named)}: {words}")
    return ". ".join([*sentences, *([caveat[0].upper() + caveat[1:]] if caveat else [])]) + "."


def _why(judged: Judged) -> str:
    if judged.outcome != "undecided":
        return judged.why
    return f"{judged.why}; needs n {_about(judged.needed)}"

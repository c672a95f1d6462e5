"""When to look at a claim again with more seeds, and when to stop: plans, and runs nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from homeonet.analysis import LOOKS, values_to_decide
from homeonet.claims._registry import Claim
from homeonet.claims._verdict import Judged, Verdict

__all__ = ["NextLook", "next_look"]


@dataclass(frozen=True)
class NextLook:
    """With how many seeds to look again, None to stop, and why."""

    seeds: int | None
    why: str


def next_look(claim: Claim, verdict: Verdict, seeds: int, most: int) -> NextLook:
    """What to do after a look.

    Parameters
    ----------
    claim, verdict
        What was judged by so many seeds.
    seeds
        Number of seeds that were run.
    most
        No look is made with more than so many.

    Returns
    -------
    NextLook
        None where every case is decided or void, where no look is left, or where it would be futile: no case that is
        undecided would be decided by `most` seeds even if its mean were a standard error further from the bound.
    """
    open_cases = [case for case in verdict.cases if case.outcome == "undecided"]
    count = f"{len(verdict.cases) - len(open_cases)} of {len(verdict.cases)} cases decided"
    if not open_cases:
        return NextLook(
            None, "every case is decided" if "void" not in verdict.outcomes else "no case is undecided"
        )
    later = [look for look in LOOKS if seeds < look <= most]
    if not later:
        return NextLook(None, f"{count}; no look is left up to {most} seeds")
    if all(_is_futile(claim, case, most) for case in open_cases):
        return NextLook(None, f"{count}; futile: {most} seeds would decide none of the others")
    return NextLook(later[0], f"{count}; {_needs(open_cases)}")


def _is_futile(claim: Claim, judged: Judged, most: int) -> bool:
    at = judged.at
    if len(at.values) < LOOKS[0]:
        return False
    values = np.asarray(at.values[: at.n])
    spread = float(values.std(ddof=1))
    distance = claim.distance(at.mean) + spread / math.sqrt(at.n)
    needed = values_to_decide(spread, distance, claim.level)
    return needed is None or needed > most


def _needs(judged: Sequence[Judged]) -> str:
    """How many seeds the easiest of the undecided cases would take."""
    needs = [case.needed for case in judged if case.needed is not None]
    return f"the next would take {min(needs)} seeds" if needs else "the others lie on their bounds"

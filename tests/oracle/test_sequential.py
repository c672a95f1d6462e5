"""Intervals over looks hold what they say, by simulation from raw normal numbers; prices follow from the t table."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from homeonet import InputError
from homeonet.analysis import LOOKS, last_look, mean_interval, repeated_interval, values_to_decide
from homeonet.claims import Claim, Measured, judge, judge_case, measured_over_seeds, next_look

N = 200_000
COMMON = {"source": "a", "place": "p", "claim": "c", "paper": "p", "study": "one", "quantity": "points"}


@pytest.fixture(scope="module")
def sequences() -> np.ndarray:
    return np.random.default_rng(11).standard_normal((N, LOOKS[-1]))


def halves(level: float) -> dict[int, float]:
    """Half width of the package's interval in standard deviations, by look, from values whose spread is known."""
    found = {}
    for n in LOOKS:
        values = np.arange(n, dtype=float)
        interval = repeated_interval(values, level)
        assert interval.n == n
        found[n] = (interval.high - interval.low) / 2 / values.std(ddof=1)
    return found


@pytest.mark.parametrize("level", [0.95, 0.90])
def test_all_looks_together_hold_the_mean_as_often_as_said(sequences, level) -> None:
    missed, missed_below = np.zeros(N, bool), np.zeros(N, bool)
    for n, half in halves(level).items():
        mean, spread = sequences[:, :n].mean(1), sequences[:, :n].std(1, ddof=1)
        missed |= np.abs(mean) > half * spread
        missed_below |= mean > half * spread
    error = 3 * np.sqrt(level * (1 - level) / N)
    assert abs(missed.mean() - (1 - level)) < error
    assert missed_below.mean() < (1 - level) / 2 + error  # each of two one-sided decisions
    # and the usual interval, looked at as often, would not
    usual = np.zeros(N, bool)
    for n in LOOKS:
        half = stats.t.ppf(0.5 + level / 2, n - 1) / np.sqrt(n)
        usual |= np.abs(sequences[:, :n].mean(1)) > half * sequences[:, :n].std(1, ddof=1)
    assert usual.mean() > 2 * (1 - level)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_a_single_planned_look_holds_the_mean_in_95_per_cent(sequences, n) -> None:
    values = np.arange(n, dtype=float)
    interval = mean_interval(values)
    half = (interval.high - interval.low) / 2 / values.std(ddof=1)
    missed = np.abs(sequences[:, :n].mean(1)) > half * sequences[:, :n].std(1, ddof=1)
    assert abs(missed.mean() - 0.05) < 3 * np.sqrt(0.05 * 0.95 / N)


@pytest.mark.parametrize(
    ("rule", "mean", "wrong"),
    [
        ({"above": 0.0}, 0.0, "passes"),
        ({"above": 0.0, "negligible": 0.5}, 0.0, "passes"),
        ({"above": 0.0, "negligible": 0.5}, 0.5, "fails"),
        ({"equivalent_within": 1.0}, 1.0, "passes"),
        ({"not_below": -1.0}, -1.0, "passes"),
        ({"not_below": -1.0}, -1.0, "fails"),
    ],
)
def test_wrong_decisions_stay_below_5_per_cent_when_seeds_are_added_until_one_falls(
    rule, mean, wrong
) -> None:
    claim, runs = Claim(**COMMON, **rule), 1500
    values = np.random.default_rng(5).standard_normal((runs, LOOKS[-1])) + mean
    decided = []
    for row in values:
        for n in LOOKS:
            found = judge_case(claim, measured_over_seeds("case", row[:n])).outcome
            if found != "undecided":
                break
        decided.append(found)
    share = decided.count(wrong) / runs
    assert share < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert share > 0.005  # at the bound: a rule that never decides would be no rule


def test_a_large_effect_is_decided_soon_and_none_in_time(sequences) -> None:
    claim = Claim(**COMMON, above=0.0, negligible=1.0)
    looks: dict[float, list[int]] = {}
    for mean in (0.0, 2.0):
        for row in sequences[:200] + mean:
            n = next(
                (
                    n
                    for n in LOOKS
                    if judge_case(claim, measured_over_seeds("case", row[:n])).outcome != "undecided"
                ),
                99,
            )
            looks.setdefault(mean, []).append(n)
    assert np.median(looks[2.0]) <= 10 and np.median(looks[0.0]) <= 20
    assert np.mean(np.array(looks[0.0]) <= LOOKS[-1]) > 0.95


@pytest.mark.parametrize("distance", [0.3, 0.5, 1.0, 2.0, 6.0])
def test_the_number_of_values_is_the_first_that_suffices(distance) -> None:
    half = halves(0.95)
    needed = values_to_decide(1.0, distance)
    assert needed is not None
    if needed <= LOOKS[-1]:
        assert half[needed] <= distance and all(half[n] > distance for n in LOOKS if n < needed)
    else:
        assert half[LOOKS[-1]] > distance
        assert needed == pytest.approx((half[LOOKS[-1]] * np.sqrt(LOOKS[-1]) / distance) ** 2, rel=0.1)
    single = values_to_decide(1.0, distance, single=True)
    enough = [n for n in range(2, 400) if stats.t.ppf(0.975, n - 1) / np.sqrt(n) <= distance]
    assert single == enough[0]


def test_looks_and_what_cannot_be_decided() -> None:
    assert [last_look(n) for n in (0, 2, 3, 4, 5, 39, 40, 1000)] == [0, 0, 3, 3, 5, 20, 40, 40]
    assert values_to_decide(1.0, 0.0) is None and values_to_decide(1.0, 1e-5) is None
    assert values_to_decide(0.0, 1.0) == LOOKS[0]
    with pytest.raises(InputError, match="give at least 3"):
        repeated_interval([1.0, 2.0])
    with pytest.raises(InputError, match=r"level is 0.99; give one of 0.95, 0.9"):
        repeated_interval([1.0, 2.0, 3.0], 0.99)


def test_the_next_look_is_planned_and_stopping_is_said() -> None:
    claim = Claim(**COMMON, above=0.0)

    def of(*cases: list[float], most: int = 20) -> tuple[int | None, str]:
        measured = [measured_over_seeds(f"case {k}", values) for k, values in enumerate(cases)]
        step = next_look(claim, judge(claim, measured), len(cases[0]), most)
        return step.seeds, step.why

    clear, unclear, none = [9.0, 9.1, 8.9], [1.0, 2.0, -0.5], [1e-3, -1.0, 1.0, -1.0, 1.0]
    assert of(clear) == (None, "every case is decided")
    assert of(clear, unclear)[0] == 5 and "1 of 2 cases decided" in of(clear, unclear)[1]
    assert of(unclear, most=4)[0] is None and "no look is left up to 4 seeds" in of(unclear, most=4)[1]
    assert of(none, most=40)[0] == 10  # it may still lie a standard error further off
    assert of(none, most=10)[0] is None and "futile" in of(none, most=10)[1]
    assert of([9.0, 9.1, 8.9, 9.0], [5.0, 5.1, 5.2, 4.9])[0] is None
    one = Measured("case", 1.0, 1.0, 1.0)
    assert next_look(claim, judge(claim, [one]), 1, 20).seeds == 3  # one value has no interval yet

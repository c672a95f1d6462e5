"""Measures of replay on activity made with and without it."""

from __future__ import annotations

import numpy as np
import pytest

from homeonet import InputError
from homeonet.analysis import pattern_replay


def activity(seed: int, n_bins: int, groups: np.ndarray | None) -> np.ndarray:
    """Poisson counts of 40 neurons; in each bin the neurons of one group fire more, unless there are no groups."""
    rng = np.random.default_rng(seed)
    rates = np.full((n_bins, 40), 3.0)
    if groups is not None:
        rates += 9.0 * (groups == rng.integers(0, 4, n_bins)[:, None])
    return rng.poisson(rates * rng.gamma(4, 0.25, (n_bins, 1)))


def test_replay_is_found_and_chance_is_not() -> None:
    groups = np.arange(40) % 4
    labels = np.arange(400) % 4
    awake = np.random.default_rng(0).poisson(3.0 + 9.0 * (groups == labels[:, None]))
    replayed = pattern_replay(awake, labels, activity(1, 300, groups))
    other = pattern_replay(awake, labels, activity(2, 300, np.random.default_rng(5).permutation(groups)))
    noise = pattern_replay(awake, labels, activity(3, 300, None))
    assert replayed.patterns > 0.6 and replayed.pairs > 0.8
    assert abs(replayed.shuffled - noise.shuffled) < 0.15
    for without in (other, noise):
        assert abs(without.patterns - without.shuffled) < 0.1
        assert abs(without.pairs) < 0.15


def test_pairs_are_the_correlation_of_correlations_written_out() -> None:
    rng = np.random.default_rng(0)
    awake, asleep = rng.poisson(4, (50, 6)), rng.poisson(2, (60, 6))
    asleep[:5] = 0
    silent = asleep.sum(axis=1) == 0
    asleep_active = asleep[~silent]
    pairs = [(i, j) for i in range(6) for j in range(i + 1, 6)]
    both = [[np.corrcoef(m[:, i], m[:, j])[0, 1] for i, j in pairs] for m in (awake, asleep_active)]
    found = pattern_replay(awake, np.arange(50) % 3, asleep)
    assert found.pairs == pytest.approx(np.corrcoef(*both)[0, 1], rel=1e-12)
    assert found.active == 1 - silent.mean()


def test_silence_is_no_resemblance() -> None:
    awake = np.random.default_rng(0).poisson(4, (50, 6))
    found = pattern_replay(awake, np.arange(50) % 3, np.zeros((30, 6)))
    assert found.active == 0 and np.isnan([found.patterns, found.shuffled, found.pairs]).all()


@pytest.mark.parametrize(
    ("labels", "asleep", "said"),
    [
        (np.zeros(50), np.ones((30, 6)), "two or more"),
        (np.arange(50) % 3, np.ones((30, 5)), "the same neurons"),
    ],
)
def test_what_cannot_be_compared_is_refused(labels: np.ndarray, asleep: np.ndarray, said: str) -> None:
    with pytest.raises(InputError, match=said):
        pattern_replay(np.random.default_rng(0).poisson(4, (50, 6)), labels, asleep)

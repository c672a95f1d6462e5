"""Checks of treatments are by the worst run, and missing runs are none."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from homeonet.claims import Measured
from homeonet.study.checks import above_chance, alive, checked, reaches, slept


def test_sleep_is_measured_against_what_its_ratio_asks_for() -> None:
    # a ratio of 0.25 asks for a fifth of all time
    fraction = xr.DataArray([0.20, 0.11, 0.19], dims="seed")
    check = slept(fraction, 0.25)
    assert check.value == pytest.approx(0.55) and check.passed
    assert not slept(fraction - 0.02, 0.25, name="the paper's network").passed
    both = xr.DataArray([[0.05, 0.06], [0.2, 0.2]], {"ratio": [0.1, 0.25]}, ("ratio", "seed"))
    assert slept(both, both["ratio"]).value == pytest.approx(0.05 * 1.1 / 0.1)


def test_the_worst_run_counts_and_failed_runs_do_not() -> None:
    assert alive("E", [20.0, 0.2, 30.0]).value == 0.2 and not alive("E", [20.0, 0.2]).passed
    assert alive("E", [20.0, np.nan]).passed and not alive("E", [np.nan]).passed
    assert above_chance("LIF", [21.0, 55.0]).passed and not above_chance("LIF", [19.0, 55.0]).passed
    assert not above_chance("LIF", [21.0], classes=7).passed
    assert reaches("LIF", [88.0], 87.9).passed and not reaches("LIF", [87.0], 87.9).passed


def test_checks_are_added_to_all_cases() -> None:
    first, second = alive("E", [20.0]), alive("I", [0.1])
    cases = checked([Measured("a", 1.0, 1.0, 1.0), Measured("b", 2.0, 2.0, 2.0, checks=(first,))], second)
    assert [case.checks for case in cases] == [(second,), (first, second)]
    assert cases[0].case == "a"

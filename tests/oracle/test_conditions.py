"""Conditions over seeds against SciPy and enumeration; the mixed model against data made by its own equation."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.optimize import minimize

from homeonet import InputError
from homeonet.analysis import compare_conditions, mean_interval, mixed_model

VALUES = np.array(
    [[60.0, 62.0, 58.0, 61.0, 59.0], [66.0, 65.0, 66.0, 67.0, 60.0], [60.0, 61.0, 60.0, 60.0, 58.0]]
)


def table(values: np.ndarray = VALUES) -> xr.DataArray:
    n = values.shape[1]
    return xr.DataArray(values, {"ratio": [0.0, 0.1, 0.3], "seed": range(n)}, ("ratio", "seed"))


def sign_flips(differences: np.ndarray) -> float:
    """The exact two-sided p-value, pattern by pattern."""
    patterns = np.array(list(itertools.product([-1, 1], repeat=len(differences))))
    means = np.abs((patterns * differences).mean(axis=1))
    return float((means >= abs(differences.mean()) - 1e-12).mean())


def test_summaries_and_paired_tests_are_those_of_enumeration() -> None:
    found = compare_conditions(table(), "ratio", reference=0.0)
    np.testing.assert_allclose(found["mean"], VALUES.mean(axis=1))
    np.testing.assert_allclose(found["sd"], VALUES.std(axis=1, ddof=1))
    assert (found["low"] <= found["mean"]).all() and (found["mean"] <= found["high"]).all()
    assert np.isnan(found["p_value"][0])
    raw = [sign_flips(VALUES[k] - VALUES[0]) for k in (1, 2)]
    np.testing.assert_allclose(found["p_value"][1:], raw)
    holm = [min(1, 2 * min(raw)), max(min(1, 2 * min(raw)), *raw)]
    np.testing.assert_allclose(sorted(found["p_holm"].values[1:]), sorted(holm))
    np.testing.assert_allclose(found["difference"][1:], (VALUES[1:] - VALUES[0]).mean(axis=1))
    within = mean_interval(VALUES[1] - VALUES[0])
    assert (float(found["difference_low"][1]), float(found["difference_high"][1])) == (
        within.low,
        within.high,
    )


def test_failed_runs_are_left_out_in_pairs() -> None:
    values = VALUES.copy()
    values[1, 0] = np.nan
    found = compare_conditions(table(values), "ratio", reference=0.0)
    assert found["n"].values.tolist() == [5, 4, 5]
    assert float(found["difference"][1]) == pytest.approx((VALUES[1, 1:] - VALUES[0, 1:]).mean())


def test_one_seed_has_no_interval_and_no_test() -> None:
    found = compare_conditions(table(VALUES[:, :1]), "ratio", reference=0.0)
    np.testing.assert_allclose(found["mean"], VALUES[:, 0])
    assert np.isnan(found["low"]).all() and np.isnan(found["p_holm"]).all()


def test_other_dimensions_and_references_are_named() -> None:
    with pytest.raises(InputError, match="dimensions"):
        compare_conditions(table().expand_dims("preset"), "ratio", reference=0.0)
    with pytest.raises(InputError, match=r"reference = 0\.2"):
        compare_conditions(table(), "ratio", reference=0.2)


def runs(
    rng: np.random.Generator, effect: float = -1.2, n_seeds: int = 12, of_seed: float = 0.3
) -> pd.DataFrame:
    """Accuracies of two models over sleep, with known effects and spreads on the logit scale."""
    rows = []
    for dataset, shift in zip("abcd", rng.normal(0, 0.6, 4), strict=True):
        for seed in range(n_seeds):
            shift_of_seed = rng.normal(0, of_seed)
            for model, sleep in itertools.product(("gradient", "plastic"), (0.0, 0.1, 0.2, 0.3)):
                logit = (
                    1.0
                    + shift
                    + shift_of_seed
                    + (0.5 + effect * sleep) * (model == "plastic")
                    + rng.normal(0, 0.1)
                )
                rows.append((dataset, seed, model, sleep, 1 / (1 + np.exp(-logit))))
    return pd.DataFrame(rows, columns=["dataset", "seed", "model", "sleep", "accuracy"])


def test_the_mixed_model_finds_what_made_the_data() -> None:
    found = mixed_model(runs(np.random.default_rng(3)))
    for term, truth in (("model[T.plastic]", 0.5), ("sleep", 0.0), ("sleep:model[T.plastic]", -1.2)):
        row = found.loc[term]
        assert abs(row["estimate"] - truth) < 4 * row["standard_error"]
        assert row["low"] < row["estimate"] < row["high"]
    assert found.loc["sleep:model[T.plastic]", "p_value"] < 0.001
    assert found.loc["sd residual", "estimate"] == pytest.approx(0.1, rel=0.1)
    assert found.loc["sd seed", "estimate"] == pytest.approx(0.3, rel=0.35)
    assert 0.1 < found.loc["sd dataset", "estimate"] < 2


def test_fixed_effects_are_least_squares_where_the_design_is_balanced() -> None:
    data = runs(np.random.default_rng(4))
    found = mixed_model(data)
    x = np.column_stack([np.ones(len(data)), data["model"] == "plastic", data["sleep"]])
    x = np.column_stack([x, x[:, 1] * x[:, 2]]).astype(float)
    y = np.log(data["accuracy"] / (1 - data["accuracy"]))
    expected = np.linalg.lstsq(x, y, rcond=None)[0]
    names = ["Intercept", "model[T.plastic]", "sleep", "sleep:model[T.plastic]"]
    np.testing.assert_allclose(found.loc[names, "estimate"], expected, atol=1e-6)


def restricted_likelihood(data: pd.DataFrame, spreads: np.ndarray) -> float:
    """Of the model's definition: log density of the residuals of least squares, given the standard deviations."""
    x = np.column_stack([np.ones(len(data)), data["model"] == "plastic", data["sleep"]])
    x = np.column_stack([x, x[:, 1] * x[:, 2]]).astype(float)
    y = np.log(data["accuracy"] / (1 - data["accuracy"])).to_numpy()
    of_seed = data["dataset"] + data["seed"].astype(str)
    alike = [np.equal.outer(name.to_numpy(), name.to_numpy()) for name in (data["dataset"], of_seed)]
    v = spreads[0] ** 2 * alike[0] + spreads[1] ** 2 * alike[1] + spreads[2] ** 2 * np.eye(len(y))
    solved = np.linalg.solve(v, x)
    information = x.T @ solved
    residual = y - x @ np.linalg.solve(information, solved.T @ y)
    logs = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
    return float(-0.5 * (logs + residual @ np.linalg.solve(v, residual)))


@pytest.mark.parametrize(("case", "of_seed"), [(0, 0.3), (1, 0.0), (2, 0.0), (3, 0.02)])
def test_the_mixed_model_has_the_greatest_restricted_likelihood(case: int, of_seed: float) -> None:
    """Also where seeds or data sets differ in nothing: there an optimiser alone stops at the boundary."""
    data = runs(np.random.default_rng(case), n_seeds=4, of_seed=of_seed)
    found = mixed_model(data)
    ours = found.loc[["sd dataset", "sd seed", "sd residual"], "estimate"].to_numpy(dtype=float)
    best = min(
        (
            minimize(lambda s: -restricted_likelihood(data, np.abs(s) + 1e-6), start, method="Nelder-Mead")
            for start in ([0.5, 0.3, 0.1], [0.2, 0.01, 0.1])
        ),
        key=lambda found: found.fun,
    )
    assert restricted_likelihood(data, ours + 1e-6) == pytest.approx(-best.fun, abs=0.01)


def test_a_single_data_set_has_no_spread_of_data_sets() -> None:
    data = runs(np.random.default_rng(5))
    found = mixed_model(data[data["dataset"] == "a"])
    assert "sd dataset" not in found.index and "sd seed" in found.index


def test_what_cannot_be_fitted_is_named() -> None:
    data = runs(np.random.default_rng(6), n_seeds=2)
    with pytest.raises(InputError, match="no column 'accuracy'"):
        mixed_model(data.drop(columns="accuracy"))
    with pytest.raises(InputError, match="shares"):
        mixed_model(data.assign(accuracy=100 * data["accuracy"]))
    with pytest.raises(InputError, match="cannot be fitted"):
        mixed_model(data, "sleep * nothing")
    with pytest.raises(InputError, match="0 runs"):
        mixed_model(data.assign(accuracy=np.nan))

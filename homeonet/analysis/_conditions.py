"""Conditions that share their seeds: means with intervals, and each compared with a reference.

For the results of a sweep along one of its axes. Never decides what is significant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from homeonet.analysis._significance import holm_correction, paired_permutation_test
from homeonet.analysis._statistics import mean_interval
from homeonet.errors import InputError
from homeonet.machine.optional import require_extra

if TYPE_CHECKING:
    import pandas as pd
    from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMResults

__all__ = ["compare_conditions", "mixed_model"]

#: Ways to the greatest likelihood; the first is fast and the second sure.
_METHODS = ("lbfgs", "powell", "nm")
_COLUMNS = (
    "mean",
    "sd",
    "low",
    "high",
    "n",
    "difference",
    "difference_low",
    "difference_high",
    "p_value",
    "p_holm",
)


def compare_conditions(
    values: xr.DataArray, dim: str, *, reference: Any, pairs: str = "seed", level: float = 0.95
) -> xr.Dataset:
    """Summary of each condition over seeds, and its paired difference from a reference condition.

    Parameters
    ----------
    values : DataArray with the dimensions `dim` and `pairs`
        One observation per condition and seed; seeds with a missing value (a failed run) are left out of that
        condition, and of its comparison.
    dim : str
        The conditions, for example "sleep.ratio".
    reference : value
        The coordinate along `dim` that the others are compared with.
    pairs : str, default "seed"
        What pairs observations of two conditions.
    level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    Dataset over `dim`
        `mean`, `sd`, `low`, `high` (Student's t interval of the mean; a
        bootstrap interval of few seeds would be too narrow) and `n`; `difference` from the reference,
        paired, with `difference_low` and `difference_high` (the same interval of it), its two-sided `p_value` (paired
        sign-flip permutation test; of n pairs it is 2/2ⁿ at least) and `p_holm`,
        corrected for all comparisons made here. NaN where fewer than two observations are left.

    Raises
    ------
    InputError
        For other dimensions, or a reference that is not on `dim`.
    """
    if set(values.dims) != {dim, pairs}:
        raise InputError(f"values has the dimensions {values.dims}; give ({dim!r}, {pairs!r}) alone")
    labels = list(values[dim].values)
    if reference not in labels:
        raise InputError(f"reference = {reference!r} is not among {dim}: {labels}")
    table = values.transpose(dim, pairs).to_numpy().astype(float)
    base = table[labels.index(reference)]
    rows = {name: np.full(len(labels), np.nan) for name in _COLUMNS}
    for k, row in enumerate(table):
        present = row[np.isfinite(row)]
        rows["n"][k] = len(present)
        if len(present):
            rows["mean"][k] = present.mean()
        if len(present) >= 2:
            interval = mean_interval(present, level=level)
            rows["sd"][k], rows["low"][k], rows["high"][k] = present.std(ddof=1), interval.low, interval.high
        both = np.isfinite(row) & np.isfinite(base)
        if labels[k] != reference and both.sum() >= 2:
            test = paired_permutation_test(row[both], base[both])
            rows["difference"][k], rows["p_value"][k] = test.difference, test.p_value
            interval = mean_interval(row[both] - base[both], level=level)
            rows["difference_low"][k], rows["difference_high"][k] = interval.low, interval.high
    tested = np.isfinite(rows["p_value"])
    if tested.any():
        rows["p_holm"][tested] = holm_correction(rows["p_value"][tested])
    return xr.Dataset({name: (dim, column) for name, column in rows.items()}, {dim: values[dim]})


def _best_fit(model: MixedLM) -> MixedLMResults:
    """The fit of the greatest likelihood: near a variance of zero a method stops early, and may call that converged."""
    found = []
    for method in _METHODS:
        try:
            found.append(model.fit(reml=True, method=method))
        except (ValueError, np.linalg.LinAlgError):
            continue
    found = [fit for fit in found if fit.converged and np.isfinite(fit.llf)]
    if not found:
        raise ValueError("the fit does not converge")
    return max(found, key=lambda fit: fit.llf)


def mixed_model(
    table: pd.DataFrame,
    effects: str = "sleep * model",
    *,
    accuracy: str = "accuracy",
    dataset: str = "dataset",
    seed: str = "seed",
) -> pd.DataFrame:
    """The sleep paper's mixed model of accuracies: fixed effects, and random ones of data set and seed.

    ``logit(accuracy) ~ effects + (1 | dataset) + (1 | dataset:seed)``, by restricted maximum likelihood. (The paper
    has a beta distribution in place of the logit; the terms are the same.)

    Parameters
    ----------
    table : DataFrame
        A row per run; rows without an accuracy are left out.
    effects : str
        The fixed effects as a formula of columns of `table`.
    accuracy, dataset, seed : str
        Columns; accuracies are strictly between 0 and 1.

    Returns
    -------
    DataFrame
        A row per term: `estimate` on the logit scale, `standard_error`, `low` and `high` (95 % Wald interval),
        `p_value`; and the standard deviations of the random effects as "sd dataset", "sd seed", "sd residual".

    Raises
    ------
    InputError
        For a column that is missing, an accuracy outside (0, 1), a model that cannot be fitted to so few runs,
        or if statsmodels is not installed.

    References
    ----------
    Massey et al. 2026, arXiv 2601.08447 (statistics of the released code).
    """
    import warnings

    import pandas as pd

    require_extra("statistics", "statsmodels", "mixed_model")
    from patsy import PatsyError
    from statsmodels.regression.mixed_linear_model import MixedLM
    from statsmodels.tools.sm_exceptions import ConvergenceWarning

    for column in (accuracy, dataset, seed):
        if column not in table:
            raise InputError(f"table has no column {column!r}; it has {', '.join(map(str, table.columns))}")
    rows = table.dropna(subset=[accuracy]).reset_index(drop=True)
    if len(rows) and not rows[accuracy].between(0, 1, inclusive="neither").all():
        raise InputError("an accuracy is outside (0, 1); give shares, not percentages")
    rows = rows.assign(
        logit_=np.log(rows[accuracy] / (1 - rows[accuracy])),
        dataset_=rows[dataset].astype(str),
        seed_=rows[dataset].astype(str) + ":" + rows[seed].astype(str),
        all_=1,
    )
    parts = {"seed": "0 + C(seed_)"}
    if rows["dataset_"].nunique() > 1:
        parts["dataset"] = "0 + C(dataset_)"
    try:
        with warnings.catch_warnings():
            # a variance that is estimated as zero is at the boundary, and no failure
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = MixedLM.from_formula(
                f"logit_ ~ {effects}", rows, groups="all_", re_formula="0", vc_formula=parts
            )
            fit = _best_fit(model)
    except (ValueError, np.linalg.LinAlgError, PatsyError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"the mixed model cannot be fitted to {len(rows)} runs ({reason}); give more runs, or simpler effects"
        ) from None
    names = list(fit.fe_params.index)
    ends = fit.conf_int().loc[names]
    fixed = pd.DataFrame(
        {
            "estimate": fit.fe_params,
            "standard_error": fit.bse_fe,
            "low": ends[0],
            "high": ends[1],
            "p_value": fit.pvalues[names],
        }
    )
    spread = dict(zip(model.exog_vc.names, np.sqrt(fit.vcomp), strict=True)) | {
        "residual": np.sqrt(fit.scale)
    }
    random = pd.DataFrame({"estimate": spread}).rename(index=lambda name: f"sd {name}")
    return pd.concat([fixed, random])

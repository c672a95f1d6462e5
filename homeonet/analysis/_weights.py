"""Where the weights stand, how far they moved, and when the network slept, from the records of a run.

For summaries of stored weights. Never simulates, never draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr

from ..errors import InputError
from ._checks import require_variables
from ._similarity import rank_correlation

__all__ = ["PATHWAYS", "receptive_fields", "sleep_episodes", "weight_drift", "weight_summary"]

PATHWAYS = ("input_exc", "exc_exc", "exc_inh", "inh_exc")
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def weight_summary(records: xr.Dataset, *, quantiles: Sequence[float] = _QUANTILES) -> xr.Dataset:
    """Mean, standard deviation and quantiles of every recorded pathway, before and after.

    Parameters
    ----------
    records : Dataset
        With `w_initial_P(synapse_P)` and `w_final_P(synapse_P)` for at least one pathway P.
    quantiles : sequence of float, default (.05, .25, .5, .75, .95)
        Each within [0, 1].

    Returns
    -------
    Dataset
        `mean`, `sd` and `count` over (when, pathway) and `weight_quantile` over (when, pathway, quantile);
        `when` is "initial" or "final". Weights are dimensionless, ≥ 0.

    Raises
    ------
    InputError
        No pathway recorded, or a quantile outside [0, 1].
    """
    levels = np.asarray(quantiles, dtype=float)
    if levels.size == 0 or levels.min() < 0 or levels.max() > 1:
        raise InputError(f"quantiles is {list(quantiles)}; give values within [0, 1]")
    when, pathways = ["initial", "final"], _recorded_pathways(records)
    values = [[records[f"w_{w}_{p}"].to_numpy() for p in pathways] for w in when]
    dims = ("when", "pathway")
    return xr.Dataset(
        {
            "mean": (dims, [[v.mean() for v in row] for row in values]),
            "sd": (dims, [[v.std() for v in row] for row in values]),
            "count": (dims, [[v.size for v in row] for row in values]),
            "weight_quantile": (
                (*dims, "quantile"),
                [[np.quantile(v, levels) for v in row] for row in values],
            ),
        },
        coords={"when": when, "pathway": pathways, "quantile": levels},
    )


def weight_drift(records: xr.Dataset) -> xr.Dataset:
    """How far each pathway's weights moved from where they started, and whether their order was kept.

    Parameters
    ----------
    records : Dataset
        With `w_initial_P(synapse_P)` and `w_final_P(synapse_P)` for at least one pathway P.

    Returns
    -------
    Dataset
        Over (pathway): `norm_ratio` = ‖w₁‖/‖w₀‖, `relative_change` = ‖w₁ − w₀‖/‖w₀‖ (both dimensionless, NaN
        where ‖w₀‖ = 0) and `rank_correlation` = Spearman's of w₀ with w₁ (NaN where either is constant).

    Raises
    ------
    InputError
        No pathway recorded, or a weight that is not finite.
    """
    pathways = _recorded_pathways(records)
    ratio, change, order = [], [], []
    for pathway in pathways:
        start = records[f"w_initial_{pathway}"].to_numpy().astype(float)
        end = records[f"w_final_{pathway}"].to_numpy().astype(float)
        norm = np.linalg.norm(start) or np.nan
        ratio.append(np.linalg.norm(end) / norm)
        change.append(np.linalg.norm(end - start) / norm)
        order.append(rank_correlation(start, end))
    return xr.Dataset(
        {
            "norm_ratio": ("pathway", ratio),
            "relative_change": ("pathway", change),
            "rank_correlation": ("pathway", order),
        },
        coords={"pathway": pathways},
    )


def receptive_fields(
    records: xr.Dataset,
    *,
    which: Literal["initial", "final"] = "final",
    absent: float = 0.0,
) -> xr.DataArray:
    """Input weights of every excitatory unit, laid out as images.

    Parameters
    ----------
    records : Dataset
        With `w_initial_input_exc` or `w_final_input_exc`, `pre_input_exc`, `post_input_exc` and the attributes
        `image_height`, `image_width`, `n_exc`. Input i is the pixel in row i // width and column i % width.
    which : {"initial", "final"}
        Weights before or after the run.
    absent : float, default 0
        Value where there is no synapse; NaN leaves those pixels blank in a figure.

    Returns
    -------
    DataArray, shape (unit, row, col)
        Dimensionless; several synapses of one pair are added up.

    Raises
    ------
    InputError
        A variable or attribute missing, or an index outside the image or the population.
    """
    if which not in ("initial", "final"):
        raise InputError(f"which is {which!r}; give 'initial' or 'final'")
    require_variables(records, f"w_{which}_input_exc", "pre_input_exc", "post_input_exc")
    missing = [name for name in ("image_height", "image_width", "n_exc") if name not in records.attrs]
    if missing:
        raise InputError(f"records has no attribute {', '.join(missing)}; use records written by a run")
    height, width, units = (int(records.attrs[name]) for name in ("image_height", "image_width", "n_exc"))
    pre, post = records["pre_input_exc"].to_numpy(), records["post_input_exc"].to_numpy()
    for name, index, size in (("pre_input_exc", pre, height * width), ("post_input_exc", post, units)):
        if index.size and not 0 <= index.min() <= index.max() < size:
            raise InputError(f"{name} spans {index.min()}…{index.max()}; give indices from 0 to {size - 1}")
    fields = np.zeros((units, height * width))
    np.add.at(fields, (post, pre), records[f"w_{which}_input_exc"].to_numpy())
    connected = np.zeros(fields.shape, dtype=bool)
    connected[post, pre] = True
    return xr.DataArray(
        np.where(connected, fields, absent).reshape(units, height, width),
        dims=("unit", "row", "col"),
        coords={"unit": np.arange(units)},
        name="receptive_field",
        attrs={"units": "1", "which": which},
    )


def sleep_episodes(records: xr.Dataset) -> xr.Dataset:
    """Start, stop and duration of every sleep: exact where the record says so, else as sampled.

    Parameters
    ----------
    records : Dataset
        With `sleep_start(episode)` and `sleep_stop(episode)`; or with `asleep(time)`, 0 or 1, and `time` in
        seconds. There a sample's state holds until the next sample, so a sleep stops at the first sample
        awake; one that lasts to the end stops at the last sample.

    Returns
    -------
    Dataset
        `start`, `stop` and `duration` over (episode), in seconds; no episodes for a run that never slept.

    Raises
    ------
    InputError
        `asleep` or `time` missing.
    """
    if "sleep_start" in records and "sleep_stop" in records:
        start, stop = records["sleep_start"].to_numpy(), records["sleep_stop"].to_numpy()
        return _episodes(start, stop)
    require_variables(records, "asleep", "time")
    time = records["time"].to_numpy().astype(float)
    # the sleep of a record that ends asleep is closed at its last sample
    edges = np.diff(np.concatenate(([0], records["asleep"].to_numpy() > 0.5, [0])).astype(int))
    start = time[np.flatnonzero(edges == 1)]
    stop = time[np.minimum(np.flatnonzero(edges == -1), time.size - 1)]
    return _episodes(start, stop)


def _episodes(start: np.ndarray, stop: np.ndarray) -> xr.Dataset:
    values = {"start": start, "stop": stop, "duration": stop - start}
    return xr.Dataset({name: ("episode", value, {"units": "s"}) for name, value in values.items()})


def _recorded_pathways(records: xr.Dataset) -> list[str]:
    found = [p for p in PATHWAYS if f"w_initial_{p}" in records and f"w_final_{p}" in records]
    if not found:
        raise InputError(
            "records has no w_initial_P and w_final_P of any pathway; use a run that stored weights"
        )
    return found

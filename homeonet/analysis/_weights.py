"""Where the weights stand, how far they moved, and when the network slept, from the records of a run.

For summaries of stored weights. Never simulates, never draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from homeonet.analysis._checks import as_features, as_vector, require_variables
from homeonet.analysis._similarity import rank_correlation
from homeonet.errors import InputError

__all__ = [
    "PATHWAYS",
    "Drift",
    "drift",
    "receptive_fields",
    "sleep_episodes",
    "synaptic_operations",
    "weight_drift",
    "weight_summary",
]

PATHWAYS = ("input_exc", "exc_exc", "exc_inh", "inh_exc")
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Drift:
    """How far values moved from where they started.

    Attributes
    ----------
    norm_ratio : float
        ‖end‖/‖start‖; NaN where ‖start‖ = 0.
    relative_change : float
        ‖end − start‖/‖start‖; NaN where ‖start‖ = 0.
    rank_correlation : float
        Spearman's, of start with end; NaN where either is constant.
    """

    norm_ratio: float
    relative_change: float
    rank_correlation: float


def drift(start: np.ndarray, end: np.ndarray) -> Drift:
    """How far a set of weights, or of rates, moved from where it started, and whether its order was kept.

    Parameters
    ----------
    start, end : array_like
        Values before and after, of one shape.

    Returns
    -------
    Drift

    Raises
    ------
    InputError
        Shapes that differ, or a value that is not finite.
    """
    before = as_vector("start", np.ravel(start))
    after = as_vector("end", np.ravel(end))
    if before.size != after.size:
        raise InputError(f"start has {before.size} values and end {after.size}; give the same units twice")
    norm = np.linalg.norm(before) or np.nan
    return Drift(
        float(np.linalg.norm(after) / norm),
        float(np.linalg.norm(after - before) / norm),
        rank_correlation(before, after),
    )


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
    found = [
        drift(records[f"w_initial_{name}"].to_numpy(), records[f"w_final_{name}"].to_numpy())
        for name in pathways
    ]
    names = ("norm_ratio", "relative_change", "rank_correlation")
    return xr.Dataset(
        {name: ("pathway", [getattr(one, name) for one in found]) for name in names},
        coords={"pathway": pathways},
    )


def synaptic_operations(records: xr.Dataset, spikes: Mapping[str, np.ndarray]) -> xr.DataArray:
    """How often a spike crosses a synapse, for each image: spikes of each source times its synapses.

    Parameters
    ----------
    records : Dataset
        With `pre_P(synapse_P)` for at least one pathway P.
    spikes : mapping of str to array_like, shape (image, unit)
        Spike counts (or expected ones) an image, of each population that feeds a recorded pathway: "input", "exc",
        "inh".

    Returns
    -------
    DataArray, shape (image, pathway)

    Raises
    ------
    InputError
        No pathway recorded, a population missing, or with too few units or another number of images.
    """
    pathways = [name for name in PATHWAYS if f"pre_{name}" in records]
    if not pathways:
        raise InputError("records has no pre_P of any pathway; use the records of a run")
    counts = {name: as_features(f"spikes[{name!r}]", values) for name, values in spikes.items()}
    found = []
    for pathway in pathways:
        source, pre = pathway.split("_")[0], records[f"pre_{pathway}"].to_numpy()
        if source not in counts:
            raise InputError(f"spikes lacks {source!r}, which feeds {pathway}; give its spike counts")
        n_units = counts[source].shape[1]
        if pre.size and pre.max() >= n_units:
            raise InputError(f"spikes[{source!r}] has {n_units} units; {pathway} needs {pre.max() + 1}")
        found.append(counts[source] @ np.bincount(pre, minlength=n_units))
    if len({len(values) for values in found}) > 1:
        raise InputError("spikes has different numbers of images; give the same images of each population")
    return xr.DataArray(
        np.stack(found, axis=1), dims=("image", "pathway"), coords={"pathway": pathways}, attrs={"units": "1"}
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

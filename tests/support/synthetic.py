"""Records as a run would leave them, made up from a few lines of arithmetic.

For tests of analysis and plotting that must not simulate. Never claims to be a network's behaviour.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

PATHWAYS = ("input_exc", "exc_exc", "exc_inh", "inh_exc")
QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95]
START_WEIGHT = {"input_exc": 0.15, "exc_exc": 0.30, "exc_inh": 0.60, "inh_exc": 0.50}


def make_records(
    *,
    seed: int = 0,
    sleep: bool = True,
    duration: int = 600,
    n_exc: int = 200,
    n_inh: int = 50,
    side: int = 15,
    n_train: int = 200,
    n_test: int = 200,
) -> xr.Dataset:
    """Records of an invented run of `duration` seconds that sleeps 12 s after every 60 s awake.

    Weights grow exponentially awake and decay asleep; excitatory units prefer one of ten classes, a tenth of
    them are silent; input weights are largest around each unit's preferred place in the image.
    """
    rng = np.random.default_rng(seed)
    time = np.arange(duration, dtype=float)
    asleep = ((time % 72) >= 60).astype(int) if sleep else np.zeros(duration, dtype=int)
    growth = np.cumsum(np.where(asleep == 1, -0.034, 0.0068)) - 0.0068
    growth = np.maximum(growth, 0) if sleep else growth
    speed = {"input_exc": 1.0, "exc_exc": 1.2, "exc_inh": 0.6, "inh_exc": 0.3}
    mean = np.stack([START_WEIGHT[p] * np.exp(speed[p] * growth) for p in PATHWAYS], axis=1)
    rate = np.stack([4 * np.exp(0.5 * growth), 9 * np.exp(0.4 * growth)], axis=1)
    rate = np.where(asleep[:, None] == 1, 0.4 * rate, rate) * rng.normal(1, 0.08, rate.shape)

    snapshot = np.arange(0, duration, 50)
    spread = 0.1 + 0.5 * snapshot / duration
    shape = np.exp(np.multiply.outer(spread, [-1.64, -0.67, 0, 0.67, 1.64]))
    quantile = mean[snapshot][:, :, None] * shape[:, None, :]

    data: dict[str, tuple] = {
        "asleep": ("time", asleep),
        "wake_time": ("time", np.cumsum(1 - asleep).astype(float)),
        "pathway_mean": (("time", "pathway"), mean),
        "rate": (("time", "population"), rate),
        "snapshot_time": ("snapshot", snapshot.astype(float)),
        "weight_quantile": (("snapshot", "pathway", "quantile"), quantile),
        "weight_sd": (("snapshot", "pathway"), mean[snapshot] * spread[:, None]),
    }
    sizes = {"input": side * side, "exc": n_exc, "inh": n_inh}
    total = np.zeros(duration)
    for i, pathway in enumerate(PATHWAYS):
        source, target = pathway.split("_")
        pre, post = np.nonzero(
            rng.random((sizes[source], sizes[target])) < (0.5 if source == "input" else 0.2)
        )
        start = START_WEIGHT[pathway] * rng.uniform(0.8, 1.2, pre.size)
        scale = mean[-1, i] / START_WEIGHT[pathway] * rng.lognormal(0, 0.5, pre.size)
        if source == "input":
            scale = scale * _bump(pre, post, side, rng.uniform(3, side - 3, (n_exc, 2)))
        dim = f"synapse_{pathway}"
        data |= {
            f"w_initial_{pathway}": (dim, start),
            f"w_final_{pathway}": (dim, start * scale),
            f"pre_{pathway}": (dim, pre),
            f"post_{pathway}": (dim, post),
        }
        total += mean[:, i] * pre.size if source != "inh" else 0
    data["total_weight"] = ("time", total)

    raster_start, raster_stop = 54.0, 66.0
    spikes = [
        (t, unit)
        for unit in range(n_exc + n_inh)
        for t in rng.uniform(raster_start, raster_stop, rng.poisson(12 * (4 if unit < n_exc else 9)))
        if not sleep or t < 60 or rng.random() < 0.4
    ]
    spikes.sort()
    data["raster_time"] = ("spike", np.array([t for t, _ in spikes]))
    data["raster_unit"] = ("spike", np.array([u for _, u in spikes]))

    preference = rng.gamma(2.0, 1.5, (10, n_exc + n_inh))
    preference[np.arange(n_exc + n_inh) % 10, np.arange(n_exc + n_inh)] += 4
    preference[:, 0:n_exc:10] = 0
    truth = {}
    for part, n in (("train", n_train), ("test", n_test)):
        truth[part] = np.arange(n) % 10
        data[f"features_{part}"] = ((f"image_{part}", "unit"), rng.poisson(preference[truth[part]]))
        data[f"labels_{part}"] = (f"image_{part}", truth[part])
    wrong = rng.integers(0, 10, (3, n_test))
    correct = rng.random((3, n_test)) < np.array([[0.8], [0.7], [0.55]])
    data["prediction"] = (("readout", "image_test"), np.where(correct, truth["test"], wrong))
    return xr.Dataset(
        data,
        coords={
            "time": ("time", time, {"units": "s"}),
            "pathway": list(PATHWAYS),
            "population": ["exc", "inh"],
            "quantile": QUANTILES,
            "readout": ["logistic", "qda", "diehl_cook"],
        },
        attrs={
            "preset": "massey2026",
            "data": "mnist",
            "seed": seed,
            "alpha_trigger": 1.5,
            "alpha_base": 1.05,
            "w_total_initial": float(total[0]),
            "image_height": side,
            "image_width": side,
            "n_exc": n_exc,
            "n_inh": n_inh,
            "sleep_ratio": 0.2 if sleep else 0.0,
            "raster_start": raster_start,
            "raster_stop": raster_stop,
        },
    )


def _bump(pre: np.ndarray, post: np.ndarray, side: int, centre: np.ndarray) -> np.ndarray:
    row, col = np.divmod(pre, side)
    squared = (row - centre[post, 0]) ** 2 + (col - centre[post, 1]) ** 2
    return 0.2 + 2 * np.exp(-squared / (2 * 2.5**2))

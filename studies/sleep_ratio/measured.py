"""What is measured of the claims, as paired differences over seeds, and for the figure."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr
from table import OUTPUT

from homeonet.claims import Measured
from homeonet.study.measured import over_seeds, paired_gain

__all__ = ["accuracies", "of_ratios"]

#: The ratio that the claims are judged at, and one beyond the collapse.
BEST, MUCH = 0.2, 0.4


def of_ratios(found: Mapping[tuple[str, str], xr.Dataset]) -> dict[str, list[Measured]]:
    """All that `study.py` measures, by claim; `found` gives its results by network and data."""
    measured: dict[str, list[Measured]] = {}
    for (network, data), results in found.items():
        case = f"{network}, {data}"
        if network in OUTPUT:
            measured.setdefault("sleep-flat-gradient", []).extend(_largest(data, results[OUTPUT[network]]))
            continue
        qda, at = results["accuracy.qda"], {"sleep.ratio": BEST}
        ratios = qda["sleep.ratio"]
        middle = qda.sel({"sleep.ratio": ratios[(ratios >= 0.1) & (ratios <= 0.2)]}).mean(
            "sleep.ratio", skipna=False
        )
        linear, raw = results["accuracy.logistic"].sel(at), results["accuracy.raw_pixels"].sel(at)
        cases = {
            "sleep-best-ratio": paired_gain(case, qda.sel(at), qda.sel({"sleep.ratio": 0.0})),
            "sleep-collapse": paired_gain(case, qda.sel({"sleep.ratio": MUCH}), middle),
            "sleep-raw-pixels": paired_gain(case, linear, raw),
            "sleep-frozen": paired_gain(case, qda.sel(at), results["accuracy.frozen.qda"].sel(at)),
        }
        if data.startswith("mnist"):
            cases["sleep-accuracy"] = over_seeds(case, 100 * qda.sel(at), "%")
        for name, values in cases.items():
            measured.setdefault(name, []).extend(values)
    return {name: cases for name, cases in measured.items() if cases}


def _largest(case: str, accuracy: xr.DataArray) -> list[Measured]:
    """The largest mean difference to no sleep over the ratios, with the interval of that ratio's difference."""
    differences = 100 * (accuracy - accuracy.sel({"sleep.ratio": 0.0}))
    means = differences.mean("seed").fillna(0.0)
    there = differences.isel({"sleep.ratio": int(abs(means).argmax("sleep.ratio"))})
    sign = -1.0 if float(there.mean()) < 0 else 1.0
    return over_seeds(f"{case}, at {100 * float(there['sleep.ratio']):g} %", sign * there, "points")


def accuracies(found: Mapping[tuple[str, str], xr.Dataset]) -> xr.Dataset:
    """Accuracies in per cent by network, data, ratio and seed, with their baselines; for the figure."""
    networks, data_sets = (list(dict.fromkeys(key[k] for key in found)) for k in (0, 1))
    names = {
        "accuracy": "accuracy.qda",
        "frozen": "accuracy.frozen.qda",
        "raw_pixels": "accuracy.raw_pixels.qda",
    }
    parts = []
    for network in networks:
        chosen = {"accuracy": OUTPUT[network]} if network in OUTPUT else names
        taken = [
            xr.Dataset(
                {name: 100 * found[network, data][metric] for name, metric in chosen.items()}
            ).reset_coords(drop=True)
            for data in data_sets
        ]
        parts.append(xr.concat(taken, xr.DataArray(data_sets, dims="data", name="data")))
    joined = xr.concat(parts, xr.DataArray(networks, dims="network", name="network"), join="outer")
    return joined.rename({"sleep.ratio": "ratio"})

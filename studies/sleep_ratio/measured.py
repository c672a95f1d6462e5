"""What is measured of the claims, as paired differences over seeds, and for the figure."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr
from table import OUTPUT

from homeonet.claims import Measured
from homeonet.study.checks import above_chance, checked, reaches
from homeonet.study.measured import over_seeds, paired_gain

__all__ = ["accuracies", "of_ratios"]

#: The ratio that the claims are judged at, and one beyond the collapse.
BEST, MUCH = 0.2, 0.4
#: What the published network trained by surrogate gradients reaches, in per cent, and how far one may fall short of it
#: and still be that network.
PUBLISHED, SHORT = {"mnist": 92.9, "fashion": 70.5}, 5.0


def of_ratios(found: Mapping[tuple[str, str], xr.Dataset]) -> dict[str, list[Measured]]:
    """All that `study.py` measures, by claim; `found` gives its results by network and data."""
    measured: dict[str, list[Measured]] = {}
    for (network, data), results in found.items():
        case = f"{network}, {data}"
        if network in OUTPUT:
            measured.setdefault("sleep-flat-gradient", []).extend(_flat(data, results[OUTPUT[network]]))
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
            cases["sleep-accuracy"] = over_seeds(case, 100 * results["accuracy.paper"].sel(at), "%")
        for name, values in cases.items():
            measured.setdefault(name, []).extend(values)
    return {name: cases for name, cases in measured.items() if cases}


def _flat(data: str, accuracy: xr.DataArray) -> list[Measured]:
    """The difference to no sleep at each ratio; void where the network without sleep is not the published one."""
    percent = 100 * accuracy
    awake = percent.sel({"sleep.ratio": 0.0})
    name = "the network without sleep"
    learnt = reaches(name, awake, PUBLISHED[data] - SHORT) if data in PUBLISHED else above_chance(name, awake)
    found = []
    for ratio in percent["sleep.ratio"].values[1:]:
        case = f"{data}, {100 * float(ratio):g} %"
        found += over_seeds(case, percent.sel({"sleep.ratio": ratio}) - awake, "points")
    return checked(found, learnt)


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

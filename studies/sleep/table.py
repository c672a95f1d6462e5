"""The tables of `study.py`, and the numbers its figures are drawn from."""

from __future__ import annotations

import xarray as xr
from fitness import fit, treated
from networks import CONTROLS

from homeonet.analysis import compare_conditions
from homeonet.study.intervals import difference, interval_text

__all__ = [
    "PATHWAYS",
    "PUBLISHED",
    "READOUTS",
    "control_rows",
    "figure_data",
    "share_rows",
    "state_rows",
]

#: Readouts of networks and baselines, by their titles.
READOUTS = {"paper": "paper's readout, %", "qda": "QDA, %", "logistic": "logistic, %"}
PATHWAYS = ("input_exc", "exc_exc", "exc_inh", "inh_exc")
_BASELINES = {
    "frozen": "frozen weights",
    "random_relu": "random ReLU features",
    "noisy_pixels": "noisy pixels",
    "raw_pixels": "raw pixels",
}
#: Massey et al. 2026, released results: mean and SD over 5 seeds, by the share asleep that their ratios of 0, 10, 20
#: and 30 % give (every 35 s, at most 10 s).
PUBLISHED = {
    "mnist": {0.0: (63.0, 3.5), 0.091: (66.0, 4.9), 0.167: (74.2, 1.8), 0.222: (71.4, 6.2)},
    "fashion": {0.0: (53.8, 9.5), 0.091: (62.0, 5.2), 0.167: (45.4, 4.5), 0.222: (34.6, 10.6)},
    "notmnist": {0.0: (56.9, 22.6), 0.091: (72.4, 1.8), 0.167: (59.3, 4.9), 0.222: (44.1, 9.7)},
}
#: The share in the study that lies nearest to each published one.
_NEAR = {0.0: 0.0, 0.1: 0.091, 0.15: 0.167, 0.2: 0.222}


def share_rows(results: xr.Dataset) -> list[list[str]]:
    """One row per network, data set and share, then its baselines."""
    rows = [
        [
            "network",
            "data",
            "asleep, %",
            "seeds",
            *READOUTS.values(),
            "QDA − no sleep",
            "published, % ± SD",
            "paper's, noise in the test, %",
        ]
    ]
    for network in results["network"].values:
        for data in results["data"].values:
            here = results.sel(network=network, data=data).dropna("share", how="all", subset=["qda"])
            if not here.sizes["share"]:
                continue
            gains = compare_conditions(here["qda"], "share", reference=0.0)
            for share in here["share"].values:
                at = here.sel(share=share).dropna("seed", subset=["qda"])
                cells = [interval_text(at[name]) for name in READOUTS]
                published = PUBLISHED.get(str(data), {}).get(_NEAR.get(float(share), -1.0))
                rows.append(
                    [
                        str(network),
                        str(data),
                        f"{100 * share:g}",
                        str(at.sizes["seed"]),
                        *cells,
                        difference(gains.sel(share=share)),
                        f"{published[0]} ± {published[1]}" if published and network == "released" else "",
                        interval_text(at["paper_noisy"]) if network == "released" else "",
                    ]
                )
            first = here.isel(share=0).dropna("seed", subset=["qda"])
            for key, title in _BASELINES.items():
                found = [
                    interval_text(first[f"{key}_{name}"]) if f"{key}_{name}" in first else ""
                    for name in READOUTS
                ]
                rows.append([str(network), str(data), title, str(first.sizes["seed"]), *found, "", "", ""])
    return rows


def state_rows(results: xr.Dataset) -> list[list[str]]:
    """One row per network, data set and share: what sleep did to rates, weights and clusters."""
    head = ["network", "data", "asleep, %", "slept, %", "E / I at test, Hz"]
    head += [*(f"{name.replace('_', '→')} ×" for name in PATHWAYS), "CV of input→exc", "Φ", "treatment"]
    rows = [head]
    for network in results["network"].values:
        for data in results["data"].values:
            for share in results["share"].values:
                place = {"network": network, "data": data, "share": share}
                at = results.sel(place)
                if not at["qda"].notnull().any():
                    continue
                checks = [*fit(results.sel({**place, "share": 0.0}))]
                checks += [treated(at, float(share))] if share else []
                failed = [check.what for check in checks if not check.passed]
                said = f"void: {'; '.join(failed)}" if failed else ("applied" if share else "none")
                rows.append(
                    [
                        str(network),
                        str(data),
                        f"{100 * share:g}",
                        f"{float(at['slept'].mean()):.1f}",
                        f"{_mean(at['exc'])} / {_mean(at['inh'])}",
                        *(_mean(at[f"growth_{name}"]) for name in PATHWAYS),
                        _mean(at["spread"]),
                        _mean(at["phi"]),
                        said,
                    ]
                )
    return rows


def control_rows(found: xr.Dataset) -> list[list[str]]:
    """One row per data set and change."""
    controls = _controls_in(found)
    state = "slept" in controls  # not in files written before it was kept
    head = ["data", "change", *READOUTS.values(), "QDA − sleep"]
    if state:
        head += ["slept, %", "E / I at test, Hz", *(f"{name.replace('_', '→')} ×" for name in PATHWAYS)]
    rows = [head]
    for data in controls["data"].values:
        here = controls.sel(data=data)
        gains = compare_conditions(here["qda"], "case", reference="sleep")
        for case in here["case"].values:
            at = here.sel(case=case)
            row = [str(data), str(case), *(interval_text(at[name]) for name in READOUTS)]
            row.append(difference(gains.sel(case=case)))
            if state:
                row += [f"{float(at['slept'].mean()):.1f}", f"{_mean(at['exc'])} / {_mean(at['inh'])}"]
                row += [_mean(at[f"growth_{name}"]) for name in PATHWAYS]
            rows.append(row)
    return rows


def figure_data(networks: xr.Dataset, controls: xr.Dataset | None) -> xr.Dataset:
    """All that tables, claims and figure are made of: of the networks, and of the controls by names with ``control_``.

    Accuracies and the time slept are in per cent, rates in Hz, a growth is a mean weight at the end over that at the
    start, the spread the coefficient of variation of the input's weights at the end: near nothing where uniform.
    """
    parts = _state(networks)
    if "accuracy.paper_noisy" in networks:
        parts["paper_noisy"] = 100 * networks["accuracy.paper_noisy"]
    for key in _BASELINES:
        parts[f"{key}_qda"] = 100 * networks[f"accuracy.{key}.qda"]
        parts[f"{key}_logistic"] = 100 * networks[f"accuracy.{key}"]
    parts |= {"spread": _spread(networks), "phi": networks["phi"]}
    parts |= {f"published_{kind}": _published(networks, k) for k, kind in enumerate(("mean", "sd"))}
    if controls is not None:
        names = {"data": "control_data", "seed": "control_seed"}
        parts |= {f"control_{key}": values for key, values in _state(controls.rename(names)).items()}
    return xr.Dataset(parts).reset_coords(drop=True)


def _controls_in(data: xr.Dataset) -> xr.Dataset:
    """The controls of `figure_data` by themselves, by the names that the networks have, in the order of `CONTROLS`."""
    found = {
        name.removeprefix("control_"): data[name] for name in map(str, data) if name.startswith("control_")
    }
    controls = xr.Dataset(found).rename(control_data="data", control_seed="seed")
    return controls.sel(case=[name for name in CONTROLS if name in controls["case"].values])


def _state(results: xr.Dataset) -> dict[str, xr.DataArray]:
    found = {name: 100 * results[f"accuracy.{name}"] for name in READOUTS}
    found |= {"slept": 100 * results["sleep_fraction"]}
    found |= {name: results[f"rate_test_hz.{name}"] for name in ("exc", "inh")}
    return found | {f"growth_{name}": _growth(results, name) for name in PATHWAYS}


def _growth(results: xr.Dataset, pathway: str) -> xr.DataArray:
    return results[f"weights.{pathway}.final"] / results[f"weights.{pathway}.initial"]


def _spread(results: xr.Dataset) -> xr.DataArray:
    return results["weights.input_exc.final_sd"] / results["weights.input_exc.final"]


def _published(networks: xr.Dataset, k: int) -> xr.DataArray:
    """Mean or SD as published, by data set and share asleep; missing for other data sets."""
    shares = sorted({share for values in PUBLISHED.values() for share in values})
    table = [
        [PUBLISHED.get(str(name), {}).get(share, (float("nan"),) * 2)[k] for share in shares]
        for name in networks["data"].values
    ]
    coords = {"data": networks["data"].values, "published_share": shares}
    return xr.DataArray(table, dims=("data", "published_share"), coords=coords)


def _mean(values: xr.DataArray) -> str:
    return f"{float(values.mean()):.3g}"

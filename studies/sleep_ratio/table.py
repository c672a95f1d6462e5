"""The table of `study.py`: accuracies by sleep ratio beside the published ones, and the mixed model."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from homeonet.analysis import compare_conditions, mixed_model
from homeonet.errors import InputError
from homeonet.study.intervals import difference

__all__ = ["HEAD", "OUTPUT", "distinct", "model_of", "rows_of"]

HEAD = [
    "network",
    "data",
    "sleep, %",
    "accuracy, % [95 % bootstrap]",
    "− no sleep",
    "frozen, %",
    "pixels, %",
    "logistic, %",
    "asleep, %",
    "published, % ± SD",
]

#: Read out by its own output layer and not by QDA.
OUTPUT = {"SG-SNN": "accuracy.test"}

#: Massey et al. 2026, released results of the STDP network: mean ± SD over 5 seeds by sleep in per cent.
PUBLISHED = {
    "mnist": {0: "63.0 ± 3.5", 10: "66.0 ± 4.9", 20: "74.2 ± 1.8", 30: "71.4 ± 6.2", 40: "70.7 to 72.1"},
    "fashion": {0: "53.8 ± 9.5", 10: "62.0 ± 5.2", 20: "45.4 ± 4.5", 30: "34.6 ± 10.6", 40: "33.6 to 34.6"},
}
#: Shares beside the accuracy: both baselines under QDA, the linear readout, time asleep.
_BESIDE = ("accuracy.frozen.qda", "accuracy.raw_pixels.qda", "accuracy.logistic", "sleep_fraction")
#: What tells two treatments apart.
_TOLD = ("accuracy.qda", "accuracy.logistic", "sleep_fraction", "accuracy.test")


def rows_of(network: str, data: str, results: xr.Dataset) -> list[list[str]]:
    """One line per ratio: both readouts, the difference to no sleep, baselines, time asleep, and what was published."""
    values = 100 * distinct(results)[OUTPUT.get(network, "accuracy.qda")]
    summary, lines = compare_conditions(values, "sleep.ratio", reference=0.0), []
    for ratio in results["sleep.ratio"].values:
        at = summary.sel({"sleep.ratio": ratio}, method="pad")  # a copy stands for the ratio that it copies
        mean, low, high = (float(at[name]) for name in ("mean", "low", "high"))
        line = [network, data, f"{100 * ratio:g}", f"{mean:.1f} [{low:.1f}, {high:.1f}]", difference(at)]
        line += [""] * (len(HEAD) - len(line))
        if network not in OUTPUT:
            here = results.sel({"sleep.ratio": ratio}).mean("seed")
            line[5:9] = (f"{100 * float(here[name]):.1f}" for name in _BESIDE)
            line[9] = PUBLISHED.get(data, {}).get(min(round(100 * ratio), 40), "")
        lines.append(line)
    return lines


def distinct(results: xr.Dataset) -> xr.Dataset:
    """Without the copies of one treatment: of ratios whose runs are alike in every seed, the first is kept.

    A sleep ends when the weights are back, or after 10 s, whatever the ratio: more of it is no statistics.
    """
    told = results[[name for name in _TOLD if name in results]]
    kept: list[float] = []
    for ratio in results["sleep.ratio"].values:
        here = told.sel({"sleep.ratio": ratio}, drop=True)
        if not kept or not here.equals(told.sel({"sleep.ratio": kept[-1]}, drop=True)):
            kept.append(ratio)
    return results.sel({"sleep.ratio": kept})


def model_of(found: dict[tuple[str, str], xr.Dataset]) -> str:
    """The paper's mixed model: accuracy ~ sleep × model with random effects of data set and seed.

    Sleep is whether a network sleeps at all: above some ratio nothing changes, so that accuracy is no line over it.
    """
    tables = []
    for (network, data), results in found.items():
        name = OUTPUT.get(network, "accuracy.qda")
        table = distinct(results)[[name]].to_dataframe().reset_index()
        table = table.rename(columns={name: "accuracy", "sleep.ratio": "sleep"})
        slept = (table["sleep"] > 0).astype(int)
        tables.append(table.assign(sleep=slept, dataset=data, model=network))
    runs = pd.concat(tables)
    # a share of 0 or 1 has no logit: it is moved by half an image of a thousand
    runs["accuracy"] = runs["accuracy"].clip(5e-4, 1 - 5e-4)
    title = f"Mixed model, logit scale, {runs['accuracy'].notna().sum()} runs; sleep is 1 where there is any"
    try:
        return f"{title}:\n\n```\n{mixed_model(runs).round(3).to_string(na_rep='')}\n```"
    except InputError as error:  # the accuracies above are not lost for it
        return f"{title}: {error}"

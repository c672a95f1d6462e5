"""The figure of `study.py`, what it is drawn from, and its table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from readings import PROGRESS

from homeonet.analysis import compare_conditions
from homeonet.plotting import DOUBLE_WIDTH, new_figure
from homeonet.study.intervals import difference, interval_text

__all__ = ["NOTE", "arranged", "draw", "figure_data", "rows_of"]

_TITLES = {"mnist": "MNIST", "fashion": "Fashion-MNIST", "mnist5k": "MNIST"}
#: Largest change of accuracy, in points, that colours tell apart.
_MOST = 15.0
_SHOWN = {"logistic": "test images (%)", "logistic.ood": "corrupted test images (%)"}
#: Columns of the table: title, and how a number is written.
_MEASURES = {
    "qda": ("QDA, %", ".1f"),
    "own": ("own output, %", ".1f"),
    "logistic.ood": ("corrupted, logistic, %", ".1f"),
    "qda.ood": ("corrupted, QDA, %", ".1f"),
    "own.ood": ("corrupted, own output, %", ".1f"),
    "weight.drift": ("weight drift", ".2f"),
    "rate.start": ("rate untrained", ".3g"),
    "rate": ("rate trained", ".3g"),
    "rate.drift": ("rate drift", ".2f"),
    "dead": ("dead, %", ".1f"),
    "saturated": ("saturated, %", ".1f"),
    "rank": ("effective rank", ".1f"),
    "sops": ("SOPs per image", ".3g"),
    "sop.nj": ("SOPs, nJ", ".3g"),
    "honest.nj": ("with memory and neurons, nJ", ".3g"),
    "seconds": ("training, s", ".1f"),
}


NOTE = """accuracies in % with 95 % t intervals over seeds; p of a paired permutation test, after Holm.
STDP networks see each training image once and no label, the others {epochs} times; HD-LIF, online, is updated at each
of the {steps} steps of a batch, the others once. The readouts give each unit one variance, so that pixels that hardly
vary on clean images weigh much where there is noise. Corrupted: mean over noise, blur, contrast, rotation and
translation at severity {severity}, of the first {corrupted} test images. Drift: norm of the change by the norm of the
start, of all weights, and of the rates of the units on test images. Rates: Hz (saturated from 100 Hz), or the share of
{steps} steps with an output (saturated: all). Effective rank: participation ratio of the code. SOPs: spikes times the
synapses that they cross, 0.9 pJ each; with memory and neurons: `homeonet.gradient.cost`, of gradient-trained networks
alone. A line that is not there (in the figure "·") is a combination that does not exist: inhibitory STDP needs
inhibitory neurons, MP-Init sequences that begin anew, and of the gradient-trained neurons HD-LIF alone has a
normalisation (Mem-BN). Asleep, feed-forward networks have the power law alone: no weights lie between their spiking
neurons. "stopped": rates left the bounds of the guard ("*": in some seeds, mean of the others); a row of the figure
without colours has no reference. Constants are defaults of this package (inhibitory STDP: massey2026's rate in both
presets), and nothing was tuned here."""


def arranged(table: pd.DataFrame, networks: Sequence[str], columns: Sequence[str]) -> xr.Dataset:
    """The table over (set, paradigm, homeostasis, seed); a set is named by its images and their side."""
    names = [f"{_TITLES.get(d, d)} {s}×{s}" for d, s in zip(table["data"], table["side"], strict=True)]
    found = table.assign(set=names).drop(columns=["data", "side"])
    dims = ["set", "paradigm", "homeostasis", "seed"]
    order = {
        "set": list(dict.fromkeys(names)),
        "paradigm": [*networks, "raw pixels"],
        "homeostasis": list(columns),
    }
    return found.set_index(dims).to_xarray().reindex(order)


def rows_of(results: xr.Dataset, absent: set[tuple[str, str]]) -> list[list[str]]:
    """A line per set, network and homeostasis, with baselines above: means, for accuracies with intervals.

    `absent` are the pairs of network and homeostasis that do not exist; of others a missing run has failed.
    """
    rows = [
        ["images", "network", "homeostasis", "logistic, %", "− none", *(t for t, _ in _MEASURES.values())]
    ]
    for name in results["set"].values:
        here = results.sel(set=name)
        rows.append(
            _line(str(name), here.sel(paradigm="raw pixels", homeostasis="none"), "raw pixels", "", "")
        )
        for network in _networks(results):
            at = here.sel(paradigm=network)
            frozen = at.sel(homeostasis="none")[[f"frozen.{r}" for r in ("logistic", "qda")]]
            frozen = frozen.rename({f"frozen.{r}": r for r in ("logistic", "qda")})
            if frozen["logistic"].notnull().any():
                rows.append(_line(str(name), frozen, network, "untrained", ""))
            tests = compare_conditions(at["logistic"].drop_vars("paradigm"), "homeostasis", reference="none")
            for column in (str(c) for c in at["homeostasis"].values if (network, c) not in absent):
                text = difference(tests.sel(homeostasis=column)) if column != "none" else ""
                rows.append(_line(str(name), at.sel(homeostasis=column), network, column, text))
    return rows


def _networks(results: xr.Dataset) -> list[str]:
    """The networks among the paradigms: all but the last, the raw pixels."""
    return [str(name) for name in results["paradigm"].values[:-1]]


def _line(images: str, at: xr.Dataset, network: str, homeostasis: str, change: str) -> list[str]:
    values = [_text(at, name, form) for name, (_, form) in _MEASURES.items()]
    accuracy = interval_text(at["logistic"]) if at["logistic"].notnull().any() else "stopped"
    return [images, network, homeostasis, accuracy, change, *values]


def _text(at: xr.Dataset, name: str, form: str) -> str:
    if name not in at or not at[name].notnull().any():
        return ""
    return f"{float(at[name].mean()):{form}}"


def figure_data(results: xr.Dataset, found: list[dict[str, Any]]) -> xr.Dataset:
    """What the figures are drawn from, of the first set of images; accuracies of the logistic readout, in %."""
    first, networks = results["set"].values[0], _networks(results)
    here = results.sel(set=first, paradigm=networks, drop=True)
    raw = results.sel(set=first, paradigm="raw pixels", homeostasis="none", drop=True)
    names = {"logistic": "accuracy", "logistic.ood": "accuracy_ood", "qda": "accuracy_qda"}
    data = here[[n for n in names if n in here]].rename(names)
    data["raw_pixels"], data["raw_pixels_ood"] = raw["logistic"], raw["logistic.ood"]
    data["frozen"] = here["frozen.logistic"].sel(homeostasis="none", drop=True)
    columns = [str(name) for name in here["homeostasis"].values]
    place = {(p, h): (i, k) for i, p in enumerate(networks) for k, h in enumerate(columns)}
    shape = len(networks), len(columns)
    norms: dict[tuple[int, int], list[list[float]]] = {}
    pictures = {}
    title = lambda one: f"{_TITLES.get(one['data'], one['data'])} {one['side']}×{one['side']}"  # noqa: E731
    for one in (o for o in found if title(o) == first and "norm" in o):
        at = place[one["paradigm"], one["homeostasis"]]
        norms.setdefault(at, []).append(one["norm"])
        if "picture" in one:
            pictures[at] = one["picture"]
    norm = np.full((*shape, len(PROGRESS)), np.nan, dtype=np.float32)
    for at, values in norms.items():
        norm[at] = np.mean(values, axis=0)
    data["weight_norm"] = (("paradigm", "homeostasis", "progress"), norm)
    if pictures:
        label = next(iter(pictures.values()))["label"]
        code = np.full((*shape, len(label), 2), np.nan, dtype=np.float32)
        for name in ("trustworthiness", "neighbour_accuracy", "phi"):
            values = np.full(shape, np.nan)
            for at, picture in pictures.items():
                code[at], values[at] = picture["code"], picture[name]
            data[name] = (("paradigm", "homeostasis"), values)
        data["code"] = (("paradigm", "homeostasis", "image", "axis"), code)
        data["label"] = ("image", np.array(label, dtype=np.int8))
    return data.assign_coords(progress=PROGRESS).assign_attrs(images=str(first))


def draw(results: xr.Dataset, absent: set[tuple[str, str]]) -> Figure:
    """A row per set of images: accuracy on clean and on corrupted ones, coloured by the change against none."""
    sets, rows = results["set"].values, [*_networks(results), "raw pixels"]
    height = 0.95 + (0.2 + 0.2 * len(rows)) * len(sets)
    figure, axes = new_figure(len(sets), 2, width=DOUBLE_WIDTH, height=height, sharex=True, sharey=True)
    means = results[list(_SHOWN)].mean("seed").sel(paradigm=rows)
    change = (means - means.sel(homeostasis="none")).to_dataarray()
    most = float(np.clip(np.abs(change).max(), 2, _MOST))
    for (row, column), ax in np.ndenumerate(axes):
        measure, title = list(_SHOWN.items())[column]
        here, differences = means[measure].sel(set=sets[row]), change.sel(variable=measure, set=sets[row])
        partly = results[measure].sel(set=sets[row], paradigm=rows).isnull().any("seed")
        image = _map(here, differences, partly, ax, absent, most)
        ax.set_title(f"{sets[row]}: {title}")
    figure.colorbar(image, ax=axes, label="change against none (points)", shrink=0.7, aspect=30)
    return figure


def _map(
    means: xr.DataArray,
    change: xr.DataArray,
    partly: xr.DataArray,
    ax: Axes,
    absent: set[tuple[str, str]],
    most: float,
) -> AxesImage:
    order = ("paradigm", "homeostasis")
    marks = np.where(partly.transpose(*order), "*", "")
    colours = change.transpose(*order).to_numpy()
    image = ax.imshow(colours, aspect="auto", cmap="RdBu", vmin=-most, vmax=most)
    networks, columns = ([str(name) for name in means[dim].values] for dim in order)
    ax.set_xticks(range(len(columns)), columns, rotation=40, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(networks)), networks)
    for (row, column), value in np.ndenumerate(means.transpose(*order).to_numpy()):
        dark = np.isfinite(colours[row, column]) and abs(colours[row, column]) > 0.6 * most
        text = f"{value:.1f}{marks[row, column]}" if np.isfinite(value) else "stopped"
        if (networks[row], columns[column]) in absent:
            text = "·"
        size = 6 if np.isfinite(value) else 5
        ax.text(
            column, row, text, ha="center", va="center", fontsize=size, color="white" if dark else "black"
        )
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return image

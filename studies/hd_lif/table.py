"""The claims and tables of `study.py`."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr
from measures import COSTS, RESNET18

from homeonet.claims import Measured, measured_over_seeds
from homeonet.study.intervals import interval_text
from homeonet.study.measured import exact, gain
from homeonet.study.tables import markdown_table

__all__ = ["claims_of", "rows_of", "tables_of"]

#: What each case is compared with: the network it differs from in the one thing that its name says.
REFERENCE = {
    "HD-LIF online": "LIF online",
    "HD-LIF BPTT": "LIF BPTT",
    "LIF BPTT": "LIF online",
    "HD-LIF one step": "HD-LIF online",
    "ternary": "HD-LIF online",
    "binary": "HD-LIF online",
    **dict.fromkeys(("4-bit", "parallel", "4-bit + parallel", "Mem-BN", "SECA", "Mem-BN + SECA"), "ternary"),
}
_GAINS = {
    "hdlif-online-accuracy": ("HD-LIF online", "LIF online"),
    "hdlif-online-gap": ("HD-LIF online", "HD-LIF BPTT"),
    "hdlif-4bit": ("4-bit", "ternary"),
    "hdlif-parallel": ("parallel", "ternary"),
    "hdlif-mem-bn": ("Mem-BN + SECA", "ternary"),
    "hdlif-ternary": ("ternary", "HD-LIF online"),
}
_COMPRESSED = "4-bit + parallel"


def claims_of(
    data: xr.Dataset,
    resnet: Mapping[str, tuple[float, float]],
    sizes: Mapping[str, tuple[float, float]],
    deviation: float,
) -> dict[str, list[Measured]]:
    """The cases of every claim, with what `measures.resnet18` and `measures.published_sizes` give."""
    values, cases = data["accuracy"], list(data["case"].values)
    measured = {
        claim: [gain(f"{first} − {second}, T = 4", values, {"case": first}, {"case": second})]
        for claim, (first, second) in _GAINS.items()
        if first in cases and second in cases
    }
    cosine = data["cosine"].mean("progress")
    aligned = cosine.sel(neuron="HD-LIF") - cosine.sel(neuron="LIF")
    measured["hdlif-cosine"] = [measured_over_seeds("mean over an online training, T = 4", aligned)]
    measured["hdlif-theorem"] = [exact("T = 8, double precision", deviation)]
    held = data["memory_mb"].sel(training="online")
    measured["hdlif-memory"] = [exact("HD-LIF", held.sel(steps=64) / held.sel(steps=4))]
    for claim, k, names in (
        ("hdlif-size", 0, ("LIF, float", "HD-LIF, ternary")),
        ("hdlif-nops", 1, ("HD-LIF, ternary", "half parallel")),
    ):
        pairs = {name: (resnet[name][k], RESNET18[name][k + 1]) for name in names}
        measured[claim] = [exact(name, abs(here - paper) / paper) for name, (here, paper) in pairs.items()]
    measured["hdlif-sizes"] = [
        exact(name, abs(here - paper) / paper) for name, (here, paper) in sizes.items()
    ]
    if _COMPRESSED in cases:
        at, plain = (data.sel(case=name) for name in (_COMPRESSED, "LIF online"))
        measured["hdlif-power"] = [
            measured_over_seeds(words, plain[name] / at[name])
            for words, name in (
                ("the paper's convention", "paper_mj"),
                ("operations", "compute_mj"),
                ("operations and memory", "honest_mj"),
            )
        ]
        measured["hdlif-energy"] = [
            measured_over_seeds(f"{_COMPRESSED}, {words}", at[name] / at["paper_mj"])
            for words, name in (("operations", "compute_mj"), ("operations and memory", "honest_mj"))
        ]
    for claim, name, unit in (("hdlif-fold", "fold", ""), ("hdlif-fold-predictions", "agree", "%")):
        measured[claim] = [
            measured_over_seeds(str(case), data[name].sel(case=case), unit) for case in data["case"].values
        ]
    return measured


def rows_of(data: xr.Dataset) -> list[list[str]]:
    """One line per trained network."""
    titles = [title for title, _ in COSTS.values()]
    rows = [
        [
            "network",
            "test accuracy, %",
            "difference",
            "from",
            *titles,
            "deployed − trained",
            "same predictions, %",
        ]
    ]
    for case in map(str, data["case"].values):
        reference, gained = REFERENCE.get(case, ""), ""
        if reference in data["case"].values:
            found = gain(case, data["accuracy"], {"case": case}, {"case": reference})
            gained = f"{found.mean:+.1f} [{found.low:+.1f}, {found.high:+.1f}]"
        at = data.sel(case=case)
        counts = [f"{factor * float(at[name].mean()):.3g}" for name, (_, factor) in COSTS.items()]
        fold = f"{float(at['fold'].max()):.1e}"
        agree = interval_text(at["agree"])
        rows.append(
            [case, interval_text(at["accuracy"]), gained, reference if gained else "", *counts, fold, agree]
        )
    blank = [""] * (len(rows[0]) - 2)
    return [*rows, ["raw pixels, logistic", f"{data.attrs['baseline']:.1f}", *blank]]


def tables_of(
    data: xr.Dataset,
    resnet: Mapping[str, tuple[float, float]],
    sizes: Mapping[str, tuple[float, float]],
    deviation: float,
) -> str:
    """Gradients, bytes, and the published networks."""
    moments = [data["progress"].values[k] for k in (0, len(data["progress"]) // 2, -1)]
    cosine = [["cosine of truncated and full gradient", *(f"{100 * m:.0f} %" for m in moments), "mean"]]
    for name in data["neuron"].values:
        course = data["cosine"].sel(neuron=name)
        cells = [course.sel(progress=m) for m in moments] + [course.mean("progress")]
        cosine.append([str(name), *(interval_text(cell, ".3f") for cell in cells)])
    held = data["memory_mb"].dropna("steps")
    memory = [["held for the backward pass, HD-LIF, MB", *(f"T = {t:g}" for t in held["steps"].values)]] + [
        [str(name), *(f"{float(v):.2f}" for v in held.sel(training=name))] for name in held["training"].values
    ]
    published = [["ResNet-18, 32 × 32, T = 4", "MB", "MB, paper", "M NOPs", "M NOPs, paper"]] + [
        [name, f"{megabytes:.2f}", f"{RESNET18[name][1]:.2f}", f"{nops:.2f}", f"{RESNET18[name][2]:.2f}"]
        for name, (megabytes, nops) in resnet.items()
    ]
    others = [["networks of the main results", "MB", "MB, paper"]] + [
        [name, f"{here:.2f}", f"{paper:.2f}"] for name, (here, paper) in sizes.items()
    ]
    theorem = f"Theorem 4.2, largest deviation of the ratio of gradients from its factor: {deviation:.1e}."
    return "\n\n".join([*map(markdown_table, (cosine, memory, published, others)), theorem])

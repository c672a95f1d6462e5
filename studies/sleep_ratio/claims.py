"""The rules by which `study.py` judges the best ratio and the collapse, in words; older than its runs."""

from __future__ import annotations

import numpy as np
import xarray as xr
from table import OUTPUT, distinct, model_of

from homeonet.analysis import compare_conditions
from homeonet.study.intervals import difference

__all__ = ["claims"]

_RULES = """Rules, per network and data set. *10 to 20 % is best* holds if the ratio of the highest mean lies within
and the 95 % bootstrap interval of its paired difference from no sleep lies above 0; *collapse above 30 %* holds if the
mean at 40 % lies at least 5 points below the best (the published means are 2 to 4 points below on MNIST, and 28 on
Fashion-MNIST); *no effect in the SG-SNN* holds if all means lie within one point of that without sleep. A sleep lasts
`min(ratio · 35 s, 10 s)` and ends before if the weights are back at their start: above some ratio nothing changes.
Ratios whose runs are alike in every seed are one treatment, which tests and the mixed model see once. `homeonet
claims` judges each network and data set by its seeds' interval instead.
"""


def claims(found: dict[tuple[str, str], xr.Dataset]) -> str:
    """The verdicts as a Markdown list, and the paper's mixed model over all runs."""
    lines = [_RULES]
    for (network, data), results in found.items():
        values = 100 * distinct(results)[OUTPUT.get(network, "accuracy.qda")]
        summary = compare_conditions(values, "sleep.ratio", reference=0.0)
        if network in OUTPUT:
            spread = float(abs(summary["difference"]).max())
            verdict = "holds" if spread <= 1 else "does not hold"
            lines.append(f"- {data}, SG-SNN: *no effect of sleep* {verdict}: at most {spread:.1f} points.")
            continue
        best = float(summary["sleep.ratio"][int(np.nanargmax(summary["mean"]))])
        at = summary.sel({"sleep.ratio": best})
        helps = best > 0 and float(at["difference_low"]) > 0
        verdict = "holds" if helps and 0.1 <= best <= 0.2 else "does not hold"
        gain = f" ({difference(at)})" if best > 0 else ""
        lines.append(
            f"- {data}, {network}: *10 to 20 % is best* {verdict}: best at {_span(best, values, results)}{gain}."
        )
        drop = float(at["mean"] - summary["mean"].sel({"sleep.ratio": 0.4}, method="pad"))
        verdict = "holds" if drop >= 5 else "does not hold"
        lines.append(
            f"- {data}, {network}: *collapse above 30 %* {verdict}: {drop:.1f} points below the best."
        )
    return "\n".join([*lines, "", model_of(found)])


def _span(ratio: float, kept: xr.DataArray, results: xr.Dataset) -> str:
    """The ratio in per cent, up to the last that is the same treatment."""
    ratios, next_kept = results["sleep.ratio"].values, kept["sleep.ratio"].values
    above = next_kept[next_kept > ratio]
    alike = ratios[(ratios >= ratio) & (ratios < above[0] if len(above) else True)]
    return f"{100 * ratio:g} %" + (f" and, alike, up to {100 * alike[-1]:g} %" if len(alike) > 1 else "")

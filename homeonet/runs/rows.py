"""What metrics hold, as rows of text: of grown networks, of those trained by gradients, and of readouts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from homeonet.analysis import ReadoutResult

__all__ = ["readout_rows", "run_rows", "trained_rows"]

_BASELINES = {
    "frozen": "frozen weights",
    "random_relu": "random ReLU features",
    "noisy_pixels": "noisy pixels",
    "raw_pixels": "raw pixels",
}
_READOUTS = {
    "logistic": "logistic",
    "qda": "QDA",
    "knn": "5-NN",
    "diehl_cook": "label assignment",
    "paper": "QDA of the paper",
}


def run_rows(runs: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Rows of a table with one column per run; the first row is the header.

    Parameters
    ----------
    runs : mapping of str to metrics
        Column titles to the metrics of runs.
    """
    all_metrics = list(runs.values())
    rows = [["", *runs]]

    def add(title: str, cell: Callable[..., str], *of: str) -> None:
        cells = [cell(metrics, *of) for metrics in all_metrics]
        if any(cells):
            rows.append([title, *cells])

    for key, name in _READOUTS.items():
        add(f"accuracy, {name}", _accuracy, f"accuracy.{key}")
    for key, name in _READOUTS.items():
        add(f"  validation, {name}", _accuracy, f"accuracy.val.{key}")
    for key, name in _BASELINES.items():
        for readout in ("", ".qda", ".knn"):
            label = _READOUTS[readout.removeprefix(".") or "logistic"]
            add(f"  {name}, {label}", _accuracy, f"accuracy.{key}{readout}")
    pathways = [key.split(".")[1] for metrics in all_metrics for key in metrics if key.startswith("weights.")]
    for pathway in dict.fromkeys(pathways):
        add(f"weight {pathway.replace('_', '→')}, final / initial", _ratio, pathway)
    add("rate E / I (Hz)", _pair, "rate_hz.exc", "rate_hz.inh")
    others = [key for metrics in all_metrics for key in metrics if key.startswith("rate_hz.")]
    for key in dict.fromkeys(others):
        if key not in ("rate_hz.exc", "rate_hz.inh"):
            add(f"rate {key.partition('.')[2]} (Hz)", _format, key, "{:.1f}")
    add("time asleep", _format, "sleep_fraction", "{:.1%}")
    add("simulated s / wall s", _format, "realtime_factor", "{:.0f}")
    add("compile (s)", _format, "compile_seconds", "{:.1f}")
    return rows


def readout_rows(title: str, readouts: Mapping[str, ReadoutResult]) -> list[list[str]]:
    """Rows of a table of the accuracies of some readouts; the first row is the header."""
    rows = [["", title]]
    for name, result in readouts.items():
        interval = _interval(result.accuracy, result.ci_low, result.ci_high)
        rows.append([f"accuracy, {_READOUTS[name]}", f"{interval}  n = {result.n_test}"])
    return rows


def trained_rows(metrics: Mapping[str, Any]) -> list[list[str]]:
    """Rows of a table of one network that was trained by gradients; the first row is an empty header."""

    def percent(name: str) -> str:
        value = metrics.get(name)
        return "" if value is None else f"{100 * value:.1f}"

    low, high = percent("accuracy.test.ci_low"), percent("accuracy.test.ci_high")
    rows = [
        ["", ""],
        ["accuracy, test", f"{percent('accuracy.test')} [{low}, {high}]  n = {metrics['accuracy.test.n']}"],
        ["accuracy, validation", percent("accuracy.val")],
        ["accuracy, training", percent("accuracy.train")],
        ["  raw pixels, logistic", percent("accuracy.raw_pixels")],
        *(
            [f"active share, {k.removeprefix('rate.')}", f"{v:.3f}"]
            for k, v in metrics.items()
            if k.startswith("rate.")
        ),
        ["parameters", f"{metrics['parameters']:,}"],
        ["training", f"{metrics['train_seconds']:.0f} s, {metrics['images_per_second']:.0f} images/s"],
    ]
    return [row for k, row in enumerate(rows) if k == 0 or row[1]]


def _interval(value: float, low: float, high: float) -> str:
    return f"{100 * value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _accuracy(metrics: Mapping[str, Any], key: str) -> str:
    if metrics.get(key) is None:
        return ""
    return _interval(metrics[key], metrics[f"{key}.ci_low"], metrics[f"{key}.ci_high"])


def _ratio(metrics: Mapping[str, Any], pathway: str) -> str:
    if f"weights.{pathway}.final" not in metrics:
        return ""
    final, initial = metrics[f"weights.{pathway}.final"], metrics[f"weights.{pathway}.initial"]
    return f"{final:.3g} / {initial:.3g} = {final / initial:.2f}" if initial else f"{final:.3g} / 0"


def _pair(metrics: Mapping[str, Any], first: str, second: str) -> str:
    return f"{metrics[first]:.1f} / {metrics[second]:.1f}" if first in metrics and second in metrics else ""


def _format(metrics: Mapping[str, Any], key: str, form: str) -> str:
    value = metrics.get(key)
    return "" if value is None else form.format(value)

"""Does sleep help networks trained by gradients, and if not: for want of local learning, or of recurrence?

The paper's sleep (noise, STDP between spiking layers, the power law) in its feed-forward surrogate-gradient network, in
the same network with a recurrent hidden layer, with STDP asleep and without, and with HD-LIF neurons (whose weights
STDP cannot reach) and DSN; at sleep ratios of 0, 0.1, 0.2 and 0.3. All learn awake by backpropagation, so a recurrent
one that gains nothing lacks the local learning of the plastic network, and not its recurrence.

HOMEONET_DATA=… python studies/sleep_gradient/study.py --full     # minutes; resumes
python studies/sleep_gradient/study.py --quick                    # embedded images, a minute
"""

from __future__ import annotations

import sys

import xarray as xr
from cases import CASES, PAPER, RATIOS, SleepScale, answer, growth
from matplotlib.figure import Figure

from homeonet.analysis import compare_conditions
from homeonet.claims import Check
from homeonet.cli.study import finish, run_grid
from homeonet.cli.terminal import run_main
from homeonet.plotting import COLUMN_WIDTH, new_figure, plot_against
from homeonet.study.checks import above_chance, checked
from homeonet.study.intervals import difference, interval_text
from homeonet.study.measured import accuracies, gain
from homeonet.study.options import QUICK, study_options, training
from homeonet.sweep import Grid


def draw(data: xr.Dataset) -> Figure:
    """Accuracy against the sleep ratio."""
    figure, axes = new_figure(width=COLUMN_WIDTH, height=2.9)
    series = {str(name): data["accuracy"].sel(case=name) for name in data["case"].values}
    plot_against(series, axes[0, 0], "ratio", baselines={"raw pixels": data.attrs["baseline"]})
    axes[0, 0].set(xlabel="sleep ratio", ylabel="test accuracy (%)", xticks=RATIOS)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def main() -> None:
    """Run what is missing, then print and write the table, the claims and the figure."""
    full = SleepScale(train=3000, test=2000, epochs=5, seeds=(1, 2, 3, 4, 5))
    quick = SleepScale(**vars(QUICK) | {"hidden": 50, "epochs": 2})
    options = study_options(__doc__ or "", "sleep_gradient", full, quick)
    fixed = PAPER | training(options) | {"net_options.hidden": options.hidden}
    found = run_grid(
        Grid(fixed, {"homeostasis.sleep.ratio": RATIOS, "seed": options.seeds}, CASES),
        options.out / "sweep",
        options,
    )
    ratio = {"homeostasis.sleep.ratio": "ratio"}
    values, grown = (a.rename(ratio).rename(None) for a in (accuracies(found.results), growth(found)))
    tests = {
        name: compare_conditions(values.sel(case=name, drop=True), "ratio", reference=0.0) for name in CASES
    }
    rows = [["network", "sleeps every … batches", "accuracy, %", "− no sleep", "weights, end / first epoch"]]
    for name, test in tests.items():
        for r in RATIOS:
            here = {"case": name, "ratio": r}
            every = f"{int(1 / r)}" if r else "never"
            line = [name, every, interval_text(values.sel(here)), difference(test.sel(ratio=r))]
            rows.append([*line, f"{float(grown.sel(here).mean()):.3f}"])
    ids = dict.fromkeys(("recurrent SG-SNN", "recurrent, no STDP"), "sleep-recurrent-gradient")
    ids |= dict.fromkeys(("HD-LIF, no STDP", "DSN"), "sleep-hdlif-dsn")
    measured: dict[str, list] = {name: [] for name in ids.values()}
    for name, r in ((name, r) for name in ids for r in RATIOS[1:]):
        first = {"case": name, "ratio": r}
        awake = first | {"ratio": 0.0}
        changed = abs(grown.sel(first) / grown.sel(awake) - 1)
        checks = (
            above_chance(f"{name} without sleep", values.sel(awake)),
            Check(
                "change of the weights' growth by sleep, least of the seeds",
                float(changed.min()),
                at_least=1e-4,
            ),
        )
        measured[ids[name]] += checked([gain(f"{name}, {100 * r:g} %", values, first, awake)], *checks)
    raw = float(accuracies(found.results, "accuracy.raw_pixels").mean())
    note = f"raw pixels {raw:.1f} %; p of a paired permutation test after Holm.\n\n{answer(tests)}"
    data = xr.Dataset({"accuracy": values}, attrs={"baseline": raw})
    finish(options, rows, note, data, draw, measured)


if __name__ == "__main__":
    sys.exit(run_main(main))

"""What in sleep does it? The parts of sleep taken away one by one, and its constants moved.

HOMEONET_DATA=… python studies/sleep_controls/study.py --full     # resumes
python studies/sleep_controls/study.py --quick                    # embedded images, minutes
"""

from __future__ import annotations

import sys
from typing import Any

from homeonet.analysis import bootstrap_interval, compare_conditions
from homeonet.claims import write_measured
from homeonet.cli.study import run_grid, write
from homeonet.cli.terminal import run_main
from homeonet.plotting import COLUMN_WIDTH, new_figure, plot_accuracies, use_style
from homeonet.study.intervals import difference, table_of
from homeonet.study.measured import over_seeds, paired_gain
from homeonet.study.options import options_of, scale_of
from homeonet.sweep import Grid

EXCITATORY = ("input_exc", "exc_exc", "exc_inh")
PLASTIC = (*EXCITATORY, "inh_exc")
CASES: dict[str, dict[str, Any]] = {
    "no sleep": {"sleep.ratio": 0.0},
    "sleep": {},
    "decay without noise": {"noise.sigma": "0 mV"},
    "noise without decay": {"sleep.renormalisation": "none"},
    "no plasticity asleep": {"sleep.plastic": False},
    "normalisation at once": {"sleep.renormalisation": "normalise"},
    "scaling": {"sleep.renormalisation": "scaling"},
    "STDP reversed": {f"{name}.rule": "stdp_reversed" for name in EXCITATORY},
    "STDP reversed, no sleep": {f"{name}.rule": "stdp_reversed" for name in EXCITATORY}
    | {"sleep.ratio": 0.0},
    "λ = 0.999": {"sleep.decay": 0.999},
    "λ = 0.99997": {"sleep.decay": 0.99997},
    "target weight 0.1": {f"{name}.w_target": 0.1 for name in PLASTIC},
    "target weight 0.3": {f"{name}.w_target": 0.3 for name in PLASTIC},
}


def main() -> None:
    """Run what is missing, then print and write the table and the figure."""
    options = options_of(
        __doc__ or "",
        "sleep_controls",
        presets=["massey2026"],
        data=["mnist"],
        seeds=[1, 2, 3],
        train=1500,
        test=1000,
        single=("--data", "--presets"),
    )
    fixed = {
        "preset": options.presets[0],
        "data": options.data[0],
        "train": options.train,
        "test": options.test,
    }
    cases = {name: CASES[name] for name in list(CASES)[:5]} if options.quick else CASES
    results = run_grid(Grid(fixed, {"seed": options.seeds}, cases), options.out / "sweep", options).results
    growth = sum(results[f"weights.{name}.final"] for name in EXCITATORY)
    results["growth"] = growth / sum(results[f"weights.{name}.initial"] for name in EXCITATORY) / 100
    columns = {"accuracy.qda": "QDA, %", "accuracy.logistic": "logistic, %", "sleep_fraction": "asleep, %"}
    columns |= {"growth": "exc. weights, final / initial", "accuracy.frozen.qda": "frozen, QDA, %"}
    columns |= {"accuracy.raw_pixels.qda": "raw pixels, QDA, %"}
    rows = table_of(results, columns, {"case": "sleep"})
    tests = compare_conditions(100 * results["accuracy.qda"], "case", reference="no sleep")
    rows[0].insert(2, "− no sleep")
    for line, name in zip(rows[1:], cases, strict=True):
        line.insert(2, difference(tests.sel(case=name)))
    with use_style():
        figure, axes = new_figure(width=COLUMN_WIDTH, height=0.6 + 0.28 * len(cases))
        runs = {name: results["accuracy.qda"].sel(case=name).dropna("seed").to_numpy() for name in cases}
        means = {name: bootstrap_interval(values) for name, values in runs.items() if len(values) > 1}
        names = {"raw pixels": "accuracy.raw_pixels.qda", "frozen weights": "accuracy.frozen.qda"}
        once = {title: results[name].isel(case=0).dropna("seed").to_numpy() for title, name in names.items()}
        baselines = {title: bootstrap_interval(values) for title, values in once.items() if len(values) > 1}
        plot_accuracies(means, axes[0, 0], baselines=baselines)
        low = min(float(results[name].min()) for name in ("accuracy.qda", *names.values()))
        axes[0, 0].set(xlim=(max(0, 100 * low - 5), 100), xlabel="test accuracy, QDA (%)")
    note = f"{fixed}; seeds {options.seeds}; mean and 95 % bootstrap interval; "
    note += "p of a paired permutation test, after Holm; before, it is 2/2ⁿ at least for n seeds."
    write(options.out, rows, note, figure)
    scale, qda = f"{options.presets[0]}, {scale_of(options)}", results["accuracy.qda"]
    ratio = results["growth"].sel(case="sleep") / results["growth"].sel(case="no sleep")
    measured = {
        "sleep-bounded": over_seeds(options.data[0], ratio, ""),
        "sleep-noise": paired_gain(
            options.data[0], qda.sel(case="sleep"), qda.sel(case="decay without noise")
        ),
        "sleep-replay": paired_gain(
            options.data[0], qda.sel(case="sleep"), qda.sel(case="no plasticity asleep")
        ),
    }
    write_measured(options.out, study="sleep_controls", scale=scale, measured=measured)


if __name__ == "__main__":
    sys.exit(run_main(main))

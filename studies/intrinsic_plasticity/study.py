"""Do an adaptive threshold and sleep help each other? Rise of the threshold per spike × sleep ratio (an open question).

HOMEONET_DATA=… python studies/intrinsic_plasticity/study.py --full     # resumes
python studies/intrinsic_plasticity/study.py --quick                    # embedded images, minutes
"""

from __future__ import annotations

import operator
import sys

import xarray as xr

from homeonet.claims import Check, write_measured
from homeonet.cli.study import run_grid, write
from homeonet.cli.terminal import run_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_against, use_style
from homeonet.study.checks import above_chance, alive, checked, slept
from homeonet.study.intervals import table_of
from homeonet.study.measured import gains
from homeonet.study.options import UNGUARDED, options_of, scale_of
from homeonet.sweep import Grid

RISES = ["0 mV", "1.5 mV", "3 mV", "6 mV"]
RATIOS = [0.0, 0.1, 0.3]


def main() -> None:
    """Run what is missing, then print and write the table and the figure."""
    presets = ["massey2026", "massey2026_released"]
    options = options_of(
        __doc__ or "",
        "intrinsic_plasticity",
        presets=presets,
        data=["mnist"],
        seeds=[1, 2, 3],
        train=1500,
        test=1000,
        single=("--data",),
    )
    fixed = {"data": options.data[0], "train": options.train, "test": options.test, **UNGUARDED}
    rises, ratios = (RISES[::2], RATIOS[:2]) if options.quick else (RISES, RATIOS)
    cases = {rise: {"exc.theta_plus": rise, "inh.theta_plus": rise} for rise in rises}
    grid = Grid(fixed, {"preset": options.presets, "sleep.ratio": ratios, "seed": options.seeds}, cases)
    results = run_grid(grid, options.out / "sweep", options).results
    columns = {
        "accuracy.qda": "QDA, %",
        "accuracy.logistic": "logistic, %",
        "accuracy.frozen.qda": "frozen, QDA, %",
    }
    columns |= {"accuracy.raw_pixels.qda": "raw pixels, QDA, %", "sleep_fraction": "asleep, %"}
    dims = {"preset": "preset", "case": "threshold's rise per spike", "sleep.ratio": "ratio"}
    rows = table_of(results, columns, dims)
    with use_style():
        figure, axes = new_figure(1, len(options.presets), width=DOUBLE_WIDTH, height=2.6, sharey=True)
        for ax, preset in zip(axes[0], options.presets, strict=True):
            here = results["accuracy.qda"].sel(preset=preset)
            raw = {"raw pixels": results["accuracy.raw_pixels.qda"]}
            plot_against(
                {f"+{rise}": here.sel(case=rise) for rise in rises},
                ax,
                "sleep.ratio",
                baselines=raw,
                scale=100,
            )
            ax.set(title=preset, xlabel="sleep ratio")
        axes[0, 0].set_ylabel("test accuracy, QDA (%)")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    note = f"{fixed}; seeds {options.seeds}; mean and 95 % bootstrap interval over seeds."
    write(options.out, rows, note, figure)
    ratios = (results["accuracy.qda"].sel({"sleep.ratio": ratio}) for ratio in (0.1, 0.0))
    slept = operator.sub(*ratios)
    pairs = {
        preset: tuple(slept.sel(preset=preset, case=rise) for rise in ("3 mV", "0 mV"))
        for preset in options.presets
    }
    cases = [
        case
        for preset in pairs
        for case in checked(gains({preset: pairs[preset]}), *_checks(results, preset))
    ]
    measured = {"sleep-intrinsic": cases}
    write_measured(options.out, study="intrinsic_plasticity", scale=scale_of(options), measured=measured)


def _checks(results: xr.Dataset, preset: str) -> tuple[Check, ...]:
    """That the networks slept, and lived and had learnt without sleep."""
    of_both = results.sel(preset=preset, case=["0 mV", "3 mV"])
    awake, asleep = of_both.sel({"sleep.ratio": 0.0}), of_both.sel({"sleep.ratio": 0.1})
    return (
        slept(asleep["sleep_fraction"], 0.1),
        alive("excitatory neurons without sleep", awake["rate_hz.exc"]),
        alive("inhibitory neurons without sleep", awake["rate_hz.inh"]),
        above_chance("the networks without sleep", 100 * awake["accuracy.qda"]),
    )


if __name__ == "__main__":
    sys.exit(run_main(main))

"""The toy task: triangles, circles, squares and crosses of jittered size under pixel noise, against the sleep ratio.

python studies/geometric/study.py --full      # resumes
python studies/geometric/study.py --quick     # minutes
"""

from __future__ import annotations

import sys

from homeonet.cli.study import run_grid, write
from homeonet.cli.terminal import run_main
from homeonet.plotting import COLUMN_WIDTH, new_figure, plot_against, use_style
from homeonet.study.intervals import table_of
from homeonet.study.options import UNGUARDED, options_of
from homeonet.sweep import Grid

RATIOS = [0.0, 0.1, 0.2, 0.3]


def main() -> None:
    """Run what is missing, then print and write the table and the figure."""
    presets = ["massey2026", "massey2026_released", "homeonet"]
    options = options_of(
        __doc__ or "",
        "geometric",
        presets=presets,
        data=["geometric"],
        seeds=[1, 2, 3, 4, 5],
        train=1000,
        test=1000,
        single=("--data",),
    )
    fixed = {"data": options.data[0], "train": options.train, "test": options.test, **UNGUARDED}
    ratios = RATIOS[::3] if options.quick else RATIOS
    grid = Grid(fixed, {"preset": options.presets, "sleep.ratio": ratios, "seed": options.seeds})
    results = run_grid(grid, options.out / "sweep", options).results
    columns = {
        "accuracy.qda": "QDA, %",
        "accuracy.logistic": "logistic, %",
        "accuracy.frozen.qda": "frozen, QDA, %",
    }
    columns |= {"accuracy.frozen": "frozen, logistic, %", "accuracy.raw_pixels.qda": "raw pixels, QDA, %"}
    columns |= {"accuracy.raw_pixels": "raw pixels, logistic, %", "sleep_fraction": "asleep, %"}
    rows = table_of(results, columns, {"preset": "preset", "sleep.ratio": "ratio"})
    with use_style():
        figure, axes = new_figure(width=COLUMN_WIDTH, height=2.6)
        series = {preset: results["accuracy.qda"].sel(preset=preset) for preset in options.presets}
        raw = {"raw pixels": results["accuracy.raw_pixels.qda"]}
        plot_against(series, axes[0, 0], "sleep.ratio", baselines=raw, scale=100)
        axes[0, 0].set(xlabel="sleep ratio", ylabel="test accuracy, QDA (%)")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    note = f"{fixed}; four classes; seeds {options.seeds}; mean and 95 % t interval over seeds."
    write(options.out, rows, note, figure)


if __name__ == "__main__":
    sys.exit(run_main(main))

"""Does sleep need noise, and how much? Accuracy over the noise asleep and the sleep ratio (an open question).

HOMEONET_DATA=… python studies/noise_grid.py --full     # resumes
python studies/noise_grid.py --quick                    # embedded images, minutes
"""

from __future__ import annotations

import sys

from _sweeping import options_of, run_grid, table_of, write

from homeonet.cli import run_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_heat_map, use_style
from homeonet.sweep import Grid

SIGMAS = ["0 mV", "0.1 mV", "1 mV", "3 mV", "5 mV", "10 mV"]
RATIOS = [0.05, 0.1, 0.2, 0.3]

#: Sleep as long as the ratio says. As the paper has it, it ends when the weights are back at their start: in seconds.
BY_THE_CLOCK = {"sleep.trigger": "interval", "sleep.alpha_base": 0.0, "sleep.decay": 0.99997}


def main() -> None:
    """Run what is missing, then print and write the table and the map."""
    options = options_of(
        __doc__ or "",
        "noise_grid",
        presets=["massey2026"],
        data=["mnist"],
        seeds=[1, 2, 3],
        train=1500,
        test=1000,
        single=("--data",),
    )
    fixed = {"data": options.data[0], "train": options.train, "test": options.test} | BY_THE_CLOCK
    axes = {"preset": options.presets, "noise.sigma": SIGMAS[::2] if options.quick else SIGMAS}
    axes |= {"sleep.ratio": RATIOS[1::2] if options.quick else RATIOS, "seed": options.seeds}
    asleep = run_grid(Grid(fixed, axes), options.out / "asleep", options).results
    awake = run_grid(
        Grid(fixed | {"sleep.ratio": 0.0}, {"preset": options.presets, "seed": options.seeds}),
        options.out / "awake",
        options,
    ).results
    columns = {
        "accuracy.qda": "QDA, %",
        "accuracy.logistic": "logistic, %",
        "accuracy.raw_pixels.qda": "raw pixels, QDA, %",
    }
    columns |= {"accuracy.frozen.qda": "frozen, QDA, %", "sleep_fraction": "asleep, %"}
    rows = table_of(asleep, columns, {"preset": "preset", "noise.sigma": "σ, mV", "sleep.ratio": "ratio"})
    for line in table_of(awake, columns, {"preset": "preset"})[1:]:
        rows.append([line[0], "", "no sleep", *line[1:]])
    with use_style():
        figure, axes_ = new_figure(
            1, len(options.presets), width=DOUBLE_WIDTH / 2 * len(options.presets), height=2.6
        )
        for ax, preset in zip(axes_[0], options.presets, strict=True):
            values = asleep["accuracy.qda"].sel(preset=preset)
            plot_heat_map(values, ax, x="sleep.ratio", y="noise.sigma", label="accuracy, QDA (%)", scale=100)
            without = 100 * float(awake["accuracy.qda"].sel(preset=preset).mean())
            ax.set(
                xlabel="sleep ratio",
                ylabel="noise asleep σ (mV)",
                title=f"{preset}; no sleep: {without:.1f} %",
            )
    note = f"{fixed}; seeds {options.seeds}; mean and 95 % bootstrap interval over seeds."
    write(options.out, rows, note, figure)


if __name__ == "__main__":
    sys.exit(run_main(main))

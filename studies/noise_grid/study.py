"""Does sleep need noise, and how much? Accuracy over the noise asleep and the sleep ratio (an open question).

HOMEONET_DATA=… python studies/noise_grid/study.py --full     # resumes
python studies/noise_grid/study.py --quick                    # embedded images, minutes
"""

from __future__ import annotations

import sys

import xarray as xr

from homeonet.claims import write_measured
from homeonet.cli.study import run_grid, write
from homeonet.cli.terminal import run_main
from homeonet.study.checks import above_chance, alive, checked, slept
from homeonet.study.figure_data import gallery_figure, write_figure_data
from homeonet.study.intervals import table_of
from homeonet.study.measured import gains
from homeonet.study.options import options_of, scale_of
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
    axes = {
        "preset": options.presets,
        "noise.sigma": [SIGMAS[0], SIGMAS[3], SIGMAS[5]] if options.quick else SIGMAS,
    }
    axes |= {"sleep.ratio": RATIOS[2:3] if options.quick else RATIOS, "seed": options.seeds}
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
    names = {"noise.sigma": "sigma", "sleep.ratio": "ratio"}
    asleep = asleep.rename(names)
    data = xr.Dataset({"accuracy": 100 * asleep["accuracy.qda"], "no_sleep": 100 * awake["accuracy.qda"]})
    note = f"{fixed}; seeds {options.seeds}; mean and 95 % bootstrap interval over seeds."
    write(options.out, rows, note, gallery_figure("noise_grid", data))
    write_figure_data(options.out, data, study="noise_grid", scale=scale_of(options))
    over = asleep["accuracy.qda"].mean("ratio", skipna=False)
    at = {sigma: over.sel(sigma=sigma) for sigma in (0.0, 3.0, 10.0)}
    pairs = {
        f"{preset}, 3 mV − {other:g} mV": (at[3.0].sel(preset=preset), at[other].sel(preset=preset))
        for preset in options.presets
        for other in (0.0, 10.0)
    }
    checks = (
        slept(asleep["sleep_fraction"], asleep["ratio"]),
        alive("excitatory neurons without sleep", awake["rate_hz.exc"]),
        alive("inhibitory neurons without sleep", awake["rate_hz.inh"]),
        above_chance("the network without sleep", 100 * awake["accuracy.qda"]),
    )
    measured = {"sleep-noise-window": checked(gains(pairs), *checks)}
    write_measured(options.out, study="noise_grid", scale=scale_of(options), measured=measured)


if __name__ == "__main__":
    sys.exit(run_main(main))

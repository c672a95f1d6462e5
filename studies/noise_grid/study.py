"""Does sleep need noise, and how much? Accuracy over noise and the share of the time asleep (an open question).

The sleep paper's network by the clock, its weights shrinking towards their start, at shares at which it lives.

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
from homeonet.study.options import UNGUARDED, options_of, scale_of
from homeonet.study.sleep import BY_THE_CLOCK, TARGETS_AT_START, ratio_of
from homeonet.sweep import Grid

SIGMAS = ["0 mV", "0.1 mV", "1 mV", "3 mV", "10 mV"]
SHARES = (0.05, 0.1, 0.15)


def main() -> None:
    """Run what is missing, then print and write the table and the map."""
    options = options_of(
        __doc__ or "",
        "noise_grid",
        presets=["massey2026"],
        data=["mnist"],
        seeds=[1, 2, 3],
        train=1000,
        test=1000,
        single=("--data",),
    )
    shares = SHARES[:1] if options.quick else SHARES
    fixed = {"data": options.data[0], "train": options.train, "test": options.test, **UNGUARDED}
    fixed |= {**BY_THE_CLOCK, **TARGETS_AT_START}
    axes = {
        "preset": options.presets,
        "noise.sigma": [SIGMAS[0], *SIGMAS[3:]] if options.quick else SIGMAS,
    }
    axes |= {"sleep.ratio": [ratio_of(share) for share in shares], "seed": options.seeds}
    asleep = run_grid(Grid(fixed, axes), options.out / "asleep", options).results
    asleep = asleep.assign_coords({"sleep.ratio": list(shares)})
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
    rows = table_of(
        asleep, columns, {"preset": "preset", "noise.sigma": "σ, mV", "sleep.ratio": "share asleep"}
    )
    for line in table_of(awake, columns, {"preset": "preset"})[1:]:
        rows.append([line[0], "", "no sleep", *line[1:]])
    names = {"noise.sigma": "sigma", "sleep.ratio": "share"}
    asleep = asleep.rename(names)
    data = xr.Dataset({"accuracy": 100 * asleep["accuracy.qda"], "no_sleep": 100 * awake["accuracy.qda"]})
    note = f"{fixed}; seeds {options.seeds}; mean and 95 % bootstrap interval over seeds."
    write(options.out, rows, note, gallery_figure("noise_grid", data))
    write_figure_data(options.out, data, study="noise_grid", scale=scale_of(options))
    over = asleep["accuracy.qda"].mean("share", skipna=False)
    at = {sigma: over.sel(sigma=sigma) for sigma in (0.0, 3.0, 10.0)}
    pairs = {
        f"{preset}, 3 mV − {other:g} mV": (at[3.0].sel(preset=preset), at[other].sel(preset=preset))
        for preset in options.presets
        for other in (0.0, 10.0)
    }
    fit = [above_chance("QDA without sleep", data["no_sleep"])]
    fit += [alive(f"{name} without sleep", awake[f"rate_test_hz.{name}"]) for name in ("exc", "inh")]
    fit += [slept(asleep["sleep_fraction"].sel(share=share), ratio_of(share)) for share in shares]
    measured = {"sleep-noise-window": checked(gains(pairs), *fit)}
    write_measured(options.out, study="noise_grid", scale=scale_of(options), measured=measured)


if __name__ == "__main__":
    sys.exit(run_main(main))

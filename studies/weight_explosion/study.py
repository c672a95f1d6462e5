"""How soon do weights grow threefold, against input rate and recurrence, with sleep and without?

python studies/weight_explosion/study.py --full      # embedded images; resumes
python studies/weight_explosion/study.py --quick     # minutes
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
import xarray as xr
from figure import draw

from homeonet.claims import write_measured
from homeonet.cli.study import run_grid, write
from homeonet.cli.terminal import run_main
from homeonet.store import load_records
from homeonet.study.measured import over_seeds
from homeonet.study.options import options_of, scale_of
from homeonet.sweep import Grid

RATES = ["25 Hz", "50 Hz", "100 Hz", "200 Hz"]
DENSITIES = [0.05, 0.15, 0.3, 0.6]
GROWTH = 3.0
AWAKE, ASLEEP = "no sleep", "sleep"


def time_to(folder: Path, growth: float) -> float:
    """Seconds awake until the total excitatory weight is `growth` times its start; infinite if that never comes."""
    records = load_records(folder)
    grown = records["total_weight"].to_numpy() > growth * records.attrs["w_total_initial"]
    return float(records["wake_time"].to_numpy()[grown.argmax()]) if grown.any() else np.inf


def times(results: xr.Dataset, cells: Path, growth: float) -> xr.DataArray:
    """`time_to` of every run; a failed one has none."""
    found = np.vectorize(lambda cell, state: time_to(cells / cell, growth) if state == "done" else np.nan)
    return xr.apply_ufunc(lambda *both: found(*both).astype(float), results["cell"], results["state"])


def main() -> None:
    """Run what is missing, then print and write the table and the maps."""
    options = options_of(
        __doc__ or "",
        "weight_explosion",
        presets=["massey2026"],
        data=["mnist5k"],
        seeds=[1, 2, 3],
        train=600,
        test=50,
        single=("--data", "--presets"),
    )
    fixed = {
        "preset": options.presets[0],
        "data": options.data[0],
        "train": options.train,
        "test": options.test,
    }
    fixed["guard.max_rate"] = "1000 Hz"  # the explosion is what is looked for
    rates, densities = (RATES[::2], DENSITIES[1::2]) if options.quick else (RATES, DENSITIES)
    axes = {"input.mean_rate": rates, "exc_exc.density": densities, "seed": options.seeds}
    grid = Grid(fixed, axes, {AWAKE: {"sleep.ratio": 0.0}, ASLEEP: {}})
    results = run_grid(grid, options.out / "sweep", options).results
    cells = options.out / "sweep" / "cells"
    seconds = times(results, cells, GROWTH)
    rows = [["sleep", "input, Hz", "density E→E", f"s to {GROWTH:g} ×, median [range]", "runs that explode"]]
    for case in results["case"].values:
        for rate, density in itertools.product(results["input.mean_rate"].values, densities):
            place = {"case": case, "input.mean_rate": rate, "exc_exc.density": density}
            found = np.sort(seconds.sel(place).dropna("seed").to_numpy())
            median = f"{np.median(found):.1f} [{found[0]:.1f}, {found[-1]:.1f}]" if len(found) else "failed"
            exploded = f"{int(np.isfinite(found).sum())} of {len(found)}"
            rows.append([str(case), f"{rate:g}", f"{density:g}", median.replace("inf", "never"), exploded])
    figure = draw(seconds, GROWTH)
    note = (
        f"{fixed}; seeds {options.seeds}; time awake, in steps of 0.2 s; runs last {options.train} s awake."
    )
    write(options.out, rows, note, figure)
    at = {"case": AWAKE, "input.mean_rate": 100.0, "exc_exc.density": 0.15}
    # an image lasts a second; a run that never doubles counts with all its images, and says so
    doubled = times(results.sel(at), cells, 2.0)
    images = doubled.where(np.isfinite(doubled) | np.isnan(doubled), options.train)
    case = "weights × 2" if not np.isinf(doubled).any() else f"weights × 2, not in all within {options.train}"
    measured = {"sleep-explosion": over_seeds(case, images, "images")}
    write_measured(options.out, study="weight_explosion", scale=scale_of(options), measured=measured)


if __name__ == "__main__":
    sys.exit(run_main(main))

"""How soon do weights grow threefold, against input rate and recurrence, with sleep and without?

python studies/weight_explosion.py --full      # embedded images; resumes
python studies/weight_explosion.py --quick     # minutes
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import xarray as xr
from _sweeping import options_of, run_grid, write

from homeonet.cli import run_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_heat_map, use_style
from homeonet.store import load_records
from homeonet.sweep import Grid

RATES = ["25 Hz", "50 Hz", "100 Hz", "200 Hz"]
DENSITIES = [0.05, 0.15, 0.3, 0.6]
GROWTH = 3.0
AWAKE, ASLEEP = "no sleep", "sleep"


def time_to(folder: Path) -> float:
    """Seconds awake until the total excitatory weight is GROWTH times its start; infinite if that never comes."""
    records = load_records(folder)
    grown = records["total_weight"].to_numpy() > GROWTH * records.attrs["w_total_initial"]
    return float(records["wake_time"].to_numpy()[grown.argmax()]) if grown.any() else np.inf


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
    done = results["state"] == "done"
    folders = options.out / "sweep" / "cells"
    seconds = xr.apply_ufunc(
        np.vectorize(lambda cell, ran: time_to(folders / cell) if ran else np.nan, otypes=[float]),
        results["cell"],
        done,
    )
    rows = [["sleep", "input, Hz", "density E→E", f"s to {GROWTH:g} ×, median [range]", "runs that explode"]]
    for case in results["case"].values:
        for rate in results["input.mean_rate"].values:
            for density in densities:
                place = {"case": case, "input.mean_rate": rate, "exc_exc.density": density}
                found = np.sort(seconds.sel(place).dropna("seed").to_numpy())
                median = (
                    f"{np.median(found):.1f} [{found[0]:.1f}, {found[-1]:.1f}]" if len(found) else "failed"
                )
                exploded = f"{int(np.isfinite(found).sum())} of {len(found)}"
                rows.append(
                    [str(case), f"{rate:g}", f"{density:g}", median.replace("inf", "never"), exploded]
                )
    with use_style():
        figure, drawn = new_figure(1, 2, width=DOUBLE_WIDTH, height=2.6)
        for ax, case in zip(drawn[0], (AWAKE, ASLEEP), strict=True):
            shown = seconds.sel(case=case).median("seed").where(np.isfinite)
            ax.set(title=f"{case} (white: most never)", xlabel="density of E→E", ylabel="input rate (Hz)")
            if np.isfinite(shown).any():
                plot_heat_map(
                    shown,
                    ax,
                    x="exc_exc.density",
                    y="input.mean_rate",
                    label=f"time to {GROWTH:g} × the weight (s)",
                )
            else:
                ax.text(0.5, 0.5, "no run explodes", ha="center", va="center", transform=ax.transAxes)
                ax.set(xticks=[], yticks=[])
    note = (
        f"{fixed}; seeds {options.seeds}; time awake, in steps of 0.2 s; runs last {options.train} s awake."
    )
    write(options.out, rows, note, figure)


if __name__ == "__main__":
    sys.exit(run_main(main))

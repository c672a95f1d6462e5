"""Does sleep need noise, and how much? Accuracy over noise and the share of the time asleep (an open question).

The sleep paper's network by the clock, its weights shrinking towards their start, at shares at which it lives.

HOMEONET_DATA=… python studies/noise_grid/study.py --full     # resumes
HOMEONET_DATA=… python studies/noise_grid/study.py --full --sigmas "0 mV" "3 mV" "10 mV" --seeds 4 5 \\
    --out results/noise_4_5 --earlier figures/data/noise_grid.nc    # adds seeds where the claim needs them
python studies/noise_grid/study.py --quick                    # embedded images, minutes
"""

from __future__ import annotations

import argparse
import itertools
import sys
from dataclasses import dataclass, field
from functools import partial

import xarray as xr

from homeonet.claims import Measured
from homeonet.cli.study import finish, run_grid
from homeonet.cli.terminal import run_main
from homeonet.study.checks import above_chance, alive, checked, slept
from homeonet.study.figure_data import gallery_figure, gathered
from homeonet.study.intervals import interval_text, table_of
from homeonet.study.measured import over_seeds
from homeonet.study.options import UNGUARDED, scale_of, study_options
from homeonet.study.sleep import BY_THE_CLOCK, KEPT, TARGETS_AT_START, ClockScale, ratio_of
from homeonet.sweep import Grid


@dataclass(frozen=True)
class NoiseScale(ClockScale):
    """A study's scale with the presets, the noise and the shares asleep."""

    presets: tuple[str, ...] = field(default=("massey2026",), metadata={"help": "presets"})
    sigmas: tuple[str, ...] = field(
        default=("0 mV", "0.1 mV", "1 mV", "3 mV", "10 mV"), metadata={"help": "noise asleep"}
    )
    shares: tuple[float, ...] = field(
        default=(0.05, 0.1, 0.15), metadata={"help": "shares of the time asleep, up to 0.5"}
    )


QUICK = NoiseScale("mnist5k", 100, 0, 50, 1, (1, 2), sigmas=("0 mV", "3 mV", "10 mV"), shares=(0.05,))


def main() -> None:
    """Run what is missing, then print and write the table, the claim and the map."""
    options = study_options(__doc__ or "", "noise_grid", NoiseScale(), QUICK, earlier=True)
    data = gathered(_run, options, whole={"sigmas": ("0 mV",)})
    note = "Mean and 95 % t interval over seeds; sleep by the clock, weights that shrink towards their start."
    drawn, measured = partial(gallery_figure, "noise_grid"), _measured(data)
    finish(options, _rows(data), note, data, drawn, measured, scale_of(options, data))


def _run(options: argparse.Namespace) -> xr.Dataset:
    """Run what is missing; all that is kept of it."""
    fixed = {name: getattr(options, name) for name in ("data", "train", "test", "epochs")}
    fixed |= {**UNGUARDED, **BY_THE_CLOCK, **TARGETS_AT_START}
    axes = {"preset": options.presets, "seed": options.seeds}
    noisy = {"noise.sigma": options.sigmas, "sleep.ratio": [ratio_of(share) for share in options.shares]}
    asleep = run_grid(Grid(fixed, axes | noisy), options.out / "asleep", options).results
    asleep = asleep.assign_coords({"sleep.ratio": options.shares})
    asleep = asleep.rename({"noise.sigma": "sigma", "sleep.ratio": "share"})
    awake = run_grid(Grid(fixed | {"sleep.ratio": 0.0}, axes), options.out / "awake", options).results
    found = {name: 100 * asleep[metric] for name, (metric, _) in KEPT.items()}
    found |= {f"no_sleep_{name}": 100 * awake[metric] for name, (metric, _) in KEPT.items()}
    found |= {f"no_sleep_{name}": awake[f"rate_test_hz.{name}"] for name in ("exc", "inh")}
    return xr.Dataset(found).reset_coords(drop=True)


def _rows(data: xr.Dataset) -> list[list[str]]:
    """A line per preset, noise and share, and of each preset without sleep."""
    titles = {name: title for name, (_, title) in KEPT.items()}
    dims = {"preset": "preset", "sigma": "σ, mV", "share": "share asleep"}
    rows = table_of(data / 100, titles, dims, counted=True)
    rows[0].insert(4, "− no noise")
    for line, place in zip(rows[1:], itertools.product(*(data[name].values for name in dims)), strict=True):
        at = dict(zip(dims, place, strict=True))
        gained = data["accuracy"].sel(at) - data["accuracy"].sel(at | {"sigma": 0.0})
        line.insert(4, interval_text(gained.dropna("seed"), "+.1f") if at["sigma"] else "")
    without = {f"no_sleep_{name}": title for name, title in titles.items()}
    for line in table_of(data / 100, without, {"preset": "preset"}, counted=True)[1:]:
        rows.append([line[0], "", "no sleep", line[1], "", *line[2:]])
    return rows


def _measured(data: xr.Dataset) -> dict[str, list[Measured]]:
    """3 mV against none and much, where all were run, mean over shares; void of networks dead, untaught or awake."""
    if not {0.0, 3.0, 10.0} <= set(data["sigma"].values):
        return {}
    fit = [above_chance("QDA without sleep", data["no_sleep_accuracy"])]
    fit += [alive(f"{name} without sleep", data[f"no_sleep_{name}"]) for name in ("exc", "inh")]
    shares = [float(share) for share in data["share"].values]
    fit += [slept(data["slept"].sel(share=share) / 100, ratio_of(share)) for share in shares]
    over = data["accuracy"].mean("share", skipna=False)
    cases = []
    for preset in map(str, data["preset"].values):
        here = over.sel(preset=preset)
        for other in (0.0, 10.0):
            gained = here.sel(sigma=3.0) - here.sel(sigma=other)
            cases += checked(over_seeds(f"{preset}, 3 mV − {other:g} mV", gained, "points"), *fit)
    return {"sleep-noise-window": cases}


if __name__ == "__main__":
    sys.exit(run_main(main))

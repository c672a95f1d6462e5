"""Do an adaptive threshold and sleep help each other? Rise of the threshold × share asleep (an open question).

The networks of the sleep paper and of its released code by the clock, so that they sleep for the share that is set,
with thresholds of excitatory and inhibitory neurons that rise at each of their spikes.

HOMEONET_DATA=… python studies/intrinsic_plasticity/study.py --full     # resumes
HOMEONET_DATA=… python studies/intrinsic_plasticity/study.py --full --rises 0 3 --shares 0 0.1 --seeds 4 5 \\
    --out results/intrinsic_4_5 --earlier figures/data/intrinsic_plasticity.nc    # adds seeds
python studies/intrinsic_plasticity/study.py --quick                    # embedded images, minutes
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from homeonet.claims import Measured
from homeonet.cli.study import finish, run_grid
from homeonet.cli.terminal import run_main
from homeonet.plotting import DOUBLE_WIDTH, new_figure, plot_against
from homeonet.study.checks import above_chance, alive, checked, slept
from homeonet.study.figure_data import gathered
from homeonet.study.intervals import table_of
from homeonet.study.measured import over_seeds
from homeonet.study.options import UNGUARDED, scale_of, some_of, study_options
from homeonet.study.sleep import BY_THE_CLOCK, KEPT, NETWORKS, ClockScale, ratio_of
from homeonet.sweep import Grid

TITLES = {"paper": "the paper's network", "released": "released code"}
#: The rise and the share that the claim speaks of.
RISE, SHARE = 3.0, 0.1


@dataclass(frozen=True)
class RiseScale(ClockScale):
    """A study's scale with the networks, the rises of the threshold and the shares asleep."""

    networks: tuple[str, ...] = some_of(TITLES)
    rises: tuple[float, ...] = field(
        default=(0.0, 1.5, 3.0, 6.0), metadata={"help": "rises of the threshold at each spike, mV"}
    )
    shares: tuple[float, ...] = field(
        default=(0.0, 0.1, 0.2), metadata={"help": "shares of the time asleep, up to 0.5"}
    )


QUICK = RiseScale("mnist5k", 100, 0, 50, 1, (1, 2), ("paper",), (0.0, RISE), (0.0, SHARE))


def main() -> None:
    """Run what is missing, then print and write the table, the claim and the figure."""
    options = study_options(__doc__ or "", "intrinsic_plasticity", RiseScale(), QUICK, earlier=True)
    data = gathered(_run, options)
    titles = {name: title for name, (_, title) in KEPT.items()}
    dims = {"network": "network", "rise": "threshold's rise per spike, mV", "share": "share asleep"}
    note = "Mean and 95 % t interval over seeds; sleep by the clock."
    rows = table_of(data / 100, titles, dims, counted=True)
    finish(options, rows, note, data, draw, _measured(data), scale_of(options, data))


def _run(options: argparse.Namespace) -> xr.Dataset:
    """Run what is missing; all that is kept of it."""
    fixed = {name: getattr(options, name) for name in ("data", "train", "test", "epochs")}
    cases = {
        f"{name}: {rise:g}": {
            **NETWORKS[name],
            "exc.theta_plus": f"{rise} mV",
            "inh.theta_plus": f"{rise} mV",
        }
        for name in options.networks
        for rise in options.rises
    }
    axes = {"sleep.ratio": [ratio_of(share) for share in options.shares], "seed": options.seeds}
    grid = Grid(fixed | {**UNGUARDED, **BY_THE_CLOCK}, axes, cases)
    results = run_grid(grid, options.out / "sweep", options).results
    results = results.assign_coords({"sleep.ratio": options.shares}).rename({"sleep.ratio": "share"})
    found = {name: _unfolded(100 * results[metric], options) for name, (metric, _) in KEPT.items()}
    found |= {name: _unfolded(results[f"rate_test_hz.{name}"], options) for name in ("exc", "inh")}
    return xr.Dataset(found).reset_coords(drop=True)


def _unfolded(values: xr.DataArray, options: Any) -> xr.DataArray:
    """From cases "network: rise" to the dimensions network and rise."""
    lines = [
        xr.concat([values.sel(case=f"{name}: {rise:g}", drop=True) for rise in options.rises], "rise")
        for name in options.networks
    ]
    found = xr.concat(lines, "network").assign_coords(network=options.networks, rise=options.rises)
    return found.rename(None)


def _measured(data: xr.Dataset) -> dict[str, list[Measured]]:
    """What sleep gains with the adaptive threshold less what it gains without, by network, where all were run."""
    if not ({0.0, RISE} <= set(data["rise"].values) and {0.0, SHARE} <= set(data["share"].values)):
        return {}
    cases = []
    for network in map(str, data["network"].values):
        here = data.sel(network=network, rise=[0.0, RISE])
        gain = here["accuracy"].sel(share=SHARE) - here["accuracy"].sel(share=0.0)
        awake = here.sel(share=0.0)
        fit = (
            slept(here["slept"].sel(share=SHARE) / 100, ratio_of(SHARE), share=0.85),
            alive("excitatory neurons without sleep", awake["exc"]),
            alive("inhibitory neurons without sleep", awake["inh"]),
            above_chance("the networks without sleep", awake["accuracy"]),
        )
        more = gain.sel(rise=RISE) - gain.sel(rise=0.0)
        cases += checked(over_seeds(network, more, "points"), *fit)
    return {"sleep-intrinsic": cases}


def draw(data: xr.Dataset) -> Figure:
    """Accuracy against the share asleep, a line per rise, a panel per network."""
    networks = list(map(str, data["network"].values))
    figure, axes = new_figure(1, len(networks), width=DOUBLE_WIDTH, height=2.6, sharey=True)
    for ax, network in zip(axes[0], networks, strict=True):
        here = data.sel(network=network)
        here = here.assign_coords(share=100 * here["share"])
        lines = {
            f"threshold +{float(rise):g} mV a spike" if rise else "fixed threshold": here["accuracy"].sel(
                rise=rise
            )
            for rise in here["rise"].values
        }
        plot_against(lines, ax, "share", baselines={"raw pixels": here["raw_pixels"]})
        ax.set(title=TITLES[network], xlabel="time asleep (%)")
    axes[0, 0].set_ylabel("test accuracy, QDA (%)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


if __name__ == "__main__":
    sys.exit(run_main(main))

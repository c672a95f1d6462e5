"""How long does a DSN layer train at T steps beside PSN, sliding PSN and LIF, and is parallel what serial is?

A forward and a backward pass of 16 × 128 lanes against T, in turns, ratios within a round; and the largest difference
between membranes computed in parallel and step by step, for short and for long memories. Nothing else should run on
the machine meanwhile.

    python studies/dsn_speed/study.py --full          # ten minutes; most of it is PSN at the longest T
    python studies/dsn_speed/study.py --quick         # a minute
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import speed  # before what imports torch

# isort: split
import xarray as xr

from homeonet.claims import write_measured
from homeonet.cli.study import write
from homeonet.cli.terminal import run_main
from homeonet.study.figure_data import gallery_figure, write_figure_data
from homeonet.study.options import study_options


@dataclass(frozen=True)
class SpeedScale:
    """What is timed, and how often."""

    lengths: tuple[int, ...] = field(
        default=(32, 128, 512, 2048, 4096, 16384), metadata={"help": "T to time a training step at"}
    )
    rounds: int = field(default=10, metadata={"help": "rounds of timing"})
    exact_steps: int = field(default=4096, metadata={"help": "T at which membranes are compared"})
    seeds: tuple[int, ...] = field(
        default=(1, 2, 3), metadata={"help": "seeds of the inputs that are compared"}
    )


QUICK = SpeedScale((32, 256, 1024), 3, 512, (1, 2))


def main() -> None:
    """Time, compare, then print and write the table, the claims and the figure."""
    options = study_options(__doc__ or "", "dsn_speed", SpeedScale(), QUICK)
    seconds = speed.seconds_of(options.lengths, options.rounds, options.out / "seconds.nc")
    exactness, exact_claims = speed.difference_claims(options.exact_steps, options.seeds)
    parts = {"seconds": seconds.median("round"), "low": seconds.min("round"), "high": seconds.max("round")}
    data = xr.Dataset(parts)
    scale = (
        f"16 × 128 lanes, CPU, threads: {seconds.attrs['threads']}, up to {options.rounds} rounds in turns"
    )
    note = f"Medians; {scale}.\n\n{exactness}"
    write(options.out, speed.time_rows(seconds), note, gallery_figure("dsn_speed", data))
    write_figure_data(options.out, data, study="dsn_speed", scale=scale)
    measured = speed.time_claims(seconds) | exact_claims
    write_measured(options.out, study="dsn_speed", scale=scale, measured=measured)


if __name__ == "__main__":
    sys.exit(run_main(main))

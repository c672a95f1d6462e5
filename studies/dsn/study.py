"""Does DSN keep its promises: accuracy at equal parameters, and stable long text?

On images read column by column, on permuted pixels and on UCR's series DSN with four levels, with one, and with a
static decay stands beside LIF, PSN and sliding PSN, all with as many parameters; and a language model over characters,
trained on stretches of 256, reads 30 000 at a time. What it costs is the study `dsn_speed`.

HOMEONET_DATA=… python studies/dsn/study.py --full     # an hour on two cores; resumes; needs
                                                           # Crop.npz and ElectricDevices.npz of UCR
HOMEONET_DATA=… python studies/dsn/study.py --full --more mnist:permuted:14    # without these
HOMEONET_DATA=… python studies/dsn/study.py --encoding pixels --size 14 --more --out results/dsn_pixels
HOMEONET_DATA=… python studies/dsn/study.py --full --neurons DSN "DSN, static" PSN "sliding PSN" --readers \\
    --more series:Crop:46 --seeds 4 5 --out results/dsn_4_5 --earlier figures/data/dsn.nc    # adds seeds of some
python studies/dsn/study.py --quick                    # embedded images, a minute
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

import characters
import pandas as pd
import xarray as xr
from networks import DSNScale, accuracy_claims, accuracy_rows, networks, scale_of_tasks, tasks_of

from homeonet.cli.study import finish
from homeonet.cli.terminal import run_main
from homeonet.study.figure_data import gallery_figure, gathered
from homeonet.study.options import QUICK, study_options
from homeonet.study.tables import markdown_table


def main() -> None:
    """Run what is missing, then print and write the tables, the claims and the figure."""
    full = DSNScale(train=10000, test=10000, epochs=3)
    small = {"width": 8, "epochs": 2, "updates": 20, "tested": 2000}
    small |= {"more": ("mnist5k:permuted:7",), "more_epochs": 2}
    options = study_options(__doc__ or "", "dsn", full, DSNScale(**vars(QUICK) | small), earlier=True)
    data = gathered(_run, options, whole={"neurons": ("DSN", "LIF"), "readers": characters.READERS})
    data.attrs["trained_steps"] = characters.TRAINED
    bits = data[["whole", "short"]].dropna("neuron", how="all").dropna("seed", how="all")
    measured = accuracy_claims(data) | characters.length_claims(bits)
    note = (
        "95 % t intervals; differences are paired over seeds, p after Holm.\n\n"
        f"{markdown_table(characters.length_rows(bits))}\n"
        f"Text: {data.attrs['text']}; {options.updates} updates of 16 × {characters.TRAINED} "
        "characters; bits per character on the last tenth, and how many more they are if the model has read all that "
        "stands before and not the last 128 to 256 alone. Sliding PSN's long window has 256 steps; one of 32 sees no "
        "more of a long text than of a short one. PSN sees the future, and has a matrix for one T: it can read no "
        "longer text, masked or not."
    )
    drawn = partial(gallery_figure, "dsn")
    finish(options, accuracy_rows(data), note, data, drawn, measured, scale_of_tasks(data))


def _run(options: argparse.Namespace) -> xr.Dataset:
    """Run what is missing; all that is kept of it."""
    asked = tasks_of(options)
    found = xr.concat(
        [networks(task, options) for task in asked], pd.Index([t.name for t in asked], name="task")
    )
    if options.readers:
        bits = characters.bits_of(options)
        bits["bits"] = bits["short"].mean("steps_tested") + bits["whole"] - bits["short"]
        neurons = list(dict.fromkeys([*found["neuron"].values, *bits["neuron"].values]))
        parts = [part.reindex(neuron=neurons) for part in (found, bits)]
        found = xr.merge(parts, compat="no_conflicts")
    return found.reset_coords(drop=True).assign_attrs(text=characters.text_name(options.text))


if __name__ == "__main__":
    sys.exit(run_main(main))

"""Does DSN keep its promises: accuracy at equal parameters, speed at length, exactness in parallel, stable long text?

On images read column by column (or pixel by pixel) DSN with four levels, with one, and with a static decay stands
beside LIF, PSN and sliding PSN, all with as many parameters. Training time is taken against T, in turns; parallel
membranes are compared with serial ones; and a language model over characters, trained on stretches of 256, reads
30 000 at a time.

HOMEONET_DATA=… python studies/dsn.py --full     # minutes; resumes
HOMEONET_DATA=… python studies/dsn.py --encoding pixels --size 14 --out results/dsn_pixels
python studies/dsn.py --quick                    # embedded images, a minute
"""

from __future__ import annotations

import sys

import _dsn_time as speed  # before what imports torch

# isort: split
import _dsn_characters as characters
import xarray as xr
from _dsn_networks import DSNScale, accuracy_claims, accuracy_rows, cases
from _gradient_study import QUICK, accuracies, finish, study_options, training
from _sweeping import run_grid
from matplotlib.figure import Figure

from homeonet._report import markdown_table
from homeonet.cli import run_main
from homeonet.plotting import DOUBLE_WIDTH, MARKERS, SERIES, new_figure
from homeonet.sweep import Grid

EXACT_STEPS = 4096


def draw(data: xr.Dataset) -> Figure:
    """Accuracy, training time against T, bits a character against length."""
    figure, axes = new_figure(1, 3, width=DOUBLE_WIDTH, height=2.6)
    left, middle, right = axes[0]
    names = [str(name) for name in data["neuron"].values]
    for k, name in enumerate(names):
        here, style = data.sel(neuron=name), {"color": SERIES[k], "marker": MARKERS[k]}
        runs = here["accuracy"].dropna("seed").to_numpy()
        left.plot(runs, [k] * len(runs), linestyle="", alpha=0.6, markersize=3.5, **style)
        left.plot(runs.mean(keepdims=True), [k], markersize=7, markerfacecolor="none", **style)
        if here["seconds"].notnull().any():
            ms = 1e3 * here[["seconds", "low", "high"]].dropna("steps")
            middle.plot(ms["steps"], ms["seconds"], markersize=3.5, label=name, **style)
            middle.fill_between(ms["steps"], ms["low"], ms["high"], color=SERIES[k], alpha=0.2, linewidth=0)
        if here["bits"].notnull().any():
            right.plot(here["steps_tested"], here["bits"], markersize=3.5, label=name, **style)
    left.set_yticks(range(len(names)), names)
    left.invert_yaxis()
    left.set(xlabel="test accuracy (%)")
    middle.set(xscale="log", yscale="log", xlabel="T (steps)", ylabel="training time (ms)")
    right.set(xscale="log", xlabel="length (characters)", ylabel="bits a character")
    right.axvline(data.attrs["trained_steps"], color="0.4", linestyle="--", linewidth=0.8)
    for ax in (middle, right):
        ax.legend()
    return figure


def main() -> None:
    """Run what is missing, then print and write the tables, the claims and the figure."""
    full = DSNScale(train=2000, test=2000, epochs=3)
    small = {"width": 8, "epochs": 2, "lengths": (32, 256, 1024), "rounds": 3, "updates": 20, "tested": 2000}
    options = study_options(__doc__ or "", "dsn", full, DSNScale(**vars(QUICK) | small))
    fixed = training(options) | {"size": options.size, "batch": 32, "lr": 3e-3}
    chosen = cases(options, fixed)
    grid = Grid(fixed, {"seed": options.seeds}, chosen)
    results = run_grid(grid, options.out / "sweep", options).results
    bits = characters.bits_of(options)
    seconds = speed.seconds_of(options.lengths, options.rounds, options.out / "seconds.nc")
    exactness, exact_claims = speed.difference_claims(EXACT_STEPS, options.seeds)
    where = f"{options.encoding}, T = {options.size ** (1 + (options.encoding != 'columns'))}"
    measured = accuracy_claims(results, where) | speed.time_claims(seconds) | exact_claims
    measured |= characters.length_claims(bits)

    corrected = bits["short"].mean("steps_tested") + bits["whole"] - bits["short"]
    parts = {"accuracy": accuracies(results).rename(case="neuron"), "bits": corrected.mean("seed")}
    parts |= {"seconds": seconds.median("round"), "low": seconds.min("round"), "high": seconds.max("round")}
    arrays = {name: values.reindex(neuron=list(chosen)) for name, values in parts.items()}
    data = xr.Dataset(arrays, attrs={"trained_steps": characters.TRAINED})
    rows = accuracy_rows(results, chosen)
    raw = 100 * float(results["accuracy.raw_pixels"].mean())
    note = (
        f"{where}; raw pixels {raw:.1f} %; differences are paired over seeds, p after Holm.\n\n"
        f"{markdown_table(speed.time_rows(seconds))}\n"
        f"Medians of up to {options.rounds} rounds in turns, 16 × 128 lanes, CPU, threads: "
        f"{seconds.attrs['threads']}.\n\n{exactness}\n\n"
        f"{markdown_table(characters.length_rows(bits))}\n"
        f"Text: {characters.text_name(options.text)}; {options.updates} updates of 16 × {characters.TRAINED} "
        "characters; bits a character on the last tenth, and how many more they are if the model has read all that "
        "stands before and not the last 128 to 256 alone. PSN sees the future, and has a matrix for one T: it can "
        "read no longer text, masked or not."
    )
    finish(options, rows, note, data, draw, measured)


if __name__ == "__main__":
    sys.exit(run_main(main))

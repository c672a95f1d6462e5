"""Does HD-LIF learn online what LIF cannot, and what do its compressions cost and save?

LIF beside HD-LIF, online and through time; ternary and one-bit weights, 4-bit spikes, every second layer of neurons
parallel, Mem-BN and SECA; what each costs in the convention of arXiv 2410.07547 and in an honest one; how far online
gradients are those through time; the bytes held against T; the published sizes; and what deployment changes.

HOMEONET_DATA=… python studies/hd_lif/study.py --full     # an hour; resumes
HOMEONET_DATA=… python studies/hd_lif/study.py --full --networks "LIF online" "4-bit + parallel" --seeds 11 12 \\
    --out results/hd_lif_11_12 --earlier figures/data/hd_lif.nc    # adds seeds of some networks
python studies/hd_lif/study.py --quick                    # embedded images, a minute
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import xarray as xr
from measures import cosine_course, held_mb, of_runs, published_sizes, resnet18, theorem_deviation
from table import claims_of, rows_of, tables_of

from homeonet.cli.study import finish, run_grid
from homeonet.cli.terminal import run_main
from homeonet.study.figure_data import gallery_figure, gathered
from homeonet.study.measured import accuracies
from homeonet.study.options import Scale, scale_of, some_of, study_options, training
from homeonet.study.trained import trained
from homeonet.sweep import Grid

COMMON: dict[str, Any] = {"net": "conv", "net_options.width": 0.25, "steps": 4, "batch": 64, "lr": 3e-3}
ONLINE = {"neuron": "hdlif", "paradigm": "online"}
TERNARY = ONLINE | {"weights": "ternary"}
BITS, PARALLEL = {"neuron_options.spike_bits": 4}, {"neuron_options.parallel_second": True}
MEM_BN, SECA = {"neuron_options.variant": "mem_bn"}, {"attention": True}
#: As in the paper, the compressed networks have ternary weights.
CASES: dict[str, dict[str, Any]] = {
    "LIF online": {"neuron": "lif", "paradigm": "online"},
    "LIF BPTT": {"neuron": "lif", "paradigm": "bptt"},
    "HD-LIF online": ONLINE,
    "HD-LIF BPTT": {"neuron": "hdlif", "paradigm": "bptt"},
    "HD-LIF one step": ONLINE | {"paradigm": "online_random"},
    "ternary": TERNARY,
    "binary": ONLINE | {"weights": "binary"},
    "4-bit": TERNARY | BITS,
    "parallel": TERNARY | PARALLEL,
    "4-bit + parallel": TERNARY | BITS | PARALLEL,
    "Mem-BN": TERNARY | MEM_BN,
    "SECA": TERNARY | SECA,
    "Mem-BN + SECA": TERNARY | MEM_BN | SECA,
}


@dataclass(frozen=True)
class HDLIFScale(Scale):
    """A study's scale with the networks; gradients are followed where all are trained."""

    networks: tuple[str, ...] = some_of(CASES)


QUICK = HDLIFScale("mnist5k", train=400, test=200, epochs=2, seeds=(1, 2))
HELD_AT = [4, 16, 64]
NOTE = """mean and 95 % t interval over seeds; nothing was tuned, all have one learning rate. All HD-LIF but "BPTT" is
trained online, with an update at every step ("one step": at one random step per batch); from "4-bit" on
with ternary weights. "Parallel" is the second of the three layers of neurons. Costs are of one image;
megabytes and operations are 10⁶. The honest convention counts real-valued spikes as multiply-accumulates,
k-bit ones as k additions, and neurons, norms and memory besides. The cosine is of one loss, the mean of the
steps' cross-entropies, with equal weights and statistics of the batch norms: the paths through time alone
are cut. Theorem 4.2's factor is 0 or 1, by its own definition: a spike ends the paths through time, so that
online training keeps the gradient of steps that fire whole and drops that of silent ones."""


def main() -> None:
    """Run what is missing, then print and write the tables, the figure and the claims."""
    full = HDLIFScale(train=10000, epochs=4, seeds=(1, 2, 3, 4, 5))
    options = study_options(__doc__ or "", "hd_lif", full, QUICK, earlier=True)
    data = gathered(_run, options, whole={"networks": CASES})
    data = data.assign(
        energy_mj=data["honest_mj"].mean("seed"),
        energy_paper_mj=data["paper_mj"].mean("seed"),
        size_mb=data["stored_mb"].mean("seed"),
    )
    known = _pairs(data["resnet18"]), _pairs(data["published_sizes"]), float(data["theorem_deviation"])
    note = f"{NOTE}\n\n{tables_of(data, *known)}"
    finish(
        options,
        rows_of(data),
        note,
        data,
        partial(gallery_figure, "hd_lif"),
        claims_of(data, *known),
        scale_of(options, data),
    )


def _run(options: argparse.Namespace) -> xr.Dataset:
    """Run what is missing; all that is kept of it."""
    fixed = COMMON | training(options)
    cases = {name: CASES[name] for name in options.networks}
    found = run_grid(Grid(fixed, {"seed": options.seeds}, cases), options.out / "sweep", options)
    measures = xr.concat(
        [of_runs(trained(found, case=case), 500) for case in cases], xr.IndexVariable("case", list(cases))
    )
    if len(cases) == len(CASES):
        neurons = {"LIF": "lif", "HD-LIF": "hdlif"}
        courses = [cosine_course(fixed | {"neuron": neuron}, options.seeds) for neuron in neurons.values()]
        measures["cosine"] = xr.concat(courses, xr.IndexVariable("neuron", list(neurons)))
    return measures.assign(
        accuracy=accuracies(found.results),
        memory_mb=held_mb(fixed | {"neuron": "hdlif"}, HELD_AT),
        resnet18=_labelled(resnet18(), "resnet", ("mb", "mnops")),
        published_sizes=_labelled(published_sizes(), "sized", ("here", "published")),
        theorem_deviation=theorem_deviation(),
    ).assign_attrs(baseline=100 * float(found.results["accuracy.raw_pixels"].mean()))


def _labelled(found: Mapping[str, tuple[float, float]], dim: str, of: tuple[str, str]) -> xr.DataArray:
    return xr.DataArray(list(found.values()), {dim: list(found), f"{dim}_of": list(of)}, (dim, f"{dim}_of"))


def _pairs(values: xr.DataArray) -> dict[str, tuple[float, float]]:
    return {
        str(name): (float(a), float(b))
        for name, (a, b) in zip(values[values.dims[0]].values, values.values, strict=True)
    }


if __name__ == "__main__":
    sys.exit(run_main(main))

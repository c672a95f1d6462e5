"""What `study.py` compares: its networks and scale, how weights grow, and what the differences say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from homeonet.store import load_records
from homeonet.study.options import Scale
from homeonet.sweep import SweepResult

__all__ = ["CASES", "PAPER", "RATIOS", "SleepScale", "answer", "growth"]

RATIOS = [0.0, 0.1, 0.2, 0.3]
#: A surrogate with tails, snnTorch's default: one without leaves an output neuron silent for ever that is silent once.
LEAKY = {"neuron_options.decay": 0.95, "neuron_options.surrogate": "arctan"}
SPIKING = {"net_options.spiking_output": True}
RECURRENT = {"neuron": "recurrentlif"} | LEAKY | SPIKING
CASES: dict[str, dict[str, Any]] = {
    "SG-SNN": {"neuron": "lif"} | LEAKY | SPIKING,
    "recurrent SG-SNN": RECURRENT,
    "recurrent, no STDP": RECURRENT | {"homeostasis.sleep.stdp": False},
    # a layer of HD-LIF neurons below threshold has no gradient: its currents vote, and STDP has no weights to act on
    "HD-LIF, no STDP": {"neuron": "hdlif", "homeostasis.sleep.stdp": False},
    "DSN": {"neuron": "dsn"} | SPIKING,
}
#: As in the paper, but for the hidden layer, whose size is an option, and batches of 32 in place of 128: with a quarter
#: of its images the network learns from as many batches, and sleeps as often.
PAPER = {
    "net": "sg_snn", "size": 15, "steps": 25, "batch": 32, "lr": 5e-4,
    "schedule": "constant",
}  # fmt: skip


@dataclass(frozen=True)
class SleepScale(Scale):
    """The scale of the study, with the size of the network."""

    hidden: int = field(default=200, metadata={"help": "hidden neurons; the paper's: 1000"})


def growth(found: SweepResult) -> xr.DataArray:
    """Norm of all weights at the end, as a multiple of that after the first epoch."""

    def of(cell: str) -> float:
        path = found.folder / "cells" / cell
        if not path.exists():
            return np.nan
        norm = np.sqrt((load_records(path)["weight_norm"] ** 2).sum("weight"))
        return float(norm[-1] / norm[0])

    return xr.apply_ufunc(np.vectorize(of, otypes=[float]), found.results["cell"])


def answer(tests: dict[str, xr.Dataset]) -> str:
    """Where intervals lie beside zero, and what that says of recurrence."""
    said = []
    for verb, end, sign in (("gains by", "difference_low", 1), ("loses by", "difference_high", -1)):
        places = [
            f"{name} at {100 * r:g} %"
            for name, t in tests.items()
            for r in RATIOS
            if sign * t[end].sel(ratio=r) > 0
        ]
        said.append(f"{verb} sleep (95 % interval beside 0): {', '.join(places) or 'none'}")
    test = tests["recurrent SG-SNN"]
    gains = bool((test["difference_low"] > 0).any() and not (test["difference_high"] < 0).any())
    meaning = "so recurrence suffices" if gains else "so recurrence alone is not what makes sleep useful"
    verdict = (
        f"The recurrent SG-SNN, which has no local learning awake, {'gains' if gains else 'does not gain'}: "
    )
    return f"{'; '.join(said)}. {verdict}{meaning}."

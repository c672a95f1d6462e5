"""What `study.py` compares: networks, what is done to them, and the scale."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from homeonet.store import load_records
from homeonet.study.options import Scale, some_of

__all__ = [
    "NETWORKS",
    "PAPER",
    "PUBLISHED",
    "RATIOS",
    "TREATMENTS",
    "GradientScale",
    "cases",
    "growth",
    "split",
]

RATIOS = (0.1, 0.2, 0.3)
#: A surrogate with tails, snnTorch's default: one without leaves an output neuron silent for ever that is silent once.
LEAKY = {"neuron_options.decay": 0.95, "neuron_options.surrogate": "arctan"}
SPIKING = {"net_options.spiking_output": True}
_FEED_FORWARD = {"neuron": "lif"} | LEAKY | SPIKING
_RECURRENT = {"neuron": "recurrentlif"} | LEAKY | SPIKING
NETWORKS: dict[str, dict[str, Any]] = {
    "SG-SNN": _FEED_FORWARD,
    "SG-SNN, 3 layers": _FEED_FORWARD | {"net_options.layers": 3},
    "recurrent SG-SNN": _RECURRENT,
    "recurrent SG-SNN, 2 layers": _RECURRENT | {"net_options.layers": 2},
    # a layer of HD-LIF neurons below threshold has no gradient: its currents vote, and STDP has no weights to act on
    "HD-LIF": {"neuron": "hdlif"},
    "DSN": {"neuron": "dsn"} | SPIKING,
}
#: Sleep beside what is done to such networks otherwise; of each by how much was fixed beforehand.
TREATMENTS: dict[str, dict[str, Any]] = {
    "none": {},
    **{f"sleep {100 * ratio:g} %": {"homeostasis.sleep.ratio": ratio} for ratio in RATIOS},
    "weight decay": {"weight_decay": 0.01},
    "dropout": {"net_options.dropout": 0.2},
    "weight normalisation": {"net_options.weight_norm": True},
}
_SLEEP_ALONE = ("HD-LIF", "DSN")
#: As in the paper, but for the hidden layers, whose size is an option, and batches of 32 in place of 128: of fewer
#: images the network learns from as many batches, and sleeps as often.
PAPER = {
    "net": "sg_snn", "size": 15, "steps": 25, "batch": 32, "lr": 5e-4,
    "schedule": "constant",
}  # fmt: skip
#: Accuracy of the paper's network in per cent, whatever the sleep: a network below it has not learnt what there is.
PUBLISHED = {"mnist": 92.9, "fashion": 70.5, "notmnist": 90.1}


@dataclass(frozen=True)
class GradientScale(Scale):
    """With the size of the network and several sets of images."""

    data: tuple[str, ...] = ("mnist", "fashion")  # type: ignore[assignment]
    hidden: int = field(default=200, metadata={"help": "neurons of a hidden layer; the paper's: 1000"})
    networks: tuple[str, ...] = some_of(NETWORKS)
    treatments: tuple[str, ...] = some_of(TREATMENTS)


def cases(options: Any) -> dict[str, dict[str, Any]]:
    """Every network that was asked for under every treatment that was, by a name that `split` takes apart."""
    found: dict[str, dict[str, Any]] = {}
    for network in options.networks:
        parameters = NETWORKS[network]
        for treatment in options.treatments:
            more = TREATMENTS[treatment]
            sleeps = treatment.startswith("sleep")
            if network in _SLEEP_ALONE and not sleeps and more:
                continue
            own = {"homeostasis.sleep.stdp": False} if sleeps and network == "HD-LIF" else {}
            found[f"{network}: {treatment}"] = {**parameters, **more, **own}
    return found


def split(case: str) -> tuple[str, str]:
    """Network and treatment of a case."""
    network, _, treatment = case.partition(": ")
    return network, treatment


def growth(results: xr.Dataset, cells: Path) -> xr.DataArray:
    """Norm of all weights at the end, as a multiple of that after the first epoch."""

    def of(cell: str) -> float:
        path = cells / cell
        if not path.exists():
            return np.nan
        norm = np.sqrt((load_records(path)["weight_norm"] ** 2).sum("weight"))
        return float(norm[-1] / norm[0])

    return xr.apply_ufunc(np.vectorize(of, otypes=[float]), results["cell"])

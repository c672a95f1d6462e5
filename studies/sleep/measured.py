"""What `study.py` measures of the claims about sleep, as paired differences over seeds."""

from __future__ import annotations

import itertools

import xarray as xr
from networks import REFERENCE
from table import growth, spread

from homeonet.claims import Measured
from homeonet.study.measured import over_seeds, paired_gain

__all__ = ["measured_of"]

#: The shares asleep that the claims speak of: those said to be best, one of them, and one beyond.
BEST, GOOD, MUCH = (0.1, 0.15, 0.2), 0.15, 0.3
#: Networks whose sleep is judged, and readouts by which.
JUDGED = ("released", "paper", "homeonet")
_READOUTS = {"qda": "QDA", "paper": "the paper's readout"}


def measured_of(networks: xr.Dataset, controls: xr.Dataset | None) -> dict[str, list[Measured]]:
    """The cases of each claim, by its id."""
    found: dict[str, list[Measured]] = {}

    def add(claim: str, cases: list[Measured]) -> None:
        found.setdefault(claim, []).extend(cases)

    judged = [name for name in JUDGED if name in networks["network"].values]
    for network, data in itertools.product(judged, map(str, networks["data"].values)):
        here = networks.sel(network=network, data=data)
        case = f"{network}, {data}"
        for name, title in _READOUTS.items():
            values = here[f"accuracy.{name}"]
            best = values.sel(share=[s for s in BEST if s in values["share"].values]).mean(
                "share", skipna=False
            )
            add("sleep-best-ratio", paired_gain(f"{case}, {title}", best, values.sel(share=0.0)))
            add("sleep-collapse", paired_gain(f"{case}, {title}", values.sel(share=MUCH), best))
        good = here.sel(share=GOOD, method="nearest")
        add("sleep-raw-pixels", paired_gain(case, good["accuracy.logistic"], good["accuracy.raw_pixels"]))
        add("sleep-frozen", paired_gain(case, good["accuracy.qda"], good["accuracy.frozen.qda"]))
        relative = spread(here).sel(share=MUCH) / spread(here).sel(share=0.0)
        add("sleep-uniform", over_seeds(case, relative, ""))
        if data.startswith("mnist") and network != "homeonet":
            add("sleep-accuracy", over_seeds(network, 100 * good["accuracy.paper"], "%"))
    if controls is not None:
        for data in map(str, controls["data"].values):
            here = controls.sel(data=data)
            asleep, qda = here.sel(case="sleep"), here["accuracy.qda"]
            total = sum(growth(here, name) for name in ("input_exc", "exc_exc", "exc_inh"))
            case = f"{REFERENCE}, {data}"
            add("sleep-bounded", over_seeds(case, total.sel(case="sleep") / total.sel(case="no sleep"), ""))
            for claim, without in (("sleep-noise", "no noise"), ("sleep-replay", "no plasticity asleep")):
                add(claim, paired_gain(case, asleep["accuracy.qda"], qda.sel(case=without)))
    return {name: cases for name, cases in found.items() if cases}

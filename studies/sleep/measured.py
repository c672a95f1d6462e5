"""What `study.py` measures of the claims about sleep, as paired differences over seeds, with their checks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import xarray as xr
from fitness import fit, treated
from networks import REFERENCE, SHARE_OF_CONTROLS

from homeonet.claims import Check, Measured
from homeonet.study.checks import checked
from homeonet.study.measured import over_seeds

__all__ = ["measured_of"]

#: The shares asleep that the claims speak of: those said to be best, one of them, and one beyond.
BEST, GOOD, MUCH = (0.1, 0.15, 0.2), 0.15, 0.3
#: Networks whose sleep is judged, and readouts by which.
JUDGED = ("released", "paper", "homeonet")
_READOUTS = {"qda": "QDA", "paper": "the paper's readout"}
#: Points that much sleep costs where it destroys.
_FALL = 5.0


def measured_of(networks: xr.Dataset) -> dict[str, list[Measured]]:
    """The cases of each claim, by its id, of what `table.figure_data` gives."""
    found: dict[str, list[Measured]] = {}

    def add(claim: str, cases: list[Measured], *checks: Check) -> None:
        found.setdefault(claim, []).extend(checked(cases, *checks))

    judged = [name for name in JUDGED if name in networks["network"].values]
    for network, data in itertools.product(judged, map(str, networks["data"].values)):
        here = networks.sel(network=network, data=data)
        case = f"{network}, {data}"
        if not here["qda"].notnull().any():
            continue
        good, much, none = (here.sel(share=share, method="nearest") for share in (GOOD, MUCH, 0.0))
        before = fit(none)
        shares = [share for share in BEST if share in here["share"].values]
        for name, title in _READOUTS.items():
            values = here[name]
            best = values.sel(share=shares).mean("share", skipna=False)
            applied = [treated(here.sel(share=share), share) for share in shares]
            add(
                "sleep-best-ratio",
                over_seeds(f"{case}, {title}", best - values.sel(share=0.0), "points"),
                *before,
                *applied,
            )
            fall = over_seeds(f"{case}, {title}", values.sel(share=MUCH) - best, "points")
            add("sleep-collapse", fall, *before, *applied, treated(much, MUCH))
        with_some, with_much = ((*before, treated(at, float(at["share"]))) for at in (good, much))
        add(
            "sleep-raw-pixels",
            over_seeds(case, good["logistic"] - good["raw_pixels_logistic"], "points"),
            *with_some,
        )
        add("sleep-frozen", over_seeds(case, good["qda"] - good["frozen_qda"], "points"), *with_some)
        add("sleep-uniform", over_seeds(case, much["spread"] / none["spread"], ""), *with_much)
        fallen = float((much["qda"] - none["qda"]).mean())
        if fallen <= -_FALL:
            ratio = much["inh"] / none["inh"]
            add("sleep-silence", over_seeds(f"{case}, {fallen:+.1f} points", ratio, ""), *with_much)
        if data.startswith("mnist") and network != "homeonet":
            values = over_seeds(network, good["paper"], "%")
            add("sleep-accuracy", values, *with_some)
        if network == REFERENCE:
            asleep = here.sel(share=SHARE_OF_CONTROLS)
            sound = (*before, treated(asleep, SHARE_OF_CONTROLS))
            add("sleep-bounded", over_seeds(case, _excitation(asleep) / _excitation(none), ""), *sound)
            _of_controls(networks, case, data, sound, add)
    return {name: cases for name, cases in found.items() if cases}


def _excitation(at: xr.Dataset) -> xr.DataArray:
    """Growth of the excitatory weights, the sum over pathways."""
    return at["growth_input_exc"] + at["growth_exc_exc"] + at["growth_exc_inh"]


def _of_controls(
    found: xr.Dataset, case: str, data: str, sound: Sequence[Check], add: Callable[..., None]
) -> None:
    """What sleep loses without one of its parts; the control "sleep" is the network at that share."""
    if "control_qda" not in found or data not in found["control_data"].values:
        return
    qda = found["control_qda"].sel(control_data=data).rename(control_seed="seed")
    for claim, without in (("sleep-noise", "no noise"), ("sleep-replay", "no plasticity asleep")):
        add(claim, over_seeds(case, qda.sel(case="sleep") - qda.sel(case=without), "points"), *sound)

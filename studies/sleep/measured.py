"""What `study.py` measures of the claims about sleep, as paired differences over seeds, with their checks."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import xarray as xr
from fitness import fit, treated
from networks import REFERENCE, SHARE_OF_CONTROLS
from table import growth, spread

from homeonet.claims import Check, Measured
from homeonet.study.checks import checked
from homeonet.study.measured import over_seeds, paired_gain

__all__ = ["measured_of"]

#: The shares asleep that the claims speak of: those said to be best, one of them, and one beyond.
BEST, GOOD, MUCH = (0.1, 0.15, 0.2), 0.15, 0.3
#: Networks whose sleep is judged, and readouts by which.
JUDGED = ("released", "paper", "homeonet")
_READOUTS = {"qda": "QDA", "paper": "the paper's readout"}
#: Points that much sleep costs where it destroys.
_FALL = 5.0


def measured_of(networks: xr.Dataset, controls: xr.Dataset | None) -> dict[str, list[Measured]]:
    """The cases of each claim, by its id."""
    found: dict[str, list[Measured]] = {}

    def add(claim: str, cases: list[Measured], *checks: Check) -> None:
        found.setdefault(claim, []).extend(checked(cases, *checks))

    judged = [name for name in JUDGED if name in networks["network"].values]
    for network, data in itertools.product(judged, map(str, networks["data"].values)):
        here = networks.sel(network=network, data=data)
        case = f"{network}, {data}"
        if not here["accuracy.qda"].notnull().any():
            continue
        good, much, none = (here.sel(share=share, method="nearest") for share in (GOOD, MUCH, 0.0))
        before = fit(none)
        shares = [share for share in BEST if share in here["share"].values]
        for name, title in _READOUTS.items():
            values = here[f"accuracy.{name}"]
            best = values.sel(share=shares).mean("share", skipna=False)
            applied = [treated(here.sel(share=share), share) for share in shares]
            add(
                "sleep-best-ratio",
                paired_gain(f"{case}, {title}", best, values.sel(share=0.0)),
                *before,
                *applied,
            )
            fall = paired_gain(f"{case}, {title}", values.sel(share=MUCH), best)
            add("sleep-collapse", fall, *before, *applied, treated(much, MUCH))
        with_some, with_much = ((*before, treated(at, float(at["share"]))) for at in (good, much))
        add(
            "sleep-raw-pixels",
            paired_gain(case, good["accuracy.logistic"], good["accuracy.raw_pixels"]),
            *with_some,
        )
        add("sleep-frozen", paired_gain(case, good["accuracy.qda"], good["accuracy.frozen.qda"]), *with_some)
        add("sleep-uniform", over_seeds(case, spread(much) / spread(none), ""), *with_much)
        fallen = 100 * float((much["accuracy.qda"] - none["accuracy.qda"]).mean())
        if fallen <= -_FALL:
            ratio = much["rate_test_hz.inh"] / none["rate_test_hz.inh"]
            add("sleep-silence", over_seeds(f"{case}, {fallen:+.1f} points", ratio, ""), *with_much)
        if data.startswith("mnist") and network != "homeonet":
            values = over_seeds(network, 100 * good["accuracy.paper"], "%")
            add("sleep-accuracy", values, *with_some)
    if controls is not None:
        for data in map(str, controls["data"].values):
            _of_controls(controls.sel(data=data), f"{REFERENCE}, {data}", add)
    return {name: cases for name, cases in found.items() if cases}


def _of_controls(here: xr.Dataset, case: str, add: Callable[..., None]) -> None:
    asleep, awake, qda = here.sel(case="sleep"), here.sel(case="no sleep"), here["accuracy.qda"]
    sound = (*fit(awake), treated(asleep, SHARE_OF_CONTROLS))
    total = sum(growth(here, name) for name in ("input_exc", "exc_exc", "exc_inh"))
    add("sleep-bounded", over_seeds(case, total.sel(case="sleep") / total.sel(case="no sleep"), ""), *sound)
    for claim, without in (("sleep-noise", "no noise"), ("sleep-replay", "no plasticity asleep")):
        add(claim, paired_gain(case, asleep["accuracy.qda"], qda.sel(case=without)), *sound)

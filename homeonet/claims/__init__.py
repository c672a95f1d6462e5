"""The claims of the five papers, what was measured of them here, and the verdicts."""

from homeonet.claims._measured import (
    Measured,
    StudyClaims,
    load_measured,
    measured_over_seeds,
    study_command,
    write_measured,
)
from homeonet.claims._registry import Claim, Registry, Source, load_registry
from homeonet.claims._table import ClaimRow, claim_rows, find_measured, shipped_measured
from homeonet.claims._verdict import VERDICTS, Verdict, judge, outcome

__all__ = [
    "VERDICTS",
    "Claim",
    "ClaimRow",
    "Measured",
    "Registry",
    "Source",
    "StudyClaims",
    "Verdict",
    "claim_rows",
    "find_measured",
    "judge",
    "load_measured",
    "load_registry",
    "measured_over_seeds",
    "outcome",
    "shipped_measured",
    "study_command",
    "write_measured",
]

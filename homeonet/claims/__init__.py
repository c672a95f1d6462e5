"""The claims of the five papers, what was measured of them here, and the verdicts."""

from homeonet.claims._deciding import NextLook, next_look
from homeonet.claims._measured import (
    Check,
    Measured,
    StudyClaims,
    load_measured,
    measured_over_seeds,
    study_command,
    write_measured,
)
from homeonet.claims._registry import Claim, Registry, Source, load_registry
from homeonet.claims._table import ClaimRow, ClaimTable, claim_rows, find_measured, shipped_measured
from homeonet.claims._verdict import VERDICTS, Judged, Verdict, judge, judge_case

__all__ = [
    "VERDICTS",
    "Check",
    "Claim",
    "ClaimRow",
    "ClaimTable",
    "Judged",
    "Measured",
    "NextLook",
    "Registry",
    "Source",
    "StudyClaims",
    "Verdict",
    "claim_rows",
    "find_measured",
    "judge",
    "judge_case",
    "load_measured",
    "load_registry",
    "measured_over_seeds",
    "next_look",
    "shipped_measured",
    "study_command",
    "write_measured",
]

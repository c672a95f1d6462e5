"""The claims of the five papers, what was measured of them here, and the verdicts."""

from homeonet.claims._measured import (
    Measured,
    StudyClaims,
    load_measured,
    measured_over_seeds,
    study_command,
    write_measured,
)

__all__ = [
    "Measured",
    "StudyClaims",
    "load_measured",
    "measured_over_seeds",
    "study_command",
    "write_measured",
]

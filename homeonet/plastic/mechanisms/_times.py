"""Times and steps that several mechanisms share."""

from __future__ import annotations

__all__ = ["NEVER", "SAMPLE_PERIOD", "TOTALS_PERIOD"]

#: A step, or a weight, that no run reaches; whole numbers up to it are exact in float64.
NEVER = 1e15
#: Time between samples of the controller and of the weight sums, in seconds.
SAMPLE_PERIOD = 0.2
#: Time between updates of the weight totals that the controller reads, in seconds.
TOTALS_PERIOD = 0.1

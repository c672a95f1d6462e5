"""Homeostasis that plugs into any spiking model: this package's, snnTorch's and SpikingJelly's neurons."""

from homeonet.gradient.homeostasis._ahsar import AHSAR
from homeonet.gradient.homeostasis._mp_init import MPInit
from homeonet.gradient.homeostasis._named import homeostasis_named
from homeonet.gradient.homeostasis._plugin import Homeostasis
from homeonet.gradient.homeostasis._power_law import power_law
from homeonet.gradient.homeostasis._sleep import Sleep
from homeonet.gradient.homeostasis._stdp import TraceSTDP
from homeonet.gradient.homeostasis._threshold_adaptation import ThresholdAdaptation

__all__ = [
    "AHSAR",
    "Homeostasis",
    "MPInit",
    "Sleep",
    "ThresholdAdaptation",
    "TraceSTDP",
    "homeostasis_named",
    "power_law",
]

"""Spiking networks trained by gradients, and homeostasis that plugs into them. Runs on torch, never imports brian2."""

import os
import sys

# Idle threads of torch should rest: by default they spin on the cores that the compiled kernels' threads need. OpenMP
# reads this when torch is first imported, and not again; what the user has set stands.
if "torch" not in sys.modules:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from homeonet.gradient.deployment._cost import cost
from homeonet.gradient.deployment._cost_table import CostTable, LayerCost
from homeonet.gradient.deployment._deploy import deploy, packed_bytes
from homeonet.gradient.deployment._from_nir import from_nir
from homeonet.gradient.deployment._nir import to_nir
from homeonet.gradient.deployment._nir_modules import NIRNetwork
from homeonet.gradient.kernels._recurrence import linear_recurrence, linear_recurrence_reference, scan_backend
from homeonet.gradient.kernels._surrogate import Arctan, Rectangle, Sigmoid, Surrogate, Triangle, heaviside
from homeonet.gradient.networks._attention import SECA
from homeonet.gradient.networks._compression import (
    BinaryConv1d,
    BinaryConv2d,
    BinaryLinear,
    TernaryConv1d,
    TernaryConv2d,
    TernaryLinear,
)
from homeonet.gradient.networks._layers import PerStep
from homeonet.gradient.neurons._dsn import DSN
from homeonet.gradient.neurons._hdlif import HDLIF
from homeonet.gradient.neurons._lif import LIF
from homeonet.gradient.neurons._mem_bn import MembraneNorm
from homeonet.gradient.neurons._neuron import MembraneNeuron, SpikingNeuron, reset, spiking_neurons, streaming
from homeonet.gradient.neurons._psn import PSN, SlidingPSN
from homeonet.gradient.neurons._recurrent import RecurrentLIF
from homeonet.gradient.neurons._trajectories import membrane_trajectories
from homeonet.gradient.neurons._trlif import TrLIF

__all__ = [
    "DSN",
    "HDLIF",
    "LIF",
    "PSN",
    "SECA",
    "Arctan",
    "BinaryConv1d",
    "BinaryConv2d",
    "BinaryLinear",
    "CostTable",
    "LayerCost",
    "MembraneNeuron",
    "MembraneNorm",
    "NIRNetwork",
    "PerStep",
    "Rectangle",
    "RecurrentLIF",
    "Sigmoid",
    "SlidingPSN",
    "SpikingNeuron",
    "Surrogate",
    "TernaryConv1d",
    "TernaryConv2d",
    "TernaryLinear",
    "TrLIF",
    "Triangle",
    "cost",
    "deploy",
    "from_nir",
    "heaviside",
    "linear_recurrence",
    "linear_recurrence_reference",
    "membrane_trajectories",
    "packed_bytes",
    "reset",
    "scan_backend",
    "spiking_neurons",
    "streaming",
    "to_nir",
]

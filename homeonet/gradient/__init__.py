"""Spiking networks trained by gradients, and homeostasis that plugs into them. Runs on torch, never imports brian2."""

from homeonet.gradient._layers import PerStep
from homeonet.gradient._lif import LIF
from homeonet.gradient._neuron import MembraneNeuron, SpikingNeuron, reset, spiking_neurons, streaming
from homeonet.gradient._recurrence import linear_recurrence, linear_recurrence_reference
from homeonet.gradient._surrogate import Arctan, Rectangle, Sigmoid, Surrogate, Triangle
from homeonet.gradient._trlif import TrLIF

__all__ = [
    "LIF",
    "Arctan",
    "MembraneNeuron",
    "PerStep",
    "Rectangle",
    "Sigmoid",
    "SpikingNeuron",
    "Surrogate",
    "TrLIF",
    "Triangle",
    "linear_recurrence",
    "linear_recurrence_reference",
    "reset",
    "spiking_neurons",
    "streaming",
]

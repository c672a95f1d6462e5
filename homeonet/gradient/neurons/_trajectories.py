"""Membrane potentials of a model's layers over time, for analysis."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.neurons._neuron import MembraneNeuron, streaming

__all__ = ["membrane_trajectories"]


@torch.no_grad()
def membrane_trajectories(model: nn.Module, x: Tensor) -> dict[str, np.ndarray]:
    """The membrane potential of every layer after each step, reset included.

    Parameters
    ----------
    model : Module
        Causal; it is run in evaluation mode, and left in the mode it was in.
    x : Tensor, shape (T, B, ...)

    Returns
    -------
    dict of str to ndarray, shape (T, B, units)
        By the layer's name.

    Raises
    ------
    InputError
        If no layer has a membrane.
    """
    layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, MembraneNeuron)}
    if not layers:
        raise InputError(
            "the model has no layer with a membrane potential; LIF, TrLIF, HDLIF and DSN have one"
        )
    seen: dict[str, list[np.ndarray]] = {name: [] for name in layers}
    training = model.training
    model.eval()
    try:
        with streaming(model):
            for x_t in x.split(1):
                model(x_t)
                for name, layer in layers.items():
                    seen[name].append(layer.membrane_of(layer._state).flatten(1).cpu().numpy().copy())
    finally:
        model.train(training)
    return {name: np.stack(values) for name, values in seen.items()}

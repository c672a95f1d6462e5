"""How far gradients that stop at each time step agree with those that go through time."""

from __future__ import annotations

import copy
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, cross_entropy

from homeonet.errors import InputError
from homeonet.gradient.neurons._hdlif import HDLIF
from homeonet.gradient.training._paradigms import no_gradient_through_time

__all__ = ["gradient_cosine", "temporal_factor"]


def gradient_cosine(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Cosine between the gradient without and with its paths through time, over all weights of layers.

    Both are of one loss, the mean over steps of the cross-entropy of the step's output, at the same weights and with
    the same statistics of batch normalisation: nothing but the truncation differs. Online training besides updates
    between the steps.

    Parameters
    ----------
    model : Module
        Is left as it is.
    x : Tensor, shape (T, B, ...)
    y : Tensor of int64, shape (B,)

    Returns
    -------
    float
        From -1 to 1; 0 where a gradient vanishes.
    """
    model, found = copy.deepcopy(model), []
    weights = [p for p in model.parameters() if p.requires_grad and p.dim() > 1]
    for truncated in (True, False):
        with no_gradient_through_time(model) if truncated else nullcontext():
            loss = cross_entropy(model(x).flatten(0, 1), y.repeat(len(x)))
            found.append(
                torch.cat([gradient.flatten() for gradient in torch.autograd.grad(loss, weights)]).double()
            )
    return float(cosine_similarity(*found, dim=0))


@torch.no_grad()
def temporal_factor(neuron: HDLIF, x: Tensor) -> Tensor:
    """What Theorem 4.2 of HD-LIF says the truncated gradient is of the one through time, elementwise.

    ``χ[t,t] / (χ[t,t] + Σ_{i>t} χ[i,i] Π_{j=t+1..i} χ[j,j-1])`` by its definition, step by step: ``χ[i,i]`` is 1 where
    step i fired and else 0, ``χ[j,j-1]`` is λ_j where step j - 1 did not fire and else 0.

    Parameters
    ----------
    neuron : HDLIF
        Variant "vanilla" with spikes that are not quantised.
    x : Tensor, shape (T, B, *)

    Returns
    -------
    Tensor, shape (T, B, *)
        The factor of ∂L/∂m_t. 1 where the element fires, 0 elsewhere: a spike leaves the membrane at the threshold and
        so passes no gradient on (χ[t+1,t] = 0), and without one χ[t,t] = 0. So it holds for any loss.

    Raises
    ------
    InputError
        For another variant, or quantised spikes.

    References
    ----------
    HD-LIF, arXiv 2410.07547.
    """
    if neuron.variant != "vanilla" or neuron.spike_bits is not None:
        raise InputError(
            f"temporal_factor: variant = {neuron.variant!r}, spike_bits = {neuron.spike_bits}: the theorem is about "
            "'vanilla' without quantised spikes; give such a layer"
        )
    fired = (neuron(x) > 0).to(x.dtype)
    factor = torch.zeros_like(x)
    for t in range(len(x)):
        rest, product = torch.zeros_like(x[0]), torch.ones_like(x[0])
        for i in range(t + 1, len(x)):
            product = product * neuron.decay[i] * (1 - fired[i - 1])
            rest = rest + fired[i] * product
        total = fired[t] + rest
        factor[t] = torch.where(total > 0, fired[t] / total.clamp_min(torch.finfo(x.dtype).tiny), 0)
    return factor

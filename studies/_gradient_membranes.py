"""Membranes of trained networks, and how large the gradients of the three threshold rules are."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
import torch
import xarray as xr
from _gradient_study import test_images

from homeonet.analysis import membrane_distance
from homeonet.gradient import TrLIF, membrane_trajectories, spiking_neurons
from homeonet.gradient.training import TrainResult

__all__ = ["RULES", "gradient_sizes", "start_distances", "starts"]

#: The gradients' names in the paper and here.
RULES = {"TrSG": "trsg", "AS": "as", "RS": "rs"}
#: Steps that membranes are followed for, and how many at the end stand for the stationary law.
STEPS, STATIONARY = 32, 8


def start_distances(runs: Iterable[tuple[int, TrainResult]], n_images: int) -> xr.DataArray:
    """Total variation between the membranes after each step and those of the last steps, (time, seed).

    The network sees test images for 32 steps, more than it was trained with; the distance is a mean over layers, each
    of which is compared with its own stationary law.
    """
    found = {}
    for seed, run in runs:
        x = test_images(run.config, n_images)[0][:1].expand(STEPS, -1, -1, -1, -1)
        layers = membrane_trajectories(run.model, x).values()
        distances = [membrane_distance(layer, stationary_steps=STATIONARY) for layer in layers]
        found[seed] = xr.concat(distances, "layer").mean("layer")
    return xr.concat(found.values(), xr.IndexVariable("seed", list(found))).transpose("time", "seed")


def starts(runs: Iterable[tuple[int, TrainResult]]) -> xr.DataArray:
    """The learnt start as a share of the learnt threshold, a mean over layers, (seed,)."""
    found = {}
    for seed, run in runs:
        layers = [layer for layer in spiking_neurons(run.model) if isinstance(layer, TrLIF)]
        found[seed] = np.mean([float(layer.initial_membrane / layer.threshold) for layer in layers])
    return xr.DataArray(list(found.values()), {"seed": list(found)}, "seed")


def gradient_sizes(thresholds: Sequence[float], seeds: Sequence[int], n: int = 20000) -> xr.DataArray:
    """Mean |∂O/∂m| of a layer whose membranes are normally distributed with the threshold as deviation.

    The check of arXiv 2511.08708's authors: every rule and threshold draws its own membranes.
    """
    sizes = xr.DataArray(
        np.zeros((len(RULES), len(thresholds), len(seeds))),
        {"rule": list(RULES), "threshold": list(thresholds), "seed": list(seeds)},
        ("rule", "threshold", "seed"),
    )
    for k, (rule, threshold, seed) in enumerate(itertools.product(RULES, thresholds, seeds)):
        neuron = TrLIF(threshold=threshold, threshold_rule=RULES[rule], mp_init=False)
        generator = torch.Generator().manual_seed(1000 * seed + k)
        m = threshold * torch.randn(1, n, generator=generator)
        x = (m * neuron.tau.detach()).requires_grad_()  # the input is divided by τ
        (gradient,) = torch.autograd.grad(neuron(x).sum(), x)
        sizes.loc[rule, threshold, seed] = float((gradient * neuron.tau.detach()).abs().mean())
    return sizes

"""Membranes of trained networks, and how large the gradients of the three threshold rules are."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from homeonet.analysis import membrane_distance
from homeonet.gradient import SpikingNeuron, TrLIF, membrane_trajectories, spiking_neurons
from homeonet.runs.gradient import TrainResult
from homeonet.study.trained import test_images

__all__ = ["RULES", "gradient_sizes", "start_distances", "starts"]

#: The gradients' names in the paper and here.
RULES = {"TrSG": "trsg", "AS": "as", "RS": "rs"}
#: Steps that membranes are followed for, and how many at the end stand for the stationary law.
STEPS, STATIONARY = 32, 8


def start_distances(runs: Iterable[tuple[int, TrainResult]], n_images: int) -> xr.DataArray:
    """Total variation between the membranes after each step and those of the last steps, (elements, time, seed).

    The network sees test images for 32 steps, more than it was trained with; the distance is a mean over layers, each
    of which is compared with its own stationary law: of all its elements (units and images), and of those that spike
    within these steps, from which alone MP-Init learns.
    """
    found = {}
    for seed, run in runs:
        x = test_images(run.config, n_images)[0][:1].expand(STEPS, -1, -1, -1, -1)
        with _spiked(run.model) as spiked:
            layers = membrane_trajectories(run.model, x)
        chosen = {
            "all": layers.values(),
            "spiking": [values[:, spiked[name]] for name, values in layers.items() if spiked[name].any()],
        }
        means = [
            xr.concat([membrane_distance(v, stationary_steps=STATIONARY) for v in which], "layer").mean(
                "layer"
            )
            for which in chosen.values()
        ]
        found[seed] = xr.concat(means, xr.IndexVariable("elements", list(chosen)))
    return xr.concat(found.values(), xr.IndexVariable("seed", list(found)))


@contextmanager
def _spiked(model: nn.Module) -> Iterator[dict[str, np.ndarray]]:
    """Which elements of each layer emit anything within the block, (B, units)."""
    seen: dict[str, np.ndarray] = {}

    def note(name: str, out: Tensor) -> None:
        active = (out != 0).any(0).flatten(1).numpy()
        seen[name] = seen.get(name, False) | active

    layers = ((name, m) for name, m in model.named_modules() if isinstance(m, SpikingNeuron))
    handles = [m.register_forward_hook(lambda _, __, out, name=name: note(name, out)) for name, m in layers]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def starts(runs: Iterable[tuple[int, TrainResult]]) -> xr.DataArray:
    """The learnt start as a share of the learnt threshold, a mean over layers, (seed,)."""
    found = {}
    for seed, run in runs:
        layers = [layer for layer in spiking_neurons(run.model) if isinstance(layer, TrLIF)]
        found[seed] = np.mean([float(layer.initial_membrane / layer.threshold.detach()) for layer in layers])
    return xr.DataArray(list(found.values()), {"seed": list(found)}, "seed")


def gradient_sizes(thresholds: Sequence[float], seeds: Sequence[int], n: int = 200_000) -> xr.DataArray:
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

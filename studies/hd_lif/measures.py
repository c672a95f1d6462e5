"""What `study.py` measures of networks beside their accuracy: gradients, bytes, operations, deployment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from homeonet.data import load
from homeonet.gradient import HDLIF, cost, deploy
from homeonet.gradient.networks import Parts, network
from homeonet.gradient.training import (
    PARADIGMS,
    Learner,
    build,
    encoded,
    gradient_cosine,
    held_bytes,
    temporal_factor,
    train_config,
)
from homeonet.runs.gradient import TrainResult
from homeonet.study.trained import test_images

__all__ = [
    "COSTS",
    "RESNET18",
    "cosine_course",
    "held_mb",
    "of_runs",
    "published_sizes",
    "resnet18",
    "theorem_deviation",
]

#: Totals of a cost table: what they are called, and the factor to the unit they are printed in.
COSTS = {
    "paper_mb": ("MB, paper's count", 1),
    "stored_mb": ("MB, stored", 1),
    "sops": ("M SOPs", 1e-6),
    "nops": ("M NOPs", 1e-6),
    "paper_mj": ("mJ, paper's count", 1),
    "compute_mj": ("mJ, operations", 1),
    "honest_mj": ("mJ, operations and memory", 1),
}
#: The published ResNet-18 (CIFAR-100, 32 × 32, T = 4): parts, megabytes, millions of neuron operations.
RESNET18: dict[str, tuple[Parts, float, float]] = {
    "LIF, float": (Parts("lif"), 44.84, 6.59),
    "HD-LIF, ternary": (Parts("hdlif", weights="ternary"), 4.40, 6.59),
    "half parallel": (Parts("hdlif", options={"parallel_second": True}, weights="ternary"), 4.40, 4.62),
    "4-bit, half parallel": (
        Parts("hdlif", options={"parallel_second": True, "spike_bits": 4}, weights="ternary"),
        4.40,
        4.62,
    ),
}
#: Sizes in the paper's main results, in megabytes: network, shape of an image, classes and parts. Its 1-bit weights
#: are billed at 2 bits and its ternary ones at 3; first layer and classifier are single precision.
_SIZES: dict[str, tuple[str, tuple[int, int, int], int, Parts, float]] = {
    "ResNet-18, CIFAR-10, float": ("resnet18", (3, 32, 32), 10, Parts("lif"), 44.66),
    "ResNet-18, CIFAR-10, 1 bit": ("resnet18", (3, 32, 32), 10, Parts("hdlif", weights="binary"), 2.82),
    "ResNet-18, CIFAR-100, 1 bit": ("resnet18", (3, 32, 32), 100, Parts("hdlif", weights="binary"), 3.00),
    "ResNet-34, ImageNet, float": ("resnet34", (3, 64, 64), 1000, Parts("lif"), 87.12),
    "ResNet-34, ImageNet, ternary": ("resnet34", (3, 64, 64), 1000, Parts("hdlif", weights="ternary"), 10.06),
    "VGG-SNN, DVS-CIFAR10, float": ("vgg", (2, 48, 48), 10, Parts("lif"), 37.05),
    "VGG-SNN, DVS-CIFAR10, 1 bit": ("vgg", (2, 48, 48), 10, Parts("hdlif", weights="binary"), 2.49),
}


def of_runs(runs: Iterable[tuple[int, TrainResult]], n_images: int) -> xr.Dataset:
    """Costs of an image on test images, and what deployment changes, by seed.

    `fold` is the largest |deployed − trained| output of an image, a median over images: where a spike on the edge turns
    over by the last bit, as it does in some, outputs differ by more. `agree` is the share of equal predictions in %.
    """
    found: dict[int, dict[str, float]] = {}
    for seed, run in runs:
        x = test_images(run.config, n_images)[0]
        with torch.no_grad():
            deployed, trained = deploy(run.model)(x), run.model(x)
        apart = (deployed - trained).abs().transpose(0, 1).flatten(1).amax(1)
        agree = deployed.mean(0).argmax(1) == trained.mean(0).argmax(1)
        totals = cost(run.model, x[:, :32]).totals()
        found[seed] = {name: totals[name] for name in COSTS}
        found[seed] |= {"fold": float(apart.median()), "agree": 100 * float(agree.double().mean())}
    columns = {name: ("seed", [row[name] for row in found.values()]) for name in [*COSTS, "fold", "agree"]}
    return xr.Dataset(columns, {"seed": list(found)})


def cosine_course(fixed: Mapping[str, Any], seeds: Sequence[int], points: int = 10) -> xr.DataArray:
    """Cosine of truncated and full gradient at `points` moments of an online training, (progress, seed).

    Each is taken on the batch that is about to be learnt from.
    """
    courses = []
    for seed in seeds:
        config = train_config(**fixed, paradigm="online", seed=seed)
        data = load(config.data, size=config.size, train=config.train, test=1, seed=seed)
        model = build(config, data.n_classes)[0].train()
        optimizer = torch.optim.AdamW(model.parameters(), lr=config.lr, weight_decay=config.weight_decay)
        order = np.random.default_rng([seed, 0])
        batches = [
            picked
            for _ in range(config.epochs)
            for picked in np.array_split(
                order.permutation(config.train), max(1, config.train // config.batch)
            )
        ]
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, len(batches))
        moments, course = set(np.linspace(0, len(batches) - 1, points).round().astype(int)), []

        def update(optimizer: torch.optim.Optimizer = optimizer) -> None:
            optimizer.step()
            optimizer.zero_grad()

        learner = Learner(model, cross_entropy, Tensor.backward, update)
        for k, picked in enumerate(batches):
            images = torch.from_numpy(data.x_train[picked]).view(-1, 1, *data.image_shape)
            x, y = encoded(images, config, torch.Generator()), torch.from_numpy(data.y_train[picked])
            if k in moments:
                course.append(gradient_cosine(model, x, y))
            PARADIGMS["online"](learner, x, y, torch.Generator())
            schedule.step()
        courses.append(course)
    progress = np.linspace(0, 1, len(courses[0]))
    return xr.DataArray(
        np.array(courses).T, {"progress": progress, "seed": list(seeds)}, ("progress", "seed")
    )


def theorem_deviation(steps: int = 8, layers: int = 10) -> float:
    """Largest |online ÷ full − the factor of Theorem 4.2| over elements of random layers, in double precision.

    The loss weighs outputs at random, each step of an element differently.
    """
    worst = 0.0
    for seed in range(layers):
        generator = torch.Generator().manual_seed(seed)
        neuron = HDLIF(steps).double()
        for p in neuron.parameters():
            p.data += 0.5 * torch.randn(steps, generator=generator, dtype=p.dtype)
        x = 0.6 * torch.randn(steps, 50, 20, generator=generator, dtype=torch.float64) + 0.2
        x, weights, gradients = x.requires_grad_(), torch.randn(x.shape, generator=generator), []
        for neuron.through_time in (False, True):
            gradients += torch.autograd.grad((neuron(x) * weights).sum(), x)
        online, full = gradients
        there = full != 0
        worst = max(worst, float((online / full - temporal_factor(neuron, x))[there].abs().max()))
        worst = max(worst, float(online[~there].abs().max()))
    return worst


def held_mb(fixed: Mapping[str, Any], steps: Sequence[int], batch: int = 32) -> xr.DataArray:
    """Megabytes that a batch of random images holds for the backward pass, (training, steps)."""
    names = {"online": "online", "BPTT": "bptt"}
    found = xr.DataArray(
        np.zeros((len(names), len(steps))),
        {"training": list(names), "steps": list(steps)},
        ("training", "steps"),
    )
    for name, paradigm in names.items():
        for T in steps:
            config = train_config(**{**fixed, "steps": T})
            model = build(config, 10)[0]
            x = encoded(torch.rand(batch, *config.step_shape), config, torch.Generator())
            learner = Learner(model, cross_entropy, Tensor.backward, model.zero_grad)
            with held_bytes(model) as sizes:
                PARADIGMS[paradigm](learner, x, torch.zeros(batch, dtype=torch.int64), torch.Generator())
            found.loc[name, T] = max(sizes) / 1e6
    return found


def resnet18() -> dict[str, tuple[float, float]]:
    """Megabytes and millions of neuron operations of the published ResNet-18s, as built here."""
    x, found = torch.rand(4, 1, 3, 32, 32), {}
    for name, (parts, _, _) in RESNET18.items():
        model: nn.Module = network("resnet18", (3, 32, 32), 100, parts)
        table = cost(model, x)
        found[name] = (table.paper_mb, table.nops / 1e6)
    return found


def published_sizes() -> dict[str, tuple[float, float]]:
    """Megabytes of the networks of the paper's main results, as built here and as published."""
    found = {}
    for name, (net, shape, classes, parts, paper) in _SIZES.items():
        table = cost(network(net, shape, classes, parts), torch.rand(1, 1, *shape))
        found[name] = (table.paper_mb, paper)
    return found

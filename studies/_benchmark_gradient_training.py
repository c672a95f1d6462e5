"""What `benchmark_gradient.py` compares beside whole sequences: training steps, and layers taken a step at a time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from _benchmark_gradient_contestants import BATCH, SURROGATE, UNITS
from torch import nn
from torch.nn.functional import cross_entropy

from homeonet.gradient import DSN, LIF, SpikingNeuron, TrLIF
from homeonet.gradient.homeostasis import AHSAR, Homeostasis
from homeonet.gradient.networks import Parts, network

__all__ = ["STEPS", "layers_alone", "single_steps", "training_steps"]

#: How many steps a call of :func:`single_steps` takes.
STEPS = 64


class TrainingStep:
    """A step of Adam on a small convolutional network; 64 random images of 28 × 28 pixels, T = 4."""

    STEPS, IMAGES = 4, 64

    def __init__(self, neuron: str, plugin: Homeostasis | None = None) -> None:
        torch.manual_seed(1)
        parts = Parts(neuron, self.STEPS, {"surrogate": SURROGATE})
        self.model = network("conv", (1, 28, 28), 10, parts).train()
        self.plugin = plugin.attach(self.model) if plugin is not None else None
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=2e-3)
        self.x = torch.rand(self.IMAGES, 1, 28, 28).expand(self.STEPS, -1, -1, -1, -1)
        self.y = torch.randint(10, (self.IMAGES,))

    def __call__(self) -> None:
        self.optimizer.zero_grad()
        cross_entropy(self.model(self.x).mean(0), self.y).backward()
        self.optimizer.step()
        if self.plugin is not None:
            self.plugin.after_batch()


class LayerAlone:
    """Forward and backward of the network's first spiking layer."""

    def __init__(self, layer: nn.Module) -> None:
        torch.manual_seed(1)
        shape = (TrainingStep.STEPS, TrainingStep.IMAGES, 32, 28, 28)
        self.layer, self.x, self.grad = layer.train(), torch.randn(shape).requires_grad_(), torch.randn(shape)

    def __call__(self) -> None:
        self.x.grad = None
        self.layer.zero_grad()
        self.layer(self.x).backward(self.grad)


def training_steps() -> dict[str, Callable[[], None]]:
    """What is compared with the first, which meets itself as a control."""
    return {
        "LIF": TrainingStep("lif"),
        "LIF again (control)": TrainingStep("lif"),
        "LIF with AHSAR": TrainingStep("lif", AHSAR()),
        "TrLIF": TrainingStep("trlif"),
    }


def layers_alone() -> dict[str, Callable[[], None]]:
    """The same neurons without the network around them."""
    return {
        "LIF": LayerAlone(LIF(surrogate=SURROGATE)),
        "LIF again (control)": LayerAlone(LIF(surrogate=SURROGATE)),
        "TrLIF": LayerAlone(TrLIF(surrogate=SURROGATE)),
        "TrLIF without MP-Init": LayerAlone(TrLIF(surrogate=SURROGATE, mp_init=False)),
    }


class SingleSteps:
    """A layer by its ``step``; `mode` is "no gradients" (inference), or "gradients" (forward and backward)."""

    def __init__(self, layer: SpikingNeuron, mode: str) -> None:
        torch.manual_seed(1)
        self.layer, self.trains = layer.train(mode == "gradients"), mode == "gradients"
        x = torch.randn(STEPS, BATCH, UNITS) * 0.5 + 0.3
        self.x, self.grad = x.requires_grad_(self.trains), torch.randn(STEPS, BATCH, UNITS)

    def __call__(self) -> None:
        self.layer.reset()
        if not self.trains:
            with torch.no_grad():
                for x_t in self.x.unbind():
                    self.layer.step(x_t)
            return
        self.x.grad = None
        self.layer.zero_grad()
        torch.stack([self.layer.step(x_t) for x_t in self.x.unbind()]).backward(self.grad)


def single_steps(mode: str) -> dict[str, Callable[[], None]]:
    """Layers a step at a time, the first of which meets itself as a control."""
    layers = {
        "LIF": LIF(surrogate=SURROGATE),
        "LIF again (control)": LIF(surrogate=SURROGATE),
        "TrLIF": TrLIF(surrogate=SURROGATE),
        "DSN": DSN(UNITS),
    }
    return {name: SingleSteps(layer, mode) for name, layer in layers.items()}

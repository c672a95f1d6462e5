"""What `gradient.py` compares beside whole sequences: training steps, and layers taken one step at a time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from homeonet.gradient import DSN, LIF, SpikingNeuron, TrLIF
from homeonet.gradient.homeostasis import AHSAR
from homeonet.study.layers import SURROGATE, TrainingStep
from homeonet.study.timing import BATCH, UNITS

__all__ = ["STEPS", "layers_alone", "single_steps", "training_steps"]

#: Steps per call of :func:`single_steps`.
STEPS = 64


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
    """Layers one step at a time, the first of which meets itself as a control."""
    layers = {
        "LIF": LIF(surrogate=SURROGATE),
        "LIF again (control)": LIF(surrogate=SURROGATE),
        "TrLIF": TrLIF(surrogate=SURROGATE),
        "DSN": DSN(UNITS),
    }
    return {name: SingleSteps(layer, mode) for name, layer in layers.items()}

"""The layers whose speed studies compare: this package's neurons, step loops of some, and a training step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from homeonet.gradient import DSN, HDLIF, LIF, PSN, SlidingPSN, SpikingNeuron, TrLIF, heaviside
from homeonet.gradient.homeostasis import Homeostasis
from homeonet.gradient.kernels._surrogate import surrogate_named
from homeonet.gradient.networks import Parts, network
from homeonet.study.timing import UNITS, Call, Contestant, Inputs

__all__ = ["KERNEL", "SURROGATE", "TrainingStep", "neurons"]

KERNEL = 32
#: What SpikingJelly's PSN and snnTorch have too.
SURROGATE = "arctan"


def _lif_loop(x: Tensor) -> Tensor:
    surrogate, u, outputs = surrogate_named(SURROGATE), torch.zeros_like(x[0]), []
    for x_t in x.unbind():
        m = 0.5 * u + x_t
        spikes = heaviside(m - 1.0, surrogate)
        u = m - spikes
        outputs.append(spikes)
    return torch.stack(outputs)


def _whole(make: Callable[[int], SpikingNeuron]) -> Callable[[Inputs], Call]:
    return lambda inputs: inputs.through(make(len(inputs)))


def _step_by_step(make: Callable[[int], SpikingNeuron]) -> Callable[[Inputs], Call]:
    def prepare(inputs: Inputs) -> Call:
        layer = make(len(inputs))

        def forward(x: Tensor) -> Tensor:
            layer.reset()
            return torch.stack([layer.step(x_t) for x_t in x.unbind()])

        return inputs.through(layer, forward)

    return prepare


def neurons() -> list[Contestant]:
    """This package's neurons, and step loops of DSN, sliding PSN and LIF; all start from rest."""
    layers: dict[str, Callable[[int], SpikingNeuron]] = {
        "DSN": lambda n_steps: DSN(UNITS),
        "PSN": PSN,
        f"SlidingPSN({KERNEL})": lambda n_steps: SlidingPSN(KERNEL),
        "LIF": lambda n_steps: LIF(surrogate=SURROGATE),
        "TrLIF": lambda n_steps: TrLIF(surrogate=SURROGATE),
        "TrLIF without MP-Init": lambda n_steps: TrLIF(surrogate=SURROGATE, mp_init=False),
        "HDLIF": HDLIF,
    }
    found = [Contestant(name, _whole(make)) for name, make in layers.items()]
    psn = next(c for c in found if c.name == "PSN")
    psn.order, psn.matrices, psn.needed = 2, 2, True
    loops = [
        Contestant(f"{name}, step by step", _step_by_step(layers[name]))
        for name in ("DSN", f"SlidingPSN({KERNEL})")
    ]
    loops.append(
        Contestant("LIF, loop under autograd", lambda inputs: inputs.through(nn.Module(), _lif_loop))
    )
    return [*found, *loops]


class TrainingStep:
    """A step of Adam on a small convolutional network; 64 random images of 28 × 28 pixels, T = 4."""

    STEPS, IMAGES = 4, 64

    def __init__(self, neuron: str, plugin: Homeostasis | None = None) -> None:
        torch.manual_seed(1)
        parts = Parts(neuron, self.STEPS, (("surrogate", SURROGATE),))
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

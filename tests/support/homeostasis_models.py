"""Small models of three libraries, all from (T, B, 12) to (T, B, 3), for the tests of homeostasis."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from homeonet.gradient import LIF, PerStep, TrLIF

T, B, N_IN = 6, 5, 12


def linear(n_in: int, n_out: int) -> PerStep:
    return PerStep(nn.Linear(n_in, n_out))


def lif() -> nn.Module:
    return nn.Sequential(linear(N_IN, 10), LIF(), linear(10, 8), LIF(0.9, threshold=0.7), linear(8, 3))


def trlif() -> nn.Module:
    second = TrLIF(threshold=0.2, channels=8, threshold_rule="rs")
    return nn.Sequential(linear(N_IN, 10), TrLIF(threshold=0.4), linear(10, 8), second, linear(8, 3))


class Looped(nn.Module):
    """A loop over time within the model, over layers that take a step."""

    def __init__(self, first: nn.Module, second: nn.Module, begin: Callable[[Looped], None]) -> None:
        super().__init__()
        self.encode, self.first = nn.Linear(N_IN, 10), first
        self.mix, self.second = nn.Linear(10, 8), second
        self.classify = nn.Linear(8, 3)
        self.begin = begin

    def forward(self, x: Tensor) -> Tensor:
        self.begin(self)
        return torch.stack([self.step(x_t) for x_t in x])

    def step(self, x_t: Tensor) -> Tensor:
        return self.classify(self.second(self.mix(self.first(self.encode(x_t)))))


class ExplicitMembranes(nn.Module):
    """snnTorch's usual loop, which carries the membranes itself."""

    def __init__(self, **options) -> None:
        import snntorch

        super().__init__()
        self.encode, self.first = nn.Linear(N_IN, 10), snntorch.Leaky(0.8, **options)
        self.mix = nn.Linear(10, 8)
        self.second = snntorch.Leaky(0.9, threshold=0.7, learn_threshold=True, learn_beta=True)
        self.classify = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        mem1, mem2 = self.first.init_leaky(), self.second.init_leaky()
        outputs = []
        for x_t in x:
            spk1, mem1 = self.first(self.encode(x_t), mem1)
            spk2, mem2 = self.second(self.mix(spk1), mem=mem2)
            outputs.append(self.classify(spk2))
        return torch.stack(outputs)


def leaky() -> nn.Module:
    return ExplicitMembranes()


def leaky_hidden() -> nn.Module:
    import snntorch

    def begin(model: Looped) -> None:
        for layer in (model.first, model.second):
            layer.reset_mem()

    return Looped(
        snntorch.Leaky(0.8, init_hidden=True),
        snntorch.Leaky(0.9, threshold=0.7, init_hidden=True, reset_mechanism="zero"),
        begin,
    )


def jelly_step() -> nn.Module:
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based import functional, neuron

    return Looped(neuron.LIFNode(v_threshold=0.4), neuron.LIFNode(v_threshold=0.3), functional.reset_net)


class ResetSequential(nn.Sequential):
    """Multi-step layers of SpikingJelly, reset before each sequence."""

    def forward(self, x: Tensor) -> Tensor:
        from spikingjelly.activation_based import functional

        functional.reset_net(self)
        return super().forward(x)


def jelly_multi() -> nn.Module:
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based import neuron

    return ResetSequential(
        nn.Linear(N_IN, 10),
        neuron.LIFNode(v_threshold=0.4, step_mode="m"),
        nn.Linear(10, 8),
        neuron.IFNode(v_threshold=0.6, v_reset=None, step_mode="m"),
        nn.Linear(8, 3),
    )


MODELS = {make.__name__: make for make in (lif, trlif, leaky, leaky_hidden, jelly_step, jelly_multi)}
OWN, OTHERS = ("lif", "trlif"), ("leaky", "leaky_hidden", "jelly_step", "jelly_multi")


def make(name: str, seed: int = 0) -> nn.Module:
    """A model with weights large enough for all layers to spike."""
    torch.manual_seed(seed)
    model = MODELS[name]()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Linear):
                module.weight.mul_(3)
    return model


def batch(seed: int = 1, n_batch: int = B) -> Tensor:
    return torch.rand(T, n_batch, N_IN, generator=torch.Generator().manual_seed(seed))


def outputs_and_gradients(model: nn.Module, x: Tensor) -> list[Tensor]:
    """Output, gradient of the input, gradients of all parameters."""
    model.zero_grad()
    x = x.clone().requires_grad_()
    out = model(x)
    out.square().sum().backward()
    return [out.detach(), x.grad, *(p.grad.clone() for p in model.parameters() if p.grad is not None)]


def settle(model: nn.Module) -> nn.Module:
    """Let go of states, which are part of a graph in the other libraries, as their users do between batches."""
    for module in model.modules():
        if hasattr(module, "reset_mem"):
            module.reset_mem()
        elif hasattr(module, "v_threshold"):
            module.reset()
    return model


def same(a: list[Tensor], b: list[Tensor]) -> bool:
    return len(a) == len(b) and all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def linears(model: nn.Module) -> list[nn.Linear]:
    return [m for m in model.modules() if isinstance(m, nn.Linear)]

"""Homeostasis of strength zero changes no bit, learnt thresholds and those of each unit included."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from homeonet.gradient import TrLIF
from homeonet.gradient.homeostasis import AHSAR, ThresholdAdaptation

snntorch = pytest.importorskip("snntorch")
X = 3 * torch.rand(40, 33, 12, generator=torch.Generator().manual_seed(5))


class Loop(nn.Module):
    """Two layers of snnTorch in a loop over time."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.first, self.last = nn.Linear(12, 37), nn.Linear(37, 5)
        self.neuron = snntorch.Leaky(0.9, learn_threshold=True, init_hidden=True)
        self.second = snntorch.Leaky(0.8, threshold=0.7, learn_threshold=True, init_hidden=True, output=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.neuron.reset_mem(), self.second.reset_mem()
        return torch.stack([self.second(self.last(self.neuron(self.first(x_t)))) for x_t in x])


def trlif() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(12, 37), TrLIF(channels=37), nn.Linear(37, 5))


NOTHING = {
    "ahsar": lambda model: AHSAR(strength=0, gain=False).attach(model),
    "layer": lambda model: ThresholdAdaptation(rate=0).attach(model),
    "unit": lambda model: ThresholdAdaptation(rate=0, per="unit").attach(model, example=X[:2]),
}


@pytest.mark.parametrize("kind", NOTHING)
@pytest.mark.parametrize("make", [Loop, trlif])
def test_learnt_thresholds_get_the_same_gradient_to_the_bit(make, kind) -> None:
    plain, model = make(), make()
    NOTHING[kind](model)
    for _ in range(2):
        for net in (plain, model):
            net(X).square().sum().backward()
    assert torch.equal(plain(X), model(X))
    thresholds = [name for name, p in plain.named_parameters() if "threshold" in name and p.grad is not None]
    assert thresholds
    for (name, ours), theirs in zip(plain.named_parameters(), model.parameters(), strict=True):
        assert ours.grad is None or torch.equal(ours.grad, theirs.grad), name


def test_a_factor_that_was_learnt_before_is_kept_at_strength_zero() -> None:
    trained, still = trlif(), trlif()
    ThresholdAdaptation(rate=0.5).attach(trained)(X), trained(X)
    ThresholdAdaptation(rate=0).attach(still)
    still.load_state_dict(trained.state_dict())
    assert still.homeostasis_threshold_adaptation.scale("1") != 1
    assert torch.equal(still.eval()(X), trained.eval()(X))

"""A deployed model whose homeostasis moved the threshold of each unit can be loaded into another one; copies follow."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from homeonet.gradient import DSN, HDLIF, LIF, TrLIF, deploy
from homeonet.gradient.homeostasis import ThresholdAdaptation

NEURONS = {"lif": LIF, "trlif": TrLIF, "hdlif": lambda: HDLIF(6), "dsn": lambda: DSN(10)}


def network(name: str) -> nn.Module:
    return nn.Sequential(nn.Linear(12, 10), NEURONS[name](), nn.Linear(10, 4))


def batch(seed: int) -> torch.Tensor:
    return 3 * torch.rand(6, 5, 12, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", NEURONS)
@pytest.mark.parametrize("attached", [True, False])
def test_a_deployed_model_is_loaded_into_one_of_the_same_architecture(name: str, attached: bool) -> None:
    trained, fresh = network(name), network(name)
    ThresholdAdaptation(rate=0.5, per="unit").attach(trained)
    for seed in range(4):
        trained(batch(seed))
    if attached:
        ThresholdAdaptation(rate=0.5, per="unit").attach(fresh)
    saved, loaded = deploy(trained), deploy(fresh)
    loaded.load_state_dict(saved.state_dict())
    assert len(saved[1].threshold_scale.unique()) > 2
    torch.testing.assert_close(loaded(batch(9)), saved(batch(9)))
    torch.testing.assert_close(loaded(batch(9)), trained.eval()(batch(9)))


@pytest.mark.parametrize("use_buffers", [True, False])
def test_a_running_mean_of_a_model_made_before_the_first_pass(use_buffers: bool) -> None:
    model = network("lif")
    plugin = ThresholdAdaptation(rate=0.5, per="unit").attach(model)
    mean = AveragedModel(model, use_buffers=use_buffers)
    by_hand = copy.deepcopy(model)
    logs = []
    for seed in range(3):
        model(batch(seed))
        mean.update_parameters(model)
        with torch.no_grad():
            for there, here in zip(by_hand.state_dict().values(), model.state_dict().values(), strict=True):
                there.copy_(here)
        logs.append(plugin.log_scale_0.clone())
    held = mean.module.homeostasis_threshold_adaptation.log_scale_0
    torch.testing.assert_close(held, torch.stack(logs).mean(0) if use_buffers else logs[-1])
    assert torch.equal(by_hand.eval()(batch(9)), model.eval()(batch(9)))


def test_a_copy_learns_by_itself() -> None:
    model = network("lif")
    plugin = ThresholdAdaptation(rate=0.5, per="unit").attach(model)
    twin = copy.deepcopy(model)
    model(batch(1))
    assert plugin.log_scale_0.any() and not twin.homeostasis_threshold_adaptation.log_scale_0.any()
    apart = pickle.loads(pickle.dumps(model))
    apart(batch(2))
    assert not torch.equal(apart.homeostasis_threshold_adaptation.log_scale_0, plugin.log_scale_0)

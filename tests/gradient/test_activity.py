"""What is seen of a model's activity: membranes, rates, and their distance to the stationary law."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from homeonet.analysis import membrane_distance, total_variation
from homeonet.errors import InputError
from homeonet.gradient import LIF, PSN, PerStep, membrane_trajectories
from homeonet.gradient.training import ActivityProbe, weight_norms


def test_membranes_are_those_of_single_steps() -> None:
    torch.manual_seed(0)
    linear, neuron = nn.Linear(5, 7), LIF(0.8)
    model = nn.Sequential(PerStep(linear), neuron)
    x = torch.randn(6, 3, 5) * 3
    found = membrane_trajectories(model, x)["1"]
    u = torch.zeros(3, 7)
    for t, x_t in enumerate(x):
        m = 0.8 * u + linear(x_t)
        u = torch.where(m >= 1, m - 1, m)
        np.testing.assert_allclose(found[t], u.detach().numpy(), atol=1e-6)
    assert model.training


def test_total_variation_of_known_histograms() -> None:
    assert total_variation(np.array([1, 1]), np.array([5, 5])) == 0
    assert total_variation(np.array([1, 0]), np.array([0, 3])) == 1
    assert total_variation(np.array([3, 1]), np.array([1, 1])) == pytest.approx(0.25)


def test_distance_of_shifted_uniform_laws_is_the_shift() -> None:
    # two uniform laws of unit width shifted by s are at distance s
    rng = np.random.default_rng(0)
    steps = np.stack([rng.uniform(s, s + 1, 200_000) for s in (0.4, 0.2, 0.0)])
    np.testing.assert_allclose(membrane_distance(steps), [0.4, 0.2, 0.0], atol=0.02)


def test_probe_counts_rates_dead_and_saturated_units() -> None:
    model = nn.Sequential(LIF(0.0))
    x = torch.zeros(4, 2, 3)
    x[:, :, 0] = 5.0  # always
    x[1, 0, 1] = 5.0  # once in eight
    with ActivityProbe(model) as probe:
        model(x[:, :1])
        model(x[:, 1:])
    np.testing.assert_allclose(probe.unit_rates("0"), [1, 1 / 8, 0])
    assert probe.summary()["0"] == pytest.approx({"rate": 3 / 8, "dead": 1 / 3, "saturated": 1 / 3})


def test_weight_norms_are_euclidean() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=True))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[3.0, 0.0], [0.0, 4.0]]))
    assert weight_norms(model) == {"0.weight": pytest.approx(5.0)}


def test_bad_input() -> None:
    with pytest.raises(InputError, match="no layer with a membrane"):
        membrane_trajectories(nn.Sequential(PSN(3)), torch.zeros(3, 2, 2))
    with pytest.raises(InputError, match="stationary_steps = 3"):
        membrane_distance(np.zeros((2, 5)), stationary_steps=3)
    with pytest.raises(InputError, match="not finite"):
        membrane_distance(np.full((2, 5), np.nan))
    with pytest.raises(InputError, match="same bins"):
        total_variation(np.ones(2), np.ones(3))

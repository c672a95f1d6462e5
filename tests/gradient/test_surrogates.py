"""Surrogate gradients: each is its formula, and the threshold rules around them are what the paper says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from homeonet.gradient import Arctan, Rectangle, Sigmoid, Triangle, TrLIF
from homeonet.gradient.kernels._surrogate import heaviside


@pytest.mark.parametrize(
    ("surrogate", "formula"),
    [
        (Rectangle(0.8), lambda x: (np.abs(x) < 0.4) / 0.8),
        (Triangle(1.3), lambda x: np.maximum(0, 1.3 - np.abs(x)) / 1.3**2),
        (Arctan(2.0), lambda x: 2.0 / (2 * (1 + (np.pi * 2.0 * x / 2) ** 2))),
        (Sigmoid(0.3), lambda x: np.exp(x / 0.3) / (1 + np.exp(x / 0.3)) ** 2 / 0.3),
    ],
)
def test_surrogates_equal_their_formula_and_have_unit_area(surrogate, formula) -> None:
    x = torch.linspace(-3, 3, 301, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(heaviside(x, surrogate).sum(), x)
    np.testing.assert_allclose(slope, formula(x.detach().numpy()), atol=1e-12)
    wide = torch.linspace(-4000, 4000, 8_000_001, dtype=torch.float64)
    assert float(torch.trapezoid(surrogate(wide), wide)) == pytest.approx(1, abs=2e-3)


def test_trsg_threshold_gradient_is_the_closed_form() -> None:
    # one step: O = θ H(m/θ - 1); g_θ = g_out S - g_M (x + 1), g_M = g_out f'(x)
    torch.manual_seed(0)
    neuron = TrLIF(tau=2.0, threshold=0.8, learn_tau=False).double().eval()
    x = torch.rand(1, 200, dtype=torch.float64) * 4
    grad_out = torch.randn(1, 200, dtype=torch.float64)
    out = neuron(x)
    (found,) = torch.autograd.grad((out * grad_out).sum(), neuron.raw_threshold)
    theta, m = neuron.threshold.item(), x / 2
    z = m / theta - 1
    bump = (1 - z.abs()).clamp_min(0)
    expected = (grad_out * ((z >= 0).double() - bump * (z + 1))).sum()
    softplus_slope = torch.sigmoid(neuron.raw_threshold).item()
    assert float(found) == pytest.approx(float(expected) * softplus_slope, rel=1e-10)


def test_trsg_gradient_does_not_depend_on_the_threshold_as_and_rs_do() -> None:
    # the check of Kook et al.: membranes that scale with the threshold, mean |∂O/∂m|
    generator = torch.Generator().manual_seed(0)
    relative = torch.rand(1, 20000, generator=generator, dtype=torch.float64) * 2
    means = {}
    for rule, threshold in itertools.product(("trsg", "as", "rs"), (0.25, 1.0, 4.0)):
        neuron = TrLIF(threshold=threshold, threshold_rule=rule, mp_init=False).double()
        x = (2 * threshold * relative).requires_grad_()
        (grad,) = torch.autograd.grad(neuron(x).sum(), x)
        means[rule, threshold] = float(grad.abs().mean() * 2)  # ∂m/∂x = 1/2
    assert means["trsg", 0.25] == pytest.approx(means["trsg", 1.0], rel=1e-6)
    assert means["trsg", 4.0] == pytest.approx(means["trsg", 1.0], rel=1e-6)
    assert means["rs", 0.25] == pytest.approx(4 * means["rs", 1.0], rel=1e-6)
    assert means["rs", 4.0] == pytest.approx(means["rs", 1.0] / 4, rel=1e-6)
    assert means["as", 0.25] > 1.5 * means["as", 1.0] > 5 * means["as", 4.0]

"""DSN with a static decay, the paper's ablation: a linear filter of each channel, rounded."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import lfilter

from homeonet.errors import InputError
from homeonet.gradient import DSN
from homeonet.gradient.networks import Parts, network


@pytest.mark.parametrize("parallel", [True, False])
def test_its_membrane_is_a_linear_filter_of_each_channel(parallel: bool) -> None:
    torch.manual_seed(0)
    threshold = 1e-3  # levels so fine that outputs are membranes
    neuron = DSN(
        3, decay="static", longest_memory=30.0, threshold=threshold, levels=10_000, parallel=parallel
    )
    x = torch.rand(200, 2, 3)
    found = neuron(x).detach().numpy() * threshold
    for channel, alpha in enumerate(np.exp(-1 / np.logspace(0, np.log10(30.0), 3))):
        expected = lfilter([1 - alpha], [1, -alpha], x[:, :, channel].numpy(), axis=0)
        np.testing.assert_allclose(found[:, :, channel], expected, atol=threshold)


def test_the_gradient_of_its_decay_is_that_of_finite_differences() -> None:
    torch.manual_seed(1)
    neuron = DSN(2, decay="static", longest_memory=20.0, levels=4).double()
    x, weight = 4 * torch.rand(40, 3, 2, dtype=torch.float64), torch.randn(3, 2, dtype=torch.float64)

    def end(bias: torch.Tensor) -> torch.Tensor:
        neuron.bias.data = bias
        return (neuron.sequence(x, None)[1].membrane * weight).sum()

    start, step = neuron.bias.data.clone(), 1e-6
    end(start).backward()
    for i, unit in enumerate(torch.eye(2, dtype=torch.float64)):
        slope = (end(start + step * unit) - end(start - step * unit)) / (2 * step)
        torch.testing.assert_close(neuron.bias.grad[i], slope.detach(), rtol=1e-6, atol=1e-8)


def test_it_learns_one_constant_a_channel_and_streams() -> None:
    neuron = DSN(5, decay="static")
    assert {name: p.shape for name, p in neuron.named_parameters()} == {"bias": (5,)}
    assert list(neuron.state_dict()) == [n for n in DSN(5).state_dict() if n != "weight"]
    x = torch.rand(9, 2, 5)
    whole = neuron(x)
    torch.testing.assert_close(torch.stack([neuron.step(x_t) for x_t in x]), whole)
    model = network("columns", (1, 8), 10, Parts("dsn", 8, {"decay": "static"}), width=4)
    model(torch.rand(8, 2, 1, 8)).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_another_decay_is_refused() -> None:
    with pytest.raises(InputError, match="decay = 'none'"):
        DSN(4, decay="none")

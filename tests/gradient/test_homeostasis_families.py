"""Homeostasis on every neuron of snnTorch and SpikingJelly that has a threshold: it is that of a scaled threshold."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.homeostasis import AHSAR

SNNTORCH = {
    "Leaky": {"beta": 0.9},
    "Lapicque": {"beta": 0.9},
    "RLeaky": {"beta": 0.9, "linear_features": 5},
    "Synaptic": {"alpha": 0.9, "beta": 0.8},
    "RSynaptic": {"alpha": 0.9, "beta": 0.8, "linear_features": 5},
    "Alpha": {"alpha": 0.9, "beta": 0.8},
}
JELLY = ["IFNode", "LIFNode", "ParametricLIFNode", "EIFNode", "QIFNode", "IzhikevichNode"]


def by_steps(layer: nn.Module, x: Tensor) -> Tensor:
    recurrent = type(layer).__name__.startswith("R")
    start = getattr(layer, f"init_{type(layer).__name__.lower()}", layer.reset_mem)()
    state = start if isinstance(start, tuple) else (start,)
    outputs = []
    for x_t in x:
        found = layer(x_t, *state)
        outputs.append(found[0])
        state = found if recurrent else found[1:]
    return torch.stack(outputs)


def scaled(layer: nn.Module) -> float:
    """Attach AHSAR in a state that raises the threshold; by how much."""
    plugin = AHSAR().attach(layer.eval())
    plugin.state.fill_(3.0)
    return float(plugin.scale)


@pytest.mark.parametrize("name", SNNTORCH)
def test_snntorch(name: str) -> None:
    snntorch = pytest.importorskip("snntorch")
    torch.manual_seed(0)
    layer, x = getattr(snntorch, name)(threshold=0.8, **SNNTORCH[name]), 2 * torch.rand(20, 3, 5)
    other = getattr(snntorch, name)(**SNNTORCH[name])
    other.load_state_dict(layer.state_dict())
    plain = by_steps(layer, x)
    other.threshold = 0.8 * torch.tensor(scaled(layer))
    found = by_steps(layer, x)
    assert torch.equal(found, by_steps(other, x)) and not torch.equal(found, plain)


@pytest.mark.parametrize("name", JELLY)
def test_spikingjelly(name: str) -> None:
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based import neuron

    torch.manual_seed(0)
    x = 4 * torch.rand(20, 3, 50)
    layer, plain = (getattr(neuron, name)(step_mode="m") for _ in range(2))
    other = getattr(neuron, name)(step_mode="m")
    other.v_threshold = layer.v_threshold * scaled(layer)
    found = layer(x)
    assert torch.equal(found, other(x)) and not torch.equal(found, plain(x))


@pytest.mark.parametrize("name", ["PSN", "SlidingPSN"])
def test_spikingjelly_s_parallel_neurons_are_refused_with_the_remedy(name: str) -> None:
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based import neuron

    layer = neuron.PSN(4) if name == "PSN" else neuron.SlidingPSN(k=2, step_mode="m")
    with pytest.raises(InputError, match=f"{name}.*homeonet.gradient.{name}"):
        AHSAR().attach(nn.Sequential(nn.Linear(3, 3), layer))

"""Truncated gradients beside those through time, and bytes held: against gradients and bytes worked out by hand."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from homeonet.errors import InputError
from homeonet.gradient import HDLIF, LIF, spiking_neurons
from homeonet.gradient.networks import Parts, network
from homeonet.gradient.training import gradient_cosine, held_bytes, temporal_factor

STEPS, BATCH, CLASSES = 5, 6, 3


def task() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    x = 3 * torch.rand(STEPS, BATCH, 4, generator=generator, dtype=torch.float64)
    return x, torch.randint(CLASSES, (BATCH,), generator=generator)


def small(parts: Parts) -> nn.Module:
    torch.manual_seed(0)
    return network("sg_snn", (4,), CLASSES, parts, hidden=16).double()


def by_steps(model: nn.Module, x: torch.Tensor, y: torch.Tensor, *, truncated: bool) -> torch.Tensor:
    """The gradient of the mean loss over steps from a loop over the readable steps, the state cut or not."""
    model, state, loss = copy.deepcopy(model), None, 0.0
    for x_t in x:
        out, state = model.neuron.single_step(model.encode(x_t[None])[0], state)
        if truncated:
            state = state.detach() if torch.is_tensor(state) else (state[0].detach(), state[1])
        loss = loss + cross_entropy(model.classify(out[None])[0], y) / len(x)
    loss.backward()
    return torch.cat([layer[0].weight.grad.flatten() for layer in (model.encode, model.classify)])


@pytest.mark.parametrize("neuron", ["lif", "hdlif"])
def test_cosine_is_that_of_gradients_from_a_loop_over_steps(neuron: str) -> None:
    model, (x, y) = small(Parts(neuron, STEPS)), task()
    model.encode, model.classify = (nn.Sequential(m.layer) for m in (model.encode, model.classify))
    online, through_time = (by_steps(model, x, y, truncated=flag) for flag in (True, False))
    expected = float(online @ through_time / (online.norm() * through_time.norm()))
    assert 0 < expected < 0.9999
    assert gradient_cosine(model, x, y) == pytest.approx(expected, abs=1e-10)


def test_without_a_past_the_cosine_is_one_and_the_model_stays_as_it_is() -> None:
    model, (x, y) = small(Parts("lif", STEPS, {"decay": 0.0})), task()
    assert gradient_cosine(model, x, y) == pytest.approx(1, abs=1e-12)
    mp = network("conv", (1, 8, 8), CLASSES, Parts("trlif", STEPS), width=0.125)
    before = {name: value.clone() for name, value in mp.state_dict().items()}
    gradient_cosine(mp, torch.rand(STEPS, BATCH, 1, 8, 8), y)
    assert all(value.equal(before[name]) for name, value in mp.state_dict().items())
    assert all(p.grad is None for p in mp.parameters()) and mp.training
    assert all(neuron.through_time for neuron in spiking_neurons(mp))


def test_temporal_factor_by_hand() -> None:
    # λ = θ = 1/2; fires at steps 2 and 4: χ[2,2] = χ[4,4] = 1; past step 2's spike nothing flows, from 3 to 4 λ does
    x = torch.tensor([0.2, 1.0, 0.1, 2.0]).view(4, 1, 1)
    assert temporal_factor(HDLIF(4), x).flatten().tolist() == [0.0, 1.0, 0.0, 1.0]
    # fires at both: the spike of the first cuts its own way to the second
    assert temporal_factor(HDLIF(2), torch.ones(2, 1, 1)).flatten().tolist() == [1.0, 1.0]
    assert temporal_factor(HDLIF(2), torch.zeros(2, 1, 1)).flatten().tolist() == [0.0, 0.0]


def test_the_theorem_holds_for_a_loss_that_weighs_each_step_differently() -> None:
    generator = torch.Generator().manual_seed(0)
    neuron, x = HDLIF(8).double(), torch.randn(8, 30, 4, generator=generator, dtype=torch.float64)
    weights, gradients = torch.randn(x.shape, generator=generator, dtype=x.dtype), []
    for neuron.through_time in (False, True):
        inputs = x.clone().requires_grad_()
        gradients += torch.autograd.grad((neuron(inputs) * weights).sum(), inputs)
    online, full = gradients
    assert (online != full).any()
    torch.testing.assert_close(online, temporal_factor(neuron, x) * full, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("options", [{"variant": "parallel"}, {"spike_bits": 4}])
def test_the_theorem_is_of_plain_hd_lif(options: dict) -> None:
    with pytest.raises(InputError, match=r"temporal_factor: variant = .*'vanilla'"):
        temporal_factor(HDLIF(2, **options), torch.zeros(2, 1, 1))


def test_held_bytes_of_a_chain_by_hand() -> None:
    # a linear layer keeps its input, tanh its output, which the next layer keeps as its input: the same bytes
    model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2)).double()
    with held_bytes(model) as sizes:
        out = model(torch.rand(3, 5, dtype=torch.float64))
        assert max(sizes) == 8 * (3 * 5 + 3 * 7)
        out.sum().backward()
        del out
        model(torch.rand(1, 5, dtype=torch.float64)).sum().backward()
    assert sizes[-1] <= 8 * (5 + 7) and max(sizes) == 8 * (3 * 5 + 3 * 7)


def test_held_bytes_sees_what_a_neuron_keeps() -> None:
    neuron = LIF(threshold=0.5)
    with held_bytes(neuron) as sizes:
        neuron(torch.rand(STEPS, BATCH, 4, requires_grad=True)).sum().backward()
    assert max(sizes) >= 4 * STEPS * BATCH * 4  # the membrane of every step

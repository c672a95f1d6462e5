"""DSN: in parallel and step by step, from any state, over long sequences, and with a static decay."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import lfilter
from torch import Tensor

from homeonet.errors import InputError
from homeonet.gradient import DSN
from homeonet.gradient.kernels import _native as native
from homeonet.gradient.networks import Parts, network
from homeonet.gradient.neurons._dsn import DSNState


@pytest.mark.parametrize(
    ("dtype", "memory", "tolerance"),
    [
        (torch.float32, 100.0, 1e-5),
        (torch.float32, 1000.0, 1e-4),  # 1 - α ≈ 1e-3 is known to 1e-4 of it
        (torch.float64, 1000.0, 1e-10),
    ],
)
def test_serial_equals_parallel_over_4096_steps(dtype: torch.dtype, memory: float, tolerance: float) -> None:
    torch.manual_seed(0)
    threshold = 0.25
    neuron = DSN(6, threshold=threshold, longest_memory=memory).to(dtype)
    x = torch.rand(4096, 2, 6, dtype=dtype, requires_grad=True)  # levels within 0..4, so none is clipped
    weight = torch.randn(4096, 2, 6, dtype=dtype)
    inputs = [x, neuron.weight, neuron.bias]

    state, membranes, serial = None, [], []
    for x_t in x:
        out_t, state = neuron.single_step(x_t, state)
        serial.append(out_t)
        membranes.append(state.membrane)
    expected, membranes = torch.stack(serial), torch.stack(membranes)
    wanted = torch.autograd.grad((expected * weight).sum() + (state.membrane * weight[0]).sum(), inputs)
    out, state = neuron.sequence(x, None)
    found = torch.autograd.grad((out * weight).sum() + (state.membrane * weight[0]).sum(), inputs)

    for a, b in zip(found, wanted, strict=True):
        assert float((a - b).abs().max()) <= tolerance * float(b.abs().max())
    with torch.no_grad():
        offset = membranes / threshold - 0.5
        decided = (
            offset - offset.round()
        ).abs() > 2 * tolerance / threshold  # far enough from the next level
        assert decided.double().mean() > 0.99 and len(expected.unique()) > 3
        assert torch.equal(out[decided], expected[decided])
        # levels so fine that the outputs are the membranes of all steps
        fine = DSN(6, threshold=tolerance / 10, levels=round(100 / tolerance)).to(dtype)
        fine.weight, fine.bias = neuron.weight, neuron.bias
        torch.testing.assert_close(fine(x) * fine.threshold, membranes, rtol=0, atol=tolerance)


@pytest.mark.parametrize("through_time", [True, False])
@pytest.mark.parametrize("kernel", [1, 4, 7])
@pytest.mark.parametrize("n_steps", [2, 31, 32, 33, 97])
def test_kernels_go_on_from_any_state(
    n_steps: int, kernel: int, through_time: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(n_steps)
    neuron = DSN(5, kernel=kernel)  # images of 35 lanes: stretches of lanes begin within one
    neuron.through_time = through_time
    neuron.threshold_scale = torch.rand(20, 5, 7) + 0.5
    weight = torch.randn(n_steps, 20, 5, 7)
    given = [torch.randn(s, 20, 5, 7) for s in (n_steps, 1, kernel - 1)]
    inputs = [t.requires_grad_() for t in given]

    def found() -> list[Tensor]:
        x, membrane, window = inputs
        out, state = neuron.sequence(x, DSNState(membrane[0], window))
        total = (out * weight).sum() + (state.membrane * weight[0]).sum() + state.window.square().sum()
        wanted = [*inputs, *neuron.parameters()]
        grads = torch.autograd.grad(total, wanted, allow_unused=True, materialize_grads=True)
        return [out, state.membrane, state.window, *grads]

    compiled = found()
    with monkeypatch.context() as patch:
        patch.setattr(native, "kernels", lambda: None)
        expected = found()
    assert torch.equal(compiled[0], expected[0])
    for a, b in zip(compiled[1:], expected[1:], strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_initial_memory_is_spread_over_channels() -> None:
    neuron = DSN(3, longest_memory=100.0)
    with torch.no_grad():
        neuron.step(torch.ones(1, 3))
        held = []
        for _ in range(30):
            neuron.step(torch.zeros(1, 3))
            held.append(neuron._state.membrane[0].clone())
    decays = (held[29] / held[19]) ** 0.1  # the inputs have left the window
    torch.testing.assert_close(decays, torch.exp(-1 / torch.tensor([1.0, 10.0, 100.0])), rtol=1e-3, atol=1e-6)


def test_streams_30000_steps_in_constant_state_with_a_bounded_membrane() -> None:
    torch.manual_seed(0)
    neuron, generator = DSN(8), torch.Generator().manual_seed(3)
    largest, sizes = 0.0, set()
    with torch.no_grad():
        for _ in range(30_000):
            neuron.step(torch.rand(1, 8, generator=generator) * 2 - 1)
            state = neuron._state
            sizes.add((state.membrane.numel(), state.window.numel()))
            largest = max(largest, float(state.membrane.abs().max()))
    assert sizes == {(8, 24)}
    assert largest <= 1.0  # a running mean stays within its inputs


@pytest.mark.parametrize("parallel", [True, False])
def test_static_decay_s_membrane_is_a_linear_filter_of_each_channel(parallel: bool) -> None:
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


def test_the_gradient_of_a_static_decay_is_that_of_finite_differences() -> None:
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


def test_a_static_decay_learns_one_constant_a_channel_and_streams() -> None:
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

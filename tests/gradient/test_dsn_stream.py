"""DSN one step per call, which has a path of its own through the kernels, beside the step-by-step reference."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from homeonet.gradient import DSN, SpikingNeuron, streaming


@pytest.mark.parametrize(
    "scale", [1.0, torch.tensor(0.7), torch.rand(5) + 0.5], ids=["none", "layer", "unit"]
)
@pytest.mark.parametrize("decay", ["dynamic", "static"])
@pytest.mark.parametrize("levels", [1, 4])
@pytest.mark.parametrize("kernel", [1, 4])
def test_a_step_a_call_is_the_reference(
    kernel: int, levels: int, decay: str, scale: float | torch.Tensor
) -> None:
    torch.manual_seed(5)
    neuron = DSN(5, kernel=kernel, levels=levels, decay=decay)
    neuron.threshold_scale = scale
    x = 4 * torch.rand(20, 3, 5)
    state, expected, membranes = None, [], []
    for x_t in x:
        out, state = neuron.single_step(x_t, state)
        expected.append(out)
        membranes.append(state.membrane)
    with torch.no_grad(), streaming(neuron):
        for t, piece in enumerate(x.split(1)):
            torch.testing.assert_close(neuron(piece)[0], expected[t].detach())
            torch.testing.assert_close(neuron._state.membrane, membranes[t].detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("through_time", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "options",
    [
        {"kernel": 3},
        {"kernel": 1},
        {"levels": 1, "surrogate": "arctan", "tau": 0.5},
        {"decay": "static"},
        {"mixing": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("shape", [(3, 5), (2, 5, 3, 7)], ids=["units", "images"])
def test_steps_and_their_gradients_are_the_reference(
    shape: tuple[int, ...], options: dict, dtype: torch.dtype, through_time: bool
) -> None:
    torch.manual_seed(7)
    neuron = DSN(5, **options).to(dtype)
    neuron.through_time, neuron.threshold_scale = through_time, torch.tensor(0.7, dtype=dtype)
    if neuron.up is not None:
        torch.nn.init.normal_(neuron.up.weight)
    x = (3 * torch.rand(6, *shape, dtype=dtype)).requires_grad_()
    weights = torch.randn(x.shape, dtype=dtype)
    inputs = [x, *neuron.parameters()]

    def found(out: Tensor) -> list[Tensor]:
        return [out.detach(), *torch.autograd.grad((out * weights).sum(), inputs, materialize_grads=True)]

    expected = found(SpikingNeuron.sequence(neuron, x, None)[0])
    stepped = torch.stack([neuron.step(x_t) for x_t in x])
    neuron.reset()
    with torch.no_grad():
        without_gradients = torch.stack([neuron.step(x_t) for x_t in x])
    neuron.reset()
    assert torch.equal(stepped, without_gradients)
    tolerance = 1e-10 if dtype == torch.float64 else 1e-4
    for a, b in zip(found(stepped), expected, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)

"""DSN one step a call without gradients, which has a path of its own, beside the step-by-step reference."""

from __future__ import annotations

import pytest
import torch

from homeonet.gradient import DSN, streaming


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

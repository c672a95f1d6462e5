"""Activation checkpointing computes passes once more: gradients and states are those without it."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from homeonet.errors import InputError
from homeonet.gradient import DSN, HDLIF, LIF, PSN, PerStep, RecurrentLIF, SlidingPSN, TrLIF, streaming
from homeonet.gradient.homeostasis import AHSAR, MPInit, ThresholdAdaptation

NEURONS: dict[str, Callable[[], nn.Module]] = {
    "lif": lambda: LIF(mp_init=True),
    "trlif": TrLIF,
    "trlif, channels": lambda: TrLIF(channels=6, threshold_rule="as"),
    "hdlif": lambda: HDLIF(5, spike_bits=4, mp_init=True),
    "hdlif, parallel": lambda: HDLIF(5, "parallel", indicator=True),
    "hdlif, mem_bn": lambda: HDLIF(5, "mem_bn", 6),
    "dsn": lambda: DSN(6, mp_init=True),
    "dsn, serial": lambda: DSN(6, parallel=False),
    "recurrent": lambda: RecurrentLIF(6),
    "psn": lambda: PSN(5),
    "sliding": lambda: SlidingPSN(3),
}
PLUGINS = {
    "none": lambda: [],
    "plug-ins": lambda: [AHSAR(strength=1.0), MPInit()],
    "adaptation": lambda: [ThresholdAdaptation(rate=0.3, per="unit")],
}


def trained(
    net: nn.Module, how: str, reentrant: bool, dtype: torch.dtype
) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Gradients of three batches, and all that the model holds after them."""
    gradients = []
    generator = torch.Generator().manual_seed(3)
    for _ in range(3):
        x = (2 * torch.rand(5, 4, 6, generator=generator)).to(dtype).requires_grad_()
        if how == "plain":
            out = net(x)
        elif how == "whole":
            out = checkpoint(net, x, use_reentrant=reentrant)
        else:
            out = x
            for part in net:
                out = checkpoint(part, out, use_reentrant=reentrant)
        net.zero_grad()
        out.square().sum().backward()
        gradients += [x.grad, *(p.grad.clone() for p in net.parameters() if p.grad is not None)]
    return gradients, net.state_dict()


@pytest.mark.parametrize("reentrant", [False, True], ids=["not reentrant", "reentrant"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("plugins", PLUGINS)
@pytest.mark.parametrize("name", NEURONS)
def test_gradients_and_states_are_those_without(
    name: str, plugins: str, dtype: torch.dtype, reentrant: bool
) -> None:
    neuron = NEURONS[name]()
    if plugins == "plug-ins" and (isinstance(neuron, PSN | SlidingPSN) or name == "hdlif, parallel"):
        made = [AHSAR(strength=1.0)]  # no membrane for MP-Init
    else:
        made = PLUGINS[plugins]()
    net = nn.Sequential(PerStep(nn.Linear(6, 6)), neuron, PerStep(nn.Linear(6, 6))).to(dtype)
    for plugin in made:
        plugin.attach(net)
    results = {
        how: trained(copy.deepcopy(net), how, reentrant, dtype)
        for how in ("plain", "whole", *(("parts",) if not made else ()))
    }
    for how, (gradients, state) in results.items():
        torch.testing.assert_close(gradients, results["plain"][0], msg=lambda text, how=how: f"{how}: {text}")
        torch.testing.assert_close(
            state, results["plain"][1], equal_nan=True, msg=lambda text, how=how: f"{how}: {text}"
        )


@pytest.mark.parametrize("how", ["streamed", "by step"])
def test_going_on_is_refused_when_recomputed(how: str) -> None:
    net, x = LIF(), torch.rand(4, 2, 3, requires_grad=True)
    if how == "streamed":
        with streaming(net):
            out = [checkpoint(net, piece, use_reentrant=False) for piece in x.split(2)][-1]
    else:
        out = [checkpoint(net.step, x_t, use_reentrant=False) for x_t in x][-1]
    with pytest.raises(InputError, match="LIF: activation checkpointing"):
        out.sum().backward()

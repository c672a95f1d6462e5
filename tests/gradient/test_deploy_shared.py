"""Deployment folds into what one layer owns, and gives ``model.eval()``'s outputs whatever else it meets."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import nn

from homeonet.errors import InputError
from homeonet.gradient import LIF, BinaryConv2d, PerStep, TrLIF, deploy


def conv(kind: type[nn.Conv2d] = nn.Conv2d) -> nn.Conv2d:
    return kind(4, 4, 3, padding=1, bias=False)


def norm() -> nn.BatchNorm2d:
    made = nn.BatchNorm2d(4)
    nn.init.uniform_(made.running_mean, -1, 1)
    nn.init.uniform_(made.running_var, 0.5, 2)
    nn.init.uniform_(made.weight, 0.5, 2)
    return made


def shared_parameter() -> nn.Module:
    first, second = conv(), conv()
    second.weight = first.weight
    return nn.Sequential(PerStep(first, norm()), LIF(), PerStep(second, norm()), LIF())


def shared_memory() -> nn.Module:
    first, second = conv(), conv()
    second.weight.data = first.weight.data
    return nn.Sequential(PerStep(first, norm()), LIF(), PerStep(second, norm()), LIF())


def shared_after_trlif() -> nn.Module:
    first, second = conv(), conv()
    second.weight = first.weight
    return nn.Sequential(
        PerStep(first), TrLIF(threshold=0.6, channels=4), PerStep(second), LIF(threshold=0.1)
    )


def parametrized() -> nn.Module:
    made = torch.nn.utils.parametrizations.weight_norm(conv())
    return nn.Sequential(PerStep(made, norm()), TrLIF(threshold=0.6), PerStep(conv()), LIF())


def hooked_weight() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = torch.nn.utils.weight_norm(conv())
    with torch.no_grad():  # the weight then has no graph, and can be copied
        made(torch.zeros(1, 4, 3, 3))
    return nn.Sequential(PerStep(made, norm()), LIF())


def hooked_layer() -> nn.Module:
    made = conv()
    made.register_forward_hook(lambda module, args, out: 3 * out)
    return nn.Sequential(PerStep(made, norm()), LIF())


def hooked_norm() -> nn.Module:
    made = norm()
    made.register_forward_hook(lambda module, args, out: 3 * out)
    return nn.Sequential(PerStep(conv(), made), LIF())


def hooked_binary() -> nn.Module:
    made = conv(BinaryConv2d)
    made.register_forward_hook(lambda module, args, out: 3 * out)
    return nn.Sequential(PerStep(made, norm()), LIF())


def plain() -> nn.Module:
    return nn.Sequential(PerStep(conv(), norm()), TrLIF(threshold=0.6), PerStep(conv(), norm()), LIF())


@pytest.mark.parametrize(
    "make",
    [
        *(shared_parameter, shared_memory, shared_after_trlif, parametrized),
        *(hooked_weight, hooked_layer, hooked_norm, hooked_binary, plain),
    ],
)
def test_deployed_outputs_are_those_of_eval(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(3)
    model = make()
    layer = next(m for m in model.modules() if isinstance(m, nn.Conv2d))
    if make is hooked_weight:
        with torch.no_grad():  # the hook sees what training has done since
            layer.weight_g.mul_(2)
    x = 9 * torch.randn(4, 2, 4, 6, 6)
    deployed = deploy(model)
    with torch.no_grad():
        seen = {"trained": model.eval()(x), "deployed": deployed(x)}
    assert seen["trained"].any()
    differing = (seen["trained"] - seen["deployed"]).abs().gt(1e-4).float().mean()
    assert differing < 0.005  # spikes at the threshold, by rounding


def test_a_plain_norm_is_folded_and_a_shared_one_is_not() -> None:
    assert not any(isinstance(m, nn.BatchNorm2d) for m in deploy(plain()).modules())
    assert any(isinstance(m, nn.BatchNorm2d) for m in deploy(shared_parameter()).modules())


def test_a_weight_with_a_graph_is_refused_by_name() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = nn.Sequential(PerStep(torch.nn.utils.weight_norm(conv())), LIF())
    model(torch.rand(2, 1, 4, 3, 3))
    with pytest.raises(InputError, match=r"'weight' of layer '0.layer', a Conv2d.*remove_weight_norm"):
        deploy(model)

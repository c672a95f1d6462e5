"""Which networks can sleep: where spikes reach weights, where they do not, and what a sleep then changes."""

import pytest
import torch
from torch import nn

from homeonet.errors import InputError
from homeonet.gradient import LIF, PerStep
from homeonet.gradient.homeostasis import Sleep, power_law
from homeonet.gradient.networks import Parts, network
from homeonet.gradient.neurons._psn import PSN
from tests.support.homeostasis_models import N_IN, B, T, batch, linear, linears, make

torch.set_num_threads(1)


class ConvNet(nn.Module):
    def __init__(self, hidden=True):
        super().__init__()
        self.conv = PerStep(nn.Conv2d(1, 4, 3, padding=1))
        self.first = LIF(threshold=0.3)
        self.dense = PerStep(nn.Flatten(), nn.Linear(64, 8))
        self.second = LIF(threshold=0.3) if hidden else None

    def forward(self, x):
        out = self.dense(self.first(self.conv(x)))
        return out if self.second is None else self.second(out)


def test_convolutional_networks():
    x = torch.rand(T, B, 1, 4, 4)
    model = ConvNet()
    plugin = Sleep(1.0, decay=1.0, learning_rate=1.0).attach(model)
    model(x)
    conv, dense = model.conv.layer.weight.clone(), linears(model)[0].weight.clone()
    plugin.after_batch()
    assert torch.equal(conv, model.conv.layer.weight) and not torch.equal(dense, linears(model)[0].weight)
    plugin.detach()
    Sleep(1.0, stdp=False, decay=0.9).attach(model).after_batch()
    torch.testing.assert_close(model.conv.layer.weight, power_law(conv, 0.2, 0.9))


class Parallel(nn.Module):
    """Two spiking layers side by side: the code alone tells that no linear layer lies between them."""

    def __init__(self):
        super().__init__()
        self.left, self.right = linear(N_IN, 8), linear(N_IN, 8)
        self.first, self.second = LIF(), LIF()

    def forward(self, x):
        left, right = self.left(x), self.right(x)
        return self.first(left) + self.second(right)


DEFAULT = (1, 8, 8)


@pytest.mark.parametrize(
    "make_model",
    [
        lambda: nn.Sequential(linear(N_IN, 10), LIF(), linear(10, 3)),
        lambda: nn.Sequential(PerStep(nn.Conv2d(1, 4, 3)), LIF()),
        lambda: nn.Sequential(linear(N_IN, 10), linear(10, 8), LIF()),
        lambda: nn.Sequential(LIF(), LIF(), linear(N_IN, 10)),
        lambda: ConvNet(hidden=False),
        lambda: network("conv", DEFAULT, 10, Parts("lif"), width=0.125),
        lambda: network("resnet18", DEFAULT, 10, Parts("lif"), width=0.06),
        lambda: network("sg_snn", DEFAULT, 10, Parts("lif"), hidden=12),
        lambda: network("sequence", (2,), 10, Parts("lif"), depth=1),
    ],
)
def test_networks_whose_weights_no_spike_reaches_are_refused_at_once(make_model):
    model = make_model()
    with pytest.raises(InputError, match=r"between two spiking layers.*stdp = False.*spiking_output = True"):
        Sleep().attach(model)
    assert not hasattr(model, "homeostasis_sleep")
    plugin = Sleep(1.0, stdp=False, decay=0.9).attach(model)
    before = plugin.total_weight()
    plugin.after_batch()
    assert plugin.total_weight() != before


@pytest.mark.parametrize(
    ("net", "shape", "options"),
    [
        ("sg_snn", DEFAULT, {"hidden": 12, "spiking_output": True}),
        ("resnet19", DEFAULT, {"width": 0.03}),
        ("columns", (1, 8), {"width": 6}),
        ("sequence", (2,), {"width": 8}),
    ],
)
def test_networks_with_a_linear_layer_between_spikes_learn_asleep(net, shape, options):
    torch.manual_seed(0)
    model = network(net, shape, 10, Parts("lif", T, {"threshold": 0.2}), **options)
    plugin = Sleep(1.0, decay=1.0, learning_rate=1.0).attach(model)
    model(torch.rand(T, B, *shape))
    before = [m.weight.detach().clone() for m in linears(model)]
    plugin.after_batch()
    assert any(not torch.equal(a, m.weight) for a, m in zip(before, linears(model), strict=True))


def test_where_only_the_code_tells_the_first_sleep_refuses():
    model = Parallel()
    plugin = Sleep(1.0).attach(model)
    model(batch())
    with pytest.raises(InputError, match="between two spiking layers"):
        plugin.after_batch()


def test_layers_of_a_fixed_length_begin_anew_with_each_pass():
    model = nn.Sequential(linear(N_IN, 10), PSN(T), linear(10, 8), PSN(T))
    plugin = Sleep(1.0, steps=2 * T + 1, learning_rate=1.0).attach(model)
    model(batch())
    before = linears(model)[1].weight.detach().clone()
    plugin.after_batch()
    assert plugin.history[0]["steps"] == 2 * T + 1
    assert not torch.equal(before, linears(model)[1].weight)


def test_frozen_weights_stay():
    model = make("lif")
    frozen = linears(model)[1].weight.requires_grad_(False)
    before = frozen.clone()
    plugin = Sleep(1.0, learning_rate=1.0).attach(model)
    model(batch())
    plugin.after_batch()
    assert torch.equal(frozen, before)
    for layer in linears(model):
        layer.weight.requires_grad_(False)
    plugin.detach()
    with pytest.raises(InputError, match="no trainable weight"):
        Sleep().attach(model)


def test_sleep_before_any_input():
    plugin = Sleep(1.0).attach(make("lif"))
    with pytest.raises(InputError, match="run the model in training mode"):
        plugin.after_batch()

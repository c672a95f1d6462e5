"""AHSAR and threshold adaptation move thresholds as their equations say, written out here in plain Python."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from homeonet.errors import InputError
from homeonet.gradient import LIF, streaming
from homeonet.gradient.homeostasis import AHSAR, ThresholdAdaptation
from tests.support.homeostasis_models import T, batch, linear, make

torch.set_num_threads(1)


class Slow:
    """AHSAR, a layer and a number at a time."""

    def __init__(self, n, *, target=0.15, m=0.9, gamma=0.01, eta=0.05, span=0.3, D=0.1, gain=True):
        self.target, self.m, self.gamma, self.eta, self.span, self.D, self.gain = (
            target,
            m,
            gamma,
            eta,
            span,
            D,
            gain,
        )
        self.rate, self.h, self.g, self.accuracy = [target] * n, [0.0] * n, 1.0, None

    def forward(self, rates):
        n = len(rates)
        self.rate = [self.m * old + (1 - self.m) * new for old, new in zip(self.rate, rates, strict=True)]
        new = []
        for layer in range(n):
            d = (self.rate[layer] - self.target) / self.target
            below, above = self.h[max(layer - 1, 0)], self.h[min(layer + 1, n - 1)]
            spread = self.D * (below - 2 * self.h[layer] + above)
            new.append((1 - self.gamma) * self.h[layer] + self.eta * math.tanh(d) + spread)
        self.h = new

    def epoch(self, accuracy):
        if not self.gain:
            return
        energy = sum(self.rate) / len(self.rate)
        progress = 0 if self.accuracy is None or accuracy is None else accuracy - self.accuracy
        sign = (progress > 0) - (progress < 0)
        exponent = 0.05 * math.tanh(energy / self.target - 1) - 0.02 * sign * (energy < self.target)
        self.g = min(max(self.g * math.exp(exponent), 0.7), 1.3)
        self.accuracy = self.accuracy if accuracy is None else accuracy

    def scales(self):
        return [self.g * (1 + self.span * math.tanh(h)) for h in self.h]


def deep(n_layers=5) -> nn.Module:
    torch.manual_seed(2)
    layers = []
    for i in range(n_layers):
        layers += [linear(12, 12), LIF(threshold=0.1 + 0.3 * i)]
    return nn.Sequential(*layers)


def watched(model):
    """Rates of the last pass, layer by layer, measured on the side."""
    rates = {}
    for i, layer in enumerate(m for m in model if isinstance(m, LIF)):
        layer.register_forward_hook(
            lambda _, __, out, i=i: rates.update({i: (out != 0).double().mean().item()})
        )
    return rates


OPTIONS = {
    "as set": {},
    "strong": {"strength": 1.5, "relaxation": 0.2, "momentum": 0.3, "span": 0.9, "diffusion": 0.4},
    "no diffusion": {"diffusion": 0},
    "no gain": {"gain": False},
    "gain alone": {"strength": 0},
    "aims high": {"target_rate": 0.6},
}
NAMES = {
    "target_rate": "target",
    "momentum": "m",
    "relaxation": "gamma",
    "strength": "eta",
    "diffusion": "D",
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_equations(options):
    model = deep()
    rates = watched(model)
    plugin = AHSAR(**options).attach(model)
    slow = Slow(5, **{NAMES.get(k, k): v for k, v in options.items()})
    plain = [m.threshold.item() for m in model if isinstance(m, LIF)]
    for epoch, accuracy in enumerate([0.3, 0.5, 0.4, None, 0.4, 0.45]):
        for seed in range(3):
            scales = slow.scales()
            model.train()(batch(3 * epoch + seed))
            used = [m.threshold_scale for m in model if isinstance(m, LIF)]
            torch.testing.assert_close(torch.stack(used), torch.tensor(scales))  # what this pass ran with
            slow.forward([rates[i] for i in range(5)])
            torch.testing.assert_close(plugin.rate, torch.tensor(slow.rate))
            torch.testing.assert_close(plugin.state, torch.tensor(slow.h), atol=1e-6, rtol=1e-5)
        model.eval()(batch(99))  # nothing moves in evaluation
        plugin.after_epoch(accuracy)
        slow.epoch(accuracy)
        torch.testing.assert_close(plugin.scale, torch.tensor(slow.scales()))
    out = model(batch(7))
    reference = deep().eval()
    for layer, threshold, scale in zip(
        (m for m in reference if isinstance(m, LIF)), plain, slow.scales(), strict=True
    ):
        layer.threshold.fill_(threshold * scale)
    torch.testing.assert_close(out, reference(batch(7)))
    assert not list(plugin.parameters())


def test_thresholds_go_the_right_way_and_are_bounded():
    model = deep()
    plugin = AHSAR(strength=0.5, diffusion=0.0, target_rate=0.2).attach(model)
    for seed in range(300):
        model(batch(seed))
        plugin.after_epoch(seed / 300)
        assert (plugin.scale < 1.3 * 1.3 + 1e-6).all() and (plugin.scale > 0.7 * 0.7 - 1e-6).all()
        assert 0.7 <= plugin.global_gain <= 1.3
    silent, busy = plugin.rate < 0.1, plugin.rate > 0.3
    assert silent.any() and busy.any()
    assert (plugin.state[silent] < -1).all() and (plugin.state[busy] > 1).all()


def test_diffusion_keeps_the_sum_and_levels_the_layers():
    model = deep()
    plugin = AHSAR(strength=0, relaxation=0, gain=False).attach(model)
    plugin.state.copy_(torch.tensor([1.0, 0, 0, 0, -0.5]))
    for _ in range(400):
        model(batch())
    torch.testing.assert_close(plugin.state, torch.full((5,), 0.1))


class Crossed(nn.Module):
    """Layers that are called in another order than they are registered in, one never, one twice."""

    def __init__(self):
        super().__init__()
        self.last, self.never, self.first, self.twice = (LIF(threshold=t) for t in (0.2, 1, 0.3, 0.5))

    def forward(self, x):
        return self.last(3 * self.twice(3 * self.twice(self.first(x))))


def test_neighbours_are_in_the_order_of_calls_and_a_shared_layer_is_one():
    model = Crossed()
    plugin = AHSAR(strength=0.0, relaxation=0.0).attach(model)
    assert plugin.layer_names == ["last", "never", "first", "twice"]
    plugin.state.copy_(torch.tensor([0.0, 0.0, 1.0, 0.0]))
    x = batch()
    out = []
    model.twice.register_forward_hook(lambda _, __, o: out.append(o.clone()))
    model(x)
    torch.testing.assert_close(plugin.state, torch.tensor([0.0, 0.0, 0.9, 0.1]))
    torch.testing.assert_close(
        plugin.rate[3], 0.9 * torch.tensor(0.15) + 0.1 * (torch.cat(out) != 0).float().mean()
    )
    assert plugin.rate[1] == torch.tensor(0.15)


@pytest.mark.parametrize("name", ["leaky", "leaky_hidden", "jelly_step", "jelly_multi"])
def test_rates_of_other_libraries(name):
    model = make(name)
    counts = {0: [], 1: []}
    layers = [m for m in model.modules() if hasattr(m, "threshold") or hasattr(m, "v_threshold")]
    for i, layer in enumerate(layers):
        layer.register_forward_hook(
            lambda _, __, out, i=i: counts[i].append(out[0] if isinstance(out, tuple) else out)
        )
    plugin = AHSAR(momentum=0.0).attach(model)
    model(batch())
    for i in range(2):
        assert len(counts[i]) == (1 if name == "jelly_multi" else T)
        rate = torch.stack(counts[i]).ne(0).float().mean()
        assert 0 < rate < 1
        torch.testing.assert_close(plugin.rate[i], rate)
    before = plugin.state.clone()
    model.eval()(batch(2))
    assert torch.equal(plugin.state, before)
    if name != "jelly_multi":
        return
    assert isinstance(model[1].v_threshold, float) and model[1].v_threshold == 0.4


def test_pieces_and_loops_around_the_model_move_the_state_once_a_call():
    model = make("lif")
    rates = watched(model)
    plugin = AHSAR().attach(model)
    expected = torch.full((2,), 0.15)
    with streaming(model):
        for x_t in batch():
            model(x_t[None])
            expected = 0.9 * expected + 0.1 * torch.tensor([rates[0], rates[1]])
            torch.testing.assert_close(plugin.rate, expected)
    around = make("leaky_hidden")
    around.forward = around.step
    plugin = AHSAR().attach(around)
    seen = []
    for x_t in batch():
        around(x_t)
        seen.append(plugin.rate.clone())
    assert not any(torch.equal(a, b) for a, b in pairwise(seen))


def test_no_gradient_and_none_lost_when_the_state_moves_before_backward():
    model = make("trlif")
    plugin = AHSAR(strength=1.0).attach(model)
    for seed in range(3):
        scale = plugin.scale
        out = model(batch(seed)).square().sum()
        assert not torch.equal(plugin.scale, scale)
        out.backward()
        assert not plugin.state.requires_grad and model[1].raw_threshold.grad.isfinite()


@pytest.mark.parametrize("per", ["layer", "unit"])
def test_threshold_adaptation(per):
    model = make("lif")
    plugin = ThresholdAdaptation(0.2, rate=0.3, per=per, bounds=(0.5, 3)).attach(model)
    rates = []
    model[1].register_forward_hook(lambda _, __, out: rates.append(out.double()))
    log = torch.zeros(10 if per == "unit" else (), dtype=torch.float64)
    for seed in range(12):
        model.train()(batch(seed))
        rate = rates[-1].mean((0, 1)) if per == "unit" else rates[-1].mean()
        log = (log + 0.3 * (rate - 0.2) / 0.2).clamp(math.log(0.5), math.log(3))
        torch.testing.assert_close(plugin.log_scale_0.double(), log, atol=1e-5, rtol=1e-5)
        model.eval()(batch(seed + 50))
    assert torch.allclose(plugin.scale("1").double(), log.exp())
    if per == "unit":
        assert plugin.scale("3").shape == (8,) and len(set(log.tolist())) > 3


@pytest.mark.parametrize("name", ["lif", "trlif", "leaky"])
def test_adaptation_of_units_brings_them_to_their_rate(name):
    model = make(name)
    first = next(m for m in model.modules() if isinstance(m, nn.Linear))
    first.weight.data.abs_()  # so that no unit is inhibited for good
    plugin = ThresholdAdaptation(0.3, rate=0.05, per="unit", bounds=(0.01, 100)).attach(model)
    for seed in range(200):
        model(batch(seed, 20))
    spikes = []
    model.eval()
    plugin._layers[0].neuron.register_forward_hook(
        lambda _, __, out: spikes.append(out[0] if isinstance(out, tuple) else out)
    )
    model(batch(1000, 400))
    rate = torch.stack(spikes).reshape(-1, 10).ne(0).float().mean(0)
    assert ((rate - 0.3).abs() < 0.1).all()


def test_adaptation_a_unit_is_loaded_with_its_shapes():
    model, other = make("lif"), make("lif")
    plugin = ThresholdAdaptation(rate=0.3, per="unit").attach(model)
    model(batch())
    ThresholdAdaptation(per="unit").attach(other)
    other.load_state_dict(model.state_dict())
    assert torch.equal(model.eval()(batch(4)), other.eval()(batch(4)))
    third = make("lif")
    torch.manual_seed(0)
    mark = torch.random.get_rng_state()
    ThresholdAdaptation(per="unit").attach(third, example=torch.zeros(1, 1, 12))
    assert torch.equal(mark, torch.random.get_rng_state())
    assert {k: v.shape for k, v in third.state_dict().items()} == {
        k: v.shape for k, v in model.state_dict().items()
    }
    assert plugin.scale("1").shape == (10,)
    with pytest.raises(InputError, match="one threshold per layer"):
        ThresholdAdaptation(per="unit").attach(make("jelly_multi"))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (AHSAR, {"target_rate": 0}),
        (AHSAR, {"target_rate": 1.0}),
        (AHSAR, {"momentum": 1}),
        (AHSAR, {"relaxation": -0.1}),
        (AHSAR, {"strength": -1}),
        (AHSAR, {"strength": math.nan}),
        (AHSAR, {"span": 1.0}),
        (AHSAR, {"diffusion": 0.6}),
        (AHSAR, {"gain_activity": -1}),
        (AHSAR, {"gain_progress": math.inf}),
        (AHSAR, {"gain_bounds": (0, 2)}),
        (AHSAR, {"gain_bounds": (1.1, 2)}),
        (AHSAR, {"gain_bounds": [0.9]}),
        (ThresholdAdaptation, {"target_rate": 0}),
        (ThresholdAdaptation, {"rate": -0.1}),
        (ThresholdAdaptation, {"per": "channel"}),
        (ThresholdAdaptation, {"bounds": (2, 1)}),
    ],
)
def test_bad_parameters(kind, options):
    with pytest.raises(InputError, match=next(iter(options))):
        kind(**options)


def test_batches_of_nothing_leave_the_rates():
    model = make("leaky")
    plugin = AHSAR().attach(model)
    model(torch.zeros(T, 0, 12))
    assert torch.equal(plugin.rate, torch.full((2,), 0.15))

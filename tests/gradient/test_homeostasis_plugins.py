"""Homeostasis is attached to models of three libraries, does nothing at zero strength, and leaves without a trace."""

import copy

import pytest
import torch
from torch import nn

from homeonet.errors import InputError
from homeonet.gradient import LIF, TrLIF
from homeonet.gradient.homeostasis import AHSAR, MPInit, Sleep, ThresholdAdaptation, homeostasis_named
from homeonet.gradient.homeostasis._rates import count_nonzero
from homeonet.gradient.neurons._hdlif import HDLIF
from homeonet.gradient.neurons._psn import PSN
from tests.support.homeostasis_models import (
    B,
    ExplicitMembranes,
    T,
    batch,
    linear,
    make,
    outputs_and_gradients,
    same,
    settle,
)

torch.set_num_threads(1)
MODELS = ("lif", "trlif", "leaky", "leaky_hidden", "jelly_step", "jelly_multi")
KINDS = {
    "ahsar": lambda: AHSAR(strength=2.0, relaxation=0.0),
    "mp_init": lambda: MPInit(0.5),
    "sleep": lambda: Sleep(1.0, learning_rate=1.0),
    "threshold_adaptation": lambda: ThresholdAdaptation(rate=0.5),
}
NOTHING = {
    "ahsar": lambda: AHSAR(strength=0, gain=False),
    "mp_init": lambda: MPInit(1.0),
    "sleep": lambda: Sleep(0),
    "threshold_adaptation": lambda: ThresholdAdaptation(rate=0),
    "threshold_adaptation per unit": lambda: ThresholdAdaptation(rate=0, per="unit"),
}


def train(model: nn.Module, plugin, n_batches: int = 4) -> None:
    optimizer = torch.optim.SGD(
        [p for name, p in model.named_parameters() if "threshold" not in name], lr=0.01
    )
    for seed in range(n_batches):
        optimizer.zero_grad()
        model(batch(seed)).square().mean().backward()
        optimizer.step()
        plugin.after_batch()
    plugin.after_epoch(0.5)
    settle(model)


@pytest.mark.parametrize(
    ("name", "kind"),
    # SpikingJelly's neurons have one threshold per layer
    [
        (n, k)
        for n in MODELS
        for k in NOTHING
        if not (n.startswith("jelly") and k.endswith("unit"))
        and (n, k) != ("trlif", "mp_init")  # which learns its membrane's start by itself: held, it differs
    ],
)
def test_zero_strength_is_bit_identical(name, kind):
    plain, model = make(name), make(name)
    plugin = NOTHING[kind]().attach(model)
    for seed in range(3):
        assert same(outputs_and_gradients(model, batch(seed)), outputs_and_gradients(plain, batch(seed)))
        plugin.after_batch()
    plugin.after_epoch(0.3)
    plugin.after_epoch(0.4)
    model.eval(), plain.eval()
    assert same(outputs_and_gradients(model, batch()), outputs_and_gradients(plain, batch()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MODELS)
def test_detach_leaves_no_trace(name, kind):
    model = make(name)
    keys = list(model.state_dict())
    if name == "trlif" and kind == "mp_init":
        model[1].mp_init = model[3].mp_init = False
    attributes = {n: set(m.__dict__) for n, m in model.named_modules()}
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]
    x = batch(9)
    state = copy.deepcopy(model.state_dict())
    before = outputs_and_gradients(model, x)

    plugin = KINDS[kind]().attach(model)
    train(model, plugin)
    assert not same(outputs_and_gradients(model, x), before)
    plugin.detach()

    assert list(model.state_dict()) == keys
    trained = {k for k, _ in model.named_parameters()}
    buffers = {k: v for k, v in model.state_dict().items() if k not in trained and k in state}
    if not (name == "trlif" and kind != "mp_init"):  # TrLIF's own MP-Init learns, with or without homeostasis
        assert all(torch.equal(v, state[k]) for k, v in buffers.items())
    model.load_state_dict(state)
    assert same(outputs_and_gradients(model, x), before)
    gained = {n: set(m.__dict__) - attributes[n] for n, m in model.named_modules()}
    assert set().union(*gained.values()) <= {"reset"}  # snnTorch's, at the first call
    assert [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()] == hooks
    plugin.attach(model).detach()  # again, and anew


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MODELS)
def test_state_dict_holds_all_that_evaluation_needs(name, kind):
    model = make(name)
    train(model, KINDS[kind]().attach(model))
    other = make(name, seed=5)
    KINDS[kind]().attach(other)
    other.load_state_dict(model.state_dict())
    x = batch(9)
    assert torch.equal(model.eval()(x), other.eval()(x))
    if kind != "sleep" and not (name == "trlif" and kind == "mp_init"):  # it has that by itself
        plain = make(name, seed=5)
        plain.load_state_dict({k: v for k, v in model.state_dict().items() if "homeostasis" not in k})
        assert not torch.equal(plain.eval()(x), other(x))
    if not name.startswith("leaky"):  # snnTorch's layers give spikes in float32
        settle(other.double())
        assert torch.equal(copy.deepcopy(other)(x.double()), other(x.double()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MODELS)
def test_a_deep_copy_is_independent_and_works(name, kind):
    model = make(name)
    plugin = KINDS[kind]().attach(model)
    train(model, plugin, 2)
    copied = copy.deepcopy(model)
    state = copy.deepcopy(model.state_dict())
    copied_plugin = getattr(copied, f"homeostasis_{kind}")
    train(copied, copied_plugin, 2)
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    train(model, plugin, 2)
    assert all(torch.equal(v, copied.state_dict()[k]) for k, v in model.state_dict().items())
    copied_plugin.detach()
    assert not any("homeostasis" in key for key in copied.state_dict())
    x = batch(9)
    before = model.eval()(x)
    plugin.detach()
    if kind != "sleep" and not (name == "trlif" and kind == "mp_init"):
        assert not torch.equal(model(x), before)


@pytest.mark.parametrize("kind", KINDS)
def test_attaching_twice(kind):
    model = make("lif")
    plugin = KINDS[kind]().attach(model)
    with pytest.raises(InputError, match="attached to a model already"):
        plugin.attach(make("lif"))
    with pytest.raises(InputError, match=r"under .* already"):
        KINDS[kind]().attach(model)
    with pytest.raises(InputError, match=r"under .* already"):
        KINDS[kind]().attach(nn.Sequential(linear(12, 12), model))
    assert sum(key.startswith("homeostasis") for key, _ in model.named_children()) == 1
    plugin.detach()
    with pytest.raises(InputError, match="not attached"):
        plugin.detach()
    with pytest.raises(InputError, match="not attached"):
        plugin.after_batch()
    with pytest.raises(InputError, match="not attached"):
        plugin.after_epoch(0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_without_spiking_layers(kind):
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    with pytest.raises(InputError, match="no spiking layer"):
        KINDS[kind]().attach(model)
    assert len(model) == 2


def test_thresholds_must_be_positive():
    import snntorch

    own = nn.Sequential(LIF())
    own[0].threshold.zero_()
    for model in (own, nn.Sequential(snntorch.Leaky(0.9, threshold=-1.0))):
        with pytest.raises(InputError, match="must be positive"):
            AHSAR().attach(model)
        assert len(model) == 1


def test_layers_without_a_membrane_or_spikes():
    import snntorch

    torch.manual_seed(0)
    x = 5 * torch.rand(4, 200, 4)  # so many that some lie between the two thresholds
    for model in (PSN(4), HDLIF(4, "parallel"), snntorch.LeakyParallel(4, 4)):
        with pytest.raises(InputError, match="no membrane"):
            MPInit().attach(model)
        before = model(x)
        plugin = AHSAR().attach(model)
        plugin.state.fill_(3.0)
        scaled = model(x)
        assert scaled.shape == before.shape and not torch.equal(scaled, before)
        plugin.detach()
        assert torch.equal(model(x), before)
    with pytest.raises(InputError, match="no threshold on a membrane"):
        AHSAR().attach(snntorch.DeltaLeaky(beta=0.9))


@pytest.mark.parametrize("name", MODELS)
def test_kinds_come_off_in_any_order(name):
    for order in (("ahsar", "sleep", "threshold_adaptation"), ("threshold_adaptation", "ahsar", "sleep")):
        model = make(name)
        plugins = {kind: KINDS[kind]().attach(model) for kind in order[::-1]}
        model(batch(1))
        model(batch(2))
        for kind in order:
            plugins[kind].detach()
        plain = make(name)
        plain(batch(1))  # TrLIF's membranes have learnt, from other spikes
        plain.load_state_dict(model.state_dict())
        assert same(outputs_and_gradients(model, batch()), outputs_and_gradients(plain, batch()))


@pytest.mark.parametrize("name", ["lif", "leaky", "jelly_step", "jelly_multi"])
def test_factors_of_two_mechanisms_multiply(name):
    model = make(name).eval()
    ahsar, adaptation = AHSAR().attach(model), ThresholdAdaptation().attach(model)
    ahsar.state.fill_(0.7)
    adaptation.log_scale_0.fill_(-0.5)
    factors = 1 + 0.3 * torch.tanh(torch.tensor(0.7)), torch.tensor(-0.5).exp()
    out = model(batch())
    reference = make(name).eval()
    first, second = [m for m in reference.modules() if hasattr(m, "threshold") or hasattr(m, "v_threshold")]
    for layer, factor in ((first, factors[0] * factors[1]), (second, factors[0])):
        if hasattr(layer, "v_threshold"):
            layer.v_threshold *= float(factor)
        else:
            layer.threshold.data *= factor
    torch.testing.assert_close(out, reference(batch()))


def test_a_learnt_threshold_of_another_library_stays_a_parameter():
    model, scaled = ExplicitMembranes(), ExplicitMembranes()
    scaled.load_state_dict(model.state_dict())
    plugin = ThresholdAdaptation().attach(scaled)
    plugin.log_scale_1.fill_(0.4)
    factor = plugin.scale("second")
    outputs_and_gradients(scaled, batch())
    assert scaled.second.threshold.grad is not None
    model.second.threshold.data *= factor
    outputs_and_gradients(model, batch())
    torch.testing.assert_close(scaled.second.threshold.grad, model.second.threshold.grad * factor)


def test_an_error_in_a_layer_leaves_its_threshold():
    model = make("jelly_multi")
    plugin = ThresholdAdaptation().attach(model)
    plugin.log_scale_0.fill_(0.4)
    with pytest.raises(RuntimeError):
        model(torch.zeros(T, B, 7))
    with pytest.raises(IndexError):
        model[1](torch.zeros(0))
    assert model[1].v_threshold == 0.4


def test_keep_leaves_what_was_learnt():
    model = make("lif")
    plugin = AHSAR().attach(model)
    plugin.state.copy_(torch.tensor([1.0, -1.0]))
    mp = MPInit().attach(model)
    model[1].initial_membrane.fill_(0.3)
    out = model.eval()(batch())
    plugin.detach(keep=True)
    mp.detach(keep=True)
    assert torch.equal(model(batch()), out)
    assert not any("homeostasis" in key for key in model.state_dict())


def test_as_a_context_manager():
    model = make("lif")
    with AHSAR().attach(model) as plugin:
        model(batch())
        assert plugin.layer_names == ["1", "3"]
    assert len(model) == 5
    with AHSAR().attach(model) as plugin:
        plugin.detach()


def test_the_model_itself_may_be_the_layer():
    for layer in (LIF(), TrLIF()):
        plugin = AHSAR().attach(layer)
        layer(batch())
        assert plugin.rate != 0.15
        plugin.detach()


def test_by_name():
    assert isinstance(homeostasis_named("ahsar", target_rate=0.2), AHSAR)
    for kind in KINDS:
        assert homeostasis_named(kind).kind == kind
    with pytest.raises(InputError, match="unknown; choose one of ahsar"):
        homeostasis_named("ahsra")
    with pytest.raises(InputError, match="unexpected keyword argument 'target'"):
        homeostasis_named("ahsar", target=0.2)


def test_counting():
    x = torch.randn(3, 700, 700) * (torch.rand(3, 700, 700) < 0.1)
    for y in (x, x.double(), x.bfloat16(), x.transpose(0, 1), x[0, 0, :0]):
        assert int(count_nonzero(y)) == int((y != 0).sum())

"""MP-Init on the neurons of three libraries, against loops written out here."""

import pytest
import torch
from torch import nn

from homeonet.errors import InputError
from homeonet.gradient import LIF, TrLIF
from homeonet.gradient.homeostasis import AHSAR, MPInit
from tests.support.homeostasis_models import B, Looped, T, batch, make, settle

torch.set_num_threads(1)


def by_hand(currents, mu, *, threshold, charge, hard, momentum=0.9, v_reset=0.0):
    """One layer, step by step: its spikes, and μ after the sequence."""
    u = torch.full_like(currents[0], mu)
    spikes = []
    for x_t in currents:
        m = charge(u, x_t)
        s = (m >= threshold).to(m.dtype)
        u = (1 - s) * m + s * v_reset if hard else m - threshold * s
        spikes.append(s)
    spikes = torch.stack(spikes)
    ended = u[spikes.sum(0) > 0]
    return spikes, momentum * mu + (1 - momentum) * ended.mean().item() if len(ended) else mu


def currents(seed):
    return 1.5 * torch.rand(T, B, 7, generator=torch.Generator().manual_seed(seed))


def snntorch_layer(**options):
    import snntorch

    return snntorch.Leaky(0.8, threshold=0.9, **options)


def loop(layer, x, *, explicit=False):
    """A user's loop over time around a layer that takes a step."""
    mem = layer.reset_mem() if hasattr(layer, "reset_mem") else layer.reset()
    outputs = []
    for x_t in x:
        if explicit:
            out, mem = layer(x_t, mem)
        else:
            out = layer(x_t)
        outputs.append(out[0] if isinstance(out, tuple) else out)
    return torch.stack(outputs)


@pytest.mark.parametrize("mechanism", ["subtract", "zero"])
@pytest.mark.parametrize("delay", [True, False])
@pytest.mark.parametrize("explicit", [True, False])
def test_snntorch(mechanism, delay, explicit):
    layer = snntorch_layer(reset_mechanism=mechanism, reset_delay=delay, init_hidden=not explicit)
    plugin = MPInit().attach(layer)
    mu = 0.0
    for seed in range(5):
        x = currents(seed)
        # Unless told otherwise snnTorch resets with the next step: the reset that is due at the end is added here.
        u, spikes = torch.full_like(x[0], mu), []
        for x_t in x:
            s_before = (u > 0.9).float()
            kept = u - 0.9 * s_before / 0.8 if mechanism == "subtract" else (1 - s_before) * u
            m = 0.8 * kept + x_t
            s = (m > 0.9).float()
            if not delay:
                m = m - (s - s_before) * (0.9 if mechanism == "subtract" else m)
            u = m
            spikes.append(s)
        spikes = torch.stack(spikes)
        if delay:
            u = u - 0.9 * spikes[-1] if mechanism == "subtract" else u * (1 - spikes[-1])
        out = loop(layer, x, explicit=explicit)
        plugin.after_batch()
        torch.testing.assert_close(out, spikes)
        mu = 0.9 * mu + 0.1 * u[spikes.sum(0) > 0].mean().item()
        assert plugin.initial_membrane.item() == pytest.approx(mu, rel=1e-5)
    assert abs(mu) > 0.02
    before = plugin.initial_membrane.clone()
    layer.eval()
    with_mu = loop(layer, currents(9), explicit=explicit)
    plugin.after_batch()
    assert torch.equal(plugin.initial_membrane, before)
    plain = snntorch_layer(reset_mechanism=mechanism, reset_delay=delay, init_hidden=not explicit)
    assert not torch.equal(loop(plain, currents(9), explicit=explicit), with_mu)


@pytest.mark.parametrize("mode", ["s", "m"])
@pytest.mark.parametrize("v_reset", [0.0, None, -0.3])
def test_spikingjelly(mode, v_reset):
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based import neuron

    layer = neuron.LIFNode(tau=2.0, decay_input=False, v_threshold=0.8, v_reset=v_reset, step_mode=mode)
    plugin = MPInit(0.7).attach(layer)
    rest = v_reset or 0.0
    mu = rest
    for seed in range(5):
        x = currents(seed)
        spikes, mu = by_hand(
            x,
            mu,
            threshold=0.8,
            charge=lambda u, x_t: u - (u - rest) / 2 + x_t,
            hard=v_reset is not None,
            momentum=0.7,
            v_reset=rest,
        )
        layer.reset()
        out = layer(x) if mode == "m" else loop(layer, x)
        plugin.after_batch()
        torch.testing.assert_close(out, spikes)
        assert plugin.initial_membrane.item() == pytest.approx(mu, rel=1e-5)
    assert mu != rest
    plugin.detach()
    layer.reset()
    assert layer.v == rest


def test_this_packages_own_is_switched_on():
    for make_neuron in (LIF, TrLIF):
        neuron, builtin = make_neuron(mp_init=False), make_neuron(mp_init=True)
        plugin = MPInit().attach(neuron)
        for seed in range(3):
            assert torch.equal(neuron(currents(seed)), builtin(currents(seed)))
            assert neuron.initial_membrane == builtin.initial_membrane != 0
        plugin.detach()
        assert not neuron.mp_init and neuron.initial_membrane == 0
    neuron = LIF()
    plugin = MPInit(momentum=0.5).attach(neuron)
    x = currents(1)
    spikes, mu = by_hand(x, 0.0, threshold=1, charge=lambda u, x_t: 0.5 * u + x_t, hard=False, momentum=0.5)
    assert torch.equal(neuron(x), spikes)
    assert neuron.initial_membrane.item() == pytest.approx(mu, rel=1e-5)
    plugin.detach()
    assert "MOMENTUM" not in neuron.__dict__


def test_layers_that_have_it_keep_it():
    neuron = TrLIF()
    neuron(currents(0))
    learnt = neuron.initial_membrane.clone()
    MPInit().attach(neuron).detach()
    assert neuron.mp_init and neuron.initial_membrane == learnt


@pytest.mark.parametrize("name", ["leaky", "leaky_hidden", "jelly_step", "jelly_multi"])
def test_without_after_batch_the_next_sequence_updates(name):
    called, not_called = make(name), make(name)
    first, second = MPInit().attach(called), MPInit().attach(not_called)
    for seed in range(3):
        called(batch(seed))
        first.after_batch()
        not_called(batch(seed))
    assert not torch.equal(first.initial_membrane, second.initial_membrane)
    assert torch.equal(called.eval()(batch(5)), not_called.eval()(batch(5)))
    assert torch.equal(first.initial_membrane, second.initial_membrane)


@pytest.mark.parametrize("name", ["leaky_hidden", "jelly_step"])
def test_a_loop_around_the_model_is_one_sequence(name):
    inside, around = make(name), make(name)
    first, second = MPInit().attach(inside), MPInit().attach(around)
    assert isinstance(around, Looped)
    around.forward = around.step
    for seed in range(3):
        settle(around)
        torch.testing.assert_close(torch.stack([around(x_t) for x_t in batch(seed)]), inside(batch(seed)))
        first.after_batch()
        second.after_batch()
    assert torch.equal(first.initial_membrane, second.initial_membrane)
    assert first.initial_membrane.ne(0).all()


def test_detached_membranes_do_not_begin_a_sequence():
    layer, detached = (snntorch_layer(init_hidden=False) for _ in range(2))
    plugins = [MPInit().attach(m) for m in (layer, detached)]
    for seed in range(3):
        loop(layer, currents(seed), explicit=True)
        mem = detached.reset_mem()
        for x_t in currents(seed):
            _, mem = detached(x_t, mem)
            mem = mem.detach()
        for plugin in plugins:
            plugin.after_batch()
    assert torch.equal(plugins[0].initial_membrane, plugins[1].initial_membrane)


@pytest.mark.parametrize("name", ["leaky", "jelly_multi"])
def test_beside_a_scaled_threshold(name):
    """The reset that is to come subtracts the threshold the layer compares with."""
    model, reference = make(name), make(name)
    mp, ahsar = MPInit().attach(model), AHSAR().attach(model)
    ahsar.state.fill_(2.0)
    factor = float(ahsar.scale[0])
    first = model.first if name == "leaky" else model[1]
    if name == "leaky":
        reference.first.threshold.mul_(factor)
        reference.second.threshold.data.mul_(factor)
    else:
        reference[1].v_threshold *= factor
        reference[3].v_threshold *= factor
    alone = MPInit().attach(reference)
    for plugin, m in ((mp, model), (alone, reference)):
        m(batch())
        plugin.after_batch()
    torch.testing.assert_close(mp.initial_membrane, alone.initial_membrane)
    ahsar.detach()
    assert float(getattr(first, "threshold", None) or first.v_threshold) in (1.0, 0.4)


def test_silent_layers_keep_their_start():
    layer = snntorch_layer(init_hidden=True)
    plugin = MPInit().attach(nn.Sequential(layer))
    plugin.initial_membrane.fill_(0.25)
    loop(layer, torch.zeros(T, B, 7))
    plugin.after_batch()
    assert plugin.initial_membrane == 0.25


@pytest.mark.parametrize("momentum", [-0.1, 1.1])
def test_bad_momentum(momentum):
    with pytest.raises(InputError, match="momentum"):
        MPInit(momentum)

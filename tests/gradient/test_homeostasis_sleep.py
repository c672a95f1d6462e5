"""Sleep: the power law in closed form, STDP against a plain loop, the schedule, and what the replay leaves alone."""

import copy
import math

import pytest
import torch
from torch import nn

from homeonet.errors import InputError
from homeonet.gradient import LIF, PerStep, streaming
from homeonet.gradient.homeostasis import AHSAR, MPInit, Sleep, ThresholdAdaptation, TraceSTDP, power_law
from homeonet.gradient.neurons._recurrent import RecurrentLIF
from tests.support.homeostasis_models import N_IN, OTHERS, B, T, batch, linear, linears, make, same, settle

torch.set_num_threads(1)
MODELS = ("lif", "trlif", *OTHERS)


def test_power_law():
    w = torch.randn(40, 30, dtype=torch.float64)
    w[0, :3] = torch.tensor([0.0, 0.2, -0.2])
    once = power_law(w, 0.2, 0.9**7)
    many = w
    for _ in range(7):
        many = power_law(many, 0.2, 0.9)
    torch.testing.assert_close(once, many)
    assert torch.equal(w.flatten().argsort(), once.flatten().argsort())
    assert torch.equal(w.sign(), once.sign())
    assert once[0, 0] == 0
    torch.testing.assert_close(once[0, 1:3], w[0, 1:3])
    nonzero = w != 0
    log = (w[nonzero].abs() / 0.2).log()
    torch.testing.assert_close((once[nonzero].abs() / 0.2).log(), 0.9**7 * log)
    assert torch.equal(power_law(torch.tensor([-0.0]), 0.2, 0.5).signbit(), torch.tensor([True]))


def stdp_by_hand(pre, post, *, a_plus, a_minus, tau, learning_rate):
    """All pairs of spikes: a weight between two neurons, one example at a time."""
    steps, n_batch, n_in = pre.shape
    change = torch.zeros(post.shape[2], n_in, dtype=torch.float64)
    for b in range(n_batch):
        for t_pre in range(steps):
            for t_post in range(steps):
                weight = math.exp(-abs(t_post - t_pre) / tau)
                amount = a_plus * weight if t_pre <= t_post else -a_minus * weight
                change += amount * torch.outer(post[t_post, b], pre[t_pre, b])
    return change * learning_rate / n_batch


STDP = {"a_plus": 0.3, "a_minus": 0.2, "tau": 4.0, "learning_rate": 0.5}


def spikes(*shape, seed=0):
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < 0.3).double()


@pytest.mark.parametrize("cuts", [(9,), (4, 5), (1,) * 9])
def test_stdp_of_pieces_against_all_pairs(cuts):
    pre, post, rule, traces, change = spikes(9, 3, 4), spikes(9, 3, 5, seed=1), TraceSTDP(**STDP), None, 0
    for a, b in zip(pre.split(cuts), post.split(cuts), strict=True):
        part, traces = rule.change(a, b, traces)
        change = change + part
    torch.testing.assert_close(change, stdp_by_hand(pre, post, **STDP))


@pytest.mark.parametrize("cuts", [(9,), (4, 5), (1,) * 9])
def test_stdp_of_a_layer_onto_itself(cuts):
    post, rule, traces, change = spikes(9, 3, 5), TraceSTDP(**STDP), None, 0
    for piece in post.split(cuts):
        part, traces = rule.change(None, piece, traces)
        change = change + part
    pre = torch.cat([torch.zeros(1, 3, 5), post[:-1]])
    torch.testing.assert_close(change, stdp_by_hand(pre, post, **STDP))


def lively(name):
    """A model whose biases let it fire without input."""
    model = make(name)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Linear):
                module.bias.add_(0.4)
    return model


def emissions(model, x):
    """Spikes of both layers for a whole sequence, by hooks of the test's own, shape (T, B, *)."""
    out = {0: [], 1: []}
    layers = [m for m in model.modules() if hasattr(m, "v_threshold") or hasattr(m, "threshold")]
    handles = [
        layer.register_forward_hook(
            lambda _, __, o, i=i: out[i].append((o[0] if isinstance(o, tuple) else o).detach())
        )
        for i, layer in enumerate(layers)
    ]
    with torch.no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    joined = [torch.stack(o) if len(o) > 1 else o[0] for o in out.values()]
    return [(j != 0).double() for j in joined]


@pytest.mark.parametrize("every", [None, 2])
@pytest.mark.parametrize("name", MODELS)
def test_a_sleep_without_noise_against_plain_loops(name, every):
    model, reference = lively(name), lively(name)
    plugin = Sleep(1.0, steps=T, sigma=0, decay=0.9, every=every, **STDP).attach(model)
    model(batch())
    first, second = emissions(reference.eval(), torch.zeros(T, B, N_IN))
    if name in ("trlif",):
        reference.load_state_dict({k: v for k, v in model.state_dict().items() if "homeo" not in k})
        first, second = emissions(reference, torch.zeros(T, B, N_IN))
    assert first.sum() > 0 and second.sum() > 0
    plugin.sleep()

    encode, mix, classify = (m.weight.detach().double() for m in linears(reference))
    whole = stdp_by_hand(first, second, **STDP)
    if every is None:
        mix = power_law(mix + whole, 0.2, 0.9)
        encode, classify = power_law(encode, 0.2, 0.9), power_law(classify, 0.2, 0.9)
    else:
        before = 0
        for stop in range(every, T + 1, every):
            so_far = stdp_by_hand(first[:stop], second[:stop], **STDP)
            mix = power_law(mix + so_far - before, 0.2, 0.9**every)
            before = so_far
        encode, classify = power_law(encode, 0.2, 0.9**T), power_law(classify, 0.2, 0.9**T)
    for layer, expected in zip(linears(model), (encode, mix, classify), strict=True):
        torch.testing.assert_close(layer.weight.detach().double(), expected, atol=1e-5, rtol=1e-4)
    assert plugin.history[0]["after"] == pytest.approx(
        sum(w.abs().sum().item() for w in (encode, mix, classify))
    )
    assert plugin.history[0]["steps"] == T and int(plugin.n_sleeps) == 1


@pytest.mark.parametrize("name", MODELS)
def test_the_replay_leaves_everything_but_weights(name):
    model = make(name)
    AHSAR().attach(model)
    ThresholdAdaptation().attach(model)
    if name != "trlif":
        MPInit().attach(model).after_batch()
    plugin = Sleep(1.0, learning_rate=10.0).attach(model)
    model(batch()).square().sum().backward()
    if name in OTHERS:
        model.homeostasis_mp_init.after_batch()
    weights = {id(m.weight) for m in linears(model)}
    grads = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    state = {
        k: v.clone()
        for k, v in model.state_dict(keep_vars=True).items()
        if id(v) not in weights and "sleep" not in k
    }
    modes = [m.training for m in model.modules()]
    attributes = [dict(m.__dict__) for m in model.modules()]
    memories = [dict(getattr(m, "_memories", {})) for m in model.modules()]
    values = [[v.clone() for v in m.values() if isinstance(v, torch.Tensor)] for m in memories]
    membranes = [{k: v.clone() for k, v in m._buffers.items() if v is not None} for m in model.modules()]
    old = [m.weight.detach().clone() for m in linears(model)]
    mark = torch.random.get_rng_state()

    plugin.after_batch()

    assert not any(torch.equal(a, m.weight) for a, m in zip(old, linears(model), strict=True))
    assert torch.equal(mark, torch.random.get_rng_state())
    assert modes == [m.training for m in model.modules()]
    assert same(grads, [p.grad for p in model.parameters() if p.grad is not None])
    now = model.state_dict()
    assert all(torch.allclose(now[k], v, 0, 0, equal_nan=True) for k, v in state.items())
    for module, before in zip(model.modules(), attributes, strict=True):
        assert module.__dict__.keys() == before.keys()
        assert all(module.__dict__[k] is v for k, v in before.items())
    for module, before, kept in zip(model.modules(), memories, values, strict=True):
        after = dict(getattr(module, "_memories", {}))
        assert all(after[k] is v for k, v in before.items())
        assert same([v for v in after.values() if isinstance(v, torch.Tensor)], kept)
    for module, before in zip(model.modules(), membranes, strict=True):
        if module is not plugin:
            assert all(torch.allclose(module._buffers[k], v, 0, 0, equal_nan=True) for k, v in before.items())


def test_batch_norm_and_dropout_rest_too():
    model = nn.Sequential(
        PerStep(nn.Linear(N_IN, 10), nn.BatchNorm1d(10), nn.Dropout()), LIF(), linear(10, 8), LIF()
    )
    plugin = Sleep(1.0).attach(model)
    model(batch())
    norm = copy.deepcopy(model[0].layer[1].state_dict())
    plugin.after_batch()
    assert all(torch.equal(norm[k], v) for k, v in model[0].layer[1].state_dict().items())
    assert model[0].layer[1].training and model[0].layer[2].training


def test_states_of_a_stream_go_on_through_a_sleep():
    model, awake = make("lif"), make("lif")
    plugin = Sleep(1.0, learning_rate=0.0, decay=1.0).attach(model)
    with streaming(model), streaming(awake):
        for x_t in batch():
            assert torch.equal(model(x_t[None]), awake(x_t[None]))
            plugin.after_batch()
    assert int(plugin.n_sleeps) == T
    assert model[1]._state is None


def run(model, plugin, batches, optimizer):
    for seed in batches:
        optimizer.zero_grad()
        model(batch(seed)).square().mean().backward()
        optimizer.step()
        plugin.after_batch()
    return settle(model)


@pytest.mark.parametrize("name", MODELS)
def test_deterministic_and_resumed_exactly(name):
    def start(seed=0):
        model = make(name)
        plugin = Sleep(0.5, learning_rate=1.0, seed=seed).attach(model)
        return model, plugin, torch.optim.SGD(model.parameters(), lr=1e-3)

    model, plugin, optimizer = start()
    run(model, plugin, range(7), optimizer)
    assert int(plugin.n_sleeps) == 3
    again = start()
    run(again[0], again[1], range(3), again[2])
    resumed, plugin2, optimizer2 = start()
    with torch.no_grad():
        resumed[0].layer.weight.zero_() if name == "lif" else None
    resumed.load_state_dict(again[0].state_dict())
    run(resumed, plugin2, range(3, 7), optimizer2)
    state = resumed.state_dict()
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    other, plugin3, optimizer3 = start(seed=1)
    run(other, plugin3, range(7), optimizer3)
    assert not same([m.weight for m in linears(other)], [m.weight for m in linears(model)])


def test_every_sleep_has_noise_of_its_own():
    model = make("lif")
    plugin = Sleep(1.0, decay=1.0, learning_rate=1.0).attach(model)
    model(batch())
    changes = []
    for _ in range(2):
        before = linears(model)[1].weight.detach().clone()
        state = model.state_dict()
        plugin.sleep()
        changes.append(linears(model)[1].weight.detach() - before)
        model.load_state_dict(state | {"2.layer.weight": before})
    assert not torch.equal(*changes)


def test_schedule_by_the_clock():
    for ratio, sleeps in ((0, 0), (0.1, 3), (0.3, 10), (0.5, 15), (1.0, 30)):
        model = make("lif")
        plugin = Sleep(ratio, stdp=False).attach(model)
        for _ in range(30):
            plugin.after_batch()
        assert int(plugin.n_sleeps) == len(plugin.history) == sleeps
        interval = int(1 / ratio) if ratio else 1
        assert [row["batch"] for row in plugin.history] == [interval * (i + 1) for i in range(sleeps)]


def grow(model, factor):
    with torch.no_grad():
        for m in linears(model):
            m.weight.mul_(factor)


def test_schedule_by_the_weights():
    model = make("lif")
    options = {"trigger": "threshold", "alpha_trigger": 1.3, "alpha_base": 1.1, "every": 1, "decay": 0.99}
    plugin = Sleep(0.1, stdp=False, w_target=1e-4, longest=500, **options).attach(model)
    start = plugin.total_weight()
    for _ in range(20):
        plugin.after_batch()
    assert not plugin.history
    grow(model, 1.29)
    plugin.after_batch()
    assert not plugin.history
    grow(model, 1.1)
    plugin.after_batch()
    (row,) = plugin.history
    assert row["before"] > 1.3 * start >= 1.1 * start >= row["after"]
    assert 1 < row["steps"] < 500
    plugin.after_batch()
    assert len(plugin.history) == 1
    # one step fewer would not have been enough
    assert row["after"] > 0.98 * 1.1 * start


def test_longest_and_either():
    model = make("lif")
    plugin = Sleep(0.2, 3, stdp=False, every=1, trigger="either", longest=7, decay=0.9999).attach(model)
    for i in range(10):
        if i == 6:
            grow(model, 2)
        plugin.after_batch()
    assert [(row["batch"], row["steps"]) for row in plugin.history] == [
        (5, 3),
        (7, 7),
        (8, 7),
        (9, 7),
        (10, 7),
    ]


def test_recurrent_weights_learn():
    model = nn.Sequential(linear(N_IN, 10), RecurrentLIF(10), linear(10, 3))
    plugin = Sleep(1.0, sigma=2.0, decay=1.0, learning_rate=1.0).attach(model)
    model(batch())
    before = [m.weight.detach().clone() for m in linears(model)]
    plugin.after_batch()
    encode, recurrent, classify = (
        not torch.equal(a, m.weight) for a, m in zip(before, linears(model), strict=True)
    )
    assert recurrent and not encode and not classify  # the input is silent, and nothing spikes after the last


@pytest.mark.parametrize(
    "options",
    [
        {"ratio": -0.1},
        {"ratio": 1.5},
        {"steps": 0},
        {"longest": 0},
        {"every": 0},
        {"sigma": -1},
        {"sigma": math.nan},
        {"decay": 0},
        {"decay": 1.1},
        {"w_target": 0},
        {"trigger": "clock"},
        {"alpha_trigger": 0},
        {"alpha_base": 2.0, "every": 1},
        {"alpha_base": 1.0},
        {"a_plus": -1},
        {"a_minus": -1},
        {"tau": 0},
        {"learning_rate": math.inf},
    ],
)
def test_bad_parameters(options):
    with pytest.raises(InputError, match=next(iter(options))):
        Sleep(**options)

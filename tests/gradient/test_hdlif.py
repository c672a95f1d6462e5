"""HD-LIF: its three ways to run agree, its gradients are right, and online training costs what the paper says."""

import pytest
import torch
from torch import nn

from homeonet.errors import InputError
from homeonet.gradient import LIF, PerStep, reset, streaming
from homeonet.gradient.kernels._p2_reset import quantise
from homeonet.gradient.neurons._hdlif import HDLIF
from homeonet.gradient.training import temporal_factor

torch.set_num_threads(1)
STEPS = 65
VARIANTS = {
    "vanilla": {},
    "vanilla 4 bit": {"spike_bits": 4},
    "vanilla mp": {"mp_init": True},
    "parallel": {"variant": "parallel"},
    "parallel 4 bit": {"variant": "parallel", "spike_bits": 4},
    "indicator": {"variant": "parallel", "indicator": True},
    "mem_bn": {"variant": "mem_bn", "channels": 3},
    "mem_bn 2 bit": {"variant": "mem_bn", "channels": 3, "spike_bits": 2},
}


def make(steps=STEPS, *, training=True, **options) -> HDLIF:
    """A layer away from its initial constants, in double precision."""
    generator = torch.Generator().manual_seed(3)
    neuron = HDLIF(steps, **options).double()
    with torch.no_grad():
        for p in neuron.parameters():
            p.add_(torch.randn(p.shape, generator=generator, dtype=p.dtype), alpha=0.5)
        if neuron.norm is not None:
            neuron.norm.running_mean += 0.3 * torch.randn(steps, 3, generator=generator)
            neuron.norm.running_var.uniform_(0.5, 2, generator=generator)
        neuron.initial_membrane.fill_(0.2)
    return neuron.train(training)


def currents(T, *shape, seed=1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (0.6 * torch.randn(T, *shape, generator=generator, dtype=torch.float64)).add_(0.2).requires_grad_()


def run(neuron, x, how):
    """Outputs and all gradients of a fixed random weighting of them."""
    neuron.zero_grad()
    x.grad = None
    if how == "whole":
        out = neuron(x)
    elif how == "steps":
        out = torch.stack([neuron.step(x_t) for x_t in x])
        reset(neuron)
    else:
        cuts = [piece for piece in x.split([1, len(x) // 3, len(x) - 1 - len(x) // 3]) if len(piece)]
        with streaming(neuron):
            out = torch.cat([neuron(piece) for piece in cuts])
    (out * currents(*out.shape, seed=9).detach()).sum().backward()
    grads = {"x": x.grad} | {name: p.grad for name, p in neuron.named_parameters() if p.grad is not None}
    return out.detach(), {name: grad.clone() for name, grad in grads.items()}


@pytest.mark.parametrize("through_time", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("T", [1, 2, 63, 64, 65])
def test_whole_steps_and_streaming_agree(T, variant, training, through_time):
    neuron = make(training=training, **VARIANTS[variant])
    neuron.through_time = through_time
    neuron.threshold_scale = 1.1
    if neuron.mp_init:
        neuron.MOMENTUM = 1.0  # the start must not move between the runs
    x = currents(T, 4, 3, 2)
    out, grads = run(neuron, x, "whole")
    assert out.count_nonzero() > 0
    for how in ("steps", "pieces"):
        other, other_grads = run(neuron, x, how)
        torch.testing.assert_close(other, out, rtol=1e-10, atol=1e-12)
        assert other_grads.keys() == grads.keys()
        for name, grad in grads.items():
            torch.testing.assert_close(other_grads[name], grad, rtol=1e-9, atol=1e-11, msg=name)


def test_many_blocks_of_time_agree():
    neuron = make(spike_bits=4)
    x = currents(9, 4, 3, 5000).detach().mul(5).requires_grad_()  # beyond the highest level, too
    out, grads = run(neuron, x, "whole")
    other, other_grads = run(neuron, x, "steps")
    torch.testing.assert_close(other, out)
    for name, grad in grads.items():
        torch.testing.assert_close(other_grads[name], grad, msg=name)


@pytest.mark.parametrize("variant", ["vanilla", "parallel", "mem_bn"])
@pytest.mark.parametrize("training", [True, False])
def test_gradients_are_those_of_finite_differences(variant, training):
    neuron = make(5, training=training, **VARIANTS[variant])
    parameters = dict(neuron.named_parameters())

    def of(x, *values):
        return torch.func.functional_call(neuron, dict(zip(parameters, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(of, (currents(5, 4, 3), *parameters.values()))


def test_three_steps_by_hand():
    neuron = HDLIF(3)  # λ = θ = 1/2
    out = neuron(torch.tensor([0.4, 1.0, 0.1]).view(3, 1))
    # m = 0.4 | 0.2 + 1.0 = 1.2, fires 0.7, keeps 0.5 | 0.25 + 0.1
    torch.testing.assert_close(out.flatten(), torch.tensor([0.0, 0.7, 0.0]))


def test_four_bit_spikes_follow_the_formula():
    s = torch.linspace(0, 6, 601, dtype=torch.float64, requires_grad=True)
    q = quantise(s, 4)
    torch.testing.assert_close(q, torch.clamp(torch.round(4 * s), 0, 15) / 4)
    q.sum().backward()
    assert s.grad.unique().tolist() == [1]
    s.grad = None
    quantise(s, 4, clipped_gradient=True).sum().backward()
    assert s.grad.unique().tolist() == [0, 1]
    assert (s.grad == 1).equal(torch.round(4 * s) <= 15)
    for bits in (1, 2, 8):
        levels = quantise(torch.linspace(0, 9, 5000), bits).unique()
        assert len(levels) == 2**bits and levels[-1] < 4


def membrane_gradients(neuron, x, *, online):
    """∂L/∂I = ∂L/∂m for a loss that weighs every step of a neuron alike."""
    neuron.through_time = not online
    x.grad = None
    (neuron(x) * torch.linspace(1, 2, x[0].numel(), dtype=x.dtype).view_as(x[0])).sum().backward()
    return x.grad.clone()


def test_online_gradient_is_theorem_4_2_times_the_stbp_gradient():
    neuron, x = make(8), currents(8, 6, 10)
    online, stbp = (membrane_gradients(neuron, x, online=flag) for flag in (True, False))
    factor = temporal_factor(neuron, x)
    assert 0.1 < (factor > 0).double().mean() < 0.9
    torch.testing.assert_close(online, factor * stbp, rtol=1e-12, atol=1e-14)


def test_temporal_weights_ignore_potentials_in_hd_lif_and_not_in_lif():
    """Other potentials with the same spike pattern: HD-LIF's ratio of online to STBP stays, LIF's does not."""
    base = torch.tensor([0.3, 0.45, 0.9, 0.2, 0.7], dtype=torch.float64)
    ratios, patterns = {}, {}
    for name, neuron in (("hd", make(5)), ("lif", LIF(threshold=0.5, reset_mode="hard").double())):
        for shift in (0.0, 0.02):
            x = (base + shift).view(5, 1, 1).requires_grad_()
            patterns[name, shift] = neuron(x) > 0
            stbp = membrane_gradients(neuron, x, online=False)
            ratios[name, shift] = membrane_gradients(neuron, x, online=True) / stbp
        assert patterns[name, 0.0].equal(patterns[name, 0.02]) and patterns[name, 0.0].any()
    torch.testing.assert_close(ratios["hd", 0.0], ratios["hd", 0.02], equal_nan=True, rtol=1e-12, atol=0)
    assert not torch.allclose(ratios["lif", 0.0], ratios["lif", 0.02], equal_nan=True, rtol=1e-3)


def saved_bytes(model, x, *, online):
    """The most that is held for a backward pass at any moment, each storage counted once."""
    held, most = {}, 0

    class Held:
        def __init__(self, tensor):
            # detached, as an output that knew its node would keep that node alive
            self.tensor, self.key = tensor.detach(), tensor.untyped_storage().data_ptr()
            count, _ = held.get(self.key, (0, 0))
            held[self.key] = (count + 1, tensor.untyped_storage().nbytes())

        def __del__(self):
            count, size = held.pop(self.key)
            if count > 1:
                held[self.key] = (count - 1, size)

    def pack(tensor):
        nonlocal most
        entry = Held(tensor)
        most = max(most, sum(size for _, size in held.values()))
        return entry

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda entry: entry.tensor):
        if not online:
            model(x).sum().backward()
            return most
        for neuron in model.modules():
            if isinstance(neuron, HDLIF):
                neuron.through_time = False
        with streaming(model):
            for x_t in x:  # a copy, as a step's input has a storage of its own where it arrives by itself
                model(x_t[None].clone()).sum().backward()
    return most


@pytest.mark.parametrize("variant", ["vanilla", "parallel", "mem_bn"])
def test_online_memory_is_flat_in_time_and_bptt_memory_is_not(variant):
    def used(T, *, online):
        neurons = [HDLIF(64, variant, 16 if variant == "mem_bn" else None) for _ in range(2)]
        model = nn.Sequential(PerStep(nn.Linear(12, 16)), neurons[0], PerStep(nn.Linear(16, 16)), neurons[1])
        return saved_bytes(model, torch.randn(T, 32, 12), online=online)

    assert used(64, online=True) <= 1.1 * used(4, online=True)
    assert 12 < used(64, online=False) / used(4, online=False) < 18


def test_mem_bn_starts_as_the_plain_neuron_and_learns_statistics_a_step():
    plain, normed = HDLIF(4), HDLIF(4, "mem_bn", 3)
    x = torch.randn(4, 16, 3, 5)
    torch.testing.assert_close(normed(x), plain(x))
    means = normed.norm.running_mean
    torch.testing.assert_close(means[0], 0.1 * x[0].mean((0, 2)))
    assert len(means.unique(dim=0)) == 4


def test_mem_bn_in_evaluation_equals_its_definition_to_1e_5():
    neuron = make(6, training=False, variant="mem_bn", channels=3).float()
    norm, x = neuron.norm, currents(6, 4, 3, 2).detach().float()
    v = torch.zeros(4, 3, 2)
    for t, out_t in enumerate(neuron(x)):
        m = neuron.decay[t] * v + x[t]
        centred = (m - norm.running_mean[t].view(3, 1)) / (norm.running_var[t] + norm.eps).sqrt().view(3, 1)
        m = norm.alpha[t] * m + norm.beta[t] * (norm.weight[t].view(3, 1) * centred + norm.bias[t].view(3, 1))
        v = m.clamp(max=neuron.threshold[t])
        torch.testing.assert_close(out_t, m - v, rtol=0, atol=1e-5)


def test_membrane_start_is_learnt_and_saved():
    neuron = HDLIF(4, mp_init=True)
    neuron(torch.rand(4, 8, 5))
    assert neuron.initial_membrane > 0
    other = HDLIF(4, mp_init=True)
    other.load_state_dict(neuron.state_dict())
    torch.testing.assert_close(other.initial_membrane, neuron.initial_membrane)


@pytest.mark.parametrize("variant", ["vanilla", "parallel", "mem_bn"])
def test_more_steps_than_constants_are_refused(variant):
    neuron = HDLIF(3, variant, 2 if variant == "mem_bn" else None)
    x = torch.zeros(4, 5, 2)
    with pytest.raises(InputError, match="steps = 3"):
        neuron(x)
    with streaming(neuron):
        neuron(x[:2])
        with pytest.raises(InputError, match="step 4"):
            neuron(x[:2])
    for x_t in x[:3]:
        neuron.step(x_t)
    with pytest.raises(InputError, match="reset"):
        neuron.step(x[3])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 0}, "steps = 0"),
        ({"steps": 4, "variant": "serial"}, "variant = 'serial'"),
        ({"steps": 4, "variant": "mem_bn"}, "channels = None"),
        ({"steps": 4, "spike_bits": 0}, "spike_bits = 0"),
        ({"steps": 4, "indicator": True}, "indicator = True"),
        ({"steps": 4, "variant": "parallel", "indicator": True, "spike_bits": 4}, "spike_bits = 4"),
        ({"steps": 4, "variant": "parallel", "mp_init": True}, "mp_init = True"),
    ],
)
def test_bad_parameters_are_refused(options, words):
    with pytest.raises(InputError, match=f"^HDLIF: {words}"):
        HDLIF(**options)


def test_bad_inputs_are_refused():
    neuron = HDLIF(4, "mem_bn", 3)
    with pytest.raises(InputError, match="channels = 3"):
        neuron(torch.zeros(2, 4, 5))
    with pytest.raises(InputError, match="single value"):
        neuron(torch.zeros(2, 1, 3))
    with pytest.raises(InputError, match="finite"):
        neuron(torch.full((2, 4, 3), torch.nan))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["kernel", "torch operations"])
@pytest.mark.parametrize("clipped", [False, True])
@pytest.mark.parametrize("variant", ["vanilla", "parallel"])
def test_the_gradient_above_the_clamp_is_straight_or_clipped(variant, clipped, dtype):
    """4 bits: the highest level is 3.75, and 3.875 is the first that rounds above it. Threshold 1/2."""
    neuron = HDLIF(1, variant, spike_bits=4, clipped_gradient=clipped).to(dtype)
    x = torch.tensor([[[0.4, 1.0, 4.3, 4.37, 4.375, 9.0]]], dtype=dtype, requires_grad=True)
    neuron(x).sum().backward()
    above = 0.0 if clipped else 1.0
    assert x.grad.flatten().tolist() == [0.0, 1.0, 1.0, 1.0, above, above]


@pytest.mark.parametrize("through_time", [True, False])
@pytest.mark.parametrize("bits", [None, 1, 4])
@pytest.mark.parametrize("lanes", [1, 15, 16, 17, 300])
@pytest.mark.parametrize("n_steps", [1, 2, 65])
def test_the_kernel_is_the_torch_form(n_steps, lanes, bits, through_time):
    torch.manual_seed(1)
    results = []
    neuron = HDLIF(n_steps, spike_bits=bits, clipped_gradient=bits is not None)
    torch.nn.init.normal_(neuron.raw_decay)
    torch.nn.init.normal_(neuron.raw_threshold)
    neuron.through_time = through_time
    x, weight = 2 * torch.randn(n_steps, 1, lanes), torch.randn(n_steps, 1, lanes)
    for dtype in (torch.float32, torch.float64):
        neuron = neuron.to(dtype)
        given = x.to(dtype).requires_grad_()
        out = neuron(given)
        inputs = [given, neuron.raw_decay, neuron.raw_threshold]
        gradients = torch.autograd.grad((out * weight.to(dtype)).sum(), inputs, allow_unused=True)
        results.append([out.detach().float(), *(g.float() for g in gradients)])
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-4)

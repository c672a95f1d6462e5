"""What is read from NIR gives the spikes of what was written, of other simulators, and of loops written out by hand."""

import re
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from homeonet.errors import InputError
from homeonet.gradient import (
    LIF,
    PerStep,
    RecurrentLIF,
    TrLIF,
    cost,
    deploy,
    from_nir,
    reset,
    spiking_neurons,
    streaming,
    to_nir,
)
from homeonet.gradient.homeostasis import AHSAR, ThresholdAdaptation
from homeonet.machine.optional import install_command

nir = pytest.importorskip("nir")
torch.set_num_threads(1)


def conv_model():
    return nn.Sequential(
        PerStep(nn.Conv2d(2, 4, 3, padding=1, groups=2, bias=False), nn.BatchNorm2d(4)),
        TrLIF(threshold=0.5, reset_mode="hard", mp_init=False, channels=4),
        PerStep(nn.AvgPool2d(2), nn.Dropout(0.3)),
        PerStep(nn.Conv2d(4, 6, 3, stride=2, padding="valid", bias=False)),
        LIF(0.3, 0.7, 0.2, reset_mode="hard"),
        PerStep(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5)),
        LIF(1.0, threshold=0.4, reset_mode="hard"),
    )


def recurrent_model():
    return nn.Sequential(
        PerStep(nn.Linear(6, 12)),
        RecurrentLIF(12, spread=2.0, decay=0.37, threshold=0.3, reset_mode="hard"),
        PerStep(nn.Linear(12, 4, bias=False)),
        LIF(0.9, 0.4, 0.1, reset_mode="hard"),
    )


def one_axis_model():
    return nn.Sequential(
        PerStep(nn.Conv1d(2, 3, 3, padding=1, dilation=1)),
        LIF(0.21, 0.3, 0.1, reset_mode="hard"),
        PerStep(nn.Flatten()),
    )


@pytest.mark.parametrize(
    ("make", "shape"), [(conv_model, (2, 9, 9)), (recurrent_model, (6,)), (one_axis_model, (2, 7))]
)
@pytest.mark.parametrize("dt", [1.0, 1e-3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_spikes_come_back_exactly(make, shape, dt, dtype, tmp_path):
    torch.manual_seed(0)
    model = make().to(dtype)
    x = torch.rand(20, 3, *shape, dtype=dtype) * 2
    model(x)  # statistics of batch norm
    deployed = deploy(model.eval())
    nir.write(tmp_path / "net.nir", to_nir(model, shape, dt))
    net = from_nir(nir.read(tmp_path / "net.nir"))
    out = net(x)
    assert 0.02 < (out > 0).double().mean() < 0.98
    assert out.dtype == dtype and out.equal(deployed(x))
    with streaming(net):
        assert torch.cat([net(piece) for piece in (x[:1], x[1:8], x[8:])]).equal(out)


def euler(node, v, x, dt):
    """A neuron's step as NIR's documentation has it."""
    v = v + dt / node.tau * (node.v_leak - v + node.r * x)
    spikes = (v > node.v_threshold).astype(float)
    return spikes, np.where(spikes > 0, node.v_reset, v)


def lif(n, rng, *, v_leak=0.0, v_reset=0.0):
    return nir.LIF(
        tau=rng.uniform(2e-3, 2e-2, n),
        r=rng.uniform(4, 8, n),
        v_leak=np.full(n, v_leak),
        v_threshold=rng.uniform(0.5, 1, n),
        v_reset=np.full(n, v_reset),
    )


def ends(n_in, n_out):
    return {"input": nir.Input(np.array([n_in])), "output": nir.Output(np.array([n_out]))}


def by_hand_excitatory_inhibitory(nodes, x, dt):
    """Two populations that both have inputs: all that comes back is of the last step."""
    w = {name: node.weight for name, node in nodes.items() if hasattr(node, "weight")}
    n_e, n_i = len(nodes["exc"].tau), len(nodes["inh"].tau)
    v_e, s_e = np.zeros((x.shape[1], n_e)), np.zeros((x.shape[1], n_e))
    v_i, s_i = np.zeros((x.shape[1], n_i)), np.zeros((x.shape[1], n_i))
    outputs = []
    for x_t in x:
        to_e = x_t @ w["w_e"].T + s_e @ w["w_ee"].T + s_i @ w["w_ie"].T
        to_i = x_t @ w["w_i"].T + s_e @ w["w_ei"].T
        s_e, v_e = euler(nodes["exc"], v_e, to_e, dt)
        s_i, v_i = euler(nodes["inh"], v_i, to_i, dt)
        outputs.append(s_e)
    return np.stack(outputs)


@pytest.mark.parametrize("reverse", [False, True])
def test_excitatory_and_inhibitory_neurons_take_their_step_together(reverse):
    rng = np.random.default_rng(0)
    nodes = {
        **ends(5, 8),
        "exc": lif(8, rng, v_leak=0.1, v_reset=-0.2),
        "inh": lif(3, rng),
        "w_e": nir.Linear(rng.uniform(0, 1, (8, 5))),
        "w_i": nir.Linear(rng.uniform(0, 0.5, (3, 5))),
        "w_ee": nir.Linear(rng.uniform(0, 0.4, (8, 8))),
        "w_ei": nir.Linear(rng.uniform(0, 0.4, (3, 8))),
        "w_ie": nir.Linear(-rng.uniform(0, 2, (8, 3))),
    }
    edges = [("input", "w_e"), ("w_e", "exc"), ("input", "w_i"), ("w_i", "inh"), ("exc", "output")]
    edges += [(a, b) for w, x, y in (("w_ee", "exc", "exc"), ("w_ei", "exc", "inh"), ("w_ie", "inh", "exc"))
              for a, b in ((x, w), (w, y))]  # fmt: skip
    if reverse:  # the order in which a file has them means nothing
        nodes = dict(reversed(nodes.items()))
    net = from_nir(nir.NIRGraph(nodes, edges), dt=1e-3)
    assert net.late == [("exc", "w_ee"), ("exc", "w_ei"), ("inh", "w_ie")]
    x = (rng.random((60, 4, 5)) < 0.3).astype(float)
    expected = by_hand_excitatory_inhibitory(nodes, x, 1e-3)
    assert 0.05 < expected.mean() < 0.95
    assert np.array_equal(net(torch.from_numpy(x)).detach().numpy(), expected)


def test_a_skip_within_a_loop_is_not_late_and_what_comes_back_is():
    rng = np.random.default_rng(1)
    nodes = {
        **ends(4, 4),
        "a": lif(4, rng),
        "w": nir.Linear(rng.uniform(0, 1, (4, 4))),
        "b": lif(4, rng),
        "back": nir.Affine(-rng.uniform(0, 0.5, (4, 4)), np.full(4, 0.05)),
    }
    edges = [
        ("input", "a"),
        ("a", "w"),
        ("w", "b"),
        ("a", "b"),
        ("b", "back"),
        ("back", "a"),
        ("b", "output"),
    ]
    net = from_nir(nir.NIRGraph(nodes, edges), dt=1e-3)
    assert net.late == [("b", "back")]
    x = rng.random((50, 2, 4))
    v_a = v_b = s_b = np.zeros((2, 4))
    expected = []
    for x_t in x:
        s_a, v_a = euler(nodes["a"], v_a, x_t + s_b @ nodes["back"].weight.T + nodes["back"].bias, 1e-3)
        s_b, v_b = euler(nodes["b"], v_b, s_a @ nodes["w"].weight.T + s_a, 1e-3)
        expected.append(s_b)
    assert 0.05 < np.mean(expected) < 0.95
    assert np.array_equal(net(torch.from_numpy(x)).detach().numpy(), np.stack(expected))


def test_branches_pools_scales_delays_and_integrators():
    rng = np.random.default_rng(2)
    dt = 1e-3
    two = np.array([2, 2])
    nodes = {
        "input": nir.Input(np.array([1, 4, 4])),
        "sum": nir.SumPool2d(two, two, np.zeros(2, int)),
        "mean": nir.AvgPool2d(two, two, np.zeros(2, int)),
        "flat": nir.Flatten({"input": np.array([1, 2, 2])}, 0, -1),
        "scale": nir.Scale(rng.uniform(0, 1, 4)),
        "delay": nir.Delay(np.array([0.0, 1, 2, 2]) * dt),
        "cut": nir.Threshold(np.full(4, 0.9)),
        "li": nir.LI(tau=np.full(4, 4e-3), r=np.full(4, 2.0), v_leak=np.full(4, 0.3)),
        "i": nir.I(r=np.full(4, 100.0)),
        "cuba": nir.CubaLI(
            tau_syn=np.full(4, 2e-3),
            tau_mem=np.full(4, 5e-3),
            r=np.ones(4),
            v_leak=np.zeros(4),
            w_in=np.full(4, 3.0),
        ),
        "output": nir.Output(np.array([4])),
    }
    edges = [("input", "sum"), ("input", "mean"), ("sum", "flat"), ("mean", "flat"), ("flat", "scale")]
    edges += [("scale", "delay"), ("scale", "cut"), ("delay", "li"), ("cut", "li"), ("scale", "i")]
    edges += [("scale", "cuba"), ("li", "output"), ("i", "output"), ("cuba", "output")]
    net = from_nir(nir.NIRGraph(nodes, edges), dt=dt)
    x = rng.random((12, 3, 1, 4, 4))
    blocks = x.reshape(12, 3, 2, 2, 2, 2).sum((3, 5)).reshape(12, 3, 4)
    scaled = (blocks + blocks / 4) * nodes["scale"].scale
    late = np.stack(
        [np.concatenate((np.zeros((d, 3)), scaled[: 12 - d, :, k])) for k, d in enumerate((0, 1, 2, 2))], 2
    )
    li = i = synapse = cuba = np.zeros((3, 4))
    expected = []
    for s_t, d_t in zip(scaled, late, strict=True):
        li = li + dt / 4e-3 * (0.3 - li + 2 * (d_t + (s_t > 0.9)))
        i = i + dt * 100 * s_t
        synapse = synapse + dt / 2e-3 * (3 * s_t - synapse)
        cuba = cuba + dt / 5e-3 * (synapse - cuba)
        expected.append(li + i + cuba)
    net.double()
    torch.testing.assert_close(
        net(torch.from_numpy(x)), torch.from_numpy(np.stack(expected)), atol=1e-5, rtol=0
    )
    whole = net(torch.from_numpy(x))
    with streaming(net):
        assert torch.cat([net(p) for p in torch.from_numpy(x).split(5)]).equal(whole)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("padding", [1, (0, 2), "same", "valid"])
def test_convolutions_of_both_kinds(groups, padding, tmp_path):
    rng = np.random.default_rng(0)
    two, one = rng.normal(size=(4, 4 // groups, 3, 3)), rng.normal(size=(4, 4 // groups, 3))
    bias = rng.normal(size=4)
    stride = 1 if padding == "same" else 2
    flat = padding[1] if isinstance(padding, tuple) else padding
    x_two, x_one = (torch.from_numpy(rng.normal(size=(2, 3, *shape))) for shape in ((4, 7, 6), (4, 9)))
    for kind, weight, x, pad, convolve in (
        (nir.Conv2d, two, x_two, padding, functional.conv2d),
        (nir.Conv1d, one, x_one, flat, functional.conv1d),
    ):
        expected = convolve(
            x.flatten(0, 1), torch.from_numpy(weight), torch.from_numpy(bias), stride, pad, groups=groups
        ).unflatten(0, (2, 3))
        size = x.shape[3] if kind is nir.Conv1d else tuple(x.shape[3:])
        node = kind(size, weight, stride, pad, 1, groups, bias)
        nodes = {
            "input": nir.Input(np.array(x.shape[2:])),
            "c": node,
            "output": nir.Output(np.array(expected.shape[2:])),
        }
        graph = nir.NIRGraph(nodes, [("input", "c"), ("c", "output")], type_check=False)
        nir.write(tmp_path / "net.nir", graph)
        net = from_nir(nir.read(tmp_path / "net.nir", type_check=False), dt=1.0)
        torch.testing.assert_close(net(x), expected)


def test_nirtorch_wires_a_graph_alike():
    nirtorch = pytest.importorskip("nirtorch")
    rng = np.random.default_rng(3)
    float32 = {name: v.astype(np.float32) for name, v in vars(lif(6, rng)).items() if name in
               ("tau", "r", "v_leak", "v_threshold", "v_reset")}  # fmt: skip
    nodes = {
        "input": nir.Input(np.array([4])),
        "w": nir.Linear(rng.uniform(0, 1, (6, 4)).astype(np.float32)),
        "neuron": nir.LIF(**float32),
        "w_rec": nir.Linear(rng.normal(0, 0.3, (6, 6)).astype(np.float32)),
        "output": nir.Output(np.array([6])),
    }
    edges = [("input", "w"), ("w", "neuron"), ("neuron", "w_rec"), ("w_rec", "neuron"), ("neuron", "output")]
    graph = nir.NIRGraph(nodes, edges)

    class Reference(nn.Module):
        def __init__(self, node):
            super().__init__()
            self.p = {name: torch.from_numpy(v) for name, v in float32.items()}

        def forward(self, x, state=None):
            p, v = self.p, torch.zeros(1) if state is None else state
            v = v + 1e-3 / p["tau"] * (p["v_leak"] - v + p["r"] * x)
            spikes = (v > p["v_threshold"]).float()
            return spikes, torch.where(spikes > 0, p["v_reset"], v)

    theirs, state, expected = nirtorch.nir_to_torch(graph, {nir.LIF: Reference}), None, []
    x = torch.from_numpy(rng.random((40, 3, 4)).astype(np.float32))
    with torch.no_grad():
        for x_t in x:
            out, state = theirs(x_t, state)
            expected.append(out)
        out = from_nir(graph, dt=1e-3)(x)
    assert 0.05 < out.mean() < 0.95
    assert (out != torch.stack(expected)).float().mean() < 0.01


def test_it_can_be_trained_and_kept_in_its_range():
    torch.manual_seed(0)
    graph = to_nir(recurrent_model(), (6,))
    net = from_nir(graph, surrogate="arctan")
    net(torch.rand(8, 3, 6)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
    assert any(p.grad.any() for p in net.loops.parameters())
    chain = from_nir(to_nir(nn.Sequential(PerStep(nn.Linear(6, 3)), LIF(reset_mode="hard")), (6,)))
    ThresholdAdaptation().attach(chain, example=torch.zeros(2, 1, 6))
    chain(torch.rand(4, 2, 6))
    reset(chain)
    assert len(spiking_neurons(chain)) == 1


def test_homeostasis_and_costs_see_neurons_and_not_what_holds_them():
    net = from_nir(to_nir(recurrent_model(), (6,)))
    x = torch.rand(5, 2, 6)
    with AHSAR().attach(net) as ahsar:
        assert ahsar.layer_names == ["nodes.layer_3.0"]
    ours, theirs = cost(recurrent_model(), x), cost(net, x)
    assert sorted(row.outputs for row in theirs.layers) == sorted(row.outputs for row in ours.layers)
    lone = nir.NIRGraph(
        {**ends(2, 2), "li": nir.LI(np.full(2, 2.0), np.ones(2), np.zeros(2))},
        [("input", "li"), ("li", "output")],
    )
    with pytest.raises(InputError, match="no spiking layer"):
        AHSAR().attach(from_nir(lone, dt=1.0))


def changed(**nodes):
    rng = np.random.default_rng(0)
    held = {**ends(3, 3), "w": nir.Linear(np.eye(3)), "lif": lif(3, rng)} | nodes
    held = {name: node for name, node in held.items() if node is not None}
    edges = [("input", "w"), ("w", "lif"), ("lif", "output")]
    return nir.NIRGraph(held, [(a, b) for a, b in edges if {a, b} <= held.keys()], type_check=False)


class Unknown(nir.ir.node.NIRNode):
    def __init__(self):
        self.input_type = self.output_type = {"input": np.array([3])}


def algebraic():
    """A loop of weights alone, entered at both its nodes."""
    nodes = {**ends(2, 2), "a": nir.Linear(np.eye(2)), "b": nir.Linear(np.eye(2))}
    return nir.NIRGraph(nodes, [("input", "a"), ("input", "b"), ("a", "b"), ("b", "a"), ("a", "output")])


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (lambda: changed(lif=Unknown()), "'lif' is a Unknown, which has no counterpart"),
        (lambda: changed(w=nir.Linear(np.ones((2, 3, 3)))), "'w', a Linear: .*two axes"),
        (
            lambda: changed(lif=nir.LIF(*np.full((5, 3), 1e-4))),
            "'lif'.*tau = 0.0001 is shorter than a step",
        ),
        (lambda: changed(lif=nir.Delay(np.full(3, 1.5e-3))), "'lif', a Delay.*no whole number"),
        (lambda: changed(more=nir.Input(np.array([3]))), "2 inputs \\('input', 'more'\\)"),
        (lambda: changed(output=None), "0 outputs \\(none\\)"),
        (lambda: changed(alone=lif(3, np.random.default_rng(0))), "'alone' is not reached"),
        (algebraic, "entered at several nodes and has no neuron"),
        (lambda: "net.nir", "is a str.*nir.read"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(graph, message):
    with pytest.raises(InputError, match=f"(?s){message}"):
        from_nir(graph(), dt=1e-3)


def test_steps_inputs_and_a_missing_package_are_told(monkeypatch):
    with pytest.raises(InputError, match=r"does not say what a time step lasts.*snnTorch"):
        from_nir(changed())
    with pytest.raises(InputError, match="dt = -1"):
        from_nir(changed(), dt=-1)
    for wrong in (torch.zeros(2, 3), torch.zeros(4, 2, 5)):
        with pytest.raises(InputError, match=r"\(T, B, 3\) is needed"):
            from_nir(changed(), dt=1e-3)(wrong)
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(InputError, match=re.escape(install_command("nir"))):
        from_nir(None)

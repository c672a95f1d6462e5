"""The exported graph, written, read and run by a small interpreter of NIR's own equations, gives the same spikes."""

import re
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional

from homeonet.errors import InputError
from homeonet.gradient import LIF, PerStep, RecurrentLIF, TrLIF
from homeonet.gradient.deployment._nir import to_nir
from homeonet.gradient.networks._attention import SECA
from homeonet.gradient.networks._compression import BinaryLinear, TernaryConv2d
from homeonet.gradient.neurons._dsn import DSN
from homeonet.gradient.neurons._hdlif import HDLIF
from homeonet.machine.optional import install_command

nir = pytest.importorskip("nir")
torch.set_num_threads(1)


def interpret(graph, x, dt):
    """Outputs (T, B, *) of a chain by Euler's rule: the equations of NIR's documentation, nothing of this package."""
    following = dict(graph.edges)
    order, name = [], "input"
    while name != "output":
        order.append(name := following[name])
    voltage, outputs = {}, []
    for x_t in x:
        value = x_t
        for name in order:
            node = graph.nodes[name]
            p = {k: torch.as_tensor(v).to(x) for k, v in vars(node).items() if hasattr(v, "dtype")}
            kind = type(node).__name__
            if kind == "Linear":
                value = value @ p["weight"].T
            elif kind == "Affine":
                value = value @ p["weight"].T + p["bias"]
            elif kind == "Conv2d":
                options = (node.stride, node.padding, node.dilation)
                value = functional.conv2d(
                    value, p["weight"], p["bias"], *map(pair, options), int(node.groups)
                )
            elif kind == "AvgPool2d":
                options = (node.kernel_size, node.stride, node.padding)
                value = functional.avg_pool2d(value, *map(pair, options))
            elif kind == "Flatten":
                start, end = int(node.start_dim), int(node.end_dim)
                value = value.flatten(start + 1, end if end < 0 else end + 1)
            elif kind == "Scale":
                value = value * p["scale"]
            elif kind in ("LIF", "IF"):
                v = voltage.get(name, torch.zeros(1, dtype=value.dtype))
                slope = p["r"] * value if kind == "IF" else (p["v_leak"] - v + p["r"] * value) / p["tau"]
                v = v + dt * slope
                value = (v > p["v_threshold"]).to(v.dtype)
                voltage[name] = torch.where(value > 0, p["v_reset"], v)
            else:
                assert kind == "Output"
        outputs.append(value)
    return torch.stack(outputs)


def pair(values):
    return tuple(int(v) for v in values)


def conv_model():
    return nn.Sequential(
        PerStep(nn.Conv2d(2, 4, 3, padding=1, groups=2), nn.BatchNorm2d(4)),
        TrLIF(threshold=0.5, reset_mode="hard", mp_init=False, channels=4),
        PerStep(nn.AvgPool2d(2), nn.Dropout(0.3)),
        PerStep(TernaryConv2d(4, 6, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(6)),
        LIF(0.75, 0.5, 0.2, reset_mode="hard"),
        PerStep(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5)),
        LIF(1.0, threshold=0.4, reset_mode="hard"),
    )


def dense_model():
    return nn.Sequential(
        PerStep(BinaryLinear(6, 12), nn.BatchNorm1d(12)),
        TrLIF(threshold=0.5, reset_mode="hard", mp_init=False),
        PerStep(nn.Linear(12, 3, bias=False)),
        TrLIF(threshold=0.05, reset_mode="hard", mp_init=False),
    )


@pytest.mark.parametrize(("make", "shape"), [(conv_model, (2, 8, 8)), (dense_model, (6,))])
@pytest.mark.parametrize("dt", [1.0, 1e-3])
def test_spikes_survive_the_file(make, shape, dt, tmp_path):
    torch.manual_seed(0)
    model = make().double()
    x = torch.rand(20, 3, *shape, dtype=torch.float64) * 2
    model(x)  # statistics of batch norm
    model.eval()
    nir.write(tmp_path / "net.nir", to_nir(model, shape, dt))
    graph = nir.read(tmp_path / "net.nir")
    out = interpret(graph, x, dt)
    spikes = model(x) > 0
    assert 0.02 < spikes.double().mean() < 0.98
    torch.testing.assert_close(out, model(x).detach(), atol=1e-6, rtol=0)
    assert float(graph.metadata["dt"]) == dt


def test_a_neuron_at_its_threshold_fires_here_and_there():
    model = nn.Sequential(LIF(0.5, threshold=1.0, reset_mode="hard"))
    x = torch.tensor([0.5, 0.75, 0.999]).view(3, 1, 1)  # m = 0.5, 1 exactly, 0.999
    assert model(x).flatten().tolist() == [0, 1, 0]
    assert interpret(to_nir(model, (1,)), x, 1.0).flatten().tolist() == [0, 1, 0]


def hard(neuron):
    return nn.Sequential(PerStep(nn.Linear(3, 3)), neuron)


def mp_started():
    neuron = LIF(reset_mode="hard", mp_init=True)
    neuron.initial_membrane.fill_(0.25)
    return neuron


@pytest.mark.parametrize(
    ("model", "shape", "message"),
    [
        (hard(LIF()), (3,), "'1'.*soft reset.*reset_mode='hard'"),
        (hard(RecurrentLIF(3)), (3,), "'1', a RecurrentLIF.*soft reset"),
        (nn.Sequential(RecurrentLIF(3, reset_mode="hard")), (2, 3), "'0', a RecurrentLIF.*one axis.*Flatten"),
        (hard(HDLIF(4)), (3,), "'1'.*HD-LIF"),
        (hard(DSN(3)), (3,), "'1'.*DSN"),
        (hard(mp_started()), (3,), "'1'.*MP-Init"),
        (nn.Sequential(PerStep(nn.MaxPool2d(2))), (1, 4, 4), "'0.layer'.*MaxPool2d.*no such primitive"),
        (nn.Sequential(PerStep(nn.Conv2d(1, 2, 3), SECA())), (1, 4, 4), "'0.layer.1'.*SECA"),
        (nn.Sequential(PerStep(nn.BatchNorm1d(3))), (3,), "BatchNorm1d"),
        (nn.Sequential(PerStep(nn.Conv2d(1, 2, (3, 1)))), (1, 4, 4), "square"),
        (nn.Sequential(PerStep(nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"))), (1, 4, 4), "reflect"),
        (nn.Sequential(PerStep(nn.AvgPool2d(2, ceil_mode=True))), (1, 5, 5), "ceil_mode"),
        (nn.Sequential(PerStep(nn.AdaptiveAvgPool2d(2))), (1, 5, 5), "no multiple"),
        (nn.Sequential(PerStep(nn.Linear(4, 2))), (3, 4), "Flatten"),
        (nn.Sequential(PerStep(nn.Linear(4, 2))), (5,), "input_shape"),
        (nn.Sequential(nn.Flatten(), LIF()), (5, 2), "time or batch"),
        (nn.Bilinear(2, 2, 2), (2,), "Bilinear.*cannot be read"),
    ],
)
def test_what_nir_lacks_is_refused_by_name(model, shape, message):
    with pytest.raises(InputError, match=f"(?s){message}"):
        to_nir(model, shape)


def test_bad_steps_and_a_missing_package_are_told(monkeypatch):
    with pytest.raises(InputError, match="dt = 0"):
        to_nir(hard(LIF(reset_mode="hard")), (3,), dt=0)
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(InputError, match=re.escape(install_command("nir"))):
        to_nir(hard(LIF(reset_mode="hard")), (3,))

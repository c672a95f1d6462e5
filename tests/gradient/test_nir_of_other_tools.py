"""Networks that snnTorch and SpikingJelly write as NIR spike alike when they are read."""

import pytest
import torch
from torch import nn

from homeonet.gradient import from_nir

nir = pytest.importorskip("nir")
torch.set_num_threads(1)


def snntorch_layers(name):
    snn = pytest.importorskip("snntorch")
    # of its resets the one that NIR has; numbers, one per unit, since its export takes no scalars
    options = {
        "threshold": torch.ones(10),
        "reset_mechanism": "zero",
        "reset_delay": False,
        "init_hidden": True,
    }
    beta = torch.linspace(0.6, 0.95, 10)
    neuron = {
        "leaky": lambda: snn.Leaky(beta, **options),
        "synaptic": lambda: snn.Synaptic(torch.linspace(0.5, 0.8, 10), beta, **options),
        "recurrent": lambda: snn.RLeaky(beta, linear_features=10, **options),
    }[name]()
    return [nn.Linear(8, 10), neuron, nn.Linear(10, 4)]


@pytest.mark.parametrize("name", ["leaky", "synaptic", "recurrent"])
def test_a_network_of_snntorch_spikes_alike(name, tmp_path):
    pytest.importorskip("nirtorch")
    from snntorch.export_nir import export_to_nir

    torch.manual_seed(0)
    theirs = nn.Sequential(*snntorch_layers(name))
    nn.init.normal_(theirs[0].weight, 0.2, 0.5)
    nir.write(tmp_path / "net.nir", export_to_nir(theirs, torch.zeros(1, 8), ignore_dims=[0]))
    net = from_nir(nir.read(tmp_path / "net.nir"), dt=1e-4)
    assert bool(net.late) == (name == "recurrent")
    x = (torch.rand(40, 3, 8) < 0.4).float()
    with torch.no_grad():
        expected = torch.stack([theirs(x_t) for x_t in x])
        out = net(x)
    assert expected.std() > 0.1
    torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-5)


def test_a_network_of_spikingjelly_spikes_alike(tmp_path):
    pytest.importorskip("nirtorch")
    jelly = pytest.importorskip("spikingjelly.activation_based")
    from spikingjelly.activation_based import functional, layer, neuron
    from spikingjelly.activation_based.nir_exchange import export_to_nir

    assert jelly
    torch.manual_seed(0)
    theirs = nn.Sequential(
        layer.Conv2d(2, 4, 3, padding=1, step_mode="m"),
        neuron.LIFNode(2.0, v_threshold=0.3, v_reset=0.0, step_mode="m"),
        layer.AvgPool2d(2, step_mode="m"),
        layer.Flatten(step_mode="m"),
        layer.Linear(64, 5, step_mode="m"),
        neuron.IFNode(0.4, v_reset=0.0, step_mode="m"),
    )
    x = torch.rand(12, 3, 2, 8, 8)
    export_to_nir(theirs, x, save_path=tmp_path / "net.nir")
    functional.reset_net(theirs)
    net = from_nir(nir.read(tmp_path / "net.nir"), dt=1e-4)
    with torch.no_grad():
        expected = theirs(x)
        out = net(x)
    assert 0.05 < expected.mean() < 0.95
    # rounding may move a membrane across the threshold now and then
    assert (out != expected).float().mean() < 0.01

"""A deployed network computes what the trained one does, stores what it says, and survives a file."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from homeonet.gradient import LIF, PerStep, TrLIF, spiking_neurons, streaming
from homeonet.gradient.deployment._deploy import deploy, packed_bytes
from homeonet.gradient.deployment._deployed import FixedHDLIF, FixedLIF
from homeonet.gradient.deployment._packing import PackedConv2d, PackedLinear
from homeonet.gradient.networks._attention import SECA
from homeonet.gradient.networks._compression import BinaryConv2d, BinaryLinear, TernaryConv2d, TernaryLinear
from homeonet.gradient.neurons._dsn import DSN
from homeonet.gradient.neurons._hdlif import HDLIF
from homeonet.gradient.neurons._psn import PSN, SlidingPSN

torch.set_num_threads(1)
T = 4


class Residual(nn.Module):
    """A block whose order no container tells; its branch is a chain all the same."""

    def __init__(self, *branch):
        super().__init__()
        self.branch = nn.Sequential(*branch)

    def forward(self, x):
        return x + self.branch(x)


def conv_net(convolution=nn.Conv2d, dense=nn.Linear, neuron=lambda channels: TrLIF(threshold=0.4)):
    """Convolution, residual block, pooling, two linear layers, all with batch norm."""
    return nn.Sequential(
        PerStep(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4)),
        Residual(
            neuron(4),
            PerStep(convolution(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)),
            neuron(4),
            PerStep(convolution(4, 4, 3, padding=1, groups=2), nn.BatchNorm2d(4), SECA(3)),
        ),
        neuron(4),
        PerStep(nn.AvgPool2d(2)),
        PerStep(nn.Flatten(), nn.Dropout(0.5), dense(36, 8), nn.BatchNorm1d(8)),
        neuron(8),
        PerStep(nn.Linear(8, 3)),
    )


def trained(model, *, seed=0):
    """`model` with statistics and parameters away from where they start, in double precision, in training mode."""
    generator = torch.Generator().manual_seed(seed)
    model.double().train()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() == 0 or "raw" in name or "norm" in name or "alpha" in name or "beta" in name:
                p.add_(torch.randn(p.shape, generator=generator, dtype=p.dtype), alpha=0.3)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.weight.uniform_(-1, 2, generator=generator)
                module.bias.uniform_(-0.2, 1.2, generator=generator)
                module.momentum = 0.8  # the statistics of small currents, soon
            if isinstance(module, PSN):
                module.bias.fill_(-0.2)
        for _ in range(3):
            model(torch.randn(T, 8, *SHAPE, generator=generator, dtype=torch.float64))
    return model


SHAPE = (2, 6, 6)
NEURONS = {
    "lif": lambda channels: LIF(threshold=0.5, mp_init=True),
    "lif hard": lambda channels: LIF(threshold=0.5, reset_mode="hard", gain=0.5),
    "trlif": lambda channels: TrLIF(threshold=0.4),
    "trlif channels": lambda channels: TrLIF(threshold=0.4, channels=channels),
    "trlif as": lambda channels: TrLIF(threshold=0.4, threshold_rule="as", reset_mode="hard"),
    "hdlif": lambda channels: HDLIF(T, spike_bits=4),
    "hdlif mp": lambda channels: HDLIF(T, mp_init=True),
    "hdlif parallel": lambda channels: HDLIF(T, "parallel"),
    "hdlif indicator": lambda channels: HDLIF(T, "parallel", indicator=True),
    "hdlif mem_bn": lambda channels: HDLIF(T, "mem_bn", channels),
    "dsn": DSN,
    "psn": lambda channels: PSN(T),
    "sliding psn": lambda channels: SlidingPSN(3),
}
WEIGHTS = {
    "plain": (nn.Conv2d, nn.Linear),
    "binary": (BinaryConv2d, BinaryLinear),
    "ternary": (TernaryConv2d, TernaryLinear),
}


def build(neuron, weights):
    torch.manual_seed(0)
    return conv_net(*WEIGHTS[weights], NEURONS[neuron])


def batch(seed=5):
    return torch.randn(T, 6, *SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("neuron", NEURONS)
def test_deployed_outputs_are_those_of_evaluation(neuron, weights):
    model = trained(build(neuron, weights))
    for i, layer in enumerate(spiking_neurons(model)):
        layer.threshold_scale = torch.tensor(0.8 + 0.1 * i)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    deployed = deploy(model)
    out = deployed(batch())
    assert not out.requires_grad and not deployed.training
    assert model.training and all(value.equal(before[name]) for name, value in model.state_dict().items())
    assert out.std((0, 1)).min() > 1e-2  # spikes come through to the end
    torch.testing.assert_close(out, model.eval()(batch()), rtol=0, atol=1e-5)
    assert not any(isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d) for m in deployed.modules())
    torch.testing.assert_close(deploy(deployed)(batch()), out, rtol=0, atol=0)
    if neuron != "psn":
        with streaming(deployed):
            pieces = torch.cat([deployed(piece) for piece in batch().split([1, T - 1])])
        torch.testing.assert_close(pieces, out)


@pytest.mark.parametrize("neuron", [name for name in NEURONS if not name.endswith(("dsn", "psn"))])
def test_fixed_neurons_step_as_they_run(neuron):
    fixed = deploy(nn.Sequential(NEURONS[neuron](3).double()))[0]
    assert isinstance(fixed, FixedLIF | FixedHDLIF)
    x = torch.randn(T, 5, 3, 2, dtype=torch.float64)
    torch.testing.assert_close(torch.stack([fixed.step(x_t) for x_t in x]), fixed(x))


def test_thresholds_are_absorbed_where_the_graph_is_a_chain():
    deployed = deploy(trained(build("trlif", "plain")))
    neurons = [m for m in deployed.modules() if isinstance(m, FixedLIF)]
    assert [n.scaled for n in neurons] == [False] * 4
    assert deployed(batch()).isfinite().all()
    behind_attention = nn.Sequential(TrLIF(), PerStep(SECA(3), nn.Conv2d(2, 3, 1)))
    assert deploy(behind_attention)[0].scaled
    at_the_end = nn.Sequential(PerStep(nn.Linear(2, 2)), TrLIF())
    assert deploy(at_the_end)[1].scaled
    shared = PerStep(nn.Linear(2, 2))
    assert deploy(nn.Sequential(TrLIF(), shared, LIF(), shared))[0].scaled
    per_channel_before_packed = nn.Sequential(TrLIF(channels=2), PerStep(BinaryLinear(2, 2)))
    assert deploy(per_channel_before_packed)[0].scaled
    assert not deploy(nn.Sequential(TrLIF(channels=2), PerStep(nn.Linear(2, 2))))[0].scaled
    ambiguous = nn.Sequential(TrLIF(channels=2), PerStep(nn.Linear(6, 2)))
    assert deploy(ambiguous)[0].scaled


def test_a_module_may_say_that_its_children_are_a_chain():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.encode, self.neuron = PerStep(nn.Linear(4, 4), nn.BatchNorm1d(4)), TrLIF(threshold=0.2)
            self.flatten, self.classify = nn.Flatten(2), PerStep(nn.Linear(4, 2))

        def forward(self, x):
            return self.classify(self.flatten(self.neuron(self.encode(x))))

    class InOrder(Net):
        in_order = True

    x = torch.rand(T, 3, 4)
    for net, folded in ((Net(), False), (InOrder(), True)):
        deployed = deploy(net.eval())
        assert deployed.neuron.scaled != folded
        torch.testing.assert_close(deployed(x), net(x))


def test_emitted_spikes_are_binary_once_thresholds_are_absorbed():
    model = nn.Sequential(TrLIF(threshold=0.3), PerStep(nn.Linear(4, 2)))
    x = torch.rand(T, 3, 4)
    assert set(deploy(model)[0](x).unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(deploy(model)(x), model(x))


def test_a_batch_norm_is_left_where_folding_would_be_wrong():
    shared = nn.Linear(4, 4)
    model = nn.Sequential(PerStep(shared, nn.BatchNorm1d(4)), LIF(), PerStep(shared, nn.BatchNorm1d(4)))
    without_statistics = nn.Sequential(
        PerStep(nn.Linear(4, 4), nn.BatchNorm1d(4, track_running_stats=False)), LIF()
    )
    first = nn.Sequential(PerStep(nn.BatchNorm1d(4), nn.Linear(4, 4)), LIF())
    x = torch.randn(T, 5, 4)
    for network in (model, without_statistics, first):
        network(x)
        torch.testing.assert_close(deploy(network)(x), network.eval()(x))
        assert any(isinstance(m, nn.BatchNorm1d) for m in deploy(network).modules())


@pytest.mark.parametrize("scale", [torch.rand(3, 1) + 0.5, torch.rand(5, 3, 2) + 0.5])
@pytest.mark.parametrize("neuron", NEURONS)
def test_a_threshold_scale_of_any_shape_is_baked_in(neuron, scale):
    layer = NEURONS[neuron](3)
    layer.threshold_scale = scale
    model = nn.Sequential(layer, PerStep(nn.Flatten(), nn.Linear(6, 4))).eval()
    x = torch.randn(T, 5, 3, 2)
    deployed = deploy(model)
    torch.testing.assert_close(deployed(x), model(x))
    assert "0.threshold_scale" in deployed.state_dict()


def test_mem_bn_folds_to_1e_5_in_single_precision():
    model = trained(nn.Sequential(PerStep(nn.Conv2d(2, 4, 3)), HDLIF(T, "mem_bn", 4))).float().eval()
    neuron = deploy(model)[1]
    assert isinstance(neuron, FixedHDLIF) and neuron.gain.shape == (T, 4)
    x = batch().float()
    steps = torch.stack([model[1].step(x_t) for x_t in model[0](x)])  # normalises as it is written
    torch.testing.assert_close(deploy(model)(x), steps, rtol=0, atol=1e-5)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("neuron", ["trlif", "hdlif mem_bn", "dsn"])
def test_bytes_are_those_of_the_file_and_the_file_holds_everything(neuron, weights, tmp_path):
    model = trained(build(neuron, weights)).float()
    deployed = deploy(model)
    state = deployed.state_dict()
    save_file(state, tmp_path / "net.safetensors")
    size = (tmp_path / "net.safetensors").stat().st_size
    with open(tmp_path / "net.safetensors", "rb") as f:
        header = int.from_bytes(f.read(8), "little")
    assert packed_bytes(deployed) == sum(value.nbytes for value in state.values()) == size - 8 - header
    again = deploy(build(neuron, weights))
    again.load_state_dict(load_file(tmp_path / "net.safetensors"))
    torch.testing.assert_close(again(batch().float()), deployed(batch().float()), rtol=0, atol=0)


def test_packed_weights_take_one_and_two_bits():
    model = nn.Sequential(
        PerStep(BinaryConv2d(16, 32, 3, bias=False)), LIF(), PerStep(TernaryLinear(100, 10, bias=False))
    )
    deployed = deploy(model)
    packed = [m for m in deployed.modules() if isinstance(m, PackedConv2d | PackedLinear)]
    assert [m.codes.nbytes for m in packed] == [16 * 32 * 9 // 8, 100 * 10 * 2 // 8]
    neuron = 4 * 4  # decay, gain, threshold, initial membrane
    assert packed_bytes(deployed) == 16 * 32 * 9 // 8 + 32 * 4 + 250 + 10 * 4 + neuron


def test_a_single_layer_is_deployed_too():
    x = torch.randn(T, 3, 4)
    layer = BinaryLinear(4, 2)
    torch.testing.assert_close(deploy(layer)(x), layer(x))
    neuron = TrLIF()
    torch.testing.assert_close(deploy(neuron)(x), neuron(x))

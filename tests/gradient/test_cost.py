"""Costs are those counted by hand and those that the paper prints."""

import pytest
import torch
from torch import nn
from torch.nn.functional import pad, unfold

from homeonet.errors import InputError
from homeonet.gradient import LIF, PerStep, streaming
from homeonet.gradient.deployment._cost import cost
from homeonet.gradient.deployment._deploy import deploy, packed_bytes
from homeonet.gradient.deployment._deployed import FixedLIF
from homeonet.gradient.networks import Parts, network
from homeonet.gradient.networks._attention import SECA
from homeonet.gradient.networks._compression import BinaryLinear, TernaryConv2d
from homeonet.gradient.neurons._dsn import DSN
from homeonet.gradient.neurons._hdlif import HDLIF
from homeonet.gradient.neurons._psn import PSN, SlidingPSN
from homeonet.gradient.neurons._recurrent import RecurrentLIF
from homeonet.gradient.neurons._trlif import TrLIF

torch.set_num_threads(1)
ADDITION, MAC, WORD = 0.9e-9, 4.6e-9, 5e-9  # mJ


def three_neurons(neuron=None):
    first, last = nn.Linear(2, 3, bias=False), nn.Linear(3, 1, bias=False)
    first.weight.data = torch.tensor([[1.0, 0.0], [0.5, 1.0], [0.0, 0.0]])
    last.weight.data = torch.tensor([[1.0, 2.0, 3.0]])
    return nn.Sequential(PerStep(first), neuron or LIF(), PerStep(last))


SPIKES = torch.tensor([[1.0, 0.0], [1.0, 1.0]]).view(2, 1, 2)


def test_three_neurons_by_hand():
    # step 1: one input on two synapses; m = 1, .5, 0: one spike.  Step 2: three synapses; m = 1, 1.75, 0: two spikes
    table = cost(three_neurons(), SPIKES)
    first, neuron, last = table.layers
    assert (first.sops, last.sops, neuron.nops, neuron.rate) == (5, 3, 18, 0.5)
    assert (first.macs, first.additions, neuron.macs, neuron.additions) == (0, 5, 6, 12)
    assert table.parameters == 9 and table.rate == 0.5
    assert table.paper_mb == pytest.approx(36e-6) and table.stored_bytes == 36 + 4 * 4  # λ, g, θ, u(0)
    assert table.paper_sops == 5 and table.paper_mj == pytest.approx(
        5 * ADDITION
    )  # the classifier is left out
    assert not table.compressed
    assert table.compute_mj == pytest.approx((5 + 12 + 3) * ADDITION + 6 * MAC)
    assert table.memory_mj == pytest.approx((5 + 3 + 2 * 6) * WORD)
    assert table.honest_mj == pytest.approx(table.compute_mj + table.memory_mj)
    assert table.totals()["sops"] == 8 and table.records()[1]["nops"] == 18
    assert "rate 0.500" in str(table)


def test_the_papers_leave_out_the_first_convolution_and_the_classifier():
    torch.manual_seed(0)
    model = network("resnet18", (1, 8, 8), 10, Parts("lif", 2), width=0.125)
    table = cost(model, torch.rand(2, 3, 1, 8, 8).round())
    counted = [(row.name, row.sops, row.paper_sops) for row in table.layers if row.sops]
    left_out = [name for name, sops, paper_sops in counted if paper_sops != sops]
    weighted = [name for name, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert left_out == [weighted[0], weighted[-1]]
    between = sum(sops for name, sops, _ in counted if name not in left_out)
    assert table.paper_sops == pytest.approx(between) and table.sops > between
    assert table.paper_mj == pytest.approx(between * ADDITION)


def test_counts_are_those_of_one_sample():
    one, three = cost(three_neurons(), SPIKES), cost(three_neurons(), SPIKES.expand(2, 3, 2))
    assert one.totals() == three.totals()


def test_real_valued_inputs_and_spikes_are_macs_in_the_honest_convention_alone():
    torch.manual_seed(0)
    x = torch.rand(4, 50, 2)
    table = cost(three_neurons(HDLIF(4)), x)
    first, _, last = table.layers
    assert first.sops == first.macs == 4 * 3 and first.additions == 0
    assert last.sops == last.macs > 0
    assert table.paper_mj == pytest.approx(first.sops * ADDITION)


def test_quantised_spikes_are_bit_serial_and_the_papers_divide_by_eight():
    torch.manual_seed(0)
    table = cost(three_neurons(HDLIF(4, spike_bits=2)), 6 * torch.rand(4, 50, 2))
    last = table.layers[2]
    assert last.additions == pytest.approx(2 * last.sops) and last.macs == 0
    assert table.compressed and table.paper_mj == pytest.approx(table.layers[0].sops * ADDITION / 8)
    four = cost(three_neurons(HDLIF(4, spike_bits=4)), 6 * torch.rand(4, 50, 2)).layers[2]
    assert four.additions == pytest.approx(4 * four.sops)
    assert cost(three_neurons(HDLIF(4)), SPIKES, compressed=True).compressed


@pytest.mark.parametrize(
    ("neuron", "nops", "macs", "additions"),
    [
        (LIF(), 3, 1, 2),
        (LIF(gain=0.5), 3, 2, 2),
        (HDLIF(2), 3, 1, 2),
        (HDLIF(2, "parallel"), 1, 0, 1),
        (HDLIF(2, "mem_bn", 3), 3, 2, 2),
        (PSN(2), 3, 2, 1),
        (SlidingPSN(5), 3, 5, 1),
        (DSN(3), 3, 6, 1),
        (DSN(3, decay="static"), 3, 2, 1),
        (TrLIF(), 3, 2, 2),
    ],
)
def test_operations_of_neurons(neuron, nops, macs, additions):
    row = cost(three_neurons(neuron), SPIKES).layers[1]
    assert (row.nops / 6, row.macs / 6, row.additions / 6) == (nops, macs, additions)
    assert row.parameters == sum(p.numel() for p in neuron.parameters())


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(4, 6, 3, padding=1, bias=False),
        nn.Conv2d(4, 6, 3, stride=2, padding="valid", dilation=2),
        nn.Conv2d(4, 6, (1, 3), padding=(0, 1), padding_mode="circular"),
        TernaryConv2d(4, 6, 3, padding=1, padding_mode="circular"),
        TernaryConv2d(4, 6, 3, stride=2),
    ],
)
def test_additions_of_a_convolution_are_those_of_its_unfolded_form(conv):
    torch.manual_seed(0)
    x = (torch.rand(3, 2, 4, 7, 7) < 0.2).float()
    with torch.no_grad():
        conv.weight[0, 1] = 0
    weight = conv.quantised_weight if isinstance(conv, TernaryConv2d) else conv.weight
    active, padding = x.flatten(0, 1), conv.padding
    if conv.padding_mode == "circular":
        active, padding = pad(active, conv._reversed_padding_repeated_twice, "circular"), 0
    padding = 0 if padding == "valid" else padding
    columns = unfold(active, conv.kernel_size, conv.dilation, padding, conv.stride)
    by_hand = ((weight.flatten(1) != 0).float() @ columns).sum() / 2
    row = cost(nn.Sequential(PerStep(conv), LIF()), x).layers[0]
    assert row.sops == pytest.approx(by_hand.item())


def test_groups_count_only_their_own_channels():
    dense = nn.Conv2d(4, 6, 3, groups=2, bias=False)
    x = torch.ones(2, 1, 4, 5, 5)
    assert cost(nn.Sequential(PerStep(dense), LIF()), x).sops == 2 * 6 * 2 * 9 * 9


def test_packed_weights_need_additions_and_a_scale():
    model = nn.Sequential(PerStep(BinaryLinear(16, 8)), LIF())
    row = cost(model, torch.rand(2, 3, 16)).layers[0]
    assert row.sops == 2 * 16 * 8 and row.macs == 2 * 8 and row.additions == row.sops + 2 * 8
    assert row.memory_bits == row.sops and row.billed_bits == 2 * 128
    assert row.stored_bytes == 16 + 8 * 4 * 2


def test_attention_pooling_and_norms_left_over_are_counted():
    model = nn.Sequential(
        PerStep(nn.BatchNorm2d(4), nn.Conv2d(4, 6, 1, bias=False), SECA(3)), LIF(), PerStep(nn.AvgPool2d(2))
    )
    rows = {row.layer: row for row in cost(model, torch.randn(2, 1, 4, 4, 4)).layers}
    assert rows["BatchNorm2d"].macs == 2 * 4 * 16
    assert rows["SECA"].macs == rows["SECA"].additions == 2 * 6 * 16
    assert rows["AvgPool2d"].additions == pytest.approx(rows["LIF"].rate * rows["LIF"].outputs)


def test_recurrent_synapses_are_counted():
    neuron = RecurrentLIF(3)
    table = cost(three_neurons(neuron), SPIKES.mul(5))
    rows = {row.name: row for row in table.layers}
    assert rows["1"].nops == 18
    assert rows["1.recurrent"].sops > 0


def test_pooled_spikes_are_few_levels_and_cost_their_bits():
    torch.manual_seed(0)
    model = nn.Sequential(LIF(), PerStep(nn.AvgPool2d(3), nn.Flatten(), nn.Linear(8, 2, bias=False)))
    row = cost(model, 2 * torch.rand(4, 40, 2, 6, 6)).layers[-1]
    assert row.additions == pytest.approx(4 * row.sops)  # 0 … 9 spikes


def test_the_model_is_left_as_it_is():
    model = three_neurons()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    cost(model, SPIKES)
    assert model.training and not any(m._forward_hooks for m in model.modules())
    assert "sequence" not in vars(model[1])
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())


RESNET_18 = {  # HD-LIF paper, CIFAR-100: MB and NOPs in 10⁶ (T = 4, 32 x 32)
    "LIF": (Parts("lif"), 44.84, 6.59),
    "HD-LIF, 1.5 bit": (Parts("hdlif", weights="ternary"), 4.40, 6.59),
    "+ 50 % parallel": (Parts("hdlif", options={"parallel_second": True}, weights="ternary"), 4.40, 4.62),
    "1 bit, both": (
        Parts("hdlif", options={"parallel_second": True, "spike_bits": 4}, weights="binary"),
        3.00,
        4.62,
    ),
}


@pytest.mark.parametrize("name", RESNET_18)
def test_resnet_18_has_the_published_memory_and_neuron_operations(name):
    parts, megabytes, nops = RESNET_18[name]
    model = network("resnet18", (3, 32, 32), 100, parts)
    table = cost(model, torch.randn(4, 1, 3, 32, 32))
    assert round(table.paper_mb, 2) == megabytes
    assert round(table.nops / 1e6, 2) == nops
    assert table.compressed == (name == "1 bit, both")
    assert table.stored_bytes == packed_bytes(deploy(model)) == sum(row.stored_bytes for row in table.layers)
    assert table.parameters == sum(row.parameters for row in table.layers)


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(InputError, match="no spiking layer"):
        cost(nn.Linear(2, 2), SPIKES)
    with pytest.raises(InputError, match="shape"):
        cost(three_neurons(), torch.zeros(0, 1, 2))

    class Paired(nn.Module):
        def __init__(self):
            super().__init__()
            self.pair = nn.Bilinear(2, 2, 2)
            self.neuron = LIF()

        def forward(self, x):
            return self.neuron(self.pair(x, x))

    with pytest.raises(InputError, match="'pair', a Bilinear"):
        cost(Paired(), SPIKES)


def test_a_weighted_layer_that_is_never_called_is_named():
    class Aside(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.aside, self.neuron = nn.Linear(2, 2), nn.Linear(2, 2), LIF()

        def forward(self, x):
            return self.neuron(torch.nn.functional.linear(self.used(x), self.aside.weight))

    with pytest.raises(InputError, match="'aside', a Linear, was never called"):
        cost(Aside(), SPIKES)


class Steps(nn.Module):
    """The model one time step after another, as NeuroBench's wrappers call theirs."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):  # (B, T, *)
        with streaming(self.model):
            return torch.cat([self.model(x_t[None]) for x_t in x.transpose(0, 1)])


def image_model():
    return nn.Sequential(
        PerStep(nn.Conv2d(2, 4, 3, padding=1)),
        LIF(threshold=0.4),
        PerStep(nn.AvgPool2d(2)),
        PerStep(nn.Conv2d(4, 6, 3, stride=2, groups=2, bias=False)),
        LIF(threshold=0.2),
        PerStep(nn.Flatten(), nn.Linear(6, 5)),
        RecurrentLIF(5, threshold=0.2),
    )


@pytest.mark.parametrize("inputs", ["spikes", "real"])
def test_neurobench_measures_the_same(inputs):
    pytest.importorskip("neurobench")
    from neurobench.metrics.static import ConnectionSparsity, Footprint, ParameterCount
    from neurobench.metrics.workload import ActivationSparsity, SynapticOperations
    from neurobench.models import TorchModel

    torch.manual_seed(0)
    model = deploy(image_model())
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.weight[torch.rand_like(layer.weight) < 0.3] = 0
    x = torch.rand(6, 3, 2, 8, 8)
    x = (x < 0.3).float() if inputs == "spikes" else x
    ours = cost(model, x).neurobench()
    # a layer of layers would hide the recurrent weights from NeuroBench's search
    theirs = TorchModel(Steps(model))
    for kind in (FixedLIF, RecurrentLIF):
        theirs.add_activation_module(kind)
    theirs.register_hooks()
    assert len(theirs.connection_layers()) == 4 and len(theirs.activation_layers()) == 3
    data = (x.transpose(0, 1), torch.zeros(3))
    theirs(data[0])
    for metric in (Footprint(), ParameterCount(), ConnectionSparsity()):
        assert ours[type(metric).__name__] == metric(theirs)
    assert ours["ActivationSparsity"] == pytest.approx(ActivationSparsity()(theirs, None, data))
    assert ours["SynapticOperations"] == pytest.approx(SynapticOperations()(theirs, None, data))
    assert ours["SynapticOperations"]["Effective_MACs"] > 0 and 0.1 < ours["ConnectionSparsity"] < 0.5


def test_spikingjelly_counts_the_same_synaptic_operations():
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based.op_counter import DispatchCounterMode, MACCounter, SynOpCounter

    torch.manual_seed(0)
    x = (torch.rand(6, 3, 2, 8, 8) < 0.3).float()
    model = deploy(nn.Sequential(PerStep(nn.Conv2d(2, 4, 3, padding=1)), LIF(threshold=0.4), PerStep(nn.Flatten()),
                                 PerStep(nn.Linear(256, 5, bias=False)), LIF(threshold=0.2)))  # fmt: skip
    counter = SynOpCounter()
    with torch.no_grad(), DispatchCounterMode([counter]):
        model(x)
    table = cost(model, x)
    assert table.neurobench()["SynapticOperations"]["Effective_ACs"] == pytest.approx(counter.get_total() / 3)
    counter = MACCounter()
    with torch.no_grad(), DispatchCounterMode([counter]):
        model[0](torch.rand_like(x))
    real = cost(model, torch.rand_like(x)).layers[0]
    # SpikingJelly's MACs are of every place of the kernel, those on the padding too
    assert (
        counter.get_total() / 3
        == 6 * 64 * 4 * 2 * 9
        > real.dense_sops
        == 6 * 22 * 22 * 4 * 2
        == real.real_sops
    )


def test_metrics_of_neurobench_by_hand():
    # step 1: one input on two synapses, step 2: three; spikes 1 and 2 of six; nine weights, three of them 0
    found = cost(three_neurons(), SPIKES).neurobench()
    assert found == {
        "Footprint": 52,
        "ParameterCount": 9,
        "ConnectionSparsity": 0.3333,
        "ActivationSparsity": 0.5,
        "SynapticOperations": {"Effective_MACs": 0, "Effective_ACs": 8, "Dense": 2 * 9},
    }
    halves = cost(three_neurons(), SPIKES * torch.tensor([1.0, 0.5]).view(2, 1, 1)).neurobench()
    assert halves["SynapticOperations"]["Effective_MACs"] == 3  # of the second step alone

"""Networks by name: shapes, gradients, published sizes, and pieces of a sequence that add up to the whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient import PSN, SECA, SlidingPSN, deploy, spiking_neurons, streaming
from homeonet.gradient.kernels._surrogate import Arctan
from homeonet.gradient.networks import NETWORKS, NEURONS, CharacterModel, Parts, network
from homeonet.gradient.networks._compression import (
    BinaryConv1d,
    BinaryConv2d,
    BinaryLinear,
    TernaryConv1d,
    TernaryConv2d,
    TernaryLinear,
)
from homeonet.gradient.neurons._mem_bn import MembraneNorm

STEPS, BATCH, CLASSES = 5, 3, 4
#: Shape of a step of an example, and options that make each network small.
NETS: dict[str, tuple[tuple[int, ...], dict]] = {
    "sg_snn": ((1, 6, 6), {"hidden": 12}),
    "conv": ((1, 8, 8), {"width": 0.125}),
    "vgg": ((2, 16, 16), {"width": 0.01}),
    "resnet18": ((3, 8, 8), {"width": 0.0625}),
    "resnet19": ((3, 8, 8), {"width": 0.03}),
    "resnet34": ((3, 8, 8), {"width": 0.03}),
    "sew18": ((3, 8, 8), {"width": 0.0625}),
    "columns": ((1, 8), {"width": 6}),
    "sequence": ((2,), {"width": 8, "depth": 2}),
}
#: Neurons and their options; thresholds are low, so that small networks are active.
NEURON_KINDS: dict[str, tuple[str, dict]] = {
    "lif": ("lif", {"threshold": 0.2}),
    "hard-reset": ("lif", {"threshold": 0.2, "reset_mode": "hard"}),
    "trlif": ("trlif", {"threshold": 0.2}),
    "hdlif": ("hdlif", {}),
    "hdlif-mem_bn": ("hdlif", {"variant": "mem_bn"}),
    "hdlif-second": ("hdlif", {"parallel_second": True, "spike_bits": 4}),
    "dsn": ("dsn", {}),
    "psn": ("psn", {}),
    "slidingpsn": ("slidingpsn", {"kernel": 3}),
    "recurrentlif": ("recurrentlif", {"threshold": 0.2}),
}
FULLY_CONNECTED = ("sg_snn", "sequence")
IMAGES = ("conv", "vgg", "resnet18", "resnet19", "resnet34", "sew18")


def pairs(*without: str) -> Iterator[tuple[str, str]]:
    for net in NETS:
        for kind in NEURON_KINDS:
            if kind not in without and (kind != "recurrentlif" or net in FULLY_CONNECTED):
                yield net, kind


def small(net: str, kind: str, **parts: object) -> nn.Module:
    torch.manual_seed(0)
    shape, options = NETS[net]
    neuron, constants = NEURON_KINDS[kind]
    model = network(net, shape, CLASSES, Parts(neuron, STEPS, constants, **parts), **options)
    for layer in model.modules():
        if isinstance(layer, PSN | SlidingPSN):
            layer.bias.data.fill_(-0.1)
    return model


def example(net: str, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(STEPS, BATCH, *NETS[net][0], generator=generator, dtype=dtype)


def test_every_network_and_neuron_is_tested() -> None:
    assert NETS.keys() == NETWORKS.keys()
    assert {neuron for neuron, _ in NEURON_KINDS.values()} == NEURONS.keys()


@pytest.mark.parametrize(("net", "kind"), list(pairs()))
def test_a_vote_a_step_and_a_gradient_for_every_parameter(net: str, kind: str) -> None:
    model = small(net, kind)
    out = model(example(net))
    assert out.shape == (STEPS, BATCH, CLASSES)
    nn.functional.cross_entropy(out.mean(0), torch.tensor([0, 1, 2])).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, f"{name} has no part in the output"
        assert torch.isfinite(parameter.grad).all(), name
    assert all(p.grad.any() for n, p in model.named_parameters() if n.startswith("classify"))


@pytest.mark.parametrize(("net", "kind"), list(pairs()))
def test_no_parameter_is_cut_off_from_the_loss(net: str, kind: str) -> None:
    model = small(net, kind)
    for layer in model.modules():
        if isinstance(layer, MembraneNorm):
            layer.beta.data.fill_(0.5)  # at first it keeps what it scales out of the membrane
    nn.functional.cross_entropy(model(example(net)).mean(0), torch.tensor([0, 1, 2])).backward()
    assert [name for name, p in model.named_parameters() if not p.grad.any()] == []


def weight_layers(model: nn.Module) -> list[nn.Module]:
    return [m for m in model.modules() if isinstance(m, nn.Conv1d | nn.Conv2d | nn.Linear)]


COMPRESSED = {
    "binary": {BinaryConv1d, BinaryConv2d, BinaryLinear},
    "ternary": {TernaryConv1d, TernaryConv2d, TernaryLinear},
}


@pytest.mark.parametrize("weights", COMPRESSED)
@pytest.mark.parametrize("net", [net for net in NETS if net != "sg_snn"])
def test_all_weights_but_the_first_and_the_last_are_compressed_and_train(net: str, weights: str) -> None:
    model = small(net, "lif", weights=weights)
    first, *middle, last = weight_layers(model)
    assert {type(first), type(last)} <= {nn.Conv1d, nn.Conv2d, nn.Linear}
    assert middle and {type(layer) for layer in middle} <= COMPRESSED[weights]
    model(example(net)).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
    torch.testing.assert_close(deploy(model)(example(net)), model.eval()(example(net)), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("weights", COMPRESSED)
def test_a_character_model_is_compressed_too(weights: str) -> None:
    *middle, last = weight_layers(CharacterModel(5, Parts("lif", weights=weights), width=8, depth=2))
    assert type(last) is nn.Linear and {type(layer) for layer in middle} <= COMPRESSED[weights]


@pytest.mark.parametrize("net", IMAGES)
def test_attention_follows_every_convolution_but_the_first(net: str) -> None:
    model = small(net, "lif", attention=True)
    n_convolutions = sum(isinstance(m, nn.Conv2d) for m in model.modules())
    assert sum(isinstance(m, SECA) for m in model.modules()) == n_convolutions - 1
    model(example(net)).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


def test_attention_and_compression_are_refused_where_there_is_nothing_for_them() -> None:
    for net in ("sg_snn", "columns", "sequence"):
        with pytest.raises(InputError, match="leave it False"):
            small(net, "lif", attention=True)
    with pytest.raises(InputError, match="attention = True"):
        CharacterModel(5, Parts("lif", attention=True))
    with pytest.raises(InputError, match="weights = 'binary'"):
        small("sg_snn", "lif", weights="binary")


#: Neurons whose threshold goes into the weights behind them, and neurons that a sum of spikes keeps scaled.
FOLDED = {
    "sg_snn": (1, 0),
    "conv": (3, 0),
    "vgg": (8, 0),
    "resnet18": (16, 0),
    "resnet19": (10, 8),  # the neurons after the stem and seven of the sums feed a branch and a shortcut
    "resnet34": (32, 0),
    "sew18": (8, 12),
    "columns": (7, 0),
    "sequence": (2, 0),
}


@pytest.mark.parametrize("net", NETS)
def test_a_deployed_network_is_the_trained_one_with_thresholds_in_its_weights(net: str) -> None:
    model = small(net, "trlif").double()
    for neuron in spiking_neurons(model):
        neuron.raw_threshold.data += 0.1 * torch.rand((), dtype=torch.float64)
    x = example(net, torch.float64)
    with torch.no_grad():
        model(x)
        deployed = deploy(model)
        torch.testing.assert_close(deployed(x), model.eval()(x), atol=1e-9, rtol=1e-6)
    scaled = [neuron.scaled for neuron in spiking_neurons(deployed)]
    assert (scaled.count(False), scaled.count(True)) == FOLDED[net]
    assert not any(isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d) for m in deployed.modules())


def test_the_indicator_goes_with_the_parallel_neurons_of_residual_blocks() -> None:
    options = {"parallel_second": True, "indicator": True, "surrogate": "arctan", "mp_init": True}
    parts = Parts("hdlif", STEPS, options | {"spike_bits": 4})
    model = network("resnet18", (3, 8, 8), CLASSES, parts, width=0.0625)
    first, second = spiking_neurons(model)[::2], spiking_neurons(model)[1::2]
    assert {(n.variant, n.indicator, n.spike_bits, n.mp_init) for n in first} == {("vanilla", False, 4, True)}
    assert {(n.variant, n.indicator, n.spike_bits, n.mp_init) for n in second} == {
        ("parallel", True, None, False)
    }
    assert all(isinstance(n.surrogate, Arctan) for n in second)
    model(torch.rand(STEPS, 2, 3, 8, 8)).sum().backward()
    real = network(
        "resnet18", (3, 8, 8), 2, Parts("hdlif", 2, {"parallel_second": True, "spike_bits": 4}), width=0.06
    )
    assert {n.spike_bits for n in spiking_neurons(real)} == {4}
    with pytest.raises(InputError, match="indicator = True goes with"):
        Parts("hdlif", STEPS, {"indicator": True}).spiking(4)


def test_every_second_layer_of_a_plain_stack_can_be_parallel() -> None:
    model = network("conv", (1, 8, 8), CLASSES, Parts("hdlif", STEPS, {"parallel_second": True}), width=0.125)
    assert [n.variant for n in spiking_neurons(model)] == ["vanilla", "parallel", "vanilla"]
    model = network("vgg", (1, 16, 16), CLASSES, Parts("hdlif", STEPS, {"parallel_second": True}), width=0.01)
    assert [n.variant for n in spiking_neurons(model)] == ["vanilla", "parallel"] * 4


@pytest.mark.parametrize("norm", ["layer", "none"])
def test_convolutions_without_batch_normalisation(norm: str) -> None:
    torch.manual_seed(0)
    model = network(
        "conv", (1, 8, 8), CLASSES, Parts("lif", STEPS, {"threshold": 0.05}), width=0.5, norm=norm
    )
    x = example("conv").requires_grad_()
    (out := model(x))[:, 0].sum().backward()
    assert out.std() > 0 and x.grad[:, 0].any() and not x.grad[:, 1:].any()  # examples do not meet
    conv, *after = model.features[0].layer if norm == "layer" else [model.features[0].layer]
    current = conv(x[0])
    if norm == "layer":
        mean, var = current.mean((1, 2, 3), keepdim=True), current.var((1, 2, 3), keepdim=True, correction=0)
        expected = (current - mean) / (var + 1e-5).sqrt()
        torch.testing.assert_close(after[0](current), expected, atol=1e-5, rtol=1e-4)
    assert (conv.bias is None) == (norm == "layer")
    torch.testing.assert_close(deploy(model)(x), model.eval()(x))
    with pytest.raises(InputError, match="norm = 'group': choose one of batch, layer, none"):
        network("conv", (1, 8, 8), CLASSES, Parts(), norm="group")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("lif", 0),
        ("trlif", 2),
        ("hdlif", 2 * STEPS),
        ("hdlif-mem_bn", 4 * STEPS + 2 * STEPS * 12),
        ("dsn", 12 * (4 + 1)),
        ("psn", STEPS**2 + STEPS),
        ("slidingpsn", 3 + 1),
        ("recurrentlif", 12**2),
    ],
)
def test_neurons_add_their_constants_to_the_parameters(kind: str, expected: int) -> None:
    n_parameters = sum(p.numel() for p in small("sg_snn", kind).parameters())
    assert n_parameters == 36 * 12 + 12 + 12 * CLASSES + CLASSES + expected


@pytest.mark.parametrize(("net", "kind"), list(pairs("psn")))
def test_pieces_equal_the_whole(net: str, kind: str) -> None:
    attention = net == "conv"
    model = small(net, kind, attention=attention).double()
    with torch.no_grad():
        for scale in (1.0, 0.3):  # statistics of batch norms, and of membranes
            model(scale * example(net, torch.float64))
        model.eval()
        x = example(net, torch.float64)
        whole = model(x)
        with streaming(model):
            pieces = torch.cat([model(piece) for piece in x.split([1, 3, 1])])
        torch.testing.assert_close(pieces, whole, atol=1e-9, rtol=0)
        torch.testing.assert_close(model(x), whole, atol=0, rtol=0)  # and nothing of it is left


@pytest.mark.parametrize(("net", "kind"), list(pairs("psn")))
def test_the_future_does_not_change_the_past(net: str, kind: str) -> None:
    model = small(net, kind).double().eval()
    x = example(net, torch.float64)
    changed = x.clone()
    changed[3:] = 1 - changed[3:]
    with torch.no_grad():
        before, after = model(x), model(changed)
    torch.testing.assert_close(before[:3], after[:3], atol=1e-12, rtol=0)


def test_networks_of_psn_refuse_pieces() -> None:
    model = small("sg_snn", "psn")
    with pytest.raises(InputError, match="sees the future"), streaming(model):
        model(example("sg_snn")[:1])


@pytest.mark.parametrize("kind", [kind for kind in NEURON_KINDS if kind != "psn"])
def test_characters_in_pieces_equal_the_whole(kind: str) -> None:
    torch.manual_seed(0)
    neuron, constants = NEURON_KINDS[kind]
    model = CharacterModel(11, Parts(neuron, 9, constants), width=8, depth=2).double()
    text = torch.randint(11, (9, 4), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        model(text)
        model.eval()
        whole = model(text)
        with streaming(model):
            pieces = torch.cat([model(piece) for piece in text.split([1, 5, 1, 2])])
    assert whole.shape == (9, 4, 11)
    torch.testing.assert_close(pieces, whole, atol=1e-9, rtol=0)


@pytest.mark.parametrize("shape", [(8,), (8, 8), (1, 1, 8, 8)])
@pytest.mark.parametrize("net", IMAGES)
def test_networks_of_images_refuse_other_ranks(net: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=f"net = '{net}' needs images"):
        network(net, shape, 2, Parts())


@pytest.mark.parametrize("side", [1, 15])
def test_vgg_refuses_images_that_four_poolings_empty(side: int) -> None:
    with pytest.raises(InputError, match="too small for 4 poolings"):
        network("vgg", (2, side, side), 10, Parts(), width=0.01)
    network("vgg", (2, 16, 16), 10, Parts(), width=0.01)


@pytest.mark.parametrize(
    ("name", "shape", "parts", "options", "words"),
    [
        ("mlp", (4,), {}, {}, "net = 'mlp'"),
        ("conv", (4,), {}, {}, "needs images"),
        ("columns", (1, 8, 8), {}, {}, "needs columns"),
        ("columns", (1, 3), {}, {}, "at least 4 pixels"),
        ("vgg", (1, 8, 8), {}, {}, "too small"),
        ("conv", (1, 8, 8), {}, {"width": 0}, "positive"),
        ("conv", (1, 8, 8), {}, {"width": "wide"}, "width"),
        ("sg_snn", (4,), {}, {"colour": 1}, "colour"),
        ("sg_snn", (4,), {}, {"hidden": -3}, "negative"),
        ("sg_snn", (4,), {}, {"hidden": "many"}, "hidden"),
        ("sg_snn", (4,), {}, {"classes": 3}, "classes"),
        ("resnet18", (1, 8, 8), {}, {"layout": "odd"}, "layout"),
        ("conv", (1, 8, 8), {"neuron": "recurrentlif"}, {}, "recurrentlif"),
        ("sg_snn", (4,), {"options": {"decay": "fast"}}, {}, "neuron = 'lif'.*decay"),
        ("sg_snn", (4,), {"options": {"steps": 3}}, {}, "neuron = 'lif'.*steps"),
        ("sg_snn", (4,), {"options": {"decay": 2}}, {}, "decay = 2"),
    ],
)
def test_bad_parameters_are_named(name: str, shape: tuple, parts: dict, options: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        network(name, shape, 2, Parts(**parts), **options)
    for bad in ({"neuron": "xif"}, {"weights": "heavy"}):
        with pytest.raises(InputError, match="choose one of"):
            Parts(**bad)


@pytest.mark.parametrize("net", NETS)
def test_inputs_of_another_shape_are_refused(net: str) -> None:
    model = small(net, "lif")
    shape = NETS[net][0]
    with pytest.raises(InputError, match="was built for"):
        model(torch.zeros(2, *shape))  # no batch
    with pytest.raises(InputError, match="was built for"):
        model(torch.zeros(2, 3, shape[0] + 1, *shape[1:]))


def test_networks_that_cannot_be_are_refused() -> None:
    parts = Parts("lif", 2)
    with pytest.raises(InputError, match="8 × 12"):
        network("conv", (1, 8, 12), 4, parts)
    with pytest.raises(InputError, match="classes = 0"):
        network("conv", (1, 8, 8), 0, parts)
    with pytest.raises(InputError, match="symbols = 0"):
        CharacterModel(0, parts)
    with pytest.raises(InputError, match="width = -1"):
        CharacterModel(4, parts, width=-1)

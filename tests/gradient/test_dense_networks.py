"""The fully connected network with several hidden layers, dropout and weight normalisation."""

from __future__ import annotations

import pytest
import torch

from homeonet import InputError
from homeonet.gradient.networks import Parts, network


def make(**options: object) -> torch.nn.Module:
    torch.manual_seed(0)
    return network("sg_snn", (1, 6, 6), 4, Parts("lif", 5), hidden=40, **options)


def test_further_layers_follow_the_first() -> None:
    model, x = make(layers=3), 20 * torch.rand(5, 8, 1, 6, 6)
    by_hand = model.neuron(model.encode(x.flatten(2)))
    for k in (0, 2):
        by_hand = model.deeper[k + 1](model.deeper[k](by_hand))
    torch.testing.assert_close(model(x), model.classify(by_hand))
    assert sum(p.numel() for p in model.parameters()) == 36 * 40 + 40 + 2 * (40 * 40 + 40) + 40 * 4 + 4
    assert not any("deeper" in name for name in make().state_dict())


def test_dropped_neurons_are_out_of_an_image_at_all_its_steps() -> None:
    model, x = make(dropout=0.5), torch.ones(5, 200, 40)
    out = model.leave_out(x)
    assert (out == out[:1]).all() and set(out.unique().tolist()) == {0.0, 2.0}
    assert 0.45 < (out[0] == 0).float().mean() < 0.55
    torch.testing.assert_close(model.eval().leave_out(x), x)


def test_weight_normalisation_changes_no_output_at_the_start() -> None:
    x = 20 * torch.rand(5, 8, 1, 6, 6)
    torch.testing.assert_close(make(weight_norm=True)(x), make()(x))
    model = make(weight_norm=True)
    model(x).sum().backward()
    (layer,) = [m for m in model.classify.modules() if hasattr(m, "parametrizations")]
    direction, length = (getattr(layer.parametrizations.weight, f"original{k}").grad for k in (1, 0))
    # what changes the direction is perpendicular to it
    assert length.abs().sum() > 0
    torch.testing.assert_close((direction * layer.weight).sum(1), torch.zeros(4), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("given", "said"),
    [({"layers": 0}, "layers = 0"), ({"layers": 1.5}, "1.5"), ({"dropout": 1.0}, "dropout")],
)
def test_what_is_no_network_is_refused(given: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        make(**given)

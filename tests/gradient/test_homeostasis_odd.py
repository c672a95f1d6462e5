"""Homeostasis beside what users do to models: named inputs, casts, neurons it cannot serve."""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient import LIF
from homeonet.gradient.homeostasis import AHSAR, MPInit
from homeonet.gradient.homeostasis._inputs import shapes_of, zeros_like_shapes


class Batch(NamedTuple):
    images: Tensor
    rest: dict[str, list[Tensor]]


def test_inputs_in_a_namedtuple_are_made_again() -> None:
    given = Batch(torch.ones(3, 2), {"lengths": [torch.ones(2, dtype=torch.int64)]})
    made = zeros_like_shapes(shapes_of(((given,), {"more": given})))
    (first,), kwargs = made
    for batch in (first, kwargs["more"]):
        assert isinstance(batch, Batch)
        assert batch.images.shape == (3, 2) and not batch.images.any()
        assert batch.rest["lengths"][0].dtype == torch.int64


@pytest.mark.parametrize("cast", [nn.Module.float, nn.Module.half, nn.Module.bfloat16, nn.Module.double])
def test_a_cast_leaves_the_last_accuracy(cast: object) -> None:
    plugin = AHSAR()
    model = nn.Sequential(nn.Linear(3, 3), LIF())
    plugin.attach(model)
    plugin.after_epoch(0.9137)
    cast(model)
    assert plugin.last_accuracy.dtype == torch.float64 and float(plugin.last_accuracy) == 0.9137
    before = float(plugin.global_gain)
    plugin.rate.fill_(plugin.target_rate / 2)
    plugin.after_epoch(0.9137)  # neither better nor worse: the activity alone counts
    expected = before * math.exp(plugin.gain_activity * math.tanh(-0.5))
    assert float(plugin.global_gain) == pytest.approx(expected, rel=0.01)


def test_mp_init_refuses_the_neuron_whose_membrane_has_no_start() -> None:
    snntorch = pytest.importorskip("snntorch")
    model = nn.Sequential(nn.Linear(3, 3), snntorch.Alpha(alpha=0.9, beta=0.8, init_hidden=True))
    with pytest.raises(InputError, match=r"MPInit.*Alpha"):
        MPInit().attach(model)

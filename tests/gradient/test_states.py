"""States held from step to step: they belong to steps of one kind, and to one place in a model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient import (
    DSN,
    HDLIF,
    LIF,
    RecurrentLIF,
    SlidingPSN,
    SpikingNeuron,
    TrLIF,
    deploy,
    streaming,
)

NEURONS: dict[str, Callable[[], SpikingNeuron]] = {
    "dsn": lambda: DSN(6),
    "dsn, serial": lambda: DSN(6, parallel=False),
    "dsn, static": lambda: DSN(6, decay="static"),
    "hdlif": lambda: HDLIF(8),
    "hdlif, parallel": lambda: HDLIF(8, "parallel"),
    "hdlif, mem_bn": lambda: HDLIF(8, "mem_bn", 6),
    "lif": LIF,
    "recurrent": lambda: RecurrentLIF(6),
    "sliding": lambda: SlidingPSN(4),
    "trlif": TrLIF,
    "trlif, channels": lambda: TrLIF(channels=6),
    "deployed lif": lambda: deploy(LIF())[0],
    "deployed hdlif": lambda: deploy(HDLIF(8))[0],
}
OTHERS: dict[str, Callable[[Tensor], Tensor]] = {
    "batch grown": lambda x: x.repeat(1, 5000, 1),
    "batch shrunk": lambda x: x[:, :1],
    "another axis": lambda x: x[..., None],
    "another dtype": lambda x: x.double(),
    "another device": lambda x: x.to("meta"),
}


@pytest.mark.parametrize("how", ["streamed", "by step"])
@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("name", NEURONS)
def test_a_state_of_another_shape_is_refused(name: str, other: str, how: str) -> None:
    neuron = NEURONS[name]()
    x = torch.rand(2, 3, 6)
    y = OTHERS[other](x)
    if how == "streamed":
        with streaming(neuron):
            neuron(x)
            with pytest.raises(InputError, match=r"the state held belongs to steps of shape \(3, 6\)"):
                neuron(y)
            neuron.reset()
            if other == "batch grown":
                assert neuron(y).shape == y.shape
    else:
        neuron.step(x[0])
        with pytest.raises(InputError, match=r"\(3, 6\) in float32 on cpu.*reset\(\)"):
            neuron.step(y[0])


def test_half_precision_goes_on_from_single() -> None:
    neuron = LIF()
    x = torch.rand(4, 2, 3).bfloat16().float()
    with streaming(neuron):
        pieces = [neuron(x[:2]), neuron(x[2:].bfloat16()).float()]
    torch.testing.assert_close(torch.cat(pieces), neuron(x))


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.neuron = LIF()

    def forward(self, x: Tensor) -> Tensor:
        return self.neuron(2 * self.neuron(x))


def test_a_neuron_in_two_places_is_refused_while_streaming_alone() -> None:
    net, x = Twice(), torch.rand(6, 2, 3) * 2
    plain = LIF()
    torch.testing.assert_close(net(x), plain(2 * plain(x)))
    with streaming(net), pytest.raises(InputError, match="LIF: it is used twice in one call"):
        net(x[:3])
    shared = LIF()
    with (
        streaming(nn.Sequential(shared, nn.Flatten(2), shared)) as net,
        pytest.raises(InputError, match="twice"),
    ):
        net(x)


def test_parts_of_a_model_may_be_called_in_a_stream() -> None:
    net, x = nn.Sequential(LIF(), LIF()), torch.rand(6, 2, 3) * 2
    whole = net(x)
    with streaming(net):
        pieces = [net[1](net[0](piece)) for piece in x.split(2)]
    torch.testing.assert_close(torch.cat(pieces), whole)
    with streaming(net):
        torch.testing.assert_close(torch.cat([net(piece) for piece in x.split(2)]), whole)

"""Where spikes vote, the loss is that of their number; where currents vote, that of their mean."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy

from homeonet.gradient.networks import Parts, network
from homeonet.gradient.training._paradigms import Learner, bptt

STEPS = 10


@pytest.mark.parametrize("spiking", [True, False])
def test_the_loss_is_the_cross_entropy_of_spike_counts_or_of_mean_currents(spiking: bool) -> None:
    model = network("sg_snn", (1, 6, 6), 4, Parts("lif", STEPS), hidden=30, spiking_output=spiking)
    torch.manual_seed(1)
    x, y = torch.rand(STEPS, 8, 1, 6, 6) * 30, torch.arange(8) % 4
    with torch.no_grad():
        votes = model(x)
        expected = cross_entropy(votes.sum(0) if spiking else votes.mean(0), y)
        assert not spiking or votes.sum() > 0
    losses = []
    learner = Learner(model, cross_entropy, losses.append, lambda: None)
    loss, logits = bptt(learner, x, y, torch.Generator())
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(logits, votes.mean(0))


def test_a_network_whose_spikes_vote_can_learn_its_images_by_heart() -> None:
    """Means of 0 or 1 bound the loss of two classes from below at log(1 + 1/e); counts do not."""
    model = network("sg_snn", (1, 6, 6), 2, Parts("lif", STEPS), hidden=60, spiking_output=True)
    x, y = torch.rand(1, 8, 1, 6, 6).expand(STEPS, -1, -1, -1, -1) * 2, torch.arange(8) % 2
    optimiser = torch.optim.Adam(model.parameters(), 0.01)

    def update() -> None:
        optimiser.step()
        optimiser.zero_grad()

    learner = Learner(model, cross_entropy, lambda loss: loss.backward(), update)
    for _ in range(60):
        loss, _ = bptt(learner, x, y, torch.Generator())
    assert loss < 0.1 < torch.log1p(torch.exp(torch.tensor(-1.0)))

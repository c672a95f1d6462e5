"""How a batch becomes an update of the weights: through time, online, or in parallel.

Each paradigm is a function ``(learner, x, y, generator) -> (loss, logits)``: `x` a sequence (T, B, ...), `y` labels
(B,), the logits a mean over time, detached. The generator stands at the same place in all processes that train one
model: the number of forward passes depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.neurons._dsn import DSN
from homeonet.gradient.neurons._hdlif import HDLIF
from homeonet.gradient.neurons._neuron import spiking_neurons, streaming
from homeonet.gradient.neurons._psn import PSN, SlidingPSN

__all__ = ["PARADIGMS", "Learner", "Paradigm", "check_paradigm", "no_gradient_through_time"]


@dataclass(frozen=True)
class Learner:
    """What a paradigm needs to learn from a batch.

    Attributes
    ----------
    model : Module
    loss : callable
        The loss that is minimised, ``loss(logits, y)``.
    backward : callable
        Computes the gradients of a loss: Lightning Fabric's, or ``Tensor.backward``.
    update : callable
        One step of the optimiser on the gradients at hand, which it clears.
    """

    model: nn.Module
    loss: Callable[[Tensor, Tensor], Tensor]
    backward: Callable[[Tensor], None]
    update: Callable[[], None]


Paradigm = Callable[[Learner, Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]


def bptt(learner: Learner, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Spatio-temporal backpropagation: one update from the outputs over time, their mean; memory grows with T.

    Where spikes vote (`counts_votes` of the model), their number takes the place of the mean: means lie in 0 … 1, where
    the softmax of ten classes cannot come near a certain answer, and the loss cannot fall.
    """
    votes = learner.model(x).mean(0)
    loss = learner.loss(votes * _weight_of_votes(learner.model, len(x)), y)
    learner.backward(loss)
    learner.update()
    return loss.detach(), votes.detach()


def _weight_of_votes(model: nn.Module, steps: int) -> int:
    """What makes logits of the votes of a step, or of their mean: the number of steps where spikes vote, else one."""
    return steps if getattr(model, "counts_votes", False) else 1


def online(learner: Learner, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """An update at every step, no gradient through time: memory does not depend on T (arXiv 2410.07547)."""
    total, losses = 0, list[Tensor]()
    with streaming(learner.model), no_gradient_through_time(learner.model):
        for x_t in x.split(1):
            logits = learner.model(x_t)[0]
            loss = learner.loss(logits * _weight_of_votes(learner.model, len(x)), y)
            learner.backward(loss)
            learner.update()
            total, losses = total + logits.detach(), [*losses, loss.detach()]
    return torch.stack(losses).mean(), total / len(x)


def online_random(
    learner: Learner, x: Tensor, y: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Run to one random step and update there alone (the stochastic time step of arXiv 2410.07547)."""
    last = int(torch.randint(len(x), (), generator=generator))
    total = 0
    with streaming(learner.model), no_gradient_through_time(learner.model):
        with torch.no_grad():
            for x_t in x[:last].unbind():
                total = total + learner.model(x_t[None])[0]
        logits = learner.model(x[last : last + 1])[0]
        loss = learner.loss(logits * _weight_of_votes(learner.model, len(x)), y)
        learner.backward(loss)
        learner.update()
    return loss.detach(), (total + logits.detach()) / (last + 1)


#: Paradigms by name. "parallel" is "bptt" for neurons that are computed in parallel in time.
PARADIGMS: dict[str, Paradigm] = {
    "bptt": bptt,
    "online": online,
    "online_random": online_random,
    "parallel": bptt,
}


def check_paradigm(name: str, model: nn.Module) -> Paradigm:
    """The paradigm called `name`; InputError if the neurons of `model` cannot learn by it."""
    for neuron in spiking_neurons(model):
        kind = type(neuron).__name__
        if name.startswith("online") and isinstance(neuron, PSN):
            raise InputError(f"paradigm = {name!r}: {kind} needs all steps at once; train it with 'bptt'")
        parallel = isinstance(neuron, PSN | SlidingPSN | DSN) or (
            neuron.variant == "parallel" if isinstance(neuron, HDLIF) else neuron.parallel_in_time
        )
        if name == "parallel" and not parallel:
            raise InputError(
                f"paradigm = 'parallel': {kind} has a reset and runs step by step; use dsn, psn or slidingpsn, or "
                "train it with 'bptt'"
            )
    return PARADIGMS[name]


@contextmanager
def no_gradient_through_time(model: nn.Module) -> Iterator[None]:
    """Within the block, the spiking layers of `model` hold their past constant."""
    neurons = spiking_neurons(model)
    before = [neuron.through_time for neuron in neurons]
    for neuron in neurons:
        neuron.through_time = False
    try:
        yield
    finally:
        for neuron, value in zip(neurons, before, strict=True):
            neuron.through_time = value

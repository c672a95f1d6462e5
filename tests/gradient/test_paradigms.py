"""Ways to learn: against updates written out by hand, steps taken one by one, and bytes that are held."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from homeonet.data import load
from homeonet.errors import InputError
from homeonet.gradient import streaming
from homeonet.gradient.networks import NEURONS, Parts, network
from homeonet.gradient.training import (
    PARADIGMS,
    Learner,
    build,
    check_paradigm,
    held_bytes,
    load_train_config,
    train_config,
)
from homeonet.runs.gradient import train

STEPS, BATCH, INPUTS, CLASSES = 6, 8, 5, 3
THRESHOLD, DECAY, RATE = 0.4, 0.7, 0.3
PARALLEL = {
    "dsn": Parts("dsn", STEPS),
    "slidingpsn": Parts("slidingpsn", STEPS, {"kernel": 3}),
    "hdlif": Parts("hdlif", STEPS, {"variant": "parallel"}),
}


def small(parts: Parts, *, hidden: int = 16, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return network("sg_snn", (INPUTS,), CLASSES, parts, hidden=hidden).double()


def task(n_steps: int = STEPS, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = 2 * torch.rand(n_steps, BATCH, INPUTS, generator=generator, dtype=torch.float64)
    return x, torch.randint(CLASSES, (BATCH,), generator=generator)


def learner(model: nn.Module, update: Callable[[], None]) -> Learner:
    return Learner(model, cross_entropy, Tensor.backward, update)


def descend(model: nn.Module, updates: list[int] | None = None) -> None:
    """One step of gradient descent."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.sub_(RATE * parameter.grad)
            parameter.grad = None
    if updates is not None:
        updates.append(1)


# ------------------------------------------------------------------------------------------ updates, by hand


class ByHand:
    """LIF → classes by the chain rule: a potential's past is a constant, the surrogate a triangle."""

    def __init__(self, model: nn.Module) -> None:
        self.weights = [p.detach().numpy().copy() for p in model.parameters()]
        self.u, self.losses, self.logits = 0.0, [], []

    def step(self, x: np.ndarray, y: np.ndarray, *, update: bool) -> None:
        w_in, b_in, w_out, b_out = self.weights
        m = DECAY * self.u + x @ w_in.T + b_in
        spikes = (m >= THRESHOLD).astype(float)
        self.u = m - THRESHOLD * spikes
        votes = spikes @ w_out.T + b_out
        p = np.exp(votes) / np.exp(votes).sum(1, keepdims=True)
        self.losses.append(-np.log(p[np.arange(len(y)), y]).mean())
        self.logits.append(votes)
        if not update:
            return
        d_votes = (p - np.eye(CLASSES)[y]) / len(y)
        d_m = (d_votes @ w_out) * np.maximum(0, 1 - np.abs(m - THRESHOLD))
        gradients = d_m.T @ x, d_m.sum(0), d_votes.T @ spikes, d_votes.sum(0)
        self.weights = [w - RATE * g for w, g in zip(self.weights, gradients, strict=True)]

    def has(self, model: nn.Module) -> bool:
        found = [p.detach().numpy() for p in model.parameters()]
        return all(np.allclose(a, b, atol=1e-12) for a, b in zip(found, self.weights, strict=True))


LIF_PARTS = Parts("lif", STEPS, {"threshold": THRESHOLD, "decay": DECAY})


def test_online_updates_at_every_step_with_the_past_held_constant() -> None:
    model, (x, y), updates = small(LIF_PARTS), task(), []
    expected = ByHand(model)
    loss, logits = PARADIGMS["online"](learner(model, lambda: descend(model, updates)), x, y, None)
    for x_t in x.numpy():
        expected.step(x_t, y.numpy(), update=True)
    assert len(updates) == STEPS and expected.has(model)
    assert loss.item() == pytest.approx(np.mean(expected.losses), abs=1e-12)
    np.testing.assert_allclose(logits, np.mean(expected.logits, 0), atol=1e-12)


def test_online_random_updates_at_one_step_which_may_be_any() -> None:
    x, y = task()
    chosen = set()
    for seed in range(60):  # none left out: a chance of 6 * (5/6)**60
        model, updates = small(LIF_PARTS), []
        start = copy.deepcopy(model)
        generator = torch.Generator().manual_seed(seed)
        loss, logits = PARADIGMS["online_random"](
            learner(model, partial(descend, model, updates)), x, y, generator
        )
        assert len(updates) == 1
        candidates = [ByHand(start) for _ in x]
        for last, candidate in enumerate(candidates):
            for t in range(last + 1):
                candidate.step(x[t].numpy(), y.numpy(), update=t == last)
        matching = [t for t, candidate in enumerate(candidates) if candidate.has(model)]
        assert len(matching) == 1
        found = candidates[matching[0]]
        assert loss.item() == pytest.approx(found.losses[-1], abs=1e-12)
        np.testing.assert_allclose(logits, np.mean(found.logits, 0), atol=1e-12)
        chosen |= set(matching)
    assert chosen == set(range(STEPS))


@pytest.mark.parametrize("paradigm", ["online", "online_random"])
def test_online_learning_leaves_the_model_ready_for_sequences(paradigm: str) -> None:
    model, (x, y) = small(LIF_PARTS), task()
    PARADIGMS[paradigm](learner(model, lambda: None), x, y, torch.Generator().manual_seed(0))
    assert model.neuron.through_time and model.neuron._state is None
    model.zero_grad()
    found = gradients(model, "bptt", x, y)
    torch.testing.assert_close(found, gradients(small(LIF_PARTS), "bptt", x, y), rtol=0, atol=0)


# -------------------------------------------------------------------------------------------------- in parallel


def gradients(model: nn.Module, paradigm: str, x: Tensor, y: Tensor) -> dict[str, Tensor]:
    check_paradigm(paradigm, model)(learner(model, lambda: None), x, y, torch.Generator())
    return {name: p.grad for name, p in model.named_parameters()}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("kind", list(PARALLEL))
def test_parallel_s_gradient_is_that_of_steps_taken_one_by_one(kind: str, dtype: torch.dtype) -> None:
    model, (x, y) = small(PARALLEL[kind]).to(dtype), task()
    x = x.to(dtype)
    serial = copy.deepcopy(model)
    found = gradients(model, "parallel", x, y)
    votes = []
    with streaming(serial):
        for x_t in x:
            hidden = serial.neuron.step(serial.encode(x_t[None])[0])
            votes.append(serial.classify(hidden[None])[0])
        cross_entropy(torch.stack(votes).mean(0), y).backward()
    tolerance = 1e-12 if dtype == torch.float64 else 1e-6
    for name, parameter in serial.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad, atol=tolerance, rtol=0)
    assert all(found[name].any() for name in found)


def test_psn_s_gradient_is_that_of_its_formula() -> None:
    model, (x, y) = small(Parts("psn", STEPS)), task()
    found = gradients(model, "parallel", x, y)
    weight, bias = (p.detach().clone().requires_grad_() for p in (model.neuron.weight, model.neuron.bias))
    current = model.encode(x).detach()
    charged = torch.stack(
        [sum(weight[t, s] * current[s] for s in range(STEPS)) + bias[t] for t in range(STEPS)]
    )
    slope = 1 / (1 + (math.pi * charged.detach()) ** 2)
    spikes = (charged >= 0).double().detach() + slope * (charged - charged.detach())
    cross_entropy(model.classify(spikes).mean(0), y).backward()
    torch.testing.assert_close(found["neuron.weight"], weight.grad, atol=1e-12, rtol=0)
    torch.testing.assert_close(found["neuron.bias"], bias.grad, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("neuron", "options", "accepted"),
    [
        ("lif", {}, {"bptt", "online", "online_random"}),
        ("trlif", {}, {"bptt", "online", "online_random"}),
        ("recurrentlif", {}, {"bptt", "online", "online_random"}),
        ("hdlif", {}, {"bptt", "online", "online_random"}),
        ("hdlif", {"variant": "parallel"}, {"bptt", "online", "online_random", "parallel"}),
        ("dsn", {}, {"bptt", "online", "online_random", "parallel"}),
        ("slidingpsn", {}, {"bptt", "online", "online_random", "parallel"}),
        ("psn", {}, {"bptt", "parallel"}),
    ],
)
def test_which_neuron_learns_how(neuron: str, options: dict, accepted: set[str]) -> None:
    assert neuron in NEURONS and accepted <= PARADIGMS.keys()
    model = small(Parts(neuron, STEPS, options))
    for paradigm in PARADIGMS:
        if paradigm in accepted:
            assert check_paradigm(paradigm, model) is PARADIGMS[paradigm]
        else:
            with pytest.raises(InputError, match=f"paradigm = '{paradigm}'.*train it with 'bptt'"):
                check_paradigm(paradigm, model)


# --------------------------------------------------------------------------------------------- bytes that are held


def most_held(paradigm: str, parts: Parts, n_steps: int, net: str = "sg_snn") -> int:
    torch.manual_seed(0)
    shape, options = {"sg_snn": ((8,), {"hidden": 64}), "conv": ((1, 8, 8), {"width": 0.125})}[net]
    model = network(net, shape, CLASSES, parts, **options)
    x, y = torch.rand(n_steps, BATCH, *shape), torch.zeros(BATCH, dtype=torch.int64)
    with held_bytes(model) as sizes:
        for seed in range(4):  # of the random step
            generator = torch.Generator().manual_seed(seed)
            PARADIGMS[paradigm](learner(model, model.zero_grad), x, y, generator)
    return max(sizes)


@pytest.mark.parametrize(
    ("net", "neuron", "options"),
    [
        ("sg_snn", "lif", {}),
        ("sg_snn", "trlif", {}),
        ("sg_snn", "hdlif", {}),
        ("sg_snn", "dsn", {"kernel": 2}),
        ("sg_snn", "slidingpsn", {"kernel": 2}),
        ("sg_snn", "recurrentlif", {}),
        ("conv", "lif", {}),
        ("conv", "trlif", {"mp_init": True}),
    ],
)
def test_online_memory_is_flat_in_time_and_bptt_memory_linear(net: str, neuron: str, options: dict) -> None:
    parts = Parts(neuron, 64, options)
    for paradigm in ("online", "online_random"):
        few, many = (most_held(paradigm, parts, n_steps, net) for n_steps in (4, 64))
        assert few > 0 and many <= 1.1 * few
    few, more, many = (most_held("bptt", parts, n_steps, net) for n_steps in (4, 34, 64))
    assert many > 10 * few and many - more == pytest.approx(more - few, rel=0.15)


# --------------------------------------------------------------------------------------- loss and learning rate

N_LABELS = 4
WHOLE = {
    **{"neuron": "lif", "neuron_options.threshold": 0.1, "net": "sg_snn", "net_options.hidden": 12},
    **{"data": "geometric", "size": 8, "train": 40, "val": 0, "test": 10, "batch": 40, "steps": 3},
    **{"optimizer": "sgd", "momentum": 0.0, "lr": 0.4, "precision": "64-true"},
}


def trained(**values: object):
    return train(train_config(**WHOLE | values), accelerator="cpu", figures=False, baselines=False)


def whole_set() -> tuple[Tensor, Tensor]:
    dataset = load("geometric", size=8, train=40, val=0, test=10, seed=1)
    images = torch.from_numpy(dataset.x_train).double().view(-1, 1, 8, 8)
    return images.expand(3, -1, -1, -1, -1), torch.from_numpy(dataset.y_train)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.6])
def test_label_smoothing_is_the_closed_form(smoothing: float) -> None:
    values = {"epochs": 1, "label_smoothing": smoothing}
    model, _ = build(train_config(**WHOLE | values), N_LABELS)
    x, y = whole_set()
    votes = model(x).mean(0).detach().numpy()
    log_p = votes - np.log(np.exp(votes).sum(1, keepdims=True))
    target = (1 - smoothing) * np.eye(N_LABELS)[y] + smoothing / N_LABELS
    expected = -(target * log_p).sum(1).mean()
    assert trained(**values).records.train_loss.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("neuron", ["lif", "trlif", "hdlif", "dsn", "psn", "slidingpsn", "recurrentlif"])
def test_training_in_mixed_precision_ends_with_a_finite_loss(neuron: str) -> None:
    values = {k: v for k, v in WHOLE.items() if k != "neuron_options.threshold"}
    values |= {"neuron": neuron, "precision": "bf16-mixed", "epochs": 2, "lr": 0.05}
    found = train(train_config(**values), accelerator="cpu", figures=False, baselines=False)
    assert np.isfinite(found.records.train_loss).all()
    assert all(torch.isfinite(p).all() for p in found.model.parameters())


@pytest.mark.parametrize(
    ("schedule", "factor"),
    [("cosine", lambda s: (1 + math.cos(math.pi * s)) / 2), ("constant", lambda s: 1.0)],
)
def test_training_is_gradient_descent_at_the_scheduled_rate(schedule: str, factor: Callable) -> None:
    values = {"epochs": 4, "schedule": schedule, "clip": 0.1, "weight_decay": 0.1}
    found = trained(**values)
    model, _ = build(train_config(**WHOLE | values), N_LABELS)
    x, y = whole_set()
    for epoch in range(4):
        parameters = list(model.parameters())
        wanted = torch.autograd.grad(cross_entropy(model(x).mean(0), y), parameters)
        norm = torch.sqrt(sum((g**2).sum() for g in wanted))
        with torch.no_grad():
            for p, g in zip(parameters, wanted, strict=True):
                p.sub_(0.4 * factor(epoch / 4) * (g * min(1, 0.1 / norm) + 0.1 * p))
    for name, p in model.named_parameters():
        torch.testing.assert_close(found.model.get_parameter(name), p, atol=1e-6, rtol=0)
    assert norm > 0.1


def test_the_learning_rate_falls_as_half_a_cosine_over_all_batches() -> None:
    whole = trained(epochs=4).records.learning_rate
    # at the start, half-way, and a batch from the end
    np.testing.assert_allclose(whole, 0.4 * np.array([1, 0.5 + 8**-0.5, 0.5, 0.5 - 8**-0.5]), rtol=1e-12)
    batches = trained(epochs=4, batch=9).records.learning_rate  # five per epoch, of which the last is written
    np.testing.assert_allclose(batches, 0.2 * (1 + np.cos(np.pi * np.array([4, 9, 14, 19]) / 20)), rtol=1e-12)
    np.testing.assert_allclose(trained(epochs=3, schedule="constant").records.learning_rate, 0.4)


def test_options_may_be_lists_and_come_back_from_toml(tmp_path: Path) -> None:
    config = train_config(**{"homeostasis.ahsar.gain_bounds": (0.8, 1.2), "net_options.width": 0.5})
    path = tmp_path / "run.toml"
    path.write_text(config.to_toml())
    again = load_train_config(path)
    assert list(again.homeostasis["ahsar"]["gain_bounds"]) == [0.8, 1.2] and again.run_id == config.run_id
    with pytest.raises(InputError, match=r"homeostasis.ahsar.gain_bounds = \['a'\]: .*list of numbers"):
        train_config(**{"homeostasis.ahsar.gain_bounds": ["a"]})

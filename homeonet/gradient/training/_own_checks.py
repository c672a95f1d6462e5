"""Whether a neuron or homeostasis of one's own keeps its contract: tried on a few numbers, before any data are read.

The contract is in :mod:`homeonet.gradient.neurons._own`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from homeonet.config.parameters import ReadOnly
from homeonet.errors import InputError, one_line
from homeonet.gradient.deployment._deploy import deploy
from homeonet.gradient.homeostasis import Homeostasis, homeostasis_named
from homeonet.gradient.networks import Parts
from homeonet.gradient.networks._layers import PerStep
from homeonet.gradient.neurons._neuron import SpikingNeuron, streaming
from homeonet.gradient.neurons._own import imported, is_dotted, source_digest
from homeonet.gradient.training._config import TrainConfig

__all__ = ["check_sources", "checked_own"]

_STEPS, _BATCH, _CHANNELS = 5, 3, 4
_IMAGES = ("conv", "vgg", "resnet18", "resnet19", "resnet34", "sew18")


def checked_own(config: TrainConfig) -> TrainConfig:
    """The configuration with hashes of the user's classes in it, which are seen to keep their contracts.

    Raises
    ------
    InputError
        If a class is not found, does not keep its contract (one line says in what), or is not what it was when
        `config` was written.
    """
    sources = check_sources(config)
    if not sources:
        return config
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        if is_dotted(config.neuron):
            _check_neuron(config)
        for name in filter(is_dotted, config.homeostasis):
            _check_homeostasis(config, name)
    return config.model_copy(update={"sources": ReadOnly(sources)})


def check_sources(config: TrainConfig) -> dict[str, str]:
    """Hash of the file of each of the user's classes; InputError if one is not what `config` says."""
    names = {config.neuron: ("neuron", SpikingNeuron)} if is_dotted(config.neuron) else {}
    names |= {name: ("homeostasis", Homeostasis) for name in filter(is_dotted, config.homeostasis)}
    found = {
        name: source_digest(imported(parameter, name, base)) for name, (parameter, base) in names.items()
    }
    for name, digest in found.items():
        was = config.sources.get(name, digest)
        if was != digest:
            raise InputError(
                f"{names[name][0]} = {name!r}: its source file has changed since the run was made ({was} then, "
                f"{digest} now); restore it, or start a run in another folder without sources"
            )
    return found


def _check_neuron(config: TrainConfig) -> None:
    said = f"neuron = {config.neuron!r}"
    shape = _shape(config)
    parts = Parts(config.neuron, _STEPS, config.neuron_options)
    neuron = parts.spiking(_CHANNELS)
    x = 1.5 * torch.randn(_STEPS, *shape)
    weights = torch.rand(_STEPS, *shape)

    def whole(x: Tensor) -> Tensor:
        return neuron(x)

    def by_step(x: Tensor) -> Tensor:
        neuron.reset()
        out = torch.stack([neuron.step(x_t) for x_t in x])
        neuron.reset()
        return out

    with _named(said, f"forward fails on an input of shape {tuple(x.shape)}"):
        neuron.train()
        out = whole(x)
    if not isinstance(out, Tensor) or out.shape != x.shape:
        given = tuple(out.shape) if isinstance(out, Tensor) else type(out).__name__
        raise InputError(
            f"{said}: forward gives {given} for an input of shape {tuple(x.shape)}; give one output for each input"
        )
    neuron.eval()
    with _named(said, "single_step fails"):
        stepped = by_step(x)
    with torch.no_grad():
        out = whole(x)
    if stepped.shape != x.shape or not torch.allclose(out, stepped, rtol=1e-4, atol=1e-5):
        raise InputError(
            f"{said}: sequence and single_step give different outputs; make them equal, or leave sequence out"
        )
    with _named(said, "going on from a state fails"), streaming(neuron), torch.no_grad():
        pieces = torch.cat([neuron(x[:2]), neuron(x[2:])])
    if not torch.allclose(out, pieces, rtol=1e-4, atol=1e-5):
        raise InputError(
            f"{said}: a sequence in two pieces differs from the whole one; sequence must begin at the state it is "
            "given and return the one it ends in"
        )
    gradients = [_gradient(said, form, x, weights) for form in (whole, by_step)]
    if not torch.allclose(*gradients, rtol=1e-3, atol=1e-4):
        raise InputError(
            f"{said}: sequence and single_step give different gradients; make them equal, or leave it out"
        )
    if config.paradigm.startswith("online"):
        _check_online(said, neuron, x, weights)
    twin = parts.spiking(_CHANNELS).eval()
    with _named(said, "its state cannot be loaded"):
        twin.load_state_dict(neuron.state_dict())
        copied = copy.deepcopy(neuron)
    with torch.no_grad():
        survives = all(torch.allclose(out, other(x), rtol=1e-4, atol=1e-5) for other in (twin, copied))
    if not survives:
        raise InputError(
            f"{said}: its state does not survive saving and loading; make what it holds parameters or buffers"
        )


def _shape(config: TrainConfig) -> tuple[int, ...]:
    """Shape of one step of a layer's input in networks of this kind, but smaller."""
    pixels = 2 if config.net in _IMAGES else 1 if config.net == "columns" else 0
    return (_BATCH, _CHANNELS, *(2,) * pixels)


def _weights(config: TrainConfig, n_out: int) -> PerStep:
    """A layer of weights for such an input."""
    kinds = {2: nn.Linear, 3: partial(nn.Conv1d, kernel_size=1), 4: partial(nn.Conv2d, kernel_size=1)}
    return PerStep(kinds[len(_shape(config))](_CHANNELS, n_out))


def _check_online(said: str, neuron: SpikingNeuron, x: Tensor, weights: Tensor) -> None:
    given = x.clone().requires_grad_()
    neuron.through_time = False
    with streaming(neuron):
        neuron(given[:1])
        (neuron(given[1:2]) * weights[1:2]).sum().backward()
    neuron.through_time = True
    neuron.zero_grad()
    if given.grad is not None and given.grad[0].any():
        raise InputError(
            f"{said}: a gradient flows to the step before although through_time is false; detach the state then, or "
            "train it with 'bptt'"
        )


def _check_homeostasis(config: TrainConfig, name: str) -> None:
    said = f"homeostasis = {name!r}"
    options = config.homeostasis[name]
    if not isinstance(getattr(imported("homeostasis", name, Homeostasis), "kind", None), str):
        raise InputError(
            f'{said}: it has no name for the model\'s state; give the class kind = "…", a short word'
        )
    parts = Parts(config.neuron, _STEPS, config.neuron_options)
    model, other = (
        nn.Sequential(_weights(config, _CHANNELS), parts.spiking(_CHANNELS), _weights(config, 2))
        for _ in range(2)
    )
    before, hooks = set(model.state_dict()), _hooks(model)
    x = 1.5 * torch.randn(_STEPS, *_shape(config))
    plugin, twin = (homeostasis_named(name, **options) for _ in range(2))
    with _named(said, "attach fails"):
        plugin.attach(model)
        twin.attach(other)
    with _named(said, "a forward pass fails under it"):
        out = model.train()(x)
    if out.shape != (_STEPS, _BATCH, 2, *x.shape[3:]):
        raise InputError(
            f"{said}: the model gives shape {tuple(out.shape)} under it; it must leave outputs' shape alone"
        )
    _gradient(said, model, x, torch.rand_like(out))
    with _named(said, "after_batch or after_epoch fails"):
        plugin.after_batch()
        plugin.after_epoch(0.5)
        plugin.after_epoch(None)
    with _named(said, "its state cannot be loaded"):
        other.load_state_dict(model.state_dict())
    with torch.no_grad():
        if not torch.equal(model.eval()(x), other.eval()(x)):
            raise InputError(
                f"{said}: its state does not survive saving and loading; make what it has come to buffers"
            )
    with _named(said, "deployment fails"), torch.no_grad():
        same = torch.allclose(deploy(model)(x), model(x), rtol=1e-4, atol=1e-5)
    if not same:
        raise InputError(
            f"{said}: the deployed model computes something else; let _detached(keep=True) leave the factors in the "
            "layers' threshold_scale"
        )
    with _named(said, "detach fails"):
        plugin.detach()
    left = set(model.state_dict()) - before
    if left or _hooks(model) != hooks:
        what = f"the state {sorted(left)[0]!r}" if left else "a hook"
        raise InputError(
            f"{said}: detach leaves {what} on the model; put handles into self._handles, undo the rest"
        )


def _hooks(model: nn.Module) -> int:
    names = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(module, name)) for module in model.modules() for name in names)


def _gradient(said: str, form: Callable[[Tensor], Tensor], x: Tensor, weights: Tensor) -> Tensor:
    given = x.clone().requires_grad_()
    with _named(said, "the backward pass fails"):
        (form(given) * weights).sum().backward()
    if given.grad is None or not given.grad.any():
        raise InputError(
            f"{said}: no gradient reaches the input; give spikes a surrogate, homeonet.gradient.Triangle or another"
        )
    if not torch.isfinite(given.grad).all():
        raise InputError(f"{said}: its gradient is not finite; check its surrogate for a division by zero")
    return given.grad


@contextmanager
def _named(said: str, what: str) -> Iterator[None]:
    """Make whatever the user's class raises one line."""
    try:
        yield
    except Exception as error:
        name: Any = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        raise InputError(f"{said}: {what} ({name}{one_line(str(error), 300)}); correct the class") from None

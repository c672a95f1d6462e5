"""What every spiking layer is: a function from sequences to sequences that may also be taken a step at a time.

Three ways to run a layer, equal in outputs and gradients:

- ``neuron(x)``: a whole sequence from rest; nothing is kept, so no state leaks between batches;
- ``neuron.step(x_t)``: one time step, going on from the state that the layer holds, until ``reset()``;
- ``with streaming(model): model(x)``: pieces of any length, the state handed from piece to piece.

Tensors are ``(T, B, *features)``: time, batch, unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient._processes import sum_over_processes

__all__ = ["MembraneNeuron", "SpikingNeuron", "reset", "spiking_neurons", "streaming", "without_autocast"]


class SpikingNeuron(nn.Module):
    """A layer of spiking neurons; subclasses give ``sequence`` and ``single_step``.

    Attributes
    ----------
    threshold_scale : Tensor or float
        What homeostasis multiplies the threshold with; 1 without any. A scalar, or broadcastable to ``(B, *)``.
    through_time : bool
        Whether gradients flow from a step to the one before. False for online training: the state is detached.
    """

    def __init__(self) -> None:
        super().__init__()
        self.threshold_scale: Tensor | float = 1.0
        self.through_time = True
        self._streaming = False
        self._state: Any = None

    def sequence(self, x: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Output for the whole of `x`, shape (T, B, *), and the state after it; `state` None is rest."""
        raise NotImplementedError

    def single_step(self, x_t: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Output for one time step, shape (B, *), and the state after it: the readable reference."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """The output for a whole sequence.

        Parameters
        ----------
        x : Tensor, shape (T, B, *)
            Input currents, finite, in floating point.

        Returns
        -------
        Tensor, shape (T, B, *)
            Spikes; what they are worth is in the class's documentation.

        Raises
        ------
        InputError
            If `x` has fewer than two axes, no time step, is not in floating point or (on a CPU) not finite.
        """
        self._check(x, ("T", "B"))
        out, state = self.sequence(_full_precision(x), self._state if self._streaming else None)
        if self._streaming:
            self._state = state
        return out.to(x.dtype)

    def step(self, x_t: Tensor) -> Tensor:
        """The output for the next time step, `x_t` of shape (B, *); the state is kept until ``reset()``."""
        self._check(x_t, ("B",))
        out, self._state = self.single_step(_full_precision(x_t), self._state)
        return out.to(x_t.dtype)

    def reset(self) -> None:
        """Forget the state held for ``step`` and ``streaming``."""
        self._state = None

    def _check(self, x: Tensor, axes: tuple[str, ...]) -> None:
        name = type(self).__name__
        wanted = f"({', '.join(axes)}, *)"
        if x.dim() < len(axes) or (len(axes) == 2 and x.shape[0] == 0):
            raise InputError(
                f"{name}: the input has shape {tuple(x.shape)}, but {wanted} is needed with at least one time step"
            )
        if not x.is_floating_point():
            raise InputError(f"{name}: the input is {x.dtype}; convert it with .float()")
        if x.device.type == "cpu" and not torch.isfinite(x.detach().sum()):
            bad = int((~torch.isfinite(x)).sum())
            if bad:
                raise InputError(
                    f"{name}: {bad} of {x.numel()} input values are not finite; check the data, lower the "
                    "learning rate, or clip the gradients"
                )

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_state": None, "_streaming": False}


class MembraneNeuron(SpikingNeuron):
    """A spiking layer with a membrane potential, whose start can be learnt by MP-Init.

    Parameters
    ----------
    mp_init : bool
        Start each sequence at ``initial_membrane``, a running mean of where membranes that spiked end. Default
        False: start at zero.

    References
    ----------
    Kook et al. 2025, arXiv 2511.08708 (MP-Init): one scalar a layer, used in training and in evaluation, updated in
    training as ``μ ← 0.9 μ + 0.1 mean(U[T])`` over the elements that spiked.
    """

    #: The share of the past in the running mean.
    MOMENTUM = 0.9

    def __init__(self, *, mp_init: bool = False) -> None:
        super().__init__()
        self.mp_init = mp_init
        self.register_buffer("initial_membrane", torch.zeros(()))
        self._spiked: Tensor | None = None

    def membrane_of(self, state: Any) -> Tensor:
        """The membrane potential in `state`, shape (B, *)."""
        return state

    def sequence_and_spiked(self, x: Tensor, state: Any) -> tuple[Tensor, Any, Tensor]:
        """What ``sequence`` gives, and 1 for the units that spiked in it, 0 for the others, shape (B, *)."""
        out, state = self.sequence(x, state)
        return out, state, (out.detach().amax(0) > 0).to(out.dtype)  # outputs are never negative

    def initial(self, x_t: Tensor) -> Tensor:
        """The membrane potential before the first step, shape (B, *)."""
        if not self.mp_init:
            return torch.zeros_like(x_t)
        return self.initial_membrane.clone().to(x_t.dtype).expand_as(x_t)

    def forward(self, x: Tensor) -> Tensor:
        if not (self.mp_init and self.training):
            return super().forward(x)
        self._check(x, ("T", "B"))
        held = self._state if self._streaming else None
        out, state, spiked = self.sequence_and_spiked(_full_precision(x), held)
        if self._streaming:
            self._state = state
            self._note(spiked)
        else:
            self._learn_initial_membrane(state, spiked)
        return out.to(x.dtype)

    def step(self, x_t: Tensor) -> Tensor:
        out = super().step(x_t)
        if self.mp_init and self.training:
            self._note((out.detach() != 0).to(out.dtype))
        return out

    def reset(self) -> None:
        if self._spiked is not None and self._state is not None:
            self._learn_initial_membrane(self._state, self._spiked)
        self._spiked = None
        super().reset()

    def _note(self, spiked: Tensor) -> None:
        """Add the units that spiked in one piece of the sequence."""
        self._spiked = spiked if self._spiked is None else torch.maximum(self._spiked, spiked)

    @torch.no_grad()
    def _learn_initial_membrane(self, state: Any, spiked: Tensor) -> None:
        membrane, spiked = self.membrane_of(state).detach().flatten(), spiked.flatten()
        # a product of vectors is many times faster than a masked sum
        total = torch.dot(membrane, spiked.to(membrane.dtype))
        total, n_spiked = sum_over_processes(torch.stack([total, spiked.sum(dtype=membrane.dtype)]))
        mean = total / n_spiked.clamp_min(1)
        new = self.MOMENTUM * self.initial_membrane + (1 - self.MOMENTUM) * mean
        self.initial_membrane.copy_(torch.where(n_spiked > 0, new, self.initial_membrane))

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_spiked": None}


def spiking_neurons(model: nn.Module) -> list[SpikingNeuron]:
    """The spiking layers of this package in `model`, in the order of registration."""
    return [module for module in model.modules() if isinstance(module, SpikingNeuron)]


def reset(model: nn.Module) -> None:
    """Forget the states of all spiking layers in `model`."""
    for neuron in spiking_neurons(model):
        neuron.reset()


@contextmanager
def streaming(model: nn.Module) -> Iterator[nn.Module]:
    """Let the spiking layers of `model` go on from their states instead of from rest.

    Within the block ``model(x)`` may be called with pieces of a sequence, down to single steps ``x_t[None]``; the
    outputs are those of the whole sequence. States are reset at the beginning and at the end.
    """
    neurons = spiking_neurons(model)
    for neuron in neurons:
        neuron.reset()
        neuron._streaming = True
    try:
        yield model
    finally:
        for neuron in neurons:
            neuron._streaming = False
            neuron.reset()


def without_autocast(x: Tensor) -> AbstractContextManager[None]:
    """Products of matrices within stay in the precision of their factors, on the device of `x`."""
    return torch.autocast(x.device.type, enabled=False)


def _full_precision(x: Tensor) -> Tensor:
    """Membranes are kept in float32 at least, also under automatic mixed precision."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x

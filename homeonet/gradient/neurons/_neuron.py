"""What every spiking layer is: a function from sequences to sequences that may also be taken one step at a time.

Three ways to run a layer, equal in outputs and gradients:

- ``neuron(x)``: a whole sequence from rest; nothing is kept, so no state leaks between batches;
- ``neuron.step(x_t)``: one time step, going on from the state that the layer holds, until ``reset()``;
- ``with streaming(model): model(x)``: pieces of any length, the state handed from piece to piece.

Tensors are ``(T, B, *features)``: time, batch, unit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.neurons._forward_pass import exporting, full_precision, recomputing
from homeonet.gradient.neurons._processes import process_count, sum_over_processes

__all__ = [
    "MembraneNeuron",
    "SpikingNeuron",
    "Stream",
    "reset",
    "spiking_neurons",
    "streaming",
]


class SpikingNeuron(nn.Module):
    """A layer of spiking neurons; subclasses give ``single_step``, and ``sequence`` where that can be faster.

    :mod:`homeonet.gradient.neurons._own` says what a neuron of one's own must do.

    Attributes
    ----------
    threshold_scale : Tensor or float
        What homeostasis multiplies the threshold with; 1 without any. A scalar, or broadcastable to ``(B, *)``.
    through_time : bool
        Whether gradients flow from a step to the one before. False for online training: the state is detached.
    parallel_in_time : bool
        Whether a class of one's own has no reset and computes a sequence at once, for the paradigm "parallel".
    """

    parallel_in_time = False

    def __init__(self) -> None:
        super().__init__()
        self.threshold_scale: Tensor | float = 1.0
        self.through_time = True
        self._streaming: Stream | None = None
        self._state: Any = None
        self._state_like: tuple[torch.Size, torch.dtype, torch.device] | None = None
        self._call_of_stream: int | None = None
        self._went_on = False

    def sequence(self, x: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Output for the whole of `x`, shape (T, B, *), and the state after it; `state` None is rest."""
        outputs = []
        for x_t in x.unbind():
            out, state = self.single_step(x_t, state)
            outputs.append(out)
        return torch.stack(outputs), state

    def single_step(self, x_t: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Output for one time step, shape (B, *), and the state after it: the readable reference."""
        raise NotImplementedError

    def next_step(self, x_t: Tensor, state: Any) -> tuple[Tensor, Any]:
        """What ``single_step`` gives, by compiled code where there is some."""
        return self.single_step(x_t, state)

    def scaled_threshold(self, threshold: Tensor) -> Tensor:
        """`threshold` with what homeostasis makes of it."""
        scale = self.threshold_scale
        return threshold if type(scale) is float and scale == 1 else threshold * scale

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
            If `x` has fewer than two axes, no time step, is not in floating point or (on a CPU) not finite; while
            streaming, if its steps are not of the shape, precision and device of those before, or if the layer is
            called twice in one call of the model.
        """
        if exporting():
            return self._exported(x)
        if torch.compiler.is_compiling():
            return run_eagerly(self, x)
        return self._whole_or_piece(x)

    def _whole_or_piece(self, x: Tensor) -> Tensor:
        state = self._state_before(x)
        out, state = self.sequence(full_precision(x), state)
        if self._streaming:
            self._keep(state, x[0])
        return out.to(x.dtype)

    def _exported(self, x: Tensor) -> Tensor:
        """The whole sequence as plain operations without a look at values, for ``torch.export``."""
        return SpikingNeuron.sequence(self, full_precision(x), None)[0].to(x.dtype)

    def step(self, x_t: Tensor) -> Tensor:
        """The output for the next time step, `x_t` of shape (B, *); the state is kept until ``reset()``."""
        self._check(x_t, ("B",))
        if recomputing():
            self._refuse_recomputation()
        self._check_state(x_t)
        out, state = self.next_step(full_precision(x_t), self._state)
        self._keep(state, x_t)
        vars(self)["_went_on"] = True
        return out.to(x_t.dtype)

    def reset(self) -> None:
        """Forget the state held for ``step`` and ``streaming``."""
        self._state = self._state_like = None

    def store_scale(self, scale: Tensor | float) -> None:
        """Make what homeostasis has come to a buffer, ``threshold_scale``, saved with the layer."""
        self.__dict__.pop("threshold_scale", None)
        like = next(iter(self.buffers()), None)
        scale = torch.as_tensor(scale, dtype=None if like is None else like.dtype)
        self.register_buffer("threshold_scale", scale.detach().clone())

    def takes_shape(self, entry: str) -> bool:
        """Whether loading a state gives the buffer `entry` its shape there: one scale per unit, if deployed."""
        return entry == "threshold_scale" and (entry in self._buffers or type(self.threshold_scale) is float)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args: Any, **kwargs: Any) -> None:
        # one scale per unit is in a deployed layer's state, and in the layer itself only once it is loaded
        saved, held = state_dict.get(f"{prefix}threshold_scale"), self._buffers.get("threshold_scale")
        new = saved is not None and (held is None or held.shape != saved.shape)
        if new and self.takes_shape("threshold_scale"):
            like = next((t for t in (held, *self.buffers(), *self.parameters()) if t is not None), saved)
            self.store_scale(torch.ones_like(saved, device=like.device))
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def _state_before(self, x: Tensor) -> Any:
        """What a call with `x` goes on from, None for rest; all that can be wrong with the call is found here."""
        self._check(x, ("T", "B"))
        if recomputing():  # of a pass of which this layer may have been a piece
            if self._went_on:
                self._refuse_recomputation()
            return None
        vars(self)["_went_on"] = self._streaming is not None
        if self._streaming is None:
            return None
        if self._streaming.inside:
            if self._call_of_stream == self._streaming.call:
                raise InputError(
                    f"{type(self).__name__}: it is used twice in one call of the model, so it has no one state to go "
                    "on from while streaming; give each place a neuron of its own, or run whole sequences"
                )
            vars(self)["_call_of_stream"] = self._streaming.call
        self._check_state(x[0])
        return self._state

    def _keep(self, state: Any, x_t: Tensor) -> None:
        # past nn.Module's own setting of attributes, which takes longer than a step of a small layer
        vars(self).update(_state=state, _state_like=_likeness(x_t))

    def _check_state(self, x_t: Tensor) -> None:
        """Raise InputError unless the held state, if any, belongs to steps like `x_t`, shape (B, *)."""
        if self._state is not None and self._state_like is not None and self._state_like != _likeness(x_t):
            held, given = (
                f"shape {tuple(shape)} in {str(dtype).removeprefix('torch.')} on {device}"
                for shape, dtype, device in (self._state_like, _likeness(x_t))
            )
            raise InputError(
                f"{type(self).__name__}: a step of the input has {given}, but the state held belongs to steps of "
                f"{held}; go on with such steps, or reset() before other ones"
            )

    def _refuse_recomputation(self) -> None:
        raise InputError(
            f"{type(self).__name__}: activation checkpointing computes this pass again, but the layer has gone on "
            "from step to step since; checkpoint whole sequences, or stream without checkpointing"
        )

    def _check(self, x: Tensor, axes: tuple[str, ...]) -> None:
        name = type(self).__name__
        wanted = f"({', '.join(axes)}, *)"
        if x.dim() < len(axes) or (len(axes) == 2 and x.shape[0] == 0):
            raise InputError(
                f"{name}: the input has shape {tuple(x.shape)}, but {wanted} is needed with at least one time step"
            )
        if not x.is_floating_point():
            raise InputError(f"{name}: the input is {x.dtype}; convert it with .float()")
        if x.device.type == "cpu" and not math.isfinite(x.detach().sum()):
            bad = int((~torch.isfinite(x)).sum())
            if bad:
                raise InputError(
                    f"{name}: {bad} of {x.numel()} input values are not finite; check the data, lower the "
                    "learning rate, or clip the gradients"
                )

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {
            "_state": None,
            "_state_like": None,
            "_streaming": None,
            "_call_of_stream": None,
        }


class MembraneNeuron(SpikingNeuron):
    """A spiking layer with a membrane potential, whose start can be learnt by MP-Init.

    Parameters
    ----------
    mp_init : bool or "released"
        Start each sequence at ``initial_membrane``, a running mean of where membranes that spiked end. Default
        False: start at zero. "released" is the released code's form.

    Raises
    ------
    InputError
        If `mp_init` is something else.

    Notes
    -----
    Where nothing spikes there is no mean to learn from, and μ stays; in the released code the mean of nothing is
    zero, so that μ decays by the momentum.

    References
    ----------
    Kook et al. 2025, arXiv 2511.08708 (MP-Init): one scalar per layer, used in training and in evaluation, updated in
    training as ``μ ← 0.9 μ + 0.1 mean(U[T])`` over the elements that spiked.
    """

    #: The share of the past in the running mean.
    MOMENTUM = 0.9

    def __init__(self, *, mp_init: bool | str = False) -> None:
        super().__init__()
        if mp_init not in (False, True, "released"):
            raise InputError(
                f"{type(self).__name__}: mp_init = {mp_init!r}: choose False, True or 'released'"
            )
        self.mp_init = mp_init
        self.register_buffer("initial_membrane", torch.zeros(()))
        self._spiked: Tensor | None = None
        self._initial_before: Tensor | None = None  # the mean that the last pass began at, before it learnt

    def membrane_of(self, state: Any) -> Tensor:
        """The membrane potential in `state`, shape (B, *)."""
        return state

    def sequence_and_spiked(self, x: Tensor, state: Any) -> tuple[Tensor, Any, Tensor]:
        """What ``sequence`` gives, and 1 for the units that spiked in it, 0 for the others, shape (B, *)."""
        out, state = self.sequence(x, state)
        return out, state, (out.detach().amax(0) > 0).to(out.dtype)  # outputs are never negative

    def sequence_and_ends(self, x: Tensor, state: Any) -> tuple[Tensor, Any, Tensor]:
        """What ``sequence`` gives, and sum and number of the last membranes of the units that spiked, shape (2,)."""
        out, state, spiked = self.sequence_and_spiked(x, state)
        return out, state, self._ends(state, spiked)

    def initial(self, x_t: Tensor) -> Tensor:
        """The membrane potential before the first step, shape (B, *)."""
        if not self.mp_init:
            return x_t.new_zeros(()).expand_as(x_t)
        mean = self.initial_membrane
        if self._initial_before is not None and recomputing():
            mean = self._initial_before
        return mean.clone().to(x_t.dtype).expand_as(x_t)

    def _whole_or_piece(self, x: Tensor) -> Tensor:
        if not (self.mp_init and self.training) or recomputing():
            return super()._whole_or_piece(x)
        held = self._state_before(x)
        if self._streaming:
            out, state, spiked = self.sequence_and_spiked(full_precision(x), held)
            self._keep(state, x[0])
            self._note(spiked)
        else:
            out, _, ends = self.sequence_and_ends(full_precision(x), held)
            self._learn_initial_membrane(ends)
        return out.to(x.dtype)

    def step(self, x_t: Tensor) -> Tensor:
        out = super().step(x_t)
        if self.mp_init and self.training:
            self._note((out.detach() != 0).to(out.dtype))
        return out

    def reset(self) -> None:
        if self._spiked is not None and self._state is not None:
            self._learn_initial_membrane(self._ends(self._state, self._spiked))
        self._spiked = None
        super().reset()

    def _note(self, spiked: Tensor) -> None:
        """Add the units that spiked in one piece of the sequence."""
        self._spiked = spiked if self._spiked is None else torch.maximum(self._spiked, spiked)

    def _ends(self, state: Any, spiked: Tensor) -> Tensor:
        membrane = self.membrane_of(state).detach().flatten()
        spiked = spiked.flatten().to(membrane.dtype)  # a product of vectors is much faster than a masked sum
        return torch.stack([torch.dot(membrane, spiked), spiked.sum()])

    def _learn_initial_membrane(self, ends: Tensor) -> None:
        held = self.initial_membrane
        vars(self)["_initial_before"] = held.clone()
        if ends.device.type == "cpu" and process_count() == 1:  # numbers take a third of the time of tensors
            total, n_spiked = ends.tolist()
            if n_spiked or self.mp_init == "released":
                held.fill_(self.MOMENTUM * held.item() + (1 - self.MOMENTUM) * total / max(n_spiked, 1))
            return
        total, n_spiked = sum_over_processes(ends)
        mean = total / n_spiked.clamp_min(1)
        new = self.MOMENTUM * held + (1 - self.MOMENTUM) * mean
        learnt = (n_spiked > 0) | (self.mp_init == "released")
        held.copy_(torch.where(learnt, new, held))

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_spiked": None, "_initial_before": None}


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
    outputs are those of the whole sequence. States are reset at the beginning and at the end. A layer that the model
    uses in several places is refused, since it holds one state.
    """
    neurons = spiking_neurons(model)
    stream = Stream()
    handles = [
        model.register_forward_pre_hook(stream.enter, prepend=True),
        model.register_forward_hook(stream.leave, always_call=True),
    ]
    for neuron in neurons:
        neuron.reset()
        neuron._streaming, neuron._call_of_stream = stream, None
    try:
        yield model
    finally:
        for handle in handles:
            handle.remove()
        for neuron in neurons:
            neuron._streaming = None
            neuron.reset()


class Stream:
    """Which call of the streamed model is under way."""

    def __init__(self) -> None:
        self.call, self.inside = 0, False

    def enter(self, model: nn.Module, args: tuple) -> None:
        self.call, self.inside = self.call + 1, True

    def leave(self, model: nn.Module, args: tuple, output: Any) -> None:
        self.inside = False


def run_eagerly(neuron: SpikingNeuron, x: Tensor) -> Tensor:
    """The layer as it runs without ``torch.compile``, which breaks its graph here and compiles what is around."""
    return torch.compiler.disable(neuron._whole_or_piece)(x)


run_eagerly._torchdynamo_disable = True  # type: ignore[attr-defined]  # what torch.compiler.disable sets, without the seconds of its import


def _likeness(x_t: Tensor) -> tuple[torch.Size, torch.dtype, torch.device]:
    """What the steps of one sequence have in common; half precision is computed in float32."""
    half = x_t.dtype in (torch.float16, torch.bfloat16)
    return x_t.shape, torch.float32 if half else x_t.dtype, x_t.device

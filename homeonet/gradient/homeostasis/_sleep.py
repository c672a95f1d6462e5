"""Sleep for networks trained by gradients: noisy replay without input, STDP, and the power law on the weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from homeonet.errors import InputError
from homeonet.gradient.homeostasis._adapters import SpikingLayer
from homeonet.gradient.homeostasis._inputs import shapes_of, zeros_like_shapes
from homeonet.gradient.homeostasis._plugin import Homeostasis, check_range
from homeonet.gradient.homeostasis._power_law import power_law, total_weight, trained_weights
from homeonet.gradient.homeostasis._replay import Pathway, Replay, may_lie_between
from homeonet.gradient.homeostasis._stdp import Traces, TraceSTDP

__all__ = ["Sleep"]


class Sleep(Homeostasis):
    """Every now and then, between two batches, the network sleeps.

    Asleep, its input is zero, noise of standard deviation `sigma` is added to the current of every spiking neuron,
    trace STDP changes the linear weights between spiking layers, and all weights follow the power law
    ``w ← sign(w) w_target (|w| / w_target)**decay``: it keeps signs and ranks, and leaves zeros.

    Sleep begins every ``int(1 / ratio)`` batches, or when W, the sum of |w|, exceeds ``alpha_trigger W(0)``, or at
    either. It ends after `steps` (begun by the clock) or `longest` steps (begun by the weights), or early when
    ``W <= alpha_base W(0)``.

    Parameters
    ----------
    ratio : float
        Sleeps per batch awake, in [0, 1]. Default 0.1: one after every tenth batch. 0 means no sleep at all. It says
        nothing about how long a sleep is, which is `steps`.
    steps : int
        Length of a sleep that the clock begins, in time steps; positive. Default 25.
    sigma : float
        Standard deviation of the noise in units of the membrane, at least 0; it passes the neuron's input gain as any
        current does. Default 3.
    decay : float
        λ, the exponent of the power law, in (0, 1]. Default 0.999; 1 switches the power law off.
    w_target : float
        Magnitude that the power law leaves as it is; positive. Default 0.2.
    every : int, optional
        The power law acts every so many steps with ``decay**every``, as on the plastic side, where λ belongs to a
        step. Default None: once at the end of each sleep, as the paper's surrogate-gradient network has it.
    trigger : {"interval", "threshold", "either"}
        What begins a sleep: the clock, W, or either. Default "interval".
    alpha_trigger : float
        W over its start, above which sleep begins; positive. Default 1.5.
    alpha_base : float
        W over its start, at which sleep ends early, looked at every `every` steps; at least 0, below `alpha_trigger`.
        Default 0: no early end.
    longest : int, optional
        Length of a sleep that the weights begin, in time steps; positive. Default: `steps`.
    stdp : bool
        Default True. Convolutions have none: their weights are shared between pairs of neurons. A network without a
        linear layer between two spiking layers, or a recurrent one, needs ``stdp=False``: asleep the input is silent,
        and the weights onto the first neurons have no presynaptic spikes. The noise then has nothing to act on.
    a_plus, a_minus, tau, learning_rate
        See :class:`TraceSTDP`. Defaults 0.01, 0.012, 20 steps, 1e-3.
    seed : int
        Chooses the noise. Default 0. The n-th sleep draws from (seed, n), so a run goes on exactly from a checkpoint.

    Attributes
    ----------
    n_sleeps, n_batches, batches_awake : Tensor, shape (), int64
    initial_weight : Tensor, shape (), float64
        W(0).
    history : list of dict
        One row for each sleep since it was attached: batch, steps, and W before and after.

    Raises
    ------
    InputError
        If a parameter is out of range; in `attach`, if the model has no weights to train, or none that STDP can reach.

    Notes
    -----
    Weights are those of linear and convolutional layers that are trained, with recurrent ones, not biases. The replay
    is the model's own forward pass on zeros shaped as the last training input, repeated until there are steps enough;
    between passes states go on, and weights change after a pass, from what was emitted in it. Pre are the inputs of a
    linear layer, post the spikes of the spiking layer called next after it, if it has as many units. Outside the
    weights nothing is changed: modes, batch norms' statistics, gradients, the optimiser, states of neurons, and what
    other homeostasis has learnt.

    References
    ----------
    Massey et al. 2026, arXiv 2601.08447.
    """

    kind = "sleep"

    def __init__(
        self,
        ratio: float = 0.1,
        steps: int = 25,
        sigma: float = 3.0,
        decay: float = 0.999,
        w_target: float = 0.2,
        *,
        every: int | None = None,
        trigger: str = "interval",
        alpha_trigger: float = 1.5,
        alpha_base: float = 0.0,
        longest: int | None = None,
        stdp: bool = True,
        a_plus: float = 0.01,
        a_minus: float = 0.012,
        tau: float = 20.0,
        learning_rate: float = 1e-3,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.ratio = check_range("Sleep", "ratio", ratio, 0, 1)
        self.sigma = check_range("Sleep", "sigma", sigma, 0, math.inf, below=True)
        self.decay = check_range("Sleep", "decay", decay, 0, 1, above=True)
        self.w_target = check_range("Sleep", "w_target", w_target, 0, math.inf, above=True, below=True)
        longest = steps if longest is None else longest
        for name, value in (("steps", steps), ("longest", longest), ("every", 1 if every is None else every)):
            if value < 1 or value != int(value):
                raise InputError(f"Sleep: {name} = {value}: it must be a whole number of steps, at least 1")
        self.steps, self.longest, self.every = int(steps), int(longest), every
        if trigger not in ("interval", "threshold", "either"):
            raise InputError(f"Sleep: trigger = {trigger!r}: choose 'interval', 'threshold' or 'either'")
        self.trigger = trigger
        self.alpha_trigger = check_range(
            "Sleep", "alpha_trigger", alpha_trigger, 0, math.inf, above=True, below=True
        )
        self.alpha_base = check_range("Sleep", "alpha_base", alpha_base, 0, alpha_trigger, below=True)
        if alpha_base > 0 and every is None:
            raise InputError(
                f"Sleep: alpha_base = {alpha_base}, but every = None: weights that change once, at the end of a sleep, "
                "cannot end it early; set every = 1"
            )
        self.rule = TraceSTDP(a_plus, a_minus, tau, learning_rate) if stdp else None
        self.seed = int(seed)
        self.history: list[dict[str, float]] = []
        self._last_input: tuple[tuple, dict[str, Any]] | None = None

    def total_weight(self) -> float:
        """W, the sum of the magnitudes of all weights."""
        return total_weight(trained_weights(self.model))

    def after_batch(self) -> None:
        super().after_batch()
        if self.ratio == 0:
            return
        self.n_batches += 1
        self.batches_awake += 1
        by_clock = self.trigger != "threshold" and int(self.batches_awake) >= int(1 / self.ratio)
        by_weight = self.trigger != "interval" and self.total_weight() > self.alpha_trigger * float(
            self.initial_weight
        )
        if by_clock or by_weight:
            self.sleep(self.steps if by_clock else self.longest)

    @torch.no_grad()
    def sleep(self, steps: int | None = None) -> None:
        """Sleep now, for `steps` (default: as many as set) or until the weights are down.

        Raises
        ------
        InputError
            If STDP is on, and the model has not been run in training mode since it was attached or loaded, or no
            linear layer lies between two spiking layers.
        """
        steps = self.steps if steps is None else steps
        before = self.total_weight()
        done = self._dream(steps) if self.rule is not None else self._renormalise_for(steps)
        if self.every is None:
            self._renormalise(1)
        self.n_sleeps += 1
        self.batches_awake.zero_()
        row = {"batch": int(self.n_batches), "steps": done, "before": before, "after": self.total_weight()}
        self.history.append(row)

    def _dream(self, steps: int) -> int:
        """Replay with STDP; the number of steps slept."""
        if self._last_input is None:
            raise InputError(
                "Sleep: no input is known to shape the replay by; run the model in training mode before after_batch()"
            )
        args, kwargs = zeros_like_shapes(self._last_input)
        entropy = np.random.SeedSequence([self.seed, int(self.n_sleeps)])
        noise = _Noise(self.sigma, int(entropy.generate_state(1)[0])) if self.sigma > 0 else None
        traces: dict[Pathway, Traces] = {}
        done = 0
        with Replay(self.model, self._layers, noise) as replay:
            while done < steps:
                replay.forward(args, kwargs)
                stop = min(replay.n_steps, steps - done)
                for start in range(0, stop, self.every or stop):
                    piece = slice(start, min(start + (self.every or stop), stop))
                    self._learn(replay, piece, traces)
                    done += piece.stop - piece.start
                    if self._renormalised_to_base(piece.stop - piece.start):
                        return done
        return done

    def _learn(self, replay: Replay, piece: slice, traces: dict[Pathway, Traces]) -> None:
        if not (replay.between or replay.recurrent):
            raise InputError(_nothing_to_learn(self.model))
        for pathway in [*replay.inputs, *replay.recurrent]:
            linear, index = pathway
            if not linear.weight.requires_grad:
                continue
            pre = replay.inputs.get(pathway)
            change, traces[pathway] = self.rule.change(
                None if pre is None else pre[piece], replay.spikes[index][piece], traces.get(pathway)
            )
            linear.weight.add_(change.to(linear.weight.dtype))

    def _renormalise_for(self, steps: int) -> int:
        """The power law alone; the number of steps slept."""
        every = self.every or steps
        for done in range(every, steps + every, every):
            if self._renormalised_to_base(min(every, steps - done + every)):
                return min(done, steps)
        return steps

    def _renormalised_to_base(self, n_steps: int) -> bool:
        """Renormalise for so many steps, if that is done during sleep; whether the weights are down."""
        if self.every is None:
            return False
        self._renormalise(n_steps)
        return self.alpha_base > 0 and self.total_weight() <= self.alpha_base * float(self.initial_weight)

    def _renormalise(self, n_steps: int) -> None:
        if self.decay < 1:
            for weight in trained_weights(self.model):
                weight.copy_(power_law(weight, self.w_target, self.decay**n_steps))

    def _check(self, model: nn.Module, layers: list[SpikingLayer]) -> None:
        if not trained_weights(model):
            raise InputError(
                f"Sleep: {type(model).__name__} has no trainable weight of a linear or convolutional layer to act on"
            )
        recurrent = any(isinstance(getattr(layer.neuron, "recurrent", None), nn.Linear) for layer in layers)
        if self.rule is not None and not recurrent and not may_lie_between(model, layers):
            raise InputError(_nothing_to_learn(model))

    def _attached(self, zero: Tensor) -> None:
        self.history, self._last_input = [], None
        for name in ("n_sleeps", "n_batches", "batches_awake"):
            self.register_buffer(name, torch.zeros((), dtype=torch.int64, device=zero.device))
        initial = torch.tensor(self.total_weight(), dtype=torch.float64, device=zero.device)
        self.register_buffer("initial_weight", initial)
        self._handles = [
            self.model.register_forward_pre_hook(self._remember_input, with_kwargs=True, prepend=True)
        ]

    def _detached(self, keep: bool) -> None:
        self._last_input = None

    def _remember_input(self, model: nn.Module, args: tuple, kwargs: dict[str, Any]) -> None:
        if model.training:
            self._last_input = shapes_of((args, kwargs))


def _nothing_to_learn(model: nn.Module) -> str:
    return (
        f"Sleep: stdp = True, but {type(model).__name__} has no linear layer between two spiking layers, and asleep "
        "no other one is reached by spikes; set stdp = False for the power law alone "
        "(homeostasis.sleep.stdp=false), or take net = 'sg_snn' with net_options.spiking_output = True"
    )


class _Noise:
    """Normal noise of one sleep: as much of it as is asked for, the same for the same seed and shapes."""

    def __init__(self, sigma: float, seed: int) -> None:
        self.sigma, self.seed = sigma, seed
        self.generator: torch.Generator | None = None

    def __call__(self, x: Tensor) -> Tensor:
        if self.generator is None:
            self.generator = torch.Generator(x.device).manual_seed(self.seed)
        return self.sigma * torch.randn(x.shape, generator=self.generator, dtype=x.dtype, device=x.device)

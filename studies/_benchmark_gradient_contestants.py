"""Who competes in `benchmark_gradient.py`: this package's spiking layers, a plain loop, SpikingJelly and snnTorch."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from homeonet.gradient import (
    DSN,
    HDLIF,
    LIF,
    PSN,
    SlidingPSN,
    SpikingNeuron,
    TrLIF,
    linear_recurrence,
    linear_recurrence_reference,
)
from homeonet.gradient.kernels import _native
from homeonet.gradient.kernels._surrogate import heaviside, surrogate_named

BATCH, UNITS, KERNEL = 16, 128, 32
SURROGATE = "arctan"  # what SpikingJelly's PSN and snnTorch have too
CPP_LOOP, REFERENCE = "C++ loop", "loop under autograd"

Call = Callable[[], Tensor]


@dataclass
class Contestant:
    """One way to compute forward and backward.

    Attributes
    ----------
    prepare : callable
        ``prepare(inputs)`` gives what is timed.
    order : int
        Its time grows as T to this power.
    matrices : int
        T × T matrices of float32 that it holds.
    needed : bool
        A goal needs its time at every length, however long that takes.
    seconds : dict
        By T, the time of each round.
    skipped : dict
        By T, why it was not measured.
    """

    name: str
    prepare: Callable[[Inputs], Call]
    order: int = 1
    matrices: int = 0
    needed: bool = False
    seconds: dict[int, list[float]] = field(default_factory=dict)
    skipped: dict[int, str] = field(default_factory=dict)


class Inputs:
    """Inputs of T steps, and the gradient of the outputs, alike for all contestants of a length."""

    def __init__(self, n_steps: int) -> None:
        generator = torch.Generator().manual_seed(n_steps)
        shape = (n_steps, BATCH, UNITS)
        self.x = (torch.randn(shape, generator=generator) * 0.5 + 0.3).requires_grad_()
        self.decay = torch.sigmoid(torch.randn(shape, generator=generator) + 2).requires_grad_()
        self.grad = torch.randn(shape, generator=generator)

    def __len__(self) -> int:
        return len(self.x)

    def through(self, layer: nn.Module, forward: Callable[[Tensor], Tensor] | None = None) -> Call:
        """Forward and backward of `layer` in training mode; by `forward`, if it is not called by itself."""
        compute = layer.train() if forward is None else forward

        def call() -> Tensor:
            self.x.grad = None
            layer.zero_grad()
            out = compute(self.x)
            out.backward(self.grad)
            return out

        return call

    def scanned(self, scan: Callable[[Tensor, Tensor], Tensor]) -> Call:
        """Forward and backward of a linear recurrence."""

        def call() -> Tensor:
            self.x.grad = self.decay.grad = None
            out = scan(self.decay, self.x)
            out.backward(self.grad)
            return out

        return call


def _lif_loop(x: Tensor) -> Tensor:
    surrogate, u, outputs = surrogate_named(SURROGATE), torch.zeros_like(x[0]), []
    for x_t in x.unbind():
        m = 0.5 * u + x_t
        spikes = heaviside(m - 1.0, surrogate)
        u = m - spikes
        outputs.append(spikes)
    return torch.stack(outputs)


def _step_by_step(make: Callable[[int], SpikingNeuron]) -> Callable[[Inputs], Call]:
    def prepare(inputs: Inputs) -> Call:
        layer = make(len(inputs))

        def forward(x: Tensor) -> Tensor:
            layer.reset()
            return torch.stack([layer.step(x_t) for x_t in x.unbind()])

        return inputs.through(layer, forward)

    return prepare


def neurons() -> list[Contestant]:
    """This package's neurons, and step loops of DSN, sliding PSN and LIF; all start from rest."""
    layers: dict[str, Callable[[int], SpikingNeuron]] = {
        "DSN": lambda n_steps: DSN(UNITS),
        "PSN": PSN,
        f"SlidingPSN({KERNEL})": lambda n_steps: SlidingPSN(KERNEL),
        "LIF": lambda n_steps: LIF(surrogate=SURROGATE),
        "TrLIF": lambda n_steps: TrLIF(surrogate=SURROGATE),
        "TrLIF without MP-Init": lambda n_steps: TrLIF(surrogate=SURROGATE, mp_init=False),
        "HDLIF": HDLIF,
    }
    found = [
        Contestant(name, lambda inputs, make=make: inputs.through(make(len(inputs))))
        for name, make in layers.items()
    ]
    psn = next(c for c in found if c.name == "PSN")
    psn.order, psn.matrices, psn.needed = 2, 2, True
    loops = [
        Contestant(f"{name}, step by step", _step_by_step(layers[name]))
        for name in ("DSN", f"SlidingPSN({KERNEL})")
    ]
    loops.append(
        Contestant("LIF, loop under autograd", lambda inputs: inputs.through(nn.Module(), _lif_loop))
    )
    return [*found, *loops]


def peers() -> tuple[list[Contestant], list[str]]:
    """SpikingJelly's and snnTorch's neurons; and who is missing."""
    found, missing = [], []
    try:
        from spikingjelly.activation_based import functional, neuron, surrogate

        def jelly(make: Callable[[int], nn.Module]) -> Callable[[Inputs], Call]:
            def prepare(inputs: Inputs) -> Call:
                layer = make(len(inputs)).train()

                def forward(x: Tensor) -> Tensor:
                    functional.reset_net(layer)
                    return layer(x)

                return inputs.through(layer, forward)

            return prepare

        def lif(n_steps: int) -> nn.Module:
            constants = {"tau": 2.0, "decay_input": False, "v_threshold": 1.0, "v_reset": None}
            return neuron.LIFNode(**constants, surrogate_function=surrogate.ATan(), step_mode="m")

        def sliding(n_steps: int) -> nn.Module:
            return neuron.SlidingPSN(KERNEL, step_mode="m")

        found = [
            Contestant("SpikingJelly LIFNode", jelly(lif)),
            Contestant("SpikingJelly PSN", jelly(neuron.PSN), order=2, matrices=2),
            Contestant(f"SpikingJelly SlidingPSN({KERNEL})", jelly(sliding), order=3, matrices=4),
        ]
    except ImportError as error:
        missing.append(f"SpikingJelly is missing ({error}): pip install --no-deps spikingjelly==2.0.0")
    try:
        import snntorch

        def leaky(inputs: Inputs) -> Call:
            layer = snntorch.Leaky(beta=0.5, threshold=1.0, spike_grad=snntorch.surrogate.atan())

            def forward(x: Tensor) -> Tensor:
                membrane, outputs = layer.reset_mem(), []
                for x_t in x.unbind():
                    spikes, membrane = layer(x_t, membrane)
                    outputs.append(spikes)
                return torch.stack(outputs)

            return inputs.through(layer, forward)

        found.append(Contestant("snnTorch Leaky", leaky))
    except ImportError as error:
        missing.append(f"snnTorch is missing ({error}): pip install snntorch")
    return found, missing


def _cpp_loop(inputs: Inputs) -> Call:
    """The bare loops on memory that is there: forward, in reverse, and the product that is the decay's gradient."""
    decay, x, grad = inputs.decay.detach(), inputs.x.detach(), inputs.grad
    states, grad_x, grad_decay = torch.empty_like(x), torch.empty_like(x), torch.zeros_like(x)
    n_steps, n_lanes = len(x), x[0].numel()
    forward, reverse = ctypes.c_int32(0), ctypes.c_int32(1)

    def call() -> Tensor:
        _native.launch("scan", [decay, x, None, forward, states], n_steps, n_lanes)
        grad_x[-1] = grad[-1]
        given = [decay[1:], grad[:-1], grad_x[-1], reverse, grad_x[:-1]]
        _native.launch("scan", given, n_steps - 1, n_lanes)
        torch.mul(grad_x[1:], states[:-1], out=grad_decay[1:])
        return states

    return call


def scans() -> list[Contestant]:
    """Ways to compute the linear recurrence."""

    def without_kernels(inputs: Inputs) -> Call:
        call = inputs.scanned(linear_recurrence)

        def patched() -> Tensor:
            kernels, _native.kernels = _native.kernels, lambda: None
            try:
                return call()
            finally:
                _native.kernels = kernels

        return patched

    found = [
        Contestant("linear_recurrence", lambda inputs: inputs.scanned(linear_recurrence)),
        Contestant("linear_recurrence in torch operations", without_kernels),
        Contestant(REFERENCE, lambda inputs: inputs.scanned(linear_recurrence_reference)),
    ]
    return found if _native.kernels() is None else [Contestant(CPP_LOOP, _cpp_loop), *found]

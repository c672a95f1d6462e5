"""Who competes in `gradient.py` beside this package's layers: a plain loop, SpikingJelly and snnTorch."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import torch
from torch import Tensor, nn

from homeonet.gradient import linear_recurrence, linear_recurrence_reference
from homeonet.gradient.kernels import _native
from homeonet.study.layers import KERNEL
from homeonet.study.timing import Call, Contestant, Inputs

CPP_LOOP, REFERENCE = "C++ loop", "loop under autograd"


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

"""What networks are made of, chosen by name: neurons, weight layers, attention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from homeonet.errors import InputError
from homeonet.gradient.networks._attention import SECA
from homeonet.gradient.networks._compression import (
    BinaryConv1d,
    BinaryConv2d,
    BinaryLinear,
    TernaryConv1d,
    TernaryConv2d,
    TernaryLinear,
)
from homeonet.gradient.networks._layers import PerStep
from homeonet.gradient.neurons._dsn import DSN
from homeonet.gradient.neurons._hdlif import HDLIF
from homeonet.gradient.neurons._lif import LIF
from homeonet.gradient.neurons._neuron import SpikingNeuron
from homeonet.gradient.neurons._own import imported, is_dotted, make_with
from homeonet.gradient.neurons._psn import PSN, SlidingPSN
from homeonet.gradient.neurons._recurrent import RecurrentLIF
from homeonet.gradient.neurons._trlif import TrLIF

__all__ = ["NEURONS", "NORMS", "Parts"]


def _hdlif(
    channels: int,
    second: bool,
    *,
    steps: int,
    variant: str = "vanilla",
    parallel_second: bool = False,
    **options: Any,
) -> HDLIF:
    if parallel_second:
        variant = "parallel" if second else variant
        of_others = {"mp_init"} if second else {"indicator", "surrogate"} if variant != "parallel" else set()
        if second and options.get("indicator"):
            of_others.add("spike_bits")
        options = {name: value for name, value in options.items() if name not in of_others}
    return HDLIF(steps, variant, channels if variant == "mem_bn" else None, **options)


#: Makers of neurons by name: (channels, second in its residual block, steps=, **options).
NEURONS: dict[str, Callable[..., SpikingNeuron]] = {
    "lif": lambda channels, second, *, steps, **options: LIF(**options),
    "trlif": lambda channels, second, *, steps, **options: TrLIF(**options),
    "hdlif": _hdlif,
    "dsn": lambda channels, second, *, steps, **options: DSN(channels, **options),
    "psn": lambda channels, second, *, steps, **options: PSN(steps, **options),
    "slidingpsn": lambda channels, second, *, steps, **options: SlidingPSN(**options),
    "recurrentlif": lambda channels, second, *, steps, **options: RecurrentLIF(channels, **options),
}
#: Convolutions over one and two axes, and linear layers.
_WEIGHTS: dict[str, tuple[Callable[..., nn.Module], ...]] = {
    "float": (nn.Conv1d, nn.Conv2d, nn.Linear),
    "binary": (BinaryConv1d, BinaryConv2d, BinaryLinear),
    "ternary": (TernaryConv1d, TernaryConv2d, TernaryLinear),
    **{
        f"{name}_released": tuple(partial(layer, released=True) for layer in layers)
        for name, layers in (
            ("binary", (BinaryConv1d, BinaryConv2d, BinaryLinear)),
            ("ternary", (TernaryConv1d, TernaryConv2d, TernaryLinear)),
        )
    },
}
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
#: What may follow a convolution.
NORMS = ("batch", "layer", "none")


@dataclass(frozen=True)
class Parts:
    """The neuron and the weight layers that a network is built from.

    Parameters
    ----------
    neuron : {"lif", "trlif", "hdlif", "dsn", "psn", "slidingpsn", "recurrentlif"}
        Or a class of one's own, "module:class"; see :mod:`homeonet.gradient.neurons._own`.
    steps : int
        T, for neurons with constants of their own for each step (HD-LIF, PSN). Default 4.
    options : dict
        Further parameters of the neuron's class; for "hdlif" also ``parallel_second``: the parallel variant in the
        second neuron layer of every residual block, or in every second layer of a plain stack of convolutions.
        ``indicator`` and ``surrogate`` then belong to that variant alone; ``spike_bits`` to both, but for the
        indicator, whose spikes are 0 or 1.
    weights : {"float", "binary", "ternary", "binary_released", "ternary_released"}
        Values of the weights in all layers but the first and the last, which stay in floating point; "released" as in
        HD-LIF's released code, see :class:`BinaryConv2d` and :class:`TernaryConv2d`.
    attention : bool or "released"
        SECA after every normalisation of a convolution over images, but the first; "released": with a bias, and none
        on the shortcuts of residual blocks. Default False.
    """

    neuron: str = "lif"
    steps: int = 4
    options: tuple[tuple[str, Any], ...] = ()
    weights: str = "float"
    attention: bool | str = False

    def __post_init__(self) -> None:
        for name, value, known in (("neuron", self.neuron, NEURONS), ("weights", self.weights, _WEIGHTS)):
            if name == "neuron" and is_dotted(value):
                imported(name, value, SpikingNeuron)
            elif value not in known:
                raise InputError(f"{name} = {value!r} is unknown; choose one of {', '.join(known)}")
        if self.attention not in (False, True, "released"):
            raise InputError(f"attention = {self.attention!r}: choose False, True or 'released'")
        if isinstance(self.options, dict):
            object.__setattr__(self, "options", tuple(self.options.items()))

    def spiking(self, channels: int, *, second: bool = False) -> SpikingNeuron:
        """A layer of neurons with `channels` on axis 2."""
        try:
            if is_dotted(self.neuron):
                made = imported("neuron", self.neuron, SpikingNeuron)
                return make_with(made, dict(self.options), channels=channels, steps=self.steps)
            return NEURONS[self.neuron](channels, second, steps=self.steps, **dict(self.options))
        except InputError:
            raise
        except (TypeError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split("() ")[-1].split())
            raise InputError(
                f"neuron = {self.neuron!r} cannot be made with {dict(self.options)} ({reason}); correct them"
            ) from error

    def conv(
        self,
        n_in: int,
        n_out: int,
        kernel: int = 3,
        *,
        stride: int = 1,
        axes: int = 2,
        first: bool = False,
        norm: str = "batch",
        shortcut: bool = False,
    ) -> PerStep:
        """Convolution over `axes` axes and normalisation, (T, B, n_in, *) to (T, B, n_out, *).

        The first one of a network keeps its weights in floating point and has no attention.
        """
        make = _WEIGHTS["float" if first else self.weights][axes - 1]
        layers: list[nn.Module] = [
            make(n_in, n_out, kernel, stride=stride, padding=kernel // 2, bias=norm == "none")
        ]
        if norm != "none":
            layers.append(_BATCH_NORMS[axes - 1](n_out) if norm == "batch" else nn.GroupNorm(1, n_out))
        released = self.attention == "released"
        attended = self.attention and not first and not (released and shortcut)
        return PerStep(*layers, *([SECA(bias=released)] if attended else []))

    def linear(self, n_in: int, n_out: int, *, first: bool = False, last: bool = False) -> PerStep:
        """A linear layer; the first and the last one of a network keep their weights in floating point."""
        return PerStep(_WEIGHTS["float" if first or last else self.weights][2](n_in, n_out))

    def refuse_attention(self, net: str) -> None:
        """InputError if attention is asked for in a network without convolutions over images."""
        if self.attention:
            raise InputError(
                f"attention = True: it weighs the channels of convolutions over images, and {net} has none; leave it "
                "False"
            )

"""The linear recurrence on a GPU: its error against float64, and its speed against bandwidth and other neurons."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from statistics import median
from unittest import mock

import torch
from torch import Tensor

from homeonet.gradient import (
    DSN,
    HDLIF,
    LIF,
    PSN,
    RecurrentLIF,
    SpikingNeuron,
    TrLIF,
    linear_recurrence,
    linear_recurrence_reference,
    scan_backend,
)

#: By number of units and of steps, and what calls their kernels on a GPU.
LAYERS: dict[str, tuple[Callable[[int, int], SpikingNeuron], str]] = {
    "DSN": (lambda units, _: DSN(units, longest_memory=100.0), "_dsn.triton_dsn"),
    "LIF": (lambda *_: LIF(surrogate="arctan"), "_membrane.triton_integrate"),
    "TrLIF": (lambda *_: TrLIF(), "_membrane.triton_integrate"),
    "HD-LIF": (lambda _, n_steps: HDLIF(steps=n_steps), "_p2_reset.triton_charge"),
}


def inputs(n_steps: int, lanes: tuple[int, int], device: str, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Decays of short and long memory, and normal inputs."""
    generator = torch.Generator().manual_seed(n_steps)
    decay = torch.rand((n_steps, *lanes), generator=generator, dtype=torch.float64) ** 0.1
    x = torch.randn((n_steps, *lanes), generator=generator, dtype=torch.float64)
    return tuple(t.to(device, dtype).requires_grad_() for t in (decay, x))


def with_gradients(function: Callable[..., Tensor], *given: Tensor) -> list[Tensor]:
    """The result and the gradients of half its sum of squares, in float64."""
    out = function(*given)
    out.square().sum().mul(0.5).backward()
    return [t.detach().double().cpu() for t in (out, *(g.grad for g in given))]


def scan_errors(device: str, small: bool) -> list[list[str]]:
    """Largest error relative to the largest value, of states and gradients; float32 allows about 1e-5."""
    rows = [["T", "lanes", "computed by", "states", "gradient of decay", "gradient of input", "below 2e-5"]]
    for n_steps, lanes in (
        ((257, (3, 5)), (1024, (16, 128)), (16384, (2, 33))) if not small else ((300, (3, 5)),)
    ):
        given = inputs(n_steps, lanes, device, torch.float32)
        backend = scan_backend(*given)
        expected = with_gradients(linear_recurrence_reference, *inputs(n_steps, lanes, "cpu", torch.float64))
        found = with_gradients(linear_recurrence, *given)
        errors = [float((a - b).abs().max() / b.abs().max()) for a, b in zip(found, expected, strict=True)]
        fast = backend == ("triton" if device == "cuda" else "cpp")
        fine = "yes" if max(errors) < 2e-5 and fast else "NO"
        rows.append([str(n_steps), "x".join(map(str, lanes)), backend, *(f"{e:.1e}" for e in errors), fine])
    return rows


def layer_errors(device: str, small: bool) -> list[list[str]]:
    """Layers in float32 beside the same in float64 on the CPU: outputs, and the gradient of the input.

    An output is another where a membrane lies within rounding of the threshold, or of half a level of DSN.
    """
    rows = [["layer", "T", "computed by", "outputs that are equal", "error of the gradient", "as it must be"]]
    for kind, (layer, kernel) in LAYERS.items():
        n_steps = 100 if small else 16384 if kind == "DSN" else 1000
        x = inputs(n_steps, (4, 33), "cpu", torch.float64)[1].detach() + 0.5
        torch.manual_seed(0)
        reference = layer(33, n_steps).double()
        other = layer(33, n_steps).to(device)
        other.load_state_dict({name: value.float() for name, value in reference.state_dict().items()})
        expected, wanted = outputs_and_gradient(reference, x)
        module, name = kernel.split(".")
        place = importlib.import_module(f"homeonet.gradient.{module}")
        with mock.patch.object(place, name, wraps=getattr(place, name)) as called:
            found, gradient = outputs_and_gradient(other, x.to(device, torch.float32))
        by = "triton" if called.called else "no kernel" if device == "cuda" else "the CPU's"
        equal = float(torch.isclose(found, expected, atol=1e-4).double().mean())
        error = float((gradient - wanted).norm() / wanted.norm())
        right = equal > 0.999 and error < 0.02 and expected.abs().mean() > 0
        fine = "yes" if right and by != "no kernel" else "NO"
        rows.append([kind, str(n_steps), by, f"{equal:.2%}", f"{error:.1e}", fine])
    return rows


def outputs_and_gradient(layer: torch.nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """What a layer answers, and the gradient of its weighted sum with respect to the input; float64, on the CPU."""
    x = x.requires_grad_()
    out = layer(x)
    weight = torch.linspace(-1, 1, x[0].numel(), dtype=x.dtype, device=x.device).view_as(x[0])
    (gradient,) = torch.autograd.grad((out * weight).sum(), x)
    return out.detach().double().cpu(), gradient.double().cpu()


@contextmanager
def decay_in_torch() -> Iterator[None]:
    """DSN with its decay in torch operations and the scan alone as a kernel."""
    from homeonet.gradient.neurons import _dsn

    kept, _dsn.on_triton = _dsn.on_triton, lambda *_: False
    try:
        yield
    finally:
        _dsn.on_triton = kept


def seconds_of(call: Callable[[], object], device: str, repeats: int) -> float:
    """Median wall time of a call, after two that warm up."""
    taken = []
    for k in range(repeats + 2):
        if device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        call()
        if device == "cuda":
            torch.cuda.synchronize()
        if k >= 2:
            taken.append(time.perf_counter() - start)
    return median(taken)


def both_ways(
    neuron: Callable[[Tensor], Tensor], x: Tensor, parameters: Iterable[Tensor]
) -> Callable[[], object]:
    """Forward and backward of a layer; gradients are made anew, for adding to old ones takes time too."""
    wanted = [x, *parameters]
    return lambda: torch.autograd.grad(neuron(x).sum(), wanted, allow_unused=True)


def step_loop(neuron: SpikingNeuron) -> Callable[[Tensor], Tensor]:
    """A layer, one step after the other under autograd."""

    def answer(x: Tensor) -> Tensor:
        outputs, state = [], None
        for x_t in x:
            out, state = neuron.single_step(x_t, state)
            outputs.append(out)
        return torch.stack(outputs)

    return answer


def copy_bandwidth(n: int, device: str, repeats: int) -> float:
    """Bytes a second, read and written, of a copy of `n` numbers."""
    source = torch.empty(n, dtype=torch.float32, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / seconds_of(lambda: target.copy_(source), device, repeats)


def scan_speed(device: str, small: bool) -> list[list[str]]:
    """Time, share of the bandwidth that a copy reaches, and ratios to DSN's time."""
    n_steps, batch, channels, repeats = (512, 2, 16, 2) if small else (16384, 16, 128, 5)
    decay, x = inputs(n_steps, (batch, channels), device, torch.float32)
    bandwidth = copy_bandwidth(1 << (20 if small else 28), device, repeats)
    forward = seconds_of(lambda: linear_recurrence(decay.detach(), x.detach()), device, repeats)
    both = seconds_of(both_ways(lambda x: linear_recurrence(decay, x), x, [decay]), device, repeats)
    rows = [["what", "ms", "of a copy's bandwidth", "time / DSN's"]]
    share = [3 * x.nbytes / forward / bandwidth, 9 * x.nbytes / both / bandwidth]
    layers: dict[str, torch.nn.Module] = {"DSN": DSN(channels), "LIF, compiled loop": LIF()}
    layers["PSN"] = PSN(n_steps)
    taken = {}
    for name, layer in layers.items():
        layer.to(device)
        taken[name] = seconds_of(both_ways(layer, x, layer.parameters()), device, repeats)
    lif, dsn = layers["LIF, compiled loop"], layers["DSN"]
    taken["LIF, step by step"] = seconds_of(both_ways(step_loop(lif), x, lif.parameters()), device, 1)
    if device == "cuda":
        with decay_in_torch():
            call = both_ways(dsn, x, dsn.parameters())
            taken["DSN, decay in torch operations"] = seconds_of(call, device, repeats)
    taken |= spikingjelly_times(x, device, repeats)
    rows.append(
        ["recurrence, forward", f"{1e3 * forward:.3g}", f"{share[0]:.0%}", f"{forward / taken['DSN']:.2f}"]
    )
    rows.append(["recurrence, both", f"{1e3 * both:.3g}", f"{share[1]:.0%}", f"{both / taken['DSN']:.2f}"])
    rows += [[name, f"{1e3 * t:.3g}", "", f"{t / taken['DSN']:.2f}"] for name, t in taken.items()]
    rows.append([f"T = {n_steps}, {batch} x {channels} lanes", "", f"{bandwidth / 1e9:,.0f} GB/s", ""])
    return rows


def recurrent_speed(device: str, small: bool) -> list[list[str]]:
    """Forward and backward of `RecurrentLIF`, whose steps no scan replaces: as it is, compiled, as a CUDA graph."""
    n_steps, batch, units, repeats = (8, 2, 16, 2) if small else (100, 128, 256, 10)
    x = torch.randn(n_steps, batch, units, device=device, requires_grad=True)
    forms: dict[str, Callable[[torch.nn.Module], torch.nn.Module]] = {"as it is": lambda layer: layer}
    if device == "cuda":
        forms["torch.compile"] = torch.compile
        forms["CUDA graph"] = lambda layer: torch.cuda.make_graphed_callables(layer, (x,))
    rows, plain = [["RecurrentLIF", "ms", "time / as it is", "same spikes"]], None
    for name, build in forms.items():
        torch.manual_seed(0)
        layer = RecurrentLIF(units).to(device)
        parameters = list(layer.parameters())
        expected = layer(x).detach()
        try:
            form = build(layer)
            same = bool(torch.equal(form(x).detach(), expected))
            taken = seconds_of(both_ways(form, x, parameters), device, repeats)
        except (RuntimeError, TypeError) as error:  # of no use then, which is an answer too
            rows.append([f"{name}: {str(error).splitlines()[0]}", "", "", ""])
            continue
        plain = plain or taken
        rows.append([name, f"{1e3 * taken:.3g}", f"{taken / plain:.2f}", "yes" if same else "not all"])
    rows.append([f"T = {n_steps}, {batch} x {units} units", "", "", ""])
    return rows


def spikingjelly_times(x: Tensor, device: str, repeats: int) -> dict[str, float]:
    """SpikingJelly's LIF with the fastest of its backends that run here, where it is installed."""
    try:
        from spikingjelly.activation_based import neuron
    except ImportError:
        return {}
    taken = {}
    for backend in ("cupy", "triton", "torch"):
        try:
            layer = neuron.LIFNode(step_mode="m", backend=backend).to(device)

            def answer(x: Tensor, layer: torch.nn.Module = layer) -> Tensor:
                layer.reset()
                return layer(x)

            call = both_ways(answer, x, layer.parameters())
            taken[backend] = seconds_of(call, device, 1 if backend == "torch" else repeats)
        except Exception:
            continue
    if not taken:
        return {}
    fastest = min(taken, key=taken.__getitem__)
    return {f"SpikingJelly LIF ({fastest})": taken[fastest]}

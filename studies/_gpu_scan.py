"""The linear recurrence on a GPU: its error against float64, and its speed against bandwidth and other neurons."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

import torch
from torch import Tensor

from homeonet.gradient import (
    DSN,
    LIF,
    PSN,
    RecurrentLIF,
    SpikingNeuron,
    linear_recurrence,
    linear_recurrence_reference,
    scan_backend,
)


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


def dsn_errors(device: str, small: bool) -> list[list[str]]:
    """A DSN layer in float32 beside the same in float64 on the CPU: its last membrane, and its outputs.

    An output is another where a membrane lies within rounding of half a level.
    """
    n_steps, batch, channels = (300, 2, 5) if small else (16384, 4, 33)
    x = inputs(n_steps, (batch, channels), "cpu", torch.float64)[1].detach()
    rows = [["T", "lanes", "last membrane", "outputs that are equal", "as it must be"]]
    torch.manual_seed(0)
    reference = DSN(channels, longest_memory=100.0).double()
    layer = DSN(channels).to(device)
    layer.load_state_dict(reference.state_dict())
    with torch.no_grad():
        (expected, at_end), (found, state) = (
            reference.sequence(x, None),
            layer.sequence(x.float().to(device), None),
        )
    error = float((state.membrane.cpu() - at_end.membrane).abs().max() / at_end.membrane.abs().max())
    equal = float((found.cpu() == expected).double().mean())
    fine = "yes" if error < 2e-5 and equal > 0.999 else "NO"
    rows.append([str(n_steps), f"{batch}x{channels}", f"{error:.1e}", f"{equal:.2%}", fine])
    return rows


@contextmanager
def decay_in_torch() -> Iterator[None]:
    """DSN with its decay in torch operations and the scan alone as a kernel."""
    from homeonet.gradient import _dsn

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


def neuron_call(neuron: torch.nn.Module, x: Tensor) -> Callable[[], object]:
    """Forward and backward of a layer."""

    def call() -> None:
        out = neuron(x)
        (out[0] if isinstance(out, tuple) else out).sum().backward()

    return call


def step_loop(neuron: SpikingNeuron, x: Tensor) -> Callable[[], object]:
    """Forward and backward of a layer, one step after the other under autograd."""

    def call() -> None:
        outputs, state = [], None
        for x_t in x:
            out, state = neuron.single_step(x_t, state)
            outputs.append(out)
        torch.stack(outputs).sum().backward()

    return call


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
    both = seconds_of(lambda: linear_recurrence(decay, x).sum().backward(), device, repeats)
    rows = [["what", "ms", "of a copy's bandwidth", "time / DSN's"]]
    share = [3 * x.nbytes / forward / bandwidth, 9 * x.nbytes / both / bandwidth]
    layers: dict[str, torch.nn.Module] = {"DSN": DSN(channels), "LIF, compiled loop": LIF()}
    if n_steps <= 16384:
        layers["PSN"] = PSN(n_steps)
    current = x.detach().clone().requires_grad_()
    taken = {
        name: seconds_of(neuron_call(layer.to(device), current), device, repeats)
        for name, layer in layers.items()
    }
    taken["LIF, step by step"] = seconds_of(step_loop(layers["LIF, compiled loop"], current), device, 1)
    if device == "cuda":
        with decay_in_torch():
            call = neuron_call(layers["DSN"], current)
            taken["DSN, decay in torch operations"] = seconds_of(call, device, repeats)
    taken |= spikingjelly_times(channels, n_steps, current, device, repeats)
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
    rows, plain = [["RecurrentLIF", "ms", "time / as it is"]], 0.0
    for name, build in forms.items():
        try:
            taken = seconds_of(neuron_call(build(RecurrentLIF(units).to(device)), x), device, repeats)
        except (RuntimeError, TypeError) as error:  # of no use then, which is an answer too
            rows.append([f"{name}: {str(error).splitlines()[0]}", "", ""])
            continue
        plain = plain or taken
        rows.append([name, f"{1e3 * taken:.3g}", f"{taken / plain:.2f}"])
    rows.append([f"T = {n_steps}, {batch} x {units} units", "", ""])
    return rows


def spikingjelly_times(channels: int, n_steps: int, x: Tensor, device: str, repeats: int) -> dict[str, float]:
    """SpikingJelly's LIF with its fastest backend here, where it is installed."""
    try:
        from spikingjelly.activation_based import neuron
    except ImportError:
        return {}
    for backend in ("cupy", "triton", "torch"):
        try:
            layer = neuron.LIFNode(step_mode="m", backend=backend).to(device)

            def call(layer: torch.nn.Module = layer) -> None:
                layer.reset()
                layer(x).sum().backward()

            return {
                f"SpikingJelly LIF ({backend})": seconds_of(
                    call, device, 1 if backend == "torch" else repeats
                )
            }
        except Exception:
            continue
    return {}

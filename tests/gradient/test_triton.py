"""The GPU's kernel of the linear recurrence, in Triton's interpreter on a CPU: beside float64, and beside the others.

The interpreter must be asked for before Triton is imported, so each check is a process of its own.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest
import torch

from homeonet.gradient import linear_recurrence, scan_backend
from homeonet.gradient.kernels import _triton

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="Triton has no package for this platform"
)

_CHECK = """
import itertools
import torch
from homeonet.gradient import linear_recurrence_reference
from homeonet.gradient.kernels import _triton

{sizes}
for (n_steps, lanes), reverse, started in itertools.product({shapes}, (False, True), (False, True)):
    generator = torch.Generator().manual_seed(n_steps + lanes)
    decay, x = (torch.rand((n_steps, lanes), generator=generator).mul(2).sub(1) for _ in range(2))
    decay = decay.sign() * decay.abs() ** 0.2
    initial = torch.randn(lanes, generator=generator) if started else None
    out = torch.full_like(x, float("nan"))
    _triton.triton_scan(out, decay, x, initial, reverse=reverse)
    given = [t.double() if t is not None else None for t in (decay, x, initial)]
    if reverse:
        expected = linear_recurrence_reference(given[0].flip(0), given[1].flip(0), given[2]).flip(0)
    else:
        expected = linear_recurrence_reference(*given)
    error = float((out - expected).abs().max() / expected.abs().max())
    assert error < 3e-6, (n_steps, lanes, reverse, started, error)
    print("checked", n_steps, lanes, reverse, started)
"""


def interpreted(code: str) -> list[str]:
    """Run code under the interpreter; what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def test_one_stretch_a_lane_agrees_with_float64() -> None:
    shapes = [(1, 1), (5, 3), (65, 33)]
    assert len(interpreted(_CHECK.format(sizes="", shapes=shapes))) == 4 * len(shapes)


def test_stretches_side_by_side_agree_with_float64() -> None:
    """Tiles and stretches small enough for several of each, and for rests."""
    sizes = "_triton._TILE_STEPS, _triton._TILE_LANES, _triton._SHORTEST = 8, 4, 16"
    shapes = [(33, 5), (50, 3)]
    lines = interpreted(_CHECK.format(sizes=sizes, shapes=shapes))
    assert len(lines) == 4 * len(shapes)


def test_long_memory_does_not_underflow() -> None:
    """A cumulative product of these decays is zero in float32 after 150 steps."""
    lines = interpreted(
        "import torch\n"
        "from homeonet.gradient import linear_recurrence_reference as reference\n"
        "from homeonet.gradient.kernels._triton import triton_scan\n"
        "decay, x = torch.full((400, 1), 0.5), torch.ones(400, 1)\n"
        "out = torch.empty_like(x)\n"
        "triton_scan(out, decay, x, None)\n"
        "print(float((out - reference(decay.double(), x.double())).abs().max()) < 1e-6)\n"
    )
    assert lines == ["True"]


def test_neurons_with_a_reset_agree_with_the_compiled_kernel() -> None:
    """Outputs, membranes and gradients of LIF and TrLIF, with Triton's forward pass and with the CPU's kernels."""
    lines = interpreted(
        """
import itertools
import torch
from homeonet.gradient import LIF, TrLIF
from homeonet.gradient.kernels import _membrane

def results(neuron, x):
    given = x.clone().requires_grad_()
    neuron.zero_grad()
    out = neuron(given)
    (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
    return [out.detach(), given.grad, *(p.grad.clone() for p in neuron.parameters())]

x = torch.randn(7, 2, 9, generator=torch.Generator().manual_seed(0)) + 0.6
for kind, mode, mark in itertools.product((LIF, TrLIF), ("soft", "hard"), (False, True)):
    neuron = kind(reset_mode=mode, mp_init=mark)
    compiled = results(neuron, x)
    neuron.initial_membrane.zero_()
    taken, kernel = [], _membrane.triton_integrate
    _membrane.on_triton, _membrane.usable = (lambda *_: True), (lambda *_: False)
    _membrane.triton_integrate = lambda *given, **options: taken.append(1) or kernel(*given, **options)
    ours = results(neuron, x)
    _membrane.triton_integrate = kernel
    assert taken == [1]
    from homeonet.gradient.kernels import _native, _triton
    _membrane.on_triton, _membrane.usable = _triton.on_triton, _native.usable
    assert compiled[0].sum() > 5
    for a, b in zip(compiled, ours, strict=True):
        torch.testing.assert_close(a, b, rtol=2e-5, atol=1e-6)
    print("checked")
"""
    )
    assert lines == ["checked"] * 8


def test_hdlif_in_one_kernel_agrees_with_the_steps() -> None:
    """Outputs, states and gradients of HD-LIF at rest and on its way; and what is no number stays none."""
    lines = interpreted(
        """
import itertools
import torch
from homeonet.gradient import HDLIF
from homeonet.gradient.kernels import _native, _p2_reset, _triton

def results(neuron, x):
    given = x.clone().requires_grad_()
    neuron.zero_grad()
    _, before = neuron.sequence(x[:2], None)
    out, state = neuron.sequence(given[2:], before)
    (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
    return [out.detach(), given.grad, *(p.grad.clone() for p in neuron.parameters() if p.grad is not None)]

x = torch.randn(7, 2, 150, generator=torch.Generator().manual_seed(0)) + 0.6
for bits, online in itertools.product((None, 4), (False, True)):
    neuron = HDLIF(steps=7, spike_bits=bits)
    neuron.through_time = not online
    expected = results(neuron, x)
    taken, kernel = [], _triton.triton_charge
    _p2_reset.on_triton, _p2_reset.usable = (lambda *_: True), (lambda *_: False)
    _p2_reset.triton_charge = lambda *given: taken.append(1) or kernel(*given)
    ours = results(neuron, x)
    _p2_reset.on_triton, _p2_reset.usable, _p2_reset.triton_charge = _triton.on_triton, _native.usable, kernel
    assert taken == [1, 1] and expected[0].sum() > 5
    for a, b in zip(expected, ours, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
    print("checked")
membrane, after = torch.empty(2, 1), torch.empty(1)
none, ones = torch.tensor([[float("nan")], [1.0]]), torch.ones(2)
_triton.triton_charge(none, torch.zeros(1), ones, ones, membrane, after)
assert membrane.isnan().all() and after.isnan().all()
print("checked")
"""
    )
    assert lines == ["checked"] * 5


def test_dsn_in_one_kernel_agrees_with_the_compiled_one() -> None:
    """Outputs, states and gradients, in one stretch and in several; and decays and membranes as torch has them."""
    lines = interpreted(
        """
import itertools
import torch
from homeonet.gradient import DSN
from homeonet.gradient.kernels import _dynamic_decay, _native, _triton

def results(neuron, x):
    given = x.clone().requires_grad_()
    neuron.zero_grad()
    _, before = neuron.sequence(x.flip(0)[:5], None)  # goes on from a state that is not rest
    out, state = neuron.sequence(given, before)
    (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
    return [out.detach(), state.membrane.detach(), given.grad, *(p.grad.clone() for p in neuron.parameters())]

x = 2 * torch.randn(41, 2, 3, 2, generator=torch.Generator().manual_seed(0)) + 1
for kernel, levels, tau, small in itertools.product((1, 4), (1, 4), (0.25, 0.6), (False, True)):
    torch.manual_seed(kernel)
    neuron = DSN(3, kernel=kernel, levels=levels, tau=tau, surrogate="arctan")
    if small:  # a threshold per unit
        neuron.threshold_scale = torch.linspace(0.8, 1.2, 6).view(1, 3, 2)
    compiled = results(neuron, x)
    taken, fused = [], _triton.triton_dsn
    _dynamic_decay.on_triton, _dynamic_decay.usable = (lambda *_: True), (lambda *_: False)
    _dynamic_decay.triton_dsn = lambda *given, **options: taken.append(1) or fused(*given, **options)
    if small:
        _triton._TILE_STEPS, _triton._TILE_LANES, _triton._SHORTEST = 8, 4, 16
    ours = results(neuron, x)
    _triton._TILE_STEPS, _triton._TILE_LANES, _triton._SHORTEST = 64, 32, 256
    _dynamic_decay.on_triton, _dynamic_decay.usable = _triton.on_triton, _native.usable
    _dynamic_decay.triton_dsn = fused
    assert taken == [1, 1]
    assert 0 < compiled[0].mean() < levels
    for a, b in zip(compiled, ours, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    print("checked")
halves = torch.tensor([-1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 4.5, 9.0, float("nan")]).view(-1, 1, 1)
never = torch.full((1,), -80.0)  # no memory: the membrane is the input
found = _triton.triton_dsn(halves, torch.zeros(1, 1), torch.zeros(1, 1), never, torch.ones(1), power=4.0, levels=4)
torch.testing.assert_close(found[1], halves, rtol=0, atol=0, equal_nan=True)
torch.testing.assert_close(found[2], halves.round().clamp(0, 4), rtol=0, atol=0, equal_nan=True)
print("checked")
"""
    )
    assert lines == ["checked"] * 17


def test_all_kernels_compile_for_a_gpu() -> None:
    """To machine code, by the assembler that Triton brings: no GPU is needed for that."""
    code = """
import triton
from triton.backends.compiler import GPUTarget
from homeonet.gradient.kernels._triton_kernels import carry, charge, ends, integrate, states

sizes = dict.fromkeys(("n_steps", "n_lanes", "n_units", "stretch"), "i32")
of_neuron = ("decay", "x", "weight", "bias")
for kernel, arrays in ((ends, ("product", "state")), (states, ("threshold", "before", "out", "outputs"))):
    for constants in (
        {"REVERSE": True, "KERNEL": 0, "POWER": 1, "STEPS": 64, "LANES": 32},
        {"REVERSE": False, "KERNEL": 4, "POWER": 4.0, "STEPS": 64, "LANES": 32},
    ):
        if kernel is states:
            constants |= {"THRESHOLD": int(constants["KERNEL"] > 0), "LEVELS": 4}
        signature = {**dict.fromkeys((*of_neuron, *arrays), "*fp32"), **sizes, **dict.fromkeys(constants, "constexpr")}
        source = triton.compiler.ASTSource(fn=kernel, signature=signature, constexprs=constants)
        print(len(triton.compile(source, target=GPUTarget("cuda", 90, 32)).asm["cubin"]) > 1000)
arrays = ("x", "initial", "decay", "gain", "threshold", "membrane", "outputs", "after", "spiked")
constants = {"INITIAL": 1, "DECAY": 0, "GAIN": 0, "THRESHOLD": 0, "HARD": False, "SCALED": True, "MARK": True}
constants["LANES"] = 128
signature = {**dict.fromkeys(arrays, "*fp32"), "n_steps": "i32", "n_lanes": "i32"}
signature |= dict.fromkeys(constants, "constexpr")
source = triton.compiler.ASTSource(fn=integrate, signature=signature, constexprs=constants)
print(len(triton.compile(source, target=GPUTarget("cuda", 90, 32)).asm["cubin"]) > 1000)
for kernel, arrays, length in (
    (charge, ("x", "initial", "decay", "threshold", "membrane", "after"), "n_steps"),
    (carry, ("product", "state", "before"), "n_stretches"),
):
    signature = {**dict.fromkeys(arrays, "*fp32"), length: "i32", "n_lanes": "i32", "LANES": "constexpr"}
    source = triton.compiler.ASTSource(fn=kernel, signature=signature, constexprs={"LANES": 128})
    print(len(triton.compile(source, target=GPUTarget("cuda", 90, 32)).asm["cubin"]) > 1000)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["True"] * 7, done.stderr[-2000:]


def test_nothing_is_launched_for_no_lanes() -> None:
    """An empty batch, which the CPU's kernels take too."""
    lines = interpreted(
        "import torch\n"
        "from homeonet.gradient.kernels import _triton\n"
        "x, none = torch.empty(7, 0, 3), torch.empty(0, 3)\n"
        "_triton.triton_scan(x.clone(), x, x, none)\n"
        "_triton.triton_charge(x, none, torch.ones(7), torch.ones(7), x.clone(), none.clone())\n"
        "weight, bias, one = torch.zeros(2, 3), torch.zeros(3), torch.ones(1)\n"
        "given = torch.empty(8, 0, 3), none, weight, bias, one\n"
        "print([tuple(t.shape) for t in _triton.triton_dsn(*given, power=4.0, levels=1)] == [(7, 0, 3)] * 3)\n"
    )
    assert lines == ["True"]


def test_a_gpu_without_triton_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """No silent fallback there either."""

    class OnGPU:
        is_cuda, dtype = True, torch.float32

    _triton._warn_without_triton.cache_clear()
    monkeypatch.setattr(_triton, "triton_available", lambda: False)
    with pytest.warns(UserWarning, match="Triton was not found.*pip install triton"):
        assert not _triton.on_triton(OnGPU())
    monkeypatch.setattr(_triton, "triton_available", lambda: True)
    assert _triton.on_triton(OnGPU())


def test_what_is_asked_for_is_what_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No silent fallback: float32 on a GPU goes to Triton, and on a CPU to the compiled kernel."""
    from homeonet.gradient.kernels import _recurrence

    x = torch.rand(300, 4)
    assert scan_backend(x) == "cpp" and scan_backend(x.double()) == "torch"
    taken = []

    def fake(out, decay, x, initial, *, reverse=False) -> None:
        taken.append(reverse)
        out.copy_(x)

    monkeypatch.setattr(_recurrence, "triton_scan", fake)
    monkeypatch.setattr(_recurrence, "scan_backend", lambda *_: "triton")
    given = x.clone().requires_grad_()
    linear_recurrence(given, x).sum().backward()
    assert taken == [False, True]

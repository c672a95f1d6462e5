"""The parallel linear recurrence against its serial definition."""

from __future__ import annotations

import pytest
import torch

from homeonet.errors import InputError
from homeonet.gradient import linear_recurrence, linear_recurrence_reference
from homeonet.gradient.kernels import _native as native
from homeonet.gradient.kernels._recurrence import scan


@pytest.mark.parametrize("with_initial", [False, True])
@pytest.mark.parametrize("n_steps", [1, 2, 47, 48, 49, 50, 63, 64, 65, 257, 1000])
def test_equals_the_serial_form(n_steps: int, with_initial: bool) -> None:
    torch.manual_seed(n_steps)
    shape = (n_steps, 3, 5)
    decay = (torch.rand(shape, dtype=torch.float64) * 2 - 1).requires_grad_()
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    initial = torch.randn(3, 5, dtype=torch.float64, requires_grad=True) if with_initial else None
    weight = torch.randn(shape, dtype=torch.float64)
    inputs = [decay, x] + ([initial] if with_initial else [])
    expected = linear_recurrence_reference(decay, x, initial)
    for precision in (torch.float64, torch.float32):  # torch operations, compiled kernel
        tolerance = 1e-12 if precision == torch.float64 else 1e-5
        cast = [t.detach().to(precision).requires_grad_() for t in inputs]
        found = linear_recurrence(*cast)
        torch.testing.assert_close(found.double(), expected, rtol=tolerance, atol=tolerance)
        wanted = torch.autograd.grad((expected * weight).sum(), inputs, retain_graph=True)
        grads = torch.autograd.grad((found * weight.to(precision)).sum(), cast)
        for a, b in zip(grads, wanted, strict=True):
            torch.testing.assert_close(a.double(), b, rtol=10 * tolerance, atol=10 * tolerance)


def test_gradcheck() -> None:
    decay = torch.rand(60, 2, dtype=torch.float64, requires_grad=True)
    x = torch.randn(60, 2, dtype=torch.float64, requires_grad=True)
    initial = torch.randn(2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(linear_recurrence, (decay, x, initial))


@pytest.mark.parametrize("kernels", [True, False])
def test_stable_in_float32_over_32768_steps(kernels: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not kernels:
        monkeypatch.setattr(native, "kernels", lambda: None)
    torch.manual_seed(0)
    decay = torch.sigmoid(torch.randn(32768, 1, 4, dtype=torch.float64) * 3)  # its products underflow
    x = torch.randn(32768, 1, 4, dtype=torch.float64)
    weight = torch.randn(32768, 1, 4, dtype=torch.float64)
    inputs = [decay.requires_grad_(), x.requires_grad_()]
    expected = linear_recurrence(*inputs)
    wanted = torch.autograd.grad((expected * weight).sum(), inputs)
    single = [t.detach().float().requires_grad_() for t in inputs]
    found = linear_recurrence(*single)
    grads = torch.autograd.grad((found * weight.float()).sum(), single)
    for a, b in zip([found, *grads], [expected, *wanted], strict=True):
        assert (a.double() - b).detach().abs().max() < 1e-5 * b.detach().abs().max()


@pytest.mark.parametrize("low", ["x", "decay and x", "all"])
def test_half_precision_inputs_are_computed_in_float32(low: str) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(4, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x = layer(torch.randn(300, 2, 4)).detach()
    assert x.dtype == torch.bfloat16
    given = [torch.rand(300, 2, 3) * 0.02 + 0.98, x, torch.randn(2, 3)]  # sums that bfloat16 cannot add to
    if low != "x":
        given[0] = given[0].bfloat16()
    if low == "all":
        given[2] = given[2].bfloat16()
    weight = torch.randn(300, 2, 3).bfloat16().float()  # so that its own rounding does not count
    inputs = [t.clone().requires_grad_() for t in given]
    single = [t.float().clone().requires_grad_() for t in given]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = linear_recurrence(*inputs)
    expected = linear_recurrence_reference(*single)
    assert found.dtype == (torch.bfloat16 if low == "all" else torch.float32)
    (found * weight).sum().backward()
    (expected * weight).sum().backward()
    pairs = [(found, expected), *((a.grad, b.grad) for a, b in zip(inputs, single, strict=True))]
    for a, b in pairs:
        tolerance = 1e-5 if a.dtype == torch.float32 else 2**-8  # one rounding at the end
        assert float((a.float() - b).detach().abs().max()) <= tolerance * float(b.detach().abs().max())


def test_mixed_precisions_are_promoted() -> None:
    torch.manual_seed(0)
    single, double = torch.rand(60, 2), torch.rand(60, 2, dtype=torch.float64)
    initial = torch.rand(2, dtype=torch.float64)
    expected = linear_recurrence_reference(double, single.double(), initial)
    torch.testing.assert_close(linear_recurrence(double, single, initial), expected, rtol=0, atol=1e-12)
    found = linear_recurrence(single, single, initial)  # one of the three asks for double precision
    expected = linear_recurrence_reference(single.double(), single.double(), initial)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    found = scan(single, single, initial)
    torch.testing.assert_close(found, expected.float(), rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    ("decay", "x", "initial", "words"),
    [
        (torch.zeros(3, 2), torch.zeros(3, 2, device="meta"), None, "on cpu, meta"),
        (torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(2, device="meta"), "on cpu, cpu, meta"),
        (torch.zeros(3, 2, dtype=torch.int64), torch.zeros(3, 2, dtype=torch.int64), None, "floating point"),
        (torch.zeros(3, 2, dtype=torch.complex64), torch.zeros(3, 2), None, "floating point"),
        (torch.zeros(3, 2), torch.zeros(3, 4), None, r"\(3, 2\)"),
        (torch.zeros(0, 2), torch.zeros(0, 2), None, "at least one step"),
        (torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(3), r"a state has shape \(2,\)"),
    ],
)
def test_bad_input(decay, x, initial, words: str) -> None:
    with pytest.raises(InputError, match=words):
        linear_recurrence(decay, x, initial)

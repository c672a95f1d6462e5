"""The parallel linear recurrence against its serial definition."""

from __future__ import annotations

import pytest
import torch

from homeonet.errors import InputError
from homeonet.gradient import _native as native
from homeonet.gradient import linear_recurrence, linear_recurrence_reference


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


def test_usable_under_autocast() -> None:
    x = torch.randn(100, 2, 3, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = linear_recurrence(torch.full_like(x, 0.9), x)
    out.sum().backward()
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize(
    ("decay", "x", "initial", "words"),
    [
        (torch.zeros(3, 2), torch.zeros(3, 4), None, r"\(3, 2\)"),
        (torch.zeros(0, 2), torch.zeros(0, 2), None, "at least one step"),
        (torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(3), r"a state has shape \(2,\)"),
    ],
)
def test_bad_input(decay, x, initial, words: str) -> None:
    with pytest.raises(InputError, match=words):
        linear_recurrence(decay, x, initial)

"""Every neuron: a whole sequence, single steps and streamed pieces are one function, in outputs and gradients."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from homeonet.errors import InputError
from homeonet.gradient import (
    DSN,
    HDLIF,
    LIF,
    PSN,
    RecurrentLIF,
    SlidingPSN,
    SpikingNeuron,
    Triangle,
    TrLIF,
    streaming,
)
from homeonet.gradient.kernels import _native as native

LENGTHS = (1, 2, 63, 64, 65)
SURROGATES = ("rectangle", "triangle", "arctan", "sigmoid")


def make_all(surrogates: tuple[str, ...] = ("triangle",)) -> dict[str, SpikingNeuron]:
    neurons: dict[str, SpikingNeuron] = {
        "dsn": DSN(4),
        "dsn, one level": DSN(4, levels=1),
        "dsn, arctan, other tau": DSN(4, levels=1, surrogate="arctan", tau=0.5),
        "dsn, mixing": DSN(4, kernel=1, mixing=2),
        "dsn, serial": DSN(4, parallel=False),
        "sliding 1": SlidingPSN(1),
        "sliding 5": SlidingPSN(5),
        "sliding 32": SlidingPSN(32),
    }
    torch.nn.init.normal_(neurons["dsn, mixing"].up.weight)
    for mode, detached, surrogate in itertools.product(("soft", "hard"), (False, True), surrogates):
        common = {"reset_mode": mode, "detach_reset": detached, "surrogate": surrogate}
        neurons[f"lif {mode} {detached} {surrogate}"] = LIF(0.7, **common)
        for rule, channels in itertools.product(("trsg", "as", "rs"), (None, 4)):
            neurons[f"trlif {mode} {detached} {surrogate} {rule} {channels}"] = TrLIF(
                threshold_rule=rule, channels=channels, threshold=0.7, **common
            )
    return neurons


def run(neuron: SpikingNeuron, x: Tensor, how: str) -> Tensor:
    neuron.reset()
    if how == "sequence":
        return neuron(x)
    if how == "reference":
        return SpikingNeuron.sequence(neuron, x, None)[0]
    if how == "steps":
        out = torch.stack([neuron.step(x_t) for x_t in x])
        neuron.reset()
        return out
    with streaming(neuron):
        return torch.cat([neuron(piece) for piece in x.split(7)])


def gradients(neuron: SpikingNeuron, x: Tensor, how: str) -> tuple[Tensor, list[Tensor]]:
    out = run(neuron, x, how)
    weight = torch.randn(out.shape, generator=torch.Generator().manual_seed(1), dtype=out.dtype)
    inputs = [x, *(p for p in neuron.parameters() if p.requires_grad)]
    return out, list(torch.autograd.grad((out * weight).sum(), inputs))


@pytest.mark.parametrize("through_time", [True, False])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["torch operations", "kernels"])
@pytest.mark.parametrize("n_steps", LENGTHS)
def test_sequence_steps_and_pieces_are_equal(n_steps: int, dtype: torch.dtype, through_time: bool) -> None:
    torch.manual_seed(n_steps)
    tolerance = 1e-10 if dtype == torch.float64 else 3e-4
    for name, neuron in make_all(SURROGATES if n_steps == LENGTHS[-1] else ("triangle",)).items():
        neuron.to(dtype).eval()
        neuron.through_time = through_time
        if getattr(neuron, "mp_init", False):
            neuron.initial_membrane.fill_(0.3)
        x = (torch.randn(n_steps, 3, 4, 5, dtype=dtype) + 0.4).requires_grad_()
        expected, wanted = gradients(neuron, x, "steps")
        for how in ("sequence", "pieces", *(["reference"] if isinstance(neuron, DSN) else [])):
            out, found = gradients(neuron, x, how)
            assert torch.equal(out, expected), f"{name}, {how}"
            for a, b in zip(found, wanted, strict=True):
                assert float((a - b).abs().max()) <= tolerance * (1 + float(b.abs().max())), f"{name}, {how}"


def test_recurrent_lif_sequence_equals_steps() -> None:
    torch.manual_seed(0)
    neuron = RecurrentLIF(6, spread=1.5).double()
    x = (torch.randn(20, 3, 6, dtype=torch.float64) + 0.3).requires_grad_()
    (out, found), (expected, wanted) = gradients(neuron, x, "pieces"), gradients(neuron, x, "steps")
    assert torch.equal(out, expected)
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b)
    alone = LIF()(x.detach().float())
    assert not torch.equal(alone, out.float())  # the recurrence matters


def test_recurrent_lif_s_matrix_has_a_gradient_from_the_first_step_on() -> None:
    torch.manual_seed(0)
    neuron, x = RecurrentLIF(6), torch.randn(1, 3, 6) + 0.8
    out = neuron(x)
    out.sum().backward()
    assert torch.equal(out, LIF()(x)) and out.any()
    assert torch.equal(neuron.recurrent.weight.grad, torch.zeros(6, 6))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["torch operations", "kernels"])
def test_an_empty_batch_gives_an_empty_output(dtype: torch.dtype) -> None:
    for name, neuron in (make_all() | {"psn": PSN(5), "recurrent": RecurrentLIF(4)}).items():
        x = torch.zeros((5, 0, 4) if name == "recurrent" else (5, 0, 4, 2), dtype=dtype, requires_grad=True)
        for how in ("sequence",) if name == "psn" else ("sequence", "steps", "pieces"):
            out, found = gradients(neuron.to(dtype), x, how)
            assert out.shape == found[0].shape == x.shape and not any(g.any() for g in found[1:]), name


@pytest.mark.parametrize("threshold", [1e-6, 0.3, 1.0, 30.0, 800.0])
def test_trlif_starts_at_its_threshold(threshold: float) -> None:
    assert float(TrLIF(threshold=threshold).threshold.detach()) == pytest.approx(threshold, rel=1e-5)


FORKED = """
import os, sys
import torch
from homeonet.gradient import linear_recurrence
decay, x = torch.full((300, 4096), 0.5), torch.ones(300, 4096)
torch.set_num_threads(2)
expected = linear_recurrence(decay, x)
child = os.fork()
found = linear_recurrence(decay, x)
if child == 0:
    torch.set_num_threads(1)
    os._exit(not torch.equal(found, expected))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_kernels_run_in_a_forked_process() -> None:
    # torch's own threads do not survive a fork: it is left with one
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, "-c", FORKED], env=environment, start_new_session=True) as process:
        try:
            assert process.wait(timeout=60) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def test_kernels_were_used_in_float32() -> None:
    assert native.kernels() is not None
    assert native.usable(torch.zeros(1)) and not native.usable(torch.zeros(1, dtype=torch.float64))


def test_without_kernels_float32_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    x = (torch.randn(70, 3, 4, 5) + 0.4).requires_grad_()
    for neuron in (LIF(), TrLIF(channels=4), DSN(4), DSN(4, levels=1)):
        neuron.eval()
        out, found = gradients(neuron, x, "sequence")
        with monkeypatch.context() as patch:
            patch.setattr(native, "kernels", lambda: None)
            expected, wanted = gradients(neuron, x, "sequence")
        assert torch.equal(out, expected)
        for a, b in zip(found, wanted, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@dataclass(frozen=True)
class OwnSurrogate(Triangle):
    """A surrogate that the kernels do not know."""


@pytest.mark.parametrize("make", [LIF, TrLIF, lambda surrogate: DSN(4, levels=1, surrogate=surrogate)])
def test_surrogate_unknown_to_the_kernels(make) -> None:
    torch.manual_seed(0)
    x = (torch.randn(70, 3, 4, 5) + 0.4).requires_grad_()
    known, own = make(surrogate=Triangle(0.8)).eval(), make(surrogate=OwnSurrogate(0.8)).eval()
    own.load_state_dict(known.state_dict())
    (out, found), (expected, wanted) = gradients(own, x, "sequence"), gradients(known, x, "sequence")
    assert torch.equal(out, expected)
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("tau", [1.1, 2.0, 300.0])
def test_gradient_of_the_time_constant_by_the_kernels(tau: float) -> None:
    torch.manual_seed(0)
    neuron = TrLIF(tau, channels=3, threshold=0.3, mp_init=False)
    x = (torch.randn(500, 4, 3) + 0.6).requires_grad_()
    _, found = gradients(neuron, x, "sequence")
    _, wanted = gradients(neuron, x, "steps")
    for a, b in zip(found, wanted, strict=True):
        assert float((a - b).abs().max()) <= 1e-4 * float(b.abs().max())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["torch operations", "kernels"])
@pytest.mark.parametrize("make", [TrLIF, LIF, lambda **kw: DSN(4, **kw)])
def test_mp_init_learns_from_the_units_that_spiked(make, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    neuron = make(mp_init=True).to(dtype).train()
    x = torch.randn(6, 16, 4, 5, dtype=dtype)
    out, state = neuron.sequence(x, None)
    spiked = (out > 0).any(0)
    assert 0 < int(spiked.sum()) < spiked.numel()
    expected = 0.1 * neuron.membrane_of(state)[spiked].mean().detach()
    neuron(x)
    torch.testing.assert_close(neuron.initial_membrane, expected)


def test_kernels_share_lanes_among_threads_without_changing_anything() -> None:
    torch.manual_seed(0)
    x = (torch.randn(300, 16, 100) + 0.4).requires_grad_()
    neurons = (LIF(), TrLIF(), DSN(100))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = [gradients(n.eval(), x, "sequence") for n in neurons]
        torch.set_num_threads(3)
        shared = [gradients(n.eval(), x, "sequence") for n in neurons]
    finally:
        torch.set_num_threads(before)
    for (out_a, grads_a), (out_b, grads_b) in zip(alone, shared, strict=True):
        assert torch.equal(out_a, out_b)
        assert all(torch.equal(a, b) for a, b in zip(grads_a, grads_b, strict=True))


def test_no_state_leaks_between_batches() -> None:
    torch.manual_seed(0)
    x = torch.randn(10, 2, 4) + 0.5
    for neuron in make_all().values():
        if getattr(neuron, "channels", None) is None or isinstance(neuron, DSN):
            neuron.eval()
            first = neuron(x)
            neuron(3 * x)
            assert torch.equal(neuron(x), first)


def test_mp_init_constant_follows_its_formula_and_survives_saving() -> None:
    torch.manual_seed(0)
    neuron, x = TrLIF(), torch.rand(6, 5, 7) * 2
    u = torch.zeros(5, 7)
    spiked = torch.zeros(5, 7, dtype=torch.bool)
    for x_t in x:
        m = 0.5 * u + 0.5 * x_t
        s = m >= 1
        u, spiked = m - s.float(), spiked | s
    neuron(x)
    assert float(neuron.initial_membrane) == pytest.approx(0.1 * float(u[spiked].mean()), rel=1e-5)
    other = TrLIF()
    other.load_state_dict(neuron.state_dict())
    assert float(other.initial_membrane) == float(neuron.initial_membrane) != 0
    assert torch.equal(other.eval()(x), neuron.eval()(x))
    before = float(neuron.initial_membrane)
    neuron(x)  # evaluation does not learn
    assert float(neuron.initial_membrane) == before


def test_mp_init_brings_the_first_step_nearer_to_the_stationary_law() -> None:
    torch.manual_seed(0)
    x = torch.rand(40, 4000, 1) * 2.4
    neuron = TrLIF()
    for _ in range(60):
        neuron(x[:, torch.randperm(4000)])
    neuron.eval()

    def membranes(start: float, n_steps: int) -> np.ndarray:
        neuron.initial_membrane.fill_(start)
        with streaming(neuron):
            for x_t in x[:n_steps]:
                neuron(x_t[None])
            return neuron.membrane_of(neuron._state).detach().numpy().ravel()

    learnt = float(neuron.initial_membrane)
    edges = np.linspace(-0.5, 1.5, 41)
    stationary = np.histogram(membranes(learnt, 40), edges)[0] / 4000
    distance = {
        name: 0.5 * np.abs(np.histogram(membranes(start, 1), edges)[0] / 4000 - stationary).sum()
        for name, start in (("zero", 0.0), ("learnt", learnt))
    }
    assert distance["learnt"] < 0.8 * distance["zero"]


@pytest.mark.parametrize("neuron", [LIF(), TrLIF(), DSN(4), SlidingPSN(4)])
def test_saved_bytes_grow_linearly_with_time(neuron: SpikingNeuron) -> None:
    def saved(n_steps: int) -> int:
        total = 0

        def pack(tensor: Tensor) -> Tensor:
            nonlocal total
            total += tensor.numel() * tensor.element_size()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            neuron(torch.randn(n_steps, 8, 4, requires_grad=True))
        return total

    assert saved(4096) < 4.2 * saved(1024)


@pytest.mark.parametrize("neuron", [LIF(), TrLIF(), DSN(4), SlidingPSN(4), RecurrentLIF(4)])
def test_online_learning_needs_one_backward_a_step(neuron: SpikingNeuron) -> None:
    neuron.through_time = False
    x = torch.randn(5, 2, 4) + 0.5
    scale = torch.ones(4, requires_grad=True)
    with streaming(neuron):
        for x_t in x:
            neuron((x_t * scale)[None]).sum().backward()
    assert scale.grad is not None and torch.isfinite(scale.grad).all()


IN_PIECES = itertools.product(("lif", "trlif", "hdlif", "dsn", "sliding"), ("sequence", "steps", "pieces"))


@pytest.mark.parametrize(("kind", "how"), [("psn", "sequence"), ("recurrent", "sequence"), *IN_PIECES])
def test_mixed_precision_keeps_a_full_precision_membrane(kind: str, how: str) -> None:
    torch.manual_seed(0)
    neurons = {"lif": LIF(), "trlif": TrLIF(), "dsn": DSN(4), "psn": PSN(20)}
    neurons |= {"hdlif": HDLIF(steps=20), "sliding": SlidingPSN(4), "recurrent": RecurrentLIF(4)}
    neuron, layer = neurons[kind].eval(), torch.nn.Linear(5, 4)
    weight = torch.randn(20, 3, 4).bfloat16().float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x = (layer(torch.randn(20, 3, 5)) + 0.5).detach().requires_grad_()
        out = run(neuron, x, how)
    assert x.dtype == out.dtype == torch.bfloat16
    single = x.detach().float().requires_grad_()
    expected = run(neuron, single, how)
    assert torch.equal(out, expected.bfloat16())
    parameters = [p for p in neuron.parameters() if p.requires_grad]
    found = torch.autograd.grad((out * weight).sum(), [x, *parameters], allow_unused=True)
    wanted = torch.autograd.grad((expected * weight).sum(), [single, *parameters], allow_unused=True)
    coarse = kind == "recurrent"  # its matrix is multiplied in bfloat16, as any layer's
    assert coarse or torch.equal(found[0], wanted[0].bfloat16())
    for a, b in zip(found[not coarse :], wanted[not coarse :], strict=True):
        torch.testing.assert_close(a.float(), b, rtol=0.03 if coarse else 1e-6, atol=0.03 if coarse else 1e-5)


class TestBadInput:
    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (lambda: LIF(decay=1.5), "decay = 1.5"),
            (lambda: LIF(threshold=0.0), "threshold = 0.0"),
            (lambda: LIF(reset_mode="none"), "reset_mode = 'none'"),
            (lambda: LIF(surrogate="step"), "surrogate = 'step'"),
            (lambda: TrLIF(tau=1.0), "tau = 1.0"),
            (lambda: TrLIF(threshold=-1.0), "threshold = -1.0"),
            (lambda: TrLIF(threshold_rule="xx"), "threshold_rule = 'xx'"),
            (lambda: DSN(0), "channels = 0"),
            (lambda: DSN(4, tau=0), "tau = 0"),
            (lambda: DSN(4, levels=0), "levels = 0"),
            (lambda: DSN(4, longest_memory=1.0), "longest_memory = 1.0"),
            (lambda: PSN(0), "steps = 0"),
            (lambda: SlidingPSN(0), "kernel = 0"),
            (lambda: Triangle(0.0), "width = 0.0"),
        ],
    )
    def test_parameters(self, make, words: str) -> None:
        with pytest.raises(InputError, match=words.replace("(", r"\(")):
            make()

    @pytest.mark.parametrize(
        ("x", "words"),
        [
            (torch.zeros(5), "shape (5,)"),
            (torch.zeros(0, 2, 4), "at least one time step"),
            (torch.zeros(3, 2, 4, dtype=torch.int64), "int64"),
            (torch.full((3, 2, 4), float("nan")), "24 of 24 input values are not finite"),
        ],
    )
    def test_sequences(self, x: Tensor, words: str) -> None:
        for neuron in (LIF(), TrLIF(), DSN(4), SlidingPSN(2), PSN(3)):
            with pytest.raises(InputError) as error:
                neuron(x)
            assert words in str(error.value) and type(neuron).__name__ in str(error.value)

    def test_channels_that_do_not_fit(self) -> None:
        for neuron in (TrLIF(channels=5), DSN(5)):
            with pytest.raises(InputError, match="channels = 5"):
                neuron(torch.zeros(3, 2, 4))

    def test_psn_of_another_length_or_step_by_step(self) -> None:
        with pytest.raises(InputError, match="steps = 4"):
            PSN(4)(torch.zeros(3, 2, 4))
        with pytest.raises(InputError, match="sees the future"):
            PSN(4).step(torch.zeros(2, 4))
        with pytest.raises(InputError, match="sees the future"), streaming(PSN(4)) as neuron:
            neuron(torch.zeros(1, 2, 4))

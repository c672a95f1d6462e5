"""Membrane, synapses, refractoriness, threshold and floor of single neurons against closed forms and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

REST, RESET, THRESHOLD = -0.070, -0.080, -0.055
TAU_M, TAU_G = 0.030, 0.012


def unreachable_threshold(b) -> None:
    for population in ("exc", "inh"):
        b.arrays[f"{population}.v_threshold"][:] = 10.0


def psp_error(bench, dt: str, sign: float) -> float:
    """Largest distance of the membrane's answer to one decaying drive from its exact solution."""
    b = bench(simulation__dt=dt, exc__tau_g_exc="12 ms", exc__tau_g_inh="12 ms")
    unreachable_threshold(b)
    drive = 0.010
    b.arrays["exc.g_e" if sign > 0 else "exc.g_i"][:] = drive
    worst = 0.0
    for _ in range(10):
        b.run(round(0.005 / b.dt))
        t = b.step * b.dt
        factor = TAU_G / (TAU_M - TAU_G) * (math.exp(-t / TAU_M) - math.exp(-t / TAU_G))
        worst = max(worst, np.abs(b.arrays["exc.v"] - REST - sign * drive * factor).max())
    return worst


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_postsynaptic_potential_converges_to_the_exact_solution(bench, sign: float) -> None:
    """A decaying drive is held within a step, so the error is of first order in dt: it halves with dt."""
    errors = [psp_error(bench, dt, sign) for dt in ("1 ms", "0.5 ms", "0.25 ms")]
    peak = 0.010 * (TAU_G / TAU_M) ** (TAU_M / (TAU_M - TAU_G))
    assert errors[0] < 0.06 * peak
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize(
    ("preset", "keep"),
    [("massey2026", math.exp(-1e-3 / TAU_M)), ("massey2026_released", 1 - 1e-3 / TAU_M)],
)
@pytest.mark.parametrize("refractory", [0, 1, 5])
def test_every_interspike_interval_is_the_predicted_number_of_steps(
    bench, preset: str, keep: float, refractory: int
) -> None:
    """Refractory steps plus the first n with D - (D - v_reset) keep**n above threshold, n >= 1, exactly."""
    b = bench(preset, exc__refractory=f"{refractory} ms", exc__theta_plus="0 mV")
    b.silence_noise()
    b.silence_synapses()
    b.arrays["exc.tau_g_exc"][:] = 1e15
    drive = np.concatenate((np.linspace(0.0153, 0.3, 29), [100.0]))
    b.arrays["exc.g_e"][:] = drive
    unit, step = b.run(1500).spikes["exc"]
    for k, current in enumerate(drive):
        n, v = 0, RESET
        while v <= THRESHOLD:
            n, v = n + 1, REST + current - (REST + current - RESET) * keep ** (n + 1)
        intervals = np.diff(step[unit == k])
        assert len(intervals) >= 5
        assert set(intervals) == {refractory + n}
    assert set(np.diff(step[unit == 29])) == {refractory + 1}  # the shortest there can be


def test_the_membrane_stays_at_reset_while_refractory(bench) -> None:
    b = bench(exc__refractory="4 ms", exc__theta_plus="0 mV")
    b.silence_synapses()
    b.arrays["exc.tau_g_exc"][:] = 1e15
    b.arrays["exc.g_e"][:] = 100.0  # one step is enough to reach threshold
    b.fire("exc", slice(None))
    b.run(1)
    for _ in range(4):
        result = b.run(1)
        assert len(result.spikes["exc"][0]) == 0
        np.testing.assert_array_equal(b.arrays["exc.v"], RESET)
    assert len(b.run(1).spikes["exc"][0]) == 30


def conductance_solution(g_exc: float, g_inh: float, tau_exc: float, tau_inh: float, t: np.ndarray):
    """An adaptive Runge-Kutta solution of the conductance-based membrane; g relative to the leak at rest."""

    def slope(time: float, v: np.ndarray) -> np.ndarray:
        to_exc = g_exc * math.exp(-time / tau_exc) / (0.0 - REST)
        to_inh = g_inh * math.exp(-time / tau_inh) / (REST - -0.080)
        return (REST - v + to_exc * (0.0 - v) + to_inh * (-0.080 - v)) / TAU_M

    return solve_ivp(slope, (0, t[-1]), [REST], t_eval=t, rtol=1e-11, atol=1e-14).y[0]


def test_conductance_based_membrane_equals_a_runge_kutta_solution(bench) -> None:
    """Constant conductances: equal. Decaying ones: first order in dt, as for the current-based model."""
    n, pairs = 40, [(0.02, 0.0), (0.03, 0.01), (0.0, 0.05), (0.3, 0.02)]
    for tau_e, tau_i in ((1e15, 1e15), (0.005, 0.010)):
        errors = []
        for dt in ("1 ms", "0.5 ms"):
            b = bench(exc__synapse="conductance", simulation__dt=dt)
            unreachable_threshold(b)
            b.arrays["exc.tau_g_exc"][:], b.arrays["exc.tau_g_inh"][:] = tau_e, tau_i
            for k, (g_exc, g_inh) in enumerate(pairs):
                b.arrays["exc.g_e"][k], b.arrays["exc.g_i"][k] = g_exc, g_inh
            b.run(round(n * 1e-3 / b.dt))
            exact = [conductance_solution(*g, tau_e, tau_i, np.array([n * 1e-3]))[-1] for g in pairs]
            errors.append(np.abs(b.arrays["exc.v"][: len(pairs)] - exact).max())
        if tau_e > 1:
            assert max(errors) < 1e-10
        else:
            assert 1e-6 < errors[1] < errors[0] < 2e-3
            assert errors[0] / errors[1] == pytest.approx(2, rel=0.15)


def test_conductances_cannot_drive_beyond_their_reversal_potentials(bench) -> None:
    b = bench(exc__synapse="conductance", exc__v_floor="-200 mV")
    unreachable_threshold(b)
    for name in ("exc.tau_g_exc", "exc.tau_g_inh"):
        b.arrays[name][:] = 1e15
    b.arrays["exc.g_e"][:15], b.arrays["exc.g_i"][15:] = 1e3, 1e3
    b.run(50)
    assert np.all(b.arrays["exc.v"][:15] <= 0) and np.all(b.arrays["exc.v"][:15] > -1e-3)
    assert np.all(b.arrays["exc.v"][15:] >= -0.080) and np.all(b.arrays["exc.v"][15:] < -0.0799)


def test_each_spike_raises_the_threshold_which_decays(bench) -> None:
    b = bench(exc__theta_plus="4 mV", exc__tau_theta="0.05 s")
    b.silence_synapses()
    fired = {0: (0,), 1: (0, 3), 2: (5, 9, 10), 3: ()}
    for step in range(20):
        for unit, steps in fired.items():
            if step in steps:
                b.fire("exc", unit)
        b.run(1)
    for unit, steps in fired.items():
        # raised at the end of a step; decays over the steps that follow
        expected = sum(0.004 * math.exp(-(19 - s) * 1e-3 / 0.05) for s in steps)
        assert b.arrays["exc.theta"][unit] == pytest.approx(expected, rel=1e-10, abs=1e-15)


@pytest.mark.parametrize(("rise", "counts"), [(0.004, 0.004), (0.05, 0.010), (0.0, 0.0)])
def test_a_neuron_fires_just_above_its_raised_threshold_and_not_just_below(
    bench, rise: float, counts: float
) -> None:
    b = bench(exc__theta_max="10 mV")
    b.arrays["exc.tau_m"][:] = b.arrays["exc.tau_theta"][:] = 1e15  # nothing moves within the step
    b.arrays["exc.theta"][:] = rise
    b.arrays["exc.v"][0] = THRESHOLD + counts + 1e-9
    b.arrays["exc.v"][1] = THRESHOLD + counts - 1e-9
    assert b.run(1).spikes["exc"][0].tolist() == [0]


def test_thresholds_do_not_move_in_an_evaluation_that_freezes_them(bench) -> None:
    from homeonet.plastic import assemble

    b = bench(evaluation__freeze_threshold=True)
    b.arrays |= assemble(b.structure, [b.config], evaluation=True)
    theta = np.linspace(0, 0.02, 30)
    b.arrays["exc.theta"][:] = theta
    b.fire("exc", slice(0, 10))
    assert len(b.run(500).spikes["exc"][0]) >= 10
    np.testing.assert_allclose(b.arrays["exc.theta"], theta, rtol=1e-9, atol=0)


@pytest.mark.parametrize("preset", ["massey2026", "massey2026_released"])
def test_inhibition_stops_at_the_floor(bench, preset: str) -> None:
    b = bench(preset)
    b.silence_noise()
    b.arrays["exc.tau_g_inh"][:] = 1e15
    inhibition = np.linspace(0, 0.1, 30)  # without a floor the membrane would end at rest - inhibition
    b.arrays["exc.g_i"][:] = inhibition
    b.run(600)
    np.testing.assert_allclose(b.arrays["exc.v"], np.maximum(REST - inhibition, -0.100), atol=1e-9)
    assert np.count_nonzero(b.arrays["exc.v"] == -0.100) == np.count_nonzero(inhibition > 0.0301)

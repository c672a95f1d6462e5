"""Neurons, homeostasis and third factors written as text, against loops and against what is built in."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from homeonet import load_config
from homeonet.config import apply_overrides
from homeonet.plastic import Structure, Training
from tests.conftest import SMALL, Bench
from tests.support.gpu_runs import assert_same, small, trained
from tests.support.neurons import LIF
from tests.support.own_models import DT, EXAMPLES, example


@pytest.mark.parametrize("refractory", ["0 ms", "3 ms"])
def test_the_built_in_neuron_written_as_text_fires_the_same_spikes(refractory: str) -> None:
    """With Euler's method and no lower bound that the membrane would reach; noise in sleep included."""
    common = SMALL | {"exc.refractory": refractory, "input_exc.w_initial": 1.5, "sleep.ratio": 0.3}
    common |= {"sleep.interval": "0.5 s", "exc.v_floor": "-1000 mV", "guard.max_rate": "1001 Hz"}
    common |= {"exc.theta_plus": "3 mV"}
    ours = load_config("massey2026_released", common)
    theirs = apply_overrides(
        ours,
        {"population.exc": {"neuron": "mine", "n": 30}, "neuron.mine": LIF | {"refractory": refractory}},
    )
    images = np.random.default_rng(3).random((2, 36))
    (_, left), (_, right) = (trained([config], images, "cpp") for config in (ours, theirs))
    spikes = [[result.spikes["exc"] for result in results] for results in (left, right)]
    assert sum(len(units) for units, _ in spikes[0]) > 200
    for one, other in zip(*spikes, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_adaptive_exponential_neurons_follow_their_equations() -> None:
    """Brette & Gerstner's neuron with a constant drive, against a loop of Euler's steps."""
    b = example("neurons/adex", sleep__ratio=0.0)
    for pathway in ("input_exc", "exc_exc", "inh_exc"):
        b.arrays[f"exc.{pathway}_gain"][:] = 0.0
    b.arrays["exc.tau_e"][:] = 1e15
    drive = np.linspace(0.01, 0.06, b.structure.size("exc"))
    b.arrays["exc.g_e"][:] = drive
    unit, step = b.run(600).spikes["exc"]
    C, g_L, E_L, V_T, delta, tau_w, a, jump = 281e-12, 30e-9, -70.6e-3, -50.4e-3, 2e-3, 0.144, 4e-9, 0.0805e-9
    for k in (0, 9, 20, 29):
        v, w, hold, expected = E_L, 0.0, 0.0, []
        for t in range(600):
            ready = hold < 0.5
            slope = (E_L - v + delta * math.exp(min((v - V_T) / delta, 5)) + drive[k] - w / g_L) / (C / g_L)
            v, w, hold = v + DT * slope * ready, w + DT * (a * (v - E_L) - w) / tau_w, hold - 1
            if v > V_T + 5 * delta and hold < 0.5:
                expected.append(t)
                v, w, hold = E_L, w + jump, 2
        assert step[unit == k].tolist() == expected
    counts = np.bincount(unit, minlength=len(drive))
    assert counts[0] == 0 and counts[-1] > 10


def test_scaling_multiplies_all_weights_onto_a_neuron_by_what_its_rate_asks_for() -> None:
    b = example("homeostasis/synaptic_scaling", input_exc__rule="static", exc_exc__rule="static")
    b.silence_synapses()
    b.silence_noise()
    targets = b.connections["exc_exc"][1]
    before = b.arrays["exc_exc.w"].copy()
    b.run(500)
    b.fire("exc", slice(0, 10))
    b.run(499)
    np.testing.assert_array_equal(b.arrays["exc_exc.w"], before)
    b.run(2)
    # ten neurons have fired once, in step 500: their trace has decayed over 499 steps when the second ends
    rate = np.where(targets < 10, 0.1 * math.exp(-0.499 / 10), 0.0)
    expected = np.clip(before * (1 + 0.01 * (10 - rate) / 10), 0.01, 25)
    np.testing.assert_allclose(b.arrays["exc_exc.w"], expected, rtol=1e-12)


def test_the_sum_of_weights_onto_each_neuron_is_conserved() -> None:
    b = example("homeostasis/heterosynaptic", input_exc__w_initial=0.5, input_exc__w_max=25.0)
    targets = b.connections["input_exc"][1]
    start = np.bincount(targets, b.arrays["input_exc.w"])
    b.arrays["input_exc.w"] *= np.random.default_rng(1).uniform(0.5, 2, len(targets))
    changed = np.bincount(targets, b.arrays["input_exc.w"])
    ratios = b.arrays["input_exc.w"].copy()
    b.run(99)
    np.testing.assert_allclose(np.bincount(targets, b.arrays["input_exc.w"]), changed)
    b.run(1)
    np.testing.assert_allclose(np.bincount(targets, b.arrays["input_exc.w"]), start, rtol=1e-12)
    np.testing.assert_allclose(b.arrays["input_exc.w"] / ratios, (start / changed)[targets], rtol=1e-12)


def test_thresholds_follow_each_neuron_s_own_rate() -> None:
    b = example("homeostasis/intrinsic", sleep__ratio=0.0)
    b.silence_synapses()
    b.silence_noise()
    rate, theta = np.zeros(30), np.zeros(30)
    for t in range(300):
        spikes = np.zeros(30)
        if t % 20 == 5:
            b.fire("exc", slice(0, 5))
            spikes[:5] = 1
        b.run(1)
        theta *= math.exp(-DT / 1e5)
        rate *= math.exp(-DT / 5)
        if (t + 1) % 100 == 0:
            theta += 0.02e-3 * (rate - 10) / 10
        rate += 0.2 * spikes
    np.testing.assert_allclose(b.arrays["exc.theta"], theta, rtol=1e-9)
    assert theta[0] > theta[10]


def test_a_reward_turns_eligibility_into_a_change() -> None:
    rewards = [0.0, 2.0, -1.0]
    common = {"sleep.ratio": 0.0, "input.presentation": "0.1 s", "signal.reward": {"values": rewards}}
    b = example(
        "rules/reward_modulated",
        exc_exc__w_initial=1.0,
        **{k.replace(".", "__"): v for k, v in common.items()},
    )
    b.silence_synapses()
    b.silence_noise()
    b.stimulus = np.hstack([b.stimulus, np.zeros((len(b.stimulus), 1))])
    b.stimulus[:3, -1] = rewards
    synapse = 7
    pre, post = (ends[synapse] for ends in b.connections["exc_exc"])
    eligibility, w, x, y = 0.0, b.arrays["exc_exc.w"][synapse], 0.0, 0.0
    events = {10: pre, 15: post, 130: post, 137: pre, 210: pre, 214: post}
    for t in range(300):
        if t in events:
            b.fire("exc", events[t])
        b.run(1)
        x, y = x * math.exp(-DT / 0.02), y * math.exp(-DT / 0.02)
        if events.get(t) == pre:
            eligibility -= 1.05 * y
        if events.get(t) == post:
            eligibility += x
        if (t + 1) % 50 == 0:
            w += 0.01 * rewards[t // 100] * eligibility
            eligibility *= 0.95
        x, y = x + (events.get(t) == pre), y + (events.get(t) == post)
        assert b.arrays["exc_exc.w"][synapse] == pytest.approx(w, rel=1e-12), t
    assert w != 1.0


def test_a_rule_may_act_at_the_end_of_images_and_read_sleep() -> None:
    rule = {
        "state": {"seen": 0.0},
        "third_factors": ["asleep"],
        "every": "10 ms",
        "on_every": "seen = seen + 1 - asleep",
        "on_image_end": "w += eta*seen\nseen = 0",
    }
    common = {"input.presentation": "0.1 s", "exc_exc.rule": "count", "rule.count": rule, "exc_exc.eta": 1.0}
    b = Bench([load_config("massey2026", SMALL | common | {"sleep.ratio": 0.3, "exc_exc.w_initial": 1.0})])
    b.silence_noise()
    b.run(99)
    np.testing.assert_array_equal(b.arrays["exc_exc.w"], 1.0)
    b.run(1)
    np.testing.assert_array_equal(b.arrays["exc_exc.w"], 11.0)
    b.fall_asleep(50)
    b.run(50)
    np.testing.assert_array_equal(b.arrays["exc_exc.rule_count_of_seen"], 0.0)
    b.arrays["controller.interval_steps"][:] = 1e15
    b.run(100)
    np.testing.assert_array_equal(b.arrays["exc_exc.w"], 21.0)


def test_every_engine_and_several_replicas_give_the_same_bits() -> None:
    own = {
        "population.exc": {"neuron": "mine", "n": 30},
        "neuron.mine": LIF | {"kept": ["rise"], "method": "exponential_euler"},
        "rule.own": {
            "pre_traces": {"x": "20 ms"},
            "state": {"eligibility": 0.0},
            "third_factors": ["reward", "asleep"],
            "on_pre": "eligibility += 1 - asleep",
            "on_post": "w += eta*x*(1 + reward)",
            "every": "20 ms",
            "on_every": "w -= 0.001*eligibility\neligibility *= 0.5",
            "on_image_end": "w += 0.001",
        },
        "homeostasis.own": {
            "when": "always",
            "every": "50 ms",
            "traces": {"rate": "100 ms"},
            "parameters": {"speed": 0.01},
            "on_weights": "w *= (1 - speed*rate)*total_start/clip(total, 0.1, inf)",
            "populations": ["inh"],
            "on_neurons": "theta += speed*mV*rate",
        },
        "controller.own": {
            "falls": "awake_for > 0.2",
            "wakes": "asleep_for > 0.1",
            "state": {"n": 0.0},
            "each_step": "n += asleep*rate_exc + rate_inh",
        },
        "sleep.trigger": "own",
        "exc_exc.rule": "own",
        "population.background": {"neuron": "poisson", "shows": "nothing", "n": 12, "mean_rate": "30 Hz"},
        "population.again": {"neuron": "poisson", "shows": "images", "mean_rate": "50 Hz"},
        "pathway.background_exc": {"like": "input_exc", "source": "background"},
        "pathway.again_inh": {"like": "input_exc", "source": "again", "target": "inh"},
        "pathway.inh_inh": {"like": "inh_exc", "target": "inh", "rule": "stdp", "plastic_asleep": False},
    }
    signals = [{"signal.reward": {"values": values}} for values in ([0, 1, 0, 2], [3, 0, 1, 1])]
    configs = [
        apply_overrides(small(seed=seed), own | signal) for seed, signal in zip((1, 2), signals, strict=True)
    ]
    images = np.random.default_rng(1).random((4, 36))
    ours = trained(configs, images, "cpp", 0.35)
    for device in ("brian2", "emulated"):
        assert_same(trained(configs, images, device, 0.35), ours)
    alone = trained(configs[1:], images, "cpp", 100.0)[0].finished[0]
    both = ours[0].finished[1]
    for pathway, weights in both.weights.items():
        np.testing.assert_array_equal(weights, alone.weights[pathway])
    np.testing.assert_array_equal(both.kept["exc.rise"], alone.kept["exc.rise"])
    assert both.kept["exc.rise"].max() > 0 and "exc" not in both.thresholds
    assert np.ptp(alone.weights["exc_exc"]) > 0.01


def test_names_of_populations_and_pathways_are_free() -> None:
    """The preset's network under other names, with its synapses listed: the same spikes."""
    still = {"noise.sigma": "0 mV", "input_exc.w_initial": 1.5, "sleep.ratio": 0.2, "sleep.interval": "0.4 s"}
    ours = load_config("massey2026", SMALL | still | {"guard.max_rate": "1001 Hz"})
    images = np.random.default_rng(5).random((2, 36))
    first, left = trained([ours], images, "cpp")
    names = {"exc": "pyramidal", "inh": "basket", "input": "input"}
    tables = ours.to_dict()
    tables["population"] = {names[name]: found for name, found in tables["population"].items()}
    for name, found in tables["pathway"].items():
        sources, targets = first.connections[name]
        found |= {"source": names[found["source"]], "target": names[found["target"]]}
        found |= {"sources": sources.tolist(), "targets": targets.tolist(), "avoid_reciprocal": False}
    tables["pathway"] = {f"from_{k}": found for k, found in enumerate(tables["pathway"].values())}
    theirs = type(ours).model_validate(tables)
    _, right = trained([theirs], images, "cpp")
    assert sum(len(result.spikes["exc"][0]) for result in left) > 200
    for one, other in zip(left, right, strict=True):
        for old, new in (("exc", "pyramidal"), ("inh", "basket")):
            np.testing.assert_array_equal(one.spikes[old], other.spikes[new])


def test_inputs_beside_the_images_fire_at_their_rates_and_pause_asleep() -> None:
    common = {
        "population.background": {"neuron": "poisson", "shows": "nothing", "n": 100, "mean_rate": "20 Hz"},
        "population.again": {"neuron": "poisson", "shows": "images", "mean_rate": "40 Hz"},
        "population.relay": {
            "like": "exc",
            "n": 100,
            "v_threshold": "-69.5 mV",
            "theta_plus": "0 mV",
            "tau_m": "1 ms",
        },
        "population.relay2": {"like": "relay", "n": 36},
        "pathway.background_relay": {
            "like": "input_exc",
            "source": "background",
            "target": "relay",
            "rule": "static",
        },
        "pathway.again_relay2": {"like": "background_relay", "source": "again", "target": "relay2"},
    }
    config = load_config("massey2026", SMALL | common | {"noise.sigma": "0 mV"})
    for name, n in (("background_relay", 100), ("again_relay2", 36)):
        config = config.replace(
            **{
                f"{name}__sources": list(range(n)),
                f"{name}__targets": list(range(n)),
                f"{name}__w_initial": 20.0,
            }
        )
    for relay in ("relay", "relay2"):  # a spike in, a spike out: no time constant is longer than a step
        config = config.replace(**{f"{relay}__tau_g_exc": "0.05 ms", f"{relay}__v_reset": "-70 mV"})
    images = np.tile(np.linspace(0, 2, 36), (40, 1))
    training = Training([config], images, "cpp")
    spikes = np.zeros(36)
    total = 0
    while not training.done:
        result = training.advance().result
        total += len(result.spikes["relay"][0])
        spikes += np.bincount(result.spikes["relay2"][0], minlength=36)
    seconds = training.step * training.dt
    # a unit fires at the most once in a step, and a relay with it
    for count, rate in ((total, 100 * 20), (spikes.sum(), 36 * 40)):
        assert count == pytest.approx(rate * seconds, abs=4 * math.sqrt(rate * seconds))
    assert np.corrcoef(spikes, images[0])[0, 1] > 0.95


def test_a_configuration_holds_every_mechanism_whole(tmp_path: Path) -> None:
    files = [
        path for path in sorted(EXAMPLES.rglob("*.toml")) if "[grid]" not in path.read_text(encoding="utf-8")
    ]
    assert len(files) >= 11
    for path in files:
        config = load_config(path)
        (tmp_path / "config.toml").write_text(config.to_toml(), encoding="utf-8")
        again = load_config(tmp_path / "config.toml")
        assert again == config and again.run_id == config.run_id, path
        assert Structure.from_json(Structure.of(config).to_json()) == Structure.of(config), path

"""Neurons, homeostasis, controllers and third factors written as text, against loops and against what is built in."""

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

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DT = 1e-3


def example(name: str, **overrides: object) -> Bench:
    dotted = {key.replace("__", "."): value for key, value in overrides.items()}
    sizes = {key: value for key, value in SMALL.items() if key != "sleep.ratio"}
    return Bench([load_config(EXAMPLES / f"{name}.toml", sizes | dotted)])


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


def test_the_built_in_controller_written_as_text_sleeps_the_same() -> None:
    text = {"falls": "awake_for > 0.9995", "wakes": "asleep_for > 0.2995 or W <= 0.5*W_start"}
    ours = small("massey2026", **{"sleep.trigger": "interval", "sleep.alpha_base": 0.5})
    theirs = apply_overrides(ours, {"sleep.trigger": "clock", "controller.clock": text})
    images = np.random.default_rng(2).random((30, 36))
    (a, left), (b, right) = (trained([config], images, "cpp") for config in (ours, theirs))
    assert a.step == b.step > a.total_wake_steps * 1.1
    for one, other in zip(left, right, strict=True):
        for population in ("exc", "inh"):
            np.testing.assert_array_equal(one.spikes[population], other.spikes[population])


def test_pressure_rises_awake_and_falls_asleep() -> None:
    b = example("controllers/two_process", sleep__renormalisation="none")
    b.silence_noise()
    pressure, asleep, awake_for, slept = 0.0, 0, 0, 0
    for _ in range(60):
        for _ in range(1000):
            pressure += DT * ((1 - asleep) * (1 - pressure) / 40 - asleep * pressure / 8)
            falls = (not asleep) and pressure > 0.7 and awake_for * DT > 1
            wakes = asleep and pressure < 0.2
            asleep = int((asleep or falls) and not wakes)
            awake_for = 0 if asleep else awake_for + 1
            slept += asleep
    b.run(60_000)
    assert b.step - b.arrays["controller.wake_step"][0] == pytest.approx(slept, abs=1)
    assert b.arrays["controller.own_pressure"][0] == pytest.approx(pressure, abs=1e-3) and slept > 5000
    never = example("controllers/two_process", sleep__ratio=0.0)
    never.run(60_000)
    assert never.arrays["controller.wake_step"][0] == 60_000


def test_a_controller_reads_the_mean_rate_of_a_population_in_the_last_100_ms() -> None:
    """Segments of 37 steps, so that ticks of the slow clock fall anywhere in them."""
    text = {"falls": "rate_exc > 13", "wakes": "asleep_for > 0.0805"}
    text |= {"state": {"sum": 0.0}, "each_step": "sum += rate_inh"}
    sizes = {key: value for key, value in SMALL.items() if key != "sleep.ratio"}
    b = Bench([load_config("massey2026", sizes | {"controller.busy": text, "sleep.trigger": "busy"})])
    b.silence_noise()
    b.silence_synapses()
    rng, neurons = np.random.default_rng(4), {"exc": 30, "inh": 10}
    spikes = {name: np.zeros(2000) for name in neurons}
    left: dict[str, list[float]] = {name: [] for name in neurons}
    for _ in range(40):
        for name, size in neurons.items():
            b.fire(name, rng.permutation(size)[: rng.integers(size + 1)])
        found = b.run(37).spikes
        for name in neurons:
            np.add.at(spikes[name], found[name][1], 1)
            left[name].append(b.arrays[f"totals.rate_{name}"][0])
    seen = {}  # in each step: the last tick before it has counted the 100 steps before itself
    for name, size in neurons.items():
        windows = np.concatenate([[0.0], spikes[name].reshape(-1, 100).sum(1) / (size * 0.1)])
        seen[name] = windows[np.maximum(np.arange(2000) - 1, 0) // 100]
        np.testing.assert_allclose(left[name], seen[name][37 * np.arange(1, 41)], rtol=1e-12)
    asleep = steps_asleep = awake = 0
    for step in range(b.step):
        falls = not asleep and seen["exc"][step] > 13
        wakes = asleep and steps_asleep * DT > 0.0805
        asleep = int((asleep or falls) and not wakes)
        steps_asleep = (0 if falls else steps_asleep) + 1 if asleep else 0
        awake += 1 - asleep
    assert b.arrays["controller.wake_step"][0] == awake and 0.2 * b.step < awake < 0.8 * b.step
    assert b.arrays["controller.own_sum"][0] == pytest.approx(seen["inh"][: b.step].sum(), rel=1e-9)


def test_a_controller_reads_the_total_weight_of_each_pathway_watched_or_not() -> None:
    """Beside the built-in controller that watches this pathway alone, and the sum of what it left behind."""
    pathways = ("input_exc", "exc_exc", "exc_inh", "inh_exc")
    watched = {one: {f"{name}.watched": name == one for name in pathways} for one in pathways}
    both = {"sleep.alpha_trigger": 1.001, "sleep.alpha_base": 1.0005, "sleep.shortest_wake": "1 ms"}
    ours = small("massey2026", **{"sleep.trigger": "threshold", **watched["exc_exc"], **both})
    text = {
        "falls": "W_exc_exc > 1.001*W_start_exc_exc and awake_for > 0.0005",
        "wakes": f"W_exc_exc <= 1.0005*W_start_exc_exc or asleep_for > {ours.sleep.ratio * ours.sleep.interval - 5e-4}",
        "state": {"seen": 0.0, "start": 0.0},
        "each_step": "seen = W_exc_exc\nstart = W_start_exc_exc",
    }
    theirs = small("massey2026", **{"controller.own": text, "sleep.trigger": "own", **watched["input_exc"]})
    images = np.random.default_rng(2).random((30, 36))
    (a, left), (b, right) = (trained([config], images, "cpp") for config in (ours, theirs))
    assert a.step == b.step > a.total_wake_steps
    for one, other in zip(left, right, strict=True):
        for population in ("exc", "inh"):
            np.testing.assert_array_equal(one.spikes[population], other.spikes[population])
    start = Bench([theirs]).arrays["exc_exc.w"].sum()
    assert b.arrays["controller.own_start"][0] == pytest.approx(start, rel=1e-9)
    assert b.arrays["controller.own_seen"][0] == pytest.approx(b.arrays["exc_exc.w"].sum(), rel=0.05)


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

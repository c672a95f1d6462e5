"""Learning rules written as text: against closed forms and loops over spikes, and the same bits on every engine."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from homeonet import InputError, load_config
from homeonet.config import apply_overrides
from homeonet.plastic import Structure
from tests.conftest import NEVER, SMALL, Bench
from tests.support.gpu_runs import assert_same, small, trained

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "rules"
DT = 1e-3


def bench_of(example: str, pathway: str = "exc_exc", **overrides: object) -> Bench:
    dotted = {name.replace("__", "."): value for name, value in overrides.items()}
    b = Bench([load_config(EXAMPLES / f"{example}.toml", SMALL | {f"{pathway}.rule": example} | dotted)])
    b.silence_synapses()
    b.silence_noise()
    return b


def play(b: Bench, pre: int, post: int, events: dict[int, str], n_steps: int) -> None:
    """Let two excitatory neurons spike at the given steps: "pre", "post" or "both"."""
    edges = [*sorted(events), n_steps]
    b.run(edges[0]) if edges[0] else None
    for begin, end in itertools.pairwise(edges):
        for name, unit in (("pre", pre), ("post", post)):
            if events[begin] in (name, "both"):
                b.fire("exc", unit)
        b.run(end - begin)


def trains(seed: int) -> dict[int, str]:
    rng = np.random.default_rng(seed)
    steps = np.sort(rng.choice(np.arange(1, 250), 24, replace=False))
    return dict(zip(steps.tolist(), rng.choice(["pre", "post", "both"], 24).tolist(), strict=True))


def sums_before(events: dict[int, str], side: str, tau: float, step: int) -> float:
    """A trace that rises by one, just before the spikes of a step: the sum over all earlier spikes."""
    spikes = [s for s, what in events.items() if what in (side, "both") and s < step]
    return sum(math.exp(-(step - s) * DT / tau) for s in spikes)


@pytest.mark.parametrize("seed", [1, 2])
def test_triplets_are_those_of_pfister_and_gerstner(seed: int) -> None:
    """Eq. 2-4 of the paper, all-to-all: r1 and o1 with o2 from before the spike, summed over every pair of spikes."""
    b = bench_of(
        "triplet", exc_exc__eta=0.7, exc_exc__w_initial=0.3, exc_exc__w_spread=0.0, exc__refractory="0 ms"
    )
    parameters = b.config.rule["triplet"].parameters
    synapse = 11
    pre, post = (ends[synapse] for ends in b.connections["exc_exc"])
    expected, events = b.arrays["exc_exc.w"][synapse], trains(seed)
    for step, what in sorted(events.items()):
        if what in ("pre", "both"):
            expected -= 0.7 * parameters["a2_minus"] * sums_before(events, "post", 0.0337, step)
        if what in ("post", "both"):
            r1, o2 = sums_before(events, "pre", 0.0168, step), sums_before(events, "post", 0.040, step)
            expected += 0.7 * parameters["a3_plus"] * r1 * o2
    play(b, pre, post, events, 260)
    assert abs(expected - 0.3) > 1e-4
    np.testing.assert_allclose(b.arrays["exc_exc.w"][synapse], expected, rtol=0, atol=1e-12)


def test_weight_dependent_depression_has_van_rossum_s_fixed_point() -> None:
    """c_p = c_d w at equilibrium, wherever the weight begins; and one pair of each order by hand."""
    b = bench_of("weight_dependent", exc_exc__eta=0.01)
    p = b.config.rule["weight_dependent"].parameters
    synapse = 5
    pre, post = (ends[synapse] for ends in b.connections["exc_exc"])
    w = b.arrays["exc_exc.w"][synapse]
    play(b, pre, post, {1: "pre", 8: "post", 40: "pre"}, 50)
    x_after, y_after = math.exp(-7 * DT / 0.020), math.exp(-32 * DT / 0.020)
    w += 0.01 * p["c_p"] * x_after
    w -= 0.01 * p["c_d"] * w * y_after
    np.testing.assert_allclose(b.arrays["exc_exc.w"][synapse], w, rtol=0, atol=1e-12)
    drift = [p["c_p"] - p["c_d"] * level for level in (0.0, p["c_p"] / p["c_d"], 10.0)]
    assert drift[0] > 0 > drift[2] and drift[1] == 0


def test_bcm_changes_sign_at_its_sliding_threshold() -> None:
    """A change of eta y (y - theta): both traces and the threshold by a loop, at every presynaptic spike."""
    b = bench_of("bcm", exc_exc__eta=0.02)
    p = b.config.rule["bcm"].parameters
    synapse = 3
    pre, post = (ends[synapse] for ends in b.connections["exc_exc"])
    events, w = trains(3), b.arrays["exc_exc.w"][synapse]
    y = theta = 0.0
    signs = set()
    for step in range(251):
        what = events.get(step, "")
        if what in ("pre", "both"):
            signs.add(np.sign(y * (y - theta)))
            w = min(max(w + 0.02 * y * (y - theta), 0.01), 25.0)
        rise_y, rise_theta = (1.0, p["slope"] * y) if what in ("post", "both") else (0.0, 0.0)
        y, theta = (y + rise_y) * math.exp(-DT / 0.050), (theta + rise_theta) * math.exp(-DT / 2.0)
    play(b, pre, post, events, 251)
    assert {-1.0, 1.0} <= signs
    np.testing.assert_allclose(b.arrays["exc_exc.w"][synapse], w, rtol=0, atol=1e-10)


def test_a_nearest_trace_is_set_and_not_raised() -> None:
    rule = {
        "pre_traces": {"x": {"tau": "20 ms", "rise": 2, "pairing": "nearest"}},
        "on_post": "w = w + eta*x",
    }
    config = apply_overrides(load_config("massey2026", SMALL), {"exc_exc.rule": "near", "rule.near": rule})
    b = Bench([config])
    b.silence_synapses()
    pre, post = (ends[0] for ends in b.connections["exc_exc"])
    before = b.arrays["exc_exc.w"][0]
    play(b, pre, post, {1: "pre", 3: "pre", 9: "post"}, 12)
    change = b.arrays["exc_exc.w"][0] - before
    np.testing.assert_allclose(change, 8e-4 * 2 * math.exp(-6 * DT / 0.020), rtol=1e-10)


def test_with_rules_off_asleep_no_statement_changes_a_weight() -> None:
    """Whether the text has a learning rate or not: the gate takes the whole change."""
    for plastic, expected in ((False, 0.0), (True, 0.125)):
        config = apply_overrides(
            load_config("massey2026", SMALL | {"sleep.plastic": plastic, "sleep.renormalisation": "none"}),
            {"exc_exc.rule": "step", "rule.step": {"on_pre": "d = 0.125\nw += d"}},
        )
        b = Bench([config])
        b.silence_synapses()
        b.silence_noise()
        synapse = 4
        pre = b.connections["exc_exc"][0][synapse]
        before = b.arrays["exc_exc.w"][synapse]
        b.fall_asleep()
        b.run(3)
        b.fire("exc", pre)
        b.run(3)
        np.testing.assert_allclose(b.arrays["exc_exc.w"][synapse] - before, expected, atol=1e-15)
        b.arrays["controller.steps_asleep"][:] = 1e16  # wakes, and stays awake
        b.arrays["controller.interval_steps"][:] = NEVER
        b.run(2)
        b.fire("exc", pre)
        b.run(2)
        np.testing.assert_allclose(b.arrays["exc_exc.w"][synapse] - before, expected + 0.125, atol=1e-15)


def test_every_engine_gives_the_same_bits_and_values_compile_nothing(tmp_path: Path) -> None:
    rule = {
        "pre_traces": {"r1": "16.8 ms"},
        "post_traces": {"o1": "33.7 ms", "o2": {"tau": "40 ms", "rise": "1 + 0.1*o1"}},
        "parameters": {"a2": 3e-3, "a3": 6.2e-3},
        "on_pre": "w -= eta*a2*o1",
        "on_post": "change = a3*r1*o2\nw += eta*change",
    }
    names = {"input_exc.rule": "own", "exc_exc.rule": "own", "input_exc.eta": 0.5}
    configs = [apply_overrides(small(seed=seed), names | {"rule.own": rule}) for seed in (1, 2)]
    images = np.random.default_rng(1).random((4, 36))
    ours = trained(configs, images, "cpp", 0.35)
    for device in ("brian2", "emulated"):
        assert_same(trained(configs, images, device, 0.35), ours)
    alone = trained(configs[1:], images, "cpp", 0.35)[0].finished[0].weights
    for pathway, weights in ours[0].finished[1].weights.items():
        np.testing.assert_array_equal(weights, alone[pathway])
    assert np.ptp(alone["input_exc"]) > 0.01
    other = apply_overrides(configs[0], {"rule.own.parameters.a3": 0.1})
    assert Structure.of(other) == Structure.of(configs[0]) and other.run_id != configs[0].run_id


def test_a_configuration_holds_the_whole_rule(tmp_path: Path) -> None:
    config = load_config(EXAMPLES / "triplet.toml")
    (tmp_path / "config.toml").write_text(config.to_toml())
    assert load_config(tmp_path / "config.toml") == config
    assert "Pfister" in config.to_toml() and "rule" not in load_config("massey2026").to_dict()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"on_pre": "w -= eta*y"}, r"on_pre, line 1: y is not defined; .*known are|on_pre.*did you mean"),
        ({"on_pre": "w -= eta*o1\nw += r"}, "on_pre, line 2: r is not defined"),
        ({"on_pre": "import os"}, "on_pre, line 1: 'import os' is not a statement"),
        ({"on_pre": "w = __import__('os')"}, "cannot be called"),
        ({"on_pre": "w = r1.real"}, "not a statement of Brian2's"),
        ({"on_pre": "w -= "}, "on_pre, line 1: 'w -=' is not an equation"),
        ({"on_pre": "r1 = 3"}, "r1 cannot be assigned to; w may be changed"),
        ({"on_pre": "g_e_post = 3"}, "g_e_post must not end in _pre or _post"),
        ({"on_pre": "w_max = 3"}, "w_max cannot be assigned to"),
        ({"on_pre": "", "on_post": ""}, "it does nothing"),
        ({"pre_traces": {"r1": "16.8"}}, "has no unit"),
        ({"pre_traces": {"r1": "3 mV"}}, "wrong dimension"),
        ({"pre_traces": {"w": "3 ms"}}, "w is a reserved name"),
        ({"pre_traces": {"r 1": "3 ms"}}, "is no name"),
        ({"pre_traces": {"o1": "3 ms"}}, "o1 is defined twice"),
        (
            {"pre_traces": {"r1": {"tau": "3 ms", "rise": "o1"}}},
            r"pre_traces\.r1\.rise, line 1: o1 is not defined",
        ),
        ({"parameters": {"a": float("inf")}}, "finite"),
        ({"parameters": {"a": "3 mV"}}, "valid number"),
        ({"color": "red"}, "color is not a parameter"),
    ],
)
def test_what_is_no_rule_is_one_line(changes: dict, words: str) -> None:
    rule = {
        "pre_traces": {"r1": "16.8 ms"},
        "post_traces": {"o1": "33.7 ms"},
        "on_pre": "w -= eta*o1",
    } | changes
    with pytest.raises(InputError, match=words) as caught:
        apply_overrides(load_config("massey2026"), {"rule.mine": rule})
    assert str(caught.value).startswith("rule.mine") and "\n" not in str(caught.value)


def test_names_of_rules() -> None:
    config, rule = load_config("massey2026"), {"on_pre": "w -= eta"}
    with pytest.raises(
        InputError, match=r"exc_exc\.rule = 'mine' is not known; choose one of static, .*\[rule\.mine\]"
    ):
        apply_overrides(config, {"exc_exc.rule": "mine"})
    with pytest.raises(InputError, match=r"rule\.stdp is built in"):
        apply_overrides(config, {"rule.stdp": rule})
    with pytest.raises(InputError, match="is no name"):
        apply_overrides(config, {"rule.My Rule": rule})

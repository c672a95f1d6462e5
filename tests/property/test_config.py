"""Configurations: read back what they write, name what is wrong, and hold the published constants."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeonet import InputError, load_config, preset_names
from homeonet.config import Config, apply_overrides
from homeonet.config._units import format_quantity, parse_quantity

BASE = load_config("massey2026")


def leaves(config: Config) -> dict[str, Any]:
    return {
        f"{section}.{key}": value
        for section, table in config.to_dict().items()
        if isinstance(table, dict)
        for key, value in table.items()
    }


def is_quantity(value: Any) -> bool:
    return isinstance(value, str) and value.split()[-1] in ("mV", "ms", "s", "Hz")


@pytest.mark.parametrize("name", preset_names())
def test_toml_round_trip_keeps_configuration_and_identity(name: str, tmp_path) -> None:
    config = load_config(name, {"sleep.ratio": 0.123456789, "noise.sigma": "1.2345 mV", "seed": 42})
    path = tmp_path / "config.toml"
    path.write_text(config.to_toml())
    again = load_config(path)
    assert again == config and again.run_id == config.run_id
    assert again.run_id != load_config(name).run_id


@given(st.floats(1e-6, 1e6), st.sampled_from(["mV", "ms", "s", "Hz"]))
def test_quantities_survive_text(value: float, unit: str) -> None:
    si = parse_quantity(f"{value!r} {unit}", unit)
    assert parse_quantity(format_quantity(si, unit), unit) == si


@settings(max_examples=30)
@given(st.floats(0, 0.999), st.integers(0, 2**31 - 1), st.floats(0.01, 50))
def test_overrides_as_text_equal_typed_ones(ratio: float, seed: int, sigma: float) -> None:
    typed = apply_overrides(BASE, {"sleep.ratio": ratio, "seed": seed, "noise.sigma": f"{sigma!r} mV"})
    text = apply_overrides(
        BASE, {"sleep.ratio": repr(ratio), "seed": str(seed), "noise.sigma": f"{sigma!r}mV"}
    )
    assert typed == text


def test_a_configuration_does_not_change_and_equal_ones_have_one_hash() -> None:
    own = {
        "every": "100 ms",
        "on_weights": "w *= shrink",
        "pathways": ["exc_exc"],
        "parameters": {"shrink": 0.9},
    }
    listed = {"population": "exc", "variables": ["spikes"], "neurons": [3, 1]}
    config = load_config("massey2026", {"homeostasis.mine": own, "record.mine": listed})
    own_parameters = config.homeostasis["mine"].parameters
    for table in (config.population, config.pathway, config.homeostasis, own_parameters):
        for change in (
            "table.clear()",
            "table.update(new=1)",
            "table['new'] = 1",
            "del table[next(iter(table))]",
        ):
            with pytest.raises(TypeError, match="does not change"):
                exec(change, {"table": table})
    assert config.homeostasis["mine"].pathways == ("exc_exc",) and config.record["mine"].neurons == (3, 1)
    again = Config.model_validate(config.to_dict())
    assert {config, again, pickle.loads(pickle.dumps(config)), copy.deepcopy(config)} == {config}
    assert config not in {BASE}


def test_units_of_one_dimension_are_equal() -> None:
    sigma = [
        apply_overrides(BASE, {"noise.sigma": text})
        for text in ("3 mV", "0.003 V", "3000 uV", "3000 microvolt")
    ]
    assert len({config.run_id for config in sigma}) == 1 and sigma[0].noise.sigma == 0.003


@pytest.mark.parametrize("name", [name for name, value in leaves(BASE).items() if is_quantity(value)])
def test_every_quantity_refuses_another_dimension_and_a_bare_number(name: str) -> None:
    wrong = "3 s" if leaves(BASE)[name].endswith(("mV", "Hz")) else "3 mV"
    for value, why in (
        (wrong, "wrong dimension"),
        (3, "has no unit"),
        ("3", "has no unit"),
        ("three mV", "unit"),
    ):
        with pytest.raises(InputError, match=why) as caught:
            apply_overrides(BASE, {name: value})
        assert name in str(caught.value)


@pytest.mark.parametrize(
    "name", [name for name, value in leaves(BASE).items() if isinstance(value, (int, float))]
)
def test_every_number_has_a_bound(name: str) -> None:
    boolean = isinstance(leaves(BASE)[name], bool)
    bad: list[Any] = ["perhaps"] if boolean else [-1.0, float("nan"), "x"]
    for value in bad:
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            apply_overrides(BASE, {name: value})


def test_unknown_names_suggest_the_right_one() -> None:
    with pytest.raises(InputError, match=r"did you mean .*sleep\.ratio"):
        apply_overrides(BASE, {"sleep.ration": 0.1})
    with pytest.raises(InputError, match="not a parameter"):
        apply_overrides(BASE, {"sleep": 0.1})


def test_massey2026_holds_the_constants_of_the_paper() -> None:
    c = BASE
    assert (c.input.side**2, c.exc.n, c.inh.n) == (225, 200, 50)
    assert (c.exc_exc.density, c.inh_exc.density) == (0.15, 0.25)
    assert (c.noise.sigma, c.sleep.decay) == (0.003, 0.9997)
    assert (c.input_exc.rule, c.exc_exc.rule, c.inh_exc.rule) == ("stdp", "stdp", "istdp")
    assert c.sleep.trigger == "either" and c.sleep.renormalisation == "power_law" and c.sleep.plastic


def test_massey2026_released_holds_the_constants_of_the_code() -> None:
    c = load_config("massey2026_released")
    assert (c.simulation.dt, c.simulation.method) == (1e-3, "euler")
    for p in (c.exc, c.inh):
        assert (p.tau_m, p.tau_g_exc, p.tau_g_inh, p.refractory) == (0.030, 0.030, 0.030, 0.0)
        assert (p.e_leak, p.v_reset, p.v_threshold, p.v_floor) == (-0.070, -0.080, -0.055, -0.100)
        assert (p.tau_theta, p.v_threshold + p.theta_max) == (0.1, 0.0)
        # there the threshold decays before it rises, here it decays in the next step too
        assert p.theta_plus * (1 - c.simulation.dt / p.tau_theta) == pytest.approx(0.003, rel=1e-12)
    paths = (c.input_exc, c.exc_exc, c.exc_inh, c.inh_exc)
    assert [p.density for p in paths] == [0.10, 0.15, 0.20, 0.25]
    assert [p.w_initial for p in paths] == [0.15, 0.30, 0.60, 0.50]
    assert [p.eta for p in paths] == [0.0008, 0.0008, 0.0008, 0.005]
    assert all((p.w_min, p.w_max, p.w_target) == (0.01, 25, 0.01) for p in paths)
    # R * 1 ms / tau_syn = 30 * 1/30: a weight of one raises the drive by one millivolt
    assert all(p.gain == 0.001 for p in paths)
    assert (c.stdp.tau_plus, c.stdp.tau_minus, c.stdp.pairing) == (0.010, 0.0075, "nearest")
    assert [p.rule for p in paths] == ["stdp_elapsed"] * 4
    assert c.inh_exc.avoid_reciprocal
    assert (c.sleep.interval, c.sleep.longest, c.sleep.decay, c.sleep.trigger) == (
        35,
        10,
        0.99997,
        "interval",
    )
    assert (c.noise.sigma, c.noise.during, c.input.mean_rate, c.input.presentation) == (
        0.002,
        "always",
        100,
        1,
    )
    assert c.sleep.alpha_base == 0 and not c.evaluation.noise


@pytest.mark.parametrize(
    "name", ["input.presentation", "evaluation.presentation", "sleep.every", "sleep.interval"]
)
def test_durations_below_a_time_step_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="time steps"):
        apply_overrides(BASE, {name: "1e-10 s"})


def test_reciprocal_pairs_need_one_pathway_back_to_be_avoided() -> None:
    for wanted in ({"exc_exc.avoid_reciprocal": True}, {"input_exc.avoid_reciprocal": True}):
        with pytest.raises(InputError, match=r"(exc|input)_exc\.avoid_reciprocal must be false"):
            apply_overrides(BASE, wanted)
    with pytest.raises(InputError, match=r"exc_inh\.avoid_reciprocal must be false"):
        apply_overrides(BASE, {"exc_inh.avoid_reciprocal": True, "inh_exc.avoid_reciprocal": True})


def test_full_recurrence_has_no_autapses() -> None:
    from homeonet.plastic import Structure, connect

    config = apply_overrides(BASE, {"exc_exc.density": 1.0, "exc.n": 20})
    sources, targets = connect(Structure.of(config), [config])["exc_exc"]
    assert len(sources) == 20 * 19 and (sources != targets).all()


def test_reciprocal_pairs_that_cannot_be_avoided_are_refused() -> None:
    from homeonet.plastic import Structure, connect

    avoiding = apply_overrides(BASE, {"inh_exc.avoid_reciprocal": True, "inh_exc.density": 0.6})
    pathways = connect(Structure.of(avoiding), [avoiding])
    back = set(zip(*(ends.tolist() for ends in pathways["exc_inh"]), strict=True))
    assert not back & set(zip(*(ends.tolist() for ends in pathways["inh_exc"][::-1]), strict=True))
    dense = apply_overrides(avoiding, {"inh_exc.density": 1.0})
    with pytest.raises(InputError, match=r"inh_exc\.density = 1 .*; lower .*avoid_reciprocal = false"):
        connect(Structure.of(dense), [dense])


def test_ahsar_that_is_off_changes_no_identity_and_is_off_where_a_file_has_no_such_section(tmp_path) -> None:
    from homeonet.plastic import Structure

    assert not any(load_config(name).ahsar.enabled for name in preset_names())
    moved = {"ahsar.strength": 0.2, "ahsar.target_rate": "7 Hz"}
    assert apply_overrides(BASE, moved).run_id == BASE.run_id
    on = apply_overrides(BASE, {"ahsar.enabled": True})
    assert len({BASE.run_id, on.run_id, apply_overrides(on, moved).run_id}) == 3
    assert Structure.of(on) != Structure.of(BASE)
    # every constant is data: none makes another program
    changed = {"target_rate": "7 Hz", "window": "0.5 s", "momentum": 0.5, "relaxation": 0.1, "strength": 0.2}
    changed |= {"span": 0.1, "diffusion": 0.0, "during": "always"}
    assert set(changed) == set(BASE.to_dict()["ahsar"]) - {"enabled"}
    other = apply_overrides(on, {f"ahsar.{name}": value for name, value in changed.items()})
    assert Structure.of(other) == Structure.of(on)
    # a complete file under a name of its own, as it was before there was AHSAR
    path = tmp_path / "own.toml"
    text = BASE.replace(preset="own").to_toml()
    start = text.index("[ahsar]")
    path.write_text(text[:start] + text[text.index("[", start + 1) :])
    assert load_config(path).to_dict() == BASE.to_dict() | {"preset": "own"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"ahsar.target_rate": "0 Hz"}, r"ahsar\.target_rate"),
        ({"ahsar.window": "50 ms"}, r"ahsar\.window"),
        ({"ahsar.window": "100.5 ms"}, r"ahsar\.window = 0\.1005 s is not a whole number of time steps"),
        ({"ahsar.momentum": 1.0}, r"ahsar\.momentum"),
        ({"ahsar.relaxation": 1.5}, r"ahsar\.relaxation"),
        ({"ahsar.span": 1.0}, r"ahsar\.span"),
        ({"ahsar.diffusion": 0.6}, r"ahsar\.diffusion"),
        ({"ahsar.during": "sleep"}, r"ahsar\.during"),
        (
            {"ahsar.enabled": True, "exc.v_reset": "-59 mV"},
            r"ahsar\.span = 0\.3 .*exc fall to -59\.5 mV.*lower",
        ),
        ({"ahsar.enabled": True, "inh.e_leak": "-50 mV"}, r"inh\.v_threshold .-55 mV. above inh\.e_leak"),
    ],
)
def test_ahsar_refuses_what_has_no_meaning(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        apply_overrides(BASE, overrides)


def test_the_released_rule_needs_the_nearest_spikes() -> None:
    with pytest.raises(InputError, match=r"set stdp\.pairing = 'nearest'"):
        load_config("massey2026", {"exc_exc.rule": "stdp_elapsed"})

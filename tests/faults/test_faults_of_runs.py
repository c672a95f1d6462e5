"""What happens when things break under a run: full disks, exploding networks, damaged files, no compiler."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from homeonet import InputError, load_config, run
from homeonet.errors import HomeonetError, RunawayError
from homeonet.plastic import SegmentResult, Structure, Training, cache_folder, program_for
from homeonet.plastic.engine._guard import OpenWindows, check_segment
from homeonet.plastic.program import _toolchain as toolchain
from homeonet.store import write_atomically, write_json

SMALL = {"input.side": 6, "exc.n": 30, "inh.n": 10, "input_exc.density": 0.4, "input_exc.w_initial": 1.0}


def images(n: int = 30) -> np.ndarray:
    return np.random.default_rng(0).random((n, 36))


def test_an_exploding_network_is_stopped_with_population_rate_and_time() -> None:
    config = load_config(
        "massey2026", SMALL | {"sleep.ratio": 0.0, "guard.max_rate": "20 Hz", "guard.window": "1 s"}
    )
    with pytest.raises(
        RunawayError,
        match=r"excitatory population of replica 0 fired at .* Hz over 1 s awake .* above max_rate",
    ):
        Training([config], images()).advance(20.0)


def test_a_silent_network_is_stopped() -> None:
    config = load_config(
        "massey2026", SMALL | {"sleep.ratio": 0.0, "guard.min_rate": "1 Hz", "guard.window": "1 s"}
    )
    with pytest.raises(RunawayError, match="below min_rate"):
        Training([config], 0 * images()).advance()


def stopped(training: Training, seconds: float) -> str:
    with pytest.raises(RunawayError) as caught:  # noqa: PT012 - some segments pass before
        while not training.done:
            training.advance(seconds)
    return str(caught.value)


@pytest.mark.parametrize("bound", ["max_rate", "min_rate"])
def test_the_guard_counts_across_segments_and_between_sleeps(bound: str) -> None:
    """Segments shorter than its window, with sleep in most of them, end where one long segment ends."""
    strong = {"guard.max_rate": "20 Hz"} if bound == "max_rate" else {"guard.min_rate": "1 Hz"}
    sleepy = {"sleep.interval": "0.9 s", "sleep.ratio": 0.5, "sleep.alpha_base": 0.0, "noise.sigma": "0 mV"}
    config = load_config("massey2026", SMALL | strong | sleepy | {"guard.window": "2 s"})
    shown = images() if bound == "max_rate" else 0 * images()
    long, short = (stopped(Training([config], shown), seconds) for seconds in (30.0, 0.37))
    assert long == short and "over 2 s awake" in long and bound in long


def synthetic(rate_asleep: float, rate_awake: float) -> SegmentResult:
    """Ten seconds of 30 + 10 neurons that are awake for 0.6 s and asleep for 0.4 s, in turns."""
    step = np.arange(10_000)
    asleep = (step - 1) % 1000 >= 600
    fires = {True: step % round(1000 / rate_asleep) == 0, False: step % round(1000 / rate_awake) == 0}
    spiking = np.flatnonzero(np.where(asleep, fires[True], fires[False]))
    samples = {"wake_step": np.cumsum(~asleep)[::200, None].astype(float)}
    spikes = {
        population: (np.tile(np.arange(n, dtype=np.int32), len(spiking)), np.repeat(spiking, n))
        for population, n in (("exc", 30), ("inh", 10))
    }
    return SegmentResult({}, spikes, step[::200], samples, len(step), 0.0)


def test_a_network_may_be_silent_asleep_but_not_explode() -> None:
    guard = {"guard.min_rate": "20 Hz", "guard.max_rate": "200 Hz", "guard.window": "1 s"}
    config = load_config("massey2026", SMALL | guard)
    structure = Structure.of(config)

    def judge(asleep: float, awake: float) -> OpenWindows:
        result, start = synthetic(asleep, awake), OpenWindows.at_start(structure)
        return check_segment(result, start, [config], structure, active=[0], end_step=result.n_steps)

    left = judge(asleep=2, awake=50)
    # 30 stretches of 0.2 s awake and 19 asleep; a window is five of them
    assert left.sample_step == 9800 and left.stretches.tolist() == [[0], [4]]
    with pytest.raises(RunawayError, match=r"250\.0 Hz over 1 s asleep up to .* above max_rate = 200 Hz"):
        judge(asleep=250, awake=50)
    with pytest.raises(RunawayError, match=r"10\.0 Hz over 1 s awake up to .* below min_rate = 20 Hz"):
        judge(asleep=100, awake=10)


def test_every_replica_has_its_own_guard() -> None:
    calm = load_config("massey2026", SMALL | {"sleep.ratio": 0.0, "guard.window": "1 s"})
    strict = calm.replace(seed=2, guard__max_rate="20 Hz")
    assert "of replica 1 fired" in stopped(Training([calm, strict], images()), 20.0)


def test_what_a_finished_replica_does_is_nobodys_concern() -> None:
    quick = load_config("massey2026", SMALL | {"sleep.ratio": 0.0, "input.presentation": "0.1 s"})
    slow = quick.replace(sleep__ratio=0.5, sleep__interval="1 s", sleep__alpha_base=0.0)
    training = Training([quick, slow], images())
    while not training.finished:
        training.advance()
    assert list(training.finished) == [0]
    training.arrays["exc.v"][:30] = np.nan
    while not training.done:
        training.advance()
    assert np.isfinite(training.finished[1].weights["exc_exc"]).all()


def test_a_value_that_is_not_a_number_is_seen() -> None:
    training = Training([load_config("massey2026", SMALL)], images())
    training.arrays["exc.v"][3] = np.nan
    with pytest.raises(RunawayError, match=r"exc\.v is not a number"):
        training.advance(1.0)


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(InputError, match=r"input\.side = 6"):
        Training([load_config("massey2026", SMALL)], np.zeros((3, 225)))


def test_replicas_of_another_structure_or_constant_are_refused() -> None:
    one = load_config("massey2026", SMALL)
    with pytest.raises(InputError, match="structure"):
        Training([one, one.replace(exc__n=31)], images())
    with pytest.raises(InputError, match="tau_m differs between replicas"):
        Training([one, one.replace(exc__tau_m="20 ms")], images())


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "metrics.json"

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(HomeonetError, match="no space left"):
        write_atomically(path, full)
    assert list(tmp_path.iterdir()) == []
    write_json(path, {"a": 1.0})
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HomeonetError, match="no space left"):
        write_json(path, {"a": 2.0})
    assert path.read_text() == '{\n "a": 1.0\n}\n'


def test_a_full_output_folder_keeps_the_run_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from homeonet.store import _folders

    config = load_config("massey2026", {"train": 40, "test": 20, "input.presentation": "0.1 s"})

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(_folders, "_sync", full)
        with pytest.raises(HomeonetError, match="no space left"):
            run(config, tmp_path / "r", figures=False, baselines=False)
    assert not (tmp_path / "r").exists()
    assert run(config, tmp_path / "r", figures=False, baselines=False).metrics["run_id"] == config.run_id


def test_no_parameter_recompiles_and_structure_does() -> None:
    """Every numeric constant is changed; none makes a new program, and all together run on the same one."""
    base = load_config("massey2026", SMALL)
    key = Structure.of(base).key
    structural = {"exc.n", "inh.n", "input.side"} | {
        f"{p}.density" for p in ("input_exc", "exc_exc", "exc_inh", "inh_exc")
    }
    overrides = {
        "simulation.dt": "0.5 ms", "input.mean_rate": "50 Hz", "input.presentation": "0.5 s", "exc.tau_m": "20 ms",
        "exc.e_leak": "-65 mV", "exc.v_threshold": "-50 mV", "exc.v_reset": "-70 mV", "exc.v_floor": "-90 mV",
        "exc.refractory": "2 ms", "exc.tau_g_exc": "5 ms", "exc.tau_g_inh": "6 ms", "exc.theta_plus": "1 mV",
        "exc.theta_max": "20 mV", "exc.tau_theta": "2 s", "inh.tau_m": "10 ms", "input_exc.w_initial": 0.3,
        "input_exc.w_spread": 0.5, "input_exc.w_max": 10.0, "input_exc.w_min": 0.02, "input_exc.w_target": 0.1,
        "input_exc.gain": "2 mV", "input_exc.eta": 0.001, "stdp.tau_plus": "15 ms", "stdp.tau_minus": "20 ms",
        "stdp.a_plus": 0.9, "stdp.a_minus": 1.1, "stdp.x_target": 0.4, "stdp.pairing": "nearest", "istdp.tau": "10 ms",
        "istdp.rho_target": "5 Hz", "noise.sigma": "1 mV", "noise.during": "always", "sleep.ratio": 0.3,
        "sleep.trigger": "threshold", "sleep.interval": "3 s", "sleep.longest": "2 s", "sleep.alpha_trigger": 2.0,
        "sleep.alpha_base": 1.2, "sleep.decay": 0.999, "sleep.every": "20 ms", "sleep.shortest_wake": "2 s", "seed": 5,
    }  # fmt: skip
    assert not structural & set(overrides)
    program_for(Structure.of(base))
    before = sorted(path.name for path in cache_folder().iterdir())
    for name, value in overrides.items():
        single = {name: value} if name != "exc.v_reset" else {name: value, "exc.v_threshold": "-50 mV"}
        assert (
            Structure.of(base.replace(**{k.replace(".", "__"): v for k, v in single.items()})).key == key
        ), name
    changed = base.replace(**{k.replace(".", "__"): v for k, v in overrides.items()})
    training = Training([changed], images(4))
    training.advance(1.0)
    assert training.engine.compile_seconds == 0
    assert sorted(path.name for path in cache_folder().iterdir()) == before
    for name, value in {
        "exc.n": 31,
        "exc_exc.density": 0.2,
        "exc_exc.rule": "static",
        "exc.synapse": "conductance",
    }.items():
        assert Structure.of(base.replace(**{name.replace(".", "__"): value})).key != key


def test_two_processes_may_build_the_same_program(tmp_path: Path) -> None:
    code = (
        "from homeonet import load_config; from homeonet.plastic import Structure, program_for;"
        f"print(program_for(Structure.of(load_config('massey2026', {SMALL | {'exc.n': 20}!r}))).folder)"
    )
    environment = {**os.environ, "HOMEONET_CACHE": str(tmp_path)}
    both = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    folders = {process.communicate()[0].strip() for process in both}
    assert all(process.returncode == 0 for process in both)
    assert len(folders) == 1
    assert [path.name for path in (tmp_path / "programs").iterdir()] == [Path(folders.pop()).name]


def test_what_the_compiler_rejects_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOMEONET_CACHE", str(tmp_path))
    monkeypatch.setattr(toolchain, "COMPILER_FLAGS", ("-this-flag-does-not-exist",))
    with pytest.raises(HomeonetError, match="could not compile"):
        program_for(Structure.of(load_config("massey2026", SMALL)))
    assert list((tmp_path / "programs").iterdir()) == []


def test_an_unwritable_cache_says_which_variable_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEONET_CACHE", "/proc/nowhere")
    with pytest.raises(InputError, match="HOMEONET_CACHE"):
        program_for(Structure.of(load_config("massey2026", SMALL)))

"""Recordings: what they hold, against the state that a run of single steps leaves; killed, continued, given to Neo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import homeonet
from homeonet import InputError, load_config
from homeonet.plastic import RECORDINGS, Recordings, Training
from tests.conftest import SMALL

RECORD = {
    "record.some": {
        "population": "exc",
        "variables": ["spikes", "v", "theta"],
        "neurons": [3, 7, 20],
        "every": "2 ms",
    },
    "record.window": {"population": "inh", "variables": ["spikes"], "start": "0.1 s", "stop": "0.3 s"},
    "record.learnt": {"pathway": "exc_exc", "every": "150 ms", "start": "0.1 s"},
}
CONFIG = load_config(
    "massey2026",
    SMALL
    | {"input_exc.w_initial": 3.0, "exc_inh.w_initial": 3.0, "sleep.ratio": 0.3, "sleep.interval": "0.2 s"}
    | {"input.presentation": "0.1 s", "guard.max_rate": "1001 Hz", "noise.sigma": "5 mV"}
    | RECORD,
)
IMAGES = np.random.default_rng(4).random((4, 36))


def recorded(folder: Path, seconds: float, *, stop_after: int | None = None) -> tuple[Training, Recordings]:
    """A training in segments of at most so many seconds, whole or up to a number of them."""
    training, recordings = Training([CONFIG], IMAGES, "cpp"), Recordings(CONFIG, folder)
    recordings.begin(training)
    while not training.done and stop_after != 0:
        segment = training.advance(recordings.seconds_to_go(training.step, seconds))
        recordings.add(training, segment)
        stop_after = stop_after and stop_after - 1
    return training, recordings


def test_recordings_hold_what_single_steps_leave(tmp_path: Path) -> None:
    import xarray as xr

    training, recordings = recorded(tmp_path / "columns", 50.0)
    recordings.write(tmp_path / RECORDINGS, training.connections)
    found = xr.load_dataset(tmp_path / RECORDINGS, engine="h5netcdf")
    plain = CONFIG.replace(**{name.replace(".", "__"): False for name in RECORD})
    steps = Training([plain], IMAGES, "cpp")
    state, spikes, weights = {}, [], {0: steps.arrays["exc_exc.w"]}
    while not steps.done:
        state[steps.step] = {name: steps.arrays[f"exc.{name}"][[3, 7, 20]] for name in ("v", "theta")}
        weights[steps.step] = steps.arrays["exc_exc.w"]
        result = steps.advance(CONFIG.simulation.dt).result
        spikes += [
            (steps.step - 1, population, unit)
            for population in ("exc", "inh")
            for unit in result.spikes[population][0]
        ]
    np.testing.assert_allclose(found["some_time"], np.arange(0, training.step, 2) * 1e-3)
    for k, time in enumerate(found["some_time"].values):
        for name in ("v", "theta"):
            np.testing.assert_array_equal(found[f"some_{name}"].values[k], state[round(time / 1e-3)][name])
    expected = [(t, unit) for t, population, unit in spikes if population == "exc" and unit in (3, 7, 20)]
    ours = zip(
        np.rint(found["some_spike_time"].values / 1e-3).astype(int),
        found["some_spike_unit"].values,
        strict=True,
    )
    assert list(ours) == expected and len(expected) > 10
    window = [(t, unit) for t, population, unit in spikes if population == "inh" and 100 <= t < 300]
    assert len(found["window_spike_time"]) == len(window) > 0
    # every 150 ms of simulated time, sleep included, from the first multiple in the window on
    due = [step for step in range(150, training.step + 1, 150)]
    np.testing.assert_allclose(found["learnt_time"].values, np.array(due) * 1e-3)
    for k, step in enumerate(due[:-1]):
        np.testing.assert_array_equal(found["learnt_w"].values[k], weights[step])
    assert found["some_v"].attrs["units"] == "V" and found["some_neuron"].values.tolist() == [3, 7, 20]
    np.testing.assert_array_equal(found["learnt_pre"], training.connections["exc_exc"][0])


def test_columns_do_not_depend_on_segments_and_are_cut_to_a_checkpoint(tmp_path: Path) -> None:
    _, whole = recorded(tmp_path / "whole", 50.0)
    training, half = recorded(tmp_path / "half", 0.07, stop_after=3)
    lengths, state = half.state(), training.state()
    half.add(training, training.advance(half.seconds_to_go(training.step, 0.03)))  # what a kill would lose
    training.restore(state)
    half.restore(lengths)
    while not training.done:
        half.add(training, training.advance(half.seconds_to_go(training.step, 50.0)))
    for column in sorted((tmp_path / "whole").iterdir()):
        assert column.read_bytes() == (tmp_path / "half" / column.name).read_bytes(), column.name
    assert whole.state().keys() == half.state().keys()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> homeonet.RunResult:
    config = load_config(
        "massey2026",
        SMALL
        | {"train": 60, "test": 20, "input.presentation": "0.1 s", "evaluation.presentation": "0.1 s"}
        | RECORD,
    )
    return homeonet.run(config, tmp_path_factory.mktemp("run") / "run", figures=False, baselines=False)


def test_a_run_s_folder_has_its_recordings_and_its_model(run: homeonet.RunResult) -> None:
    assert run.folder is not None and run.recordings is not None
    names = {path.name for path in run.folder.iterdir()}
    assert {RECORDINGS, "model.txt", "config.toml"} <= names and "recordings" not in names
    again = homeonet.load_run(run.folder)
    np.testing.assert_array_equal(again.recordings["some_v"], run.recordings["some_v"])
    assert "pathway exc_exc" in (run.folder / "model.txt").read_text(encoding="utf-8")
    in_memory = homeonet.run(run.config, figures=False, baselines=False)
    np.testing.assert_array_equal(in_memory.recordings["some_v"], run.recordings["some_v"])


def test_recordings_as_objects_of_neo(run: homeonet.RunResult) -> None:
    block = homeonet.to_neo(run)
    (segment,) = block.segments
    assert [signal.name for signal in segment.analogsignals] == ["exc v", "exc theta"]
    membranes = segment.analogsignals[0]
    np.testing.assert_array_equal(membranes.magnitude, run.recordings["some_v"].values)
    assert float(membranes.sampling_rate.rescale("Hz")) == pytest.approx(500)
    assert membranes.array_annotations["neuron"].tolist() == [3, 7, 20]
    trains = [train for train in segment.spiketrains if train.annotations["population"] == "exc"]
    assert [train.annotations["neuron"] for train in trains] == [3, 7, 20]
    for train in trains:
        mine = run.recordings["some_spike_unit"].values == train.annotations["neuron"]
        np.testing.assert_allclose(train.magnitude, run.recordings["some_spike_time"].values[mine])
    inhibitory = [train for train in segment.spiketrains if train.annotations["population"] == "inh"]
    assert (
        len(inhibitory) == 10 and float(inhibitory[0].t_start) == 0.1 and float(inhibitory[0].t_stop) == 0.3
    )


def test_neo_says_what_it_needs(run: homeonet.RunResult) -> None:
    without = homeonet.run(
        run.config.replace(**{name.replace(".", "__"): False for name in RECORD}),
        figures=False,
        baselines=False,
    )
    with pytest.raises(InputError, match=r"has recorded no neurons; add \[record.NAME\]"):
        homeonet.to_neo(without)


def test_state_is_recorded_on_a_cpu_alone() -> None:
    with pytest.raises(
        InputError, match=r"record\.some: device = 'emulated' records spikes and weights alone"
    ):
        Training([CONFIG], IMAGES, "emulated")
    runtime = Training([CONFIG], IMAGES, "runtime").advance(0.05).result.recorded["some"]
    ours = Training([CONFIG], IMAGES, "cpp").advance(0.05).result.recorded["some"]
    np.testing.assert_array_equal(runtime[0], ours[0])
    np.testing.assert_allclose(runtime[1]["v"], ours[1]["v"], rtol=1e-9)

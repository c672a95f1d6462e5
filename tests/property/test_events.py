"""Events: what is counted in which bin, and files in the published formats, written here."""

from __future__ import annotations

import tomllib
from pathlib import Path

import h5py
import numpy as np
import pytest

from homeonet import InputError
from homeonet.data import Dataset, load, pinned
from homeonet.gradient.training import train_config
from homeonet.runs.gradient import load_trained, train

CAMERA = np.dtype([("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", bool)])
Y = np.array([0, 1] * 5)


def random_events(k: int, units: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([np.sort(rng.random(k)), rng.integers(0, units, k)], 1)


@pytest.fixture(autouse=True)
def no_other_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOMEONET_DATA", raising=False)


def test_each_event_is_counted_in_its_bin_and_unit() -> None:
    samples = [random_events(200, 6, seed) for seed in range(10)]
    data = Dataset.from_events(samples, Y, samples[:2], Y[:2], steps=4, n_units=6, duration=1.0)
    counts = np.array(
        [np.histogram2d(s[:, 1], s[:, 0], bins=(range(7), np.linspace(0, 1, 5)))[0] for s in samples]
    )
    full = np.percentile(counts[counts > 0], 99)
    np.testing.assert_allclose(data.x_train.reshape(10, 6, 4), np.minimum(counts / full, 1), rtol=1e-6)
    assert data.pixel_shape == (6, 1, 4) and data.kind == "events" and data.identity.startswith("events:")


def test_a_camera_s_pixels_are_put_together_and_late_events_left_out() -> None:
    sample = np.zeros(5, dtype=CAMERA)
    sample["x"], sample["y"] = [0, 1, 3, 2, 0], [0, 1, 0, 3, 0]
    sample["t"], sample["p"] = [0, 10, 49, 50, 100], [0, 0, 0, 1, 1]
    samples = [sample] * 10
    data = Dataset.from_events(
        samples, Y, samples[:2], Y[:2], steps=2, sensor=(2, 4, 4), size=2, duration=100
    )
    assert data.sensor == data.features == (2, 2, 2)
    counts = data.x_train[0].reshape(2, 2, 2, 2)  # polarity, row, column, step
    wanted = np.zeros((2, 2, 2, 2))
    wanted[0, 0, 0, 0], wanted[0, 0, 1, 0], wanted[1, 1, 1, 1] = 2, 1, 1
    np.testing.assert_array_equal(counts, wanted / wanted.max())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"x": [np.zeros((3, 3))] * 10}, r"x\[0\] has shape \(3, 3\)"),
        ({"x": [np.array([[-1.0, 0]])] * 10}, "times are negative"),
        ({"x": [np.array([[0.1, 0.5]])] * 10}, "no whole numbers"),
        ({"x": [np.array([[0.1, 7]])] * 10}, "unit 7: must be below 6"),
        ({"x": [np.zeros(1, CAMERA)] * 10, "sensor": (2, 4)}, r"sensor = \(2, 4\)"),
        ({"x": [np.ones(1, CAMERA)] * 10}, "give its sensor"),
        ({"x": [np.full(1, 9, CAMERA)] * 10, "sensor": (2, 4, 4)}, "runs from 9 to 9, must lie in 0 to 3"),
        ({"x": [np.zeros(1, CAMERA)] * 10, "sensor": (2, 4, 4), "size": 8}, "set size = 4"),
        ({"y": Y[:3]}, r"must be \(10,\)"),
        ({"steps": 0}, "steps = 0"),
        ({"duration": -1}, "duration = -1"),
        ({"x": []}, "x is empty"),
        ({"steps": 10**6, "n_units": 10**6}, "take fewer samples"),
    ],
)
def test_what_are_no_events_is_refused(changed: dict, words: str) -> None:
    given = {"x": [random_events(5, 6)] * 10, "y": Y, "steps": 3, "n_units": 6} | changed
    with pytest.raises(InputError, match=words) as error:
        Dataset.from_events(**given)
    assert "\n" not in str(error.value)


def nmnist_bytes(x, y, t, p) -> bytes:
    """40 bits per event, and one of y = 240 wherever 23 bits of time would not do: every 8192 µs after the first."""
    rows = []
    wraps = 0
    for xk, yk, tk, pk in zip(x, y, t, p, strict=True):
        while tk - wraps * 2**13 >= 2**23:
            rows.append([0, 240, 0, 0, 0])
            wraps += 1
        rest = int(tk) - wraps * 2**13
        rows.append([xk, yk, int(pk) << 7 | rest >> 16, rest >> 8 & 255, rest & 255])
    return np.array(rows, dtype=np.uint8).tobytes()


def write_nmnist(root: Path, n: int = 4) -> dict[str, np.ndarray]:
    rng, written = np.random.default_rng(3), {}
    for part in ("Train", "Test"):
        for label in range(10):
            for k in range(n):
                path = root / part / str(label) / f"{k:05d}.bin"
                path.parent.mkdir(parents=True, exist_ok=True)
                events = np.zeros(50, dtype=CAMERA)
                events["x"], events["y"] = rng.integers(0, 34, 50), rng.integers(0, 34, 50)
                events["t"], events["p"] = np.sort(rng.integers(0, 320_000, 50)), rng.integers(0, 2, 50)
                path.write_bytes(nmnist_bytes(*(events[f] for f in "xytp")))
                written[f"{part}/{label}/{k}"] = events
    return written


def test_n_mnist_is_read_as_published(tmp_path: Path) -> None:
    written = write_nmnist(tmp_path / "NMNIST")
    data = load("events:nmnist", size=34, steps=5, folder=tmp_path)
    assert data.sensor == (2, 34, 34) and (len(data.y_train), len(data.y_test)) == (40, 40)
    given = [events for name, events in written.items() if name.startswith("Test")]
    same = Dataset.from_events(
        [e for n, e in written.items() if n.startswith("Train")], np.repeat(np.arange(10), 4),
        given, np.repeat(np.arange(10), 4), steps=5, sensor=(2, 34, 34), duration=320_000,
    )  # fmt: skip
    np.testing.assert_array_equal(data.x_test, same.x_test)
    few = load("events:nmnist", size=17, steps=2, train=20, val=10, test=10, folder=tmp_path)
    assert few.pixel_shape == (2 * 17 * 17, 1, 2) and np.bincount(few.y_train).tolist() == [2] * 10
    path = tmp_path / "NMNIST/Test/3/00001.bin"
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(InputError, match=r"3/00001\.bin holds no events of N-MNIST"):
        load("events:nmnist", size=34, folder=tmp_path)


def test_times_beyond_23_bits_are_read_as_tonic_reads_them(tmp_path: Path) -> None:
    tonic = pytest.importorskip("tonic.io")
    from homeonet.data._recordings import _nmnist_events

    events = write_nmnist(tmp_path / "NMNIST", 1)["Test/0/0"]
    events["t"] = np.sort(np.random.default_rng(0).integers(0, 9_000_000, 50))
    path = tmp_path / "long.bin"
    path.write_bytes(nmnist_bytes(*(events[f] for f in "xytp")))
    theirs = tonic.read_mnist_file(path, CAMERA)
    t, unit = _nmnist_events("events:nmnist", path)
    np.testing.assert_allclose(t, theirs["t"] * 1e-6)
    np.testing.assert_array_equal(
        unit, np.ravel_multi_index([theirs[f].astype(int) for f in "pyx"], (2, 34, 34))
    )
    np.testing.assert_array_equal(theirs["t"], events["t"])


def write_shd(path: Path, n: int = 40) -> list[np.ndarray]:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = [random_events(30, 700, seed) for seed in range(n)]
    with h5py.File(path, "w") as file:
        for name, column, dtype in (("times", 0, np.float16), ("units", 1, np.uint16)):
            rows = file.create_dataset(f"spikes/{name}", (n,), dtype=h5py.vlen_dtype(dtype))
            for k, sample in enumerate(samples):
                rows[k] = sample[:, column].astype(dtype)
        file["labels"] = np.resize(np.arange(20), n)
    return samples


def test_shd_is_read_as_published_and_trains(tmp_path: Path) -> None:
    samples = write_shd(tmp_path / "SHD/shd_train.h5")
    write_shd(tmp_path / "SHD/shd_test.h5")
    data = load("events:shd", size=None, steps=7, folder=tmp_path)
    counts = np.zeros((40, 700, 7))
    for k, sample in enumerate(samples):
        bins = (np.float16(sample[:, 0]).astype(float) / 1.4 * 7).astype(int)
        np.add.at(counts[k], (sample[:, 1].astype(int), bins), 1)
    np.testing.assert_allclose(
        data.x_test.reshape(40, 700, 7), np.minimum(counts, 1)
    )  # hardly any bin has two
    options = {"train": 20, "val": 0, "test": 20, "steps": 6, "epochs": 1}
    config = train_config(data="events:shd", net="sequence", **{"net_options.width": 8}, **options)
    train(config, tmp_path / "run", data_folder=tmp_path, figures=False)
    found = load_trained(tmp_path / "run")
    stored = tomllib.loads((tmp_path / "run/config.toml").read_text(encoding="utf-8"))
    assert stored["data"] == pinned("events:shd", tmp_path) and stored["encoding"] == "events"
    assert found.metrics["channels"] == 700 and "accuracy.raw_pixels" in found.metrics
    with h5py.File(tmp_path / "SHD/shd_test.h5", "a") as file:
        del file["labels"]
    with pytest.raises(InputError, match=r"shd_test\.h5 has no 'labels'"):
        load("events:shd", size=None, folder=tmp_path)


def test_dvs_gesture_is_read_as_tonic_unpacks_it_and_trains_a_convolution(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for part in ("Train", "Test"):
        for label in range(11):
            path = tmp_path / f"DVSGesture/ibmGesture{part}/user0{label % 3}_led/{label}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = np.stack(
                [*rng.integers(0, 128, (2, 60)), rng.integers(0, 2, 60), 500 + np.arange(60) * 50], 1
            )
            np.save(path, rows)
    data = load("events:dvsgesture", size=16, steps=3, folder=tmp_path)
    assert data.sensor == (2, 16, 16) and data.class_names[0] == "hand clap"
    counts = data.x_train[0].reshape(2, 16, 16, 3).sum((0, 1, 2))
    assert counts.argmax() < 2 and counts[2] == 0  # 60 events of 50 ms from the first one on: 3 s of 6
    options = {"train": 11, "val": 0, "test": 11, "steps": 3, "size": 16, "epochs": 1}
    config = train_config(data="events:dvsgesture", **{"net_options.width": 0.25}, **options)
    result = train(config, data_folder=tmp_path, baselines=False)
    assert result.metrics["sensor.polarities"] == 2 and np.isfinite(result.metrics["accuracy.test"])


def test_recordings_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"put them into NMNIST below folder"):
        load("events:nmnist", folder=tmp_path)
    with pytest.raises(InputError, match="choose one of events:nmnist, events:shd"):
        load("events:nothing", folder=tmp_path)
    (tmp_path / "NMNIST" / "Train").mkdir(parents=True)
    with pytest.raises(InputError, match="has no Test"):
        load("events:nmnist", folder=tmp_path)
    (tmp_path / "SHD").mkdir()
    for part in ("train", "test"):
        (tmp_path / f"SHD/shd_{part}.h5").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(InputError, match="git lfs pull"):
        load("events:shd", folder=tmp_path)


def test_events_from_python_bring_their_steps() -> None:
    samples = [random_events(40, 6, seed) for seed in range(20)]
    data = Dataset.from_events(samples, np.resize([0, 1], 20), steps=5)
    config = train_config(net="sg_snn", **{"net_options.hidden": 8}, train=10, val=2, test=4, epochs=1)
    result = train(config, dataset=data)
    assert result.config.sequence_steps == 5 and result.config.data == data.identity

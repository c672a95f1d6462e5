"""Time series: what is read from a file, and how a network sees it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from homeonet import InputError, load_config
from homeonet.data import load, pinned
from homeonet.runs.images import load_images

RISING, FALLING = np.linspace(-1, 3, 12), np.linspace(3, -1, 12)


def parts(n: int = 10, **changed: object) -> dict[str, np.ndarray]:
    """Rising series have the label -1, falling ones 7."""
    y = np.resize([-1, 7], n)
    x = np.where(y[:, None] < 0, RISING, FALLING).astype(np.float32)
    return {"x_train": x, "y_train": y, "x_test": 2 * x[:4], "y_test": y[:4]} | changed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ucr").mkdir()
    np.savez(tmp_path / "ucr" / "Slopes.npz", **parts())
    return tmp_path


def test_series_are_images_one_pixel_high_between_the_percentiles_of_training(folder: Path) -> None:
    data = load("series:Slopes", size=12, train=6, val=2, test=3, seed=1, folder=folder)
    assert data.image_shape == (1, 12) and data.class_names == ("-1", "7")
    assert [len(y) for y in (data.y_train, data.y_val, data.y_test)] == [6, 2, 3]
    for x, y in ((data.x_train, data.y_train), (data.x_val, data.y_val)):
        np.testing.assert_allclose(
            x, np.where(y[:, None] == 0, *[np.linspace(0, 1, 12)[::k] for k in (1, -1)]), atol=1e-6
        )
    wide = np.where(data.y_test[:, None] == 0, RISING, FALLING) * 2  # twice as wide as any training has shown
    np.testing.assert_allclose(data.x_test, np.clip((wide + 1) / 4, 0, 1), atol=1e-6)


def test_a_few_spikes_leave_the_rest_its_range(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((100, 50))
    x[3, 7] = 1000.0
    y = np.resize([0, 1], 100)
    np.savez(tmp_path / "spiky.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    data = load(f"series:{tmp_path / 'spiky.npz'}", size=None)
    assert abs(data.x_test.mean() - 0.5) < 0.01 and data.x_test.std() > 0.25


def test_one_file_is_found_by_name_by_path_and_in_the_environment(folder: Path, monkeypatch) -> None:
    by_name = load("series:Slopes", size=None, folder=folder)
    monkeypatch.setenv("HOMEONET_DATA", str(folder))
    for same in (load("series:Slopes", size=12), load(f"series:{folder / 'ucr' / 'Slopes.npz'}", size=12)):
        np.testing.assert_array_equal(same.x_train, by_name.x_train)
        np.testing.assert_array_equal(same.y_test, by_name.y_test)


def test_a_path_is_made_absolute_with_a_hash_of_the_file(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("slopes.npz", **parts())
    name = pinned("series:slopes.npz")
    assert (
        name.startswith(f"series:{tmp_path / 'slopes.npz'}#") and pinned("series:slopes") == "series:slopes"
    )
    np.testing.assert_array_equal(load(name, size=12).x_train, load("series:slopes.npz", size=12).x_train)
    np.savez("slopes.npz", **parts(12))
    with pytest.raises(InputError, match="has changed"):
        load(name, size=12)
    Path("slopes.npz").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(InputError, match="git lfs pull"):
        load("series:slopes.npz", size=12)


def test_a_channel_of_one_is_no_channel_and_labels_may_be_words(tmp_path: Path) -> None:
    given = parts() | {
        name: np.array(["up", "down"])[np.resize([0, 1], n)] for name, n in (("y_train", 10), ("y_test", 4))
    }
    np.savez(tmp_path / "flat.npz", **given)
    np.savez(tmp_path / "deep.npz", **{k: v[:, None] if k[0] == "x" else v for k, v in given.items()})
    flat, deep = (load(f"series:{tmp_path / name}.npz", size=12) for name in ("flat", "deep"))
    np.testing.assert_array_equal(flat.x_test, deep.x_test)
    assert flat.class_names == ("down", "up") and flat.y_test.tolist() == [1, 0, 1, 0]


def test_channels_follow_one_another_and_are_scaled_apart(tmp_path: Path) -> None:
    given = parts()
    wide = {name: np.stack([x, 1000 * x], 1) if name[0] == "x" else x for name, x in given.items()}
    np.savez(tmp_path / "one.npz", **given)
    np.savez(tmp_path / "two.npz", **wide)
    one, two = (load(f"series:{tmp_path / name}.npz", size=12) for name in ("one", "two"))
    assert two.pixel_shape == (2, 1, 12)
    for channel in range(2):
        np.testing.assert_allclose(two.x_test.reshape(4, 2, 12)[:, channel], one.x_test, atol=1e-6)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"x_train": np.zeros((10, 3, 12))}, "have 3 channels, test series 1"),
        ({"x_train": np.zeros((10, 3, 12, 2))}, r"\(n, channels, T\)"),
        ({"x_train": np.zeros((10, 12, 9)), "x_test": np.zeros((4, 12, 9)), "size": 12}, "swap its axes"),
        ({"x_train": np.full((10, 12), np.nan)}, "not numbers"),
        ({"x_test": np.zeros((4, 13))}, "test series 13"),
        ({"y_test": np.array([-1, 7, 8, -1])}, "label 8"),
        ({"y_train": np.zeros(3)}, "one label per series"),
        ({"y_train": np.r_[np.zeros(9), np.nan]}, "labels in y_train are not numbers"),
        ({"seed": -1}, "seed = -1"),
        ({"size": 9}, "set size = 12"),
        ({"train": 11}, "only 10"),
    ],
)
def test_what_is_no_set_of_series_is_refused(tmp_path: Path, changed: dict, words: str) -> None:
    options = {name: changed.pop(name) for name in ("size", "train", "seed") if name in changed}
    np.savez(tmp_path / "bad.npz", **parts(**changed))
    with pytest.raises(InputError, match=words):
        load(f"series:{tmp_path / 'bad.npz'}", **{"size": None, **options})


def test_files_that_are_missing_or_something_else_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Nowhere\.npz"):
        load("series:Nowhere", folder=tmp_path)
    (tmp_path / "text.npz").write_text("no arrays")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    np.save(tmp_path / "single.npy", np.zeros(3))
    (tmp_path / "single.npy").rename(tmp_path / "single.npz")
    np.savez_compressed(tmp_path / "damaged.npz", **parts(200))
    content = bytearray((tmp_path / "damaged.npz").read_bytes())
    content[60:120] = bytes(60)
    (tmp_path / "damaged.npz").write_bytes(content)
    for name in ("text", "other", "single", "damaged"):
        with pytest.raises(InputError, match=r"must hold the arrays x_train"):
            load(f"series:{tmp_path / name}.npz")


def test_the_plastic_network_sees_images_alone(folder: Path) -> None:
    with pytest.raises(InputError, match="homeonet train"):
        load_images(load_config("massey2026", {"data": "series:Slopes"}), folder)

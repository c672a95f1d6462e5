"""Data of one's own that cannot be used: one line that names file or argument, what is wrong, and what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from homeonet import InputError
from homeonet.data import Dataset, load

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
X = np.zeros((6, 4, 4), np.uint8)
Y = np.array([0, 1, 0, 1, 0, 1])


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEONET_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HOMEONET_DATA", raising=False)


def refused(call: Any, words: str) -> None:
    with pytest.raises(InputError) as error:
        call()
    message = str(error.value)
    assert re.search(words, message), message
    assert "\n" not in message and len(message) < 1000


def with_nan() -> np.ndarray:
    x = np.zeros((6, 4, 4))
    x[2, 1, 3] = np.nan
    return x


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"x": with_nan()}, r"x\[2, 1, 3\] = nan: must be finite; drop or repair example 2"),
        ({"x": np.full((6, 4, 4), np.inf)}, "must be finite"),
        ({"x": X.astype(object)}, "type object: must be numbers"),
        ({"x": X.astype(complex)}, "type complex128"),
        ({"x": X.astype(np.int64)}, r"x.astype\('uint8'\)"),
        ({"x": X + 0.0 - 1}, "runs from -1 to -1: must lie in 0 to 1"),
        ({"x": np.full((6, 4, 4), 200.0)}, "name that with full_scale"),
        ({"x": X[:0], "y": Y[:0]}, "it is empty"),
        ({"x": X.reshape(6, 16)}, r"use x.reshape\(n, h, w\)"),
        ({"x": np.zeros((6, 3, 4, 4), np.uint8)}, r"x.transpose\(0, 2, 3, 1\)"),
        ({"x": [[1, 2], [3]]}, "x is no array"),
        ({"y": Y[:4]}, r"y has shape \(4,\), must be \(6,\)"),
        ({"y": np.eye(2, dtype=int)[Y]}, r"y.argmax\(1\)"),
        ({"y": Y - 1}, r"y\[0\] = -1: must be at least 0"),
        ({"y": Y + 0.5}, r"y\[0\] = 0.5: must be a whole number"),
        ({"y": Y * np.nan}, "must be a whole number"),
        ({"y": Y.astype(complex)}, "type complex128"),
        ({"y": Y * 0}, "one class, '0'"),
        ({"x_test": X}, "x_test is given without y_test"),
        ({"x_test": X[:, :2], "y_test": Y}, r"x_test has examples of shape \(2, 4\)"),
        ({"x_test": X, "y_test": Y + 1}, "y_test: the label 2 does not occur in training"),
        ({"x_test": X / 255, "y_test": Y}, "give both in one type"),
        ({"class_names": ["a"]}, "one class"),
        ({"class_names": ["a", "b", "c"]}, "no training example of class 'c'"),
        ({"class_names": ["a", "a"]}, "a name occurs twice"),
        ({"full_scale": 0}, "full_scale = 0"),
        ({"test_share": 1.0}, "test_share = 1.0"),
    ],
)
def test_arrays(changed: dict, words: str) -> None:
    refused(lambda: Dataset.from_arrays(**({"x": X, "y": Y} | changed)), words)


def test_series() -> None:
    refused(lambda: Dataset.from_series(np.zeros((6, 2, 2, 2)), Y), r"must be \(n, T\) or \(n, T, channels\)")
    refused(lambda: Dataset.from_series(np.full((6, 5), np.nan), Y), "must be finite")


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": X}, r"bad\.npz has no array 'y' \(it holds x\)"),
        ({"x_train": X, "y_train": Y, "x_test": X}, "has no array 'y_test'"),
        ({"images": X, "y": Y}, r"no array 'x' \(it holds images, y\)"),
        ({"x": np.array([X, "a"], dtype=object), "y": Y}, "x is an array of Python objects"),
        ({"x_train": with_nan(), "y_train": Y, "x_test": X / 1.0, "y_test": Y}, r"bad\.npz: x_train\[2, 1, 3\] = nan"),
        ({"x": X, "y": Y[:3]}, r"bad\.npz: y has shape"),
    ],
)  # fmt: skip
def test_files_of_arrays(tmp_path: Path, arrays: dict, words: str) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    refused(lambda: load(f"array:{tmp_path / 'bad.npz'}"), words)


@pytest.mark.parametrize("content", [POINTER, b"", b"no zip file", b"PK\x03\x04cut"])
def test_files_that_are_no_arrays(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.npz").write_bytes(content)
    words = "git lfs pull" if content == POINTER else r"bad\.npz cannot be read"
    refused(lambda: load(f"array:{tmp_path / 'bad.npz'}"), words)


def test_paths_that_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused(lambda: load("images:pics"), rf"pics does not exist \(looked for in {tmp_path}\)")
    refused(lambda: load("array:own.npz", folder=tmp_path / "data"), rf"{tmp_path}/data, {tmp_path}\)")
    refused(lambda: load("images:"), "no path; write images:FOLDER")
    refused(lambda: load("array:0123456789abcdef"), "given from Python")
    refused(lambda: load("images:~nobody-of-this-name/x"), "no such user's home|does not exist")
    (tmp_path / "pics").mkdir()
    refused(lambda: load("array:pics"), "is a folder")
    refused(lambda: load("images:pics"), "no PNG or JPEG image below")


def made(root: Path, *names: str, content: bytes | None = None) -> Path:
    for name in names:
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(place)
        if content is not None:
            place.write_bytes(content)
    return root


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["cat/1.png", "cat/2.png"], "one class, 'cat'"),
        (["1.png", "2.png"], r"1\.png lies in no class's folder"),
        (["a/1.png", "b/1.png", "stray.png"], r"stray\.png lies in no class"),
        (["train/a/1.png", "train/b/1.png", "test/a/1.png"], "class 'b' is in train/, not in test/"),
        (["train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png", "test/c/1.png"], "class 'c' is in test/"),
        (["train/a/1.png", "train/b/1.png"], "train/ and no test/"),
        (["train/a/1.png", "train/b/1.png", "val/a/1.png"], "train/ and no test/"),
    ],
)  # fmt: skip
def test_folders(tmp_path: Path, names: list[str], words: str) -> None:
    root = made(tmp_path / "pics", *names)
    refused(lambda: load(f"images:{root}", size=4), words)


def test_images_that_cannot_be_read(tmp_path: Path) -> None:
    root = made(tmp_path / "pics", *(f"{label}/{k}.png" for label in "ab" for k in range(5)))
    whole = (root / "a/0.png").read_bytes()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)).save(
        tmp_path / "large.png"
    )
    cut = (tmp_path / "large.png").read_bytes()[:1000]
    for content, words in (
        (POINTER, "git lfs pull"),
        (b"", "it is empty"),
        (b"text", "it is no image"),
        (cut, "cannot be read"),
        (whole[:30], "cannot be read"),
    ):
        (root / "b/3.png").write_bytes(content)
        refused(lambda: load(f"images:{root}", size=4), rf"b/3\.png .*{words}")
    (tmp_path / "text.zip").write_text("no zip")
    refused(lambda: load(f"images:{tmp_path / 'text.zip'}"), "neither a folder nor a readable zip")


def test_images_of_several_sizes_need_one(tmp_path: Path) -> None:
    root = made(tmp_path / "pics", "a/1.png", "b/1.png")
    Image.fromarray(np.zeros((5, 9), np.uint8)).save(root / "b/2.png")
    refused(lambda: load(f"images:{root}", size=None), "4 x 4 and 5 x 9")


def test_other_formats_are_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "a/1.bmp")
    refused(lambda: load(f"images:{tmp_path}"), r"it holds 1\.bmp")

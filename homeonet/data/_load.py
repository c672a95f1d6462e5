"""Loads a set by name, split and resized. Draws on the other modules; holds no knowledge of files."""

from __future__ import annotations

import os

from homeonet.data._catalogue import check_name
from homeonet.data._checks import check_seed, check_whole
from homeonet.data._dataset import Dataset
from homeonet.data._features import PREFIX, load_features
from homeonet.data._geometric import GEOMETRIC_CLASSES, draw_geometric
from homeonet.data._own import load_own
from homeonet.data._paths import is_own
from homeonet.data._select import chosen_images
from homeonet.data._series import SERIES, load_series
from homeonet.data._sources import read_raw
from homeonet.data._splits import SPLIT_SEED, check_count

__all__ = ["load"]

_GEOMETRIC_DEFAULTS = {"train": 2000, "val": 0, "test": 1000}
_GEOMETRIC_LIMIT = 1_000_000
_NOISE_VARIANCE = 0.02


def _load_geometric(size: int | None, counts: dict[str, int | None], seed: int) -> Dataset:
    side = 15 if size is None else check_whole("size", size, 8, 512)
    parts = {}
    for stream, (split, count) in enumerate(counts.items()):
        n = check_count(split, count, _GEOMETRIC_LIMIT, "generated images")
        n = _GEOMETRIC_DEFAULTS[split] if n is None else n
        # The test images have a seed of their own, so they are the same for every run.
        origin = SPLIT_SEED if split == "test" else seed
        parts[f"x_{split}"], parts[f"y_{split}"] = draw_geometric(n, side, _NOISE_VARIANCE, (origin, stream))
    n_classes = len(GEOMETRIC_CLASSES)
    return Dataset(
        "geometric", "generated", (side, side), n_classes,
        parts["x_train"], parts["y_train"], parts["x_val"], parts["y_val"], parts["x_test"], parts["y_test"],
        GEOMETRIC_CLASSES,
    )  # fmt: skip


def load(
    name: str,
    *,
    size: int | None = 15,
    train: int | None = None,
    val: int | None = None,
    test: int | None = None,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    download: bool = False,
    colour: bool = True,
    steps: int | None = None,
) -> Dataset:
    """Load an image set, split and resized.

    Files are looked for in `folder`, in ``$HOMEONET_DATA``, where the Debian package
    dataset-fashion-mnist puts them, and among earlier downloads; in each, in torchvision's layout
    (``MNIST/raw/train-images-idx3-ubyte``, gzipped or not, dash or dot) and directly. Files of MNIST
    and Fashion-MNIST must have the published checksums. ``mnist5k``, ``digits`` and ``geometric``
    need no files.

    Where an official test set exists it is the test set. ``mnist5k`` and ``digits`` hold out a
    stratified fifth that never changes. Validation images always come out of the training images.

    Parameters
    ----------
    name : str
        One of `NAMES`; ``emnist`` means ``emnist-letters``. Or ``run:FOLDER``: the spike counts of the excitatory
        neurons of a finished run as images, to stack one network on another (`seed` has no effect then). Or
        ``series:FILE.npz``, ``series:NAME``: time series, such as those of UCR's archive, as images of 1 x T pixels;
        NAME.npz lies in a data folder or its subfolder ``ucr`` and holds ``x_train``, (n, T) or (n, channels, T),
        ``y_train``, ``x_test`` and ``y_test``. In each channel 0 and 1 are the 1st and 99th percentile of its training
        values.

        Data of one's own: ``images:FOLDER`` (or a zip file of it), PNG or JPEG with one folder per class, directly
        there or in ``train/`` and ``test/`` (and ``val/``); ``array:FILE.npz``, arrays ``x``, ``y`` or ``x_train``,
        ``y_train``, ``x_test``, ``y_test`` (and ``x_val``, ``y_val``) as :meth:`Dataset.from_arrays` takes them.
        Without a test part a stratified fifth is held out that never changes; where there is a validation part, `val`
        is taken from it. Relative paths are looked for in `folder`, in the current folder and in ``$HOMEONET_DATA``.
        Images that are not square are padded with black, and a warning says so.

        ``events:nmnist``, ``events:shd`` and ``events:dvsgesture``: recordings in a data folder as they are published
        (``NMNIST/Train/0/*.bin``, ``SHD/shd_train.h5``, ``DVSGesture/ibmGestureTrain/user01_led/0.npy``), counted in
        `steps` bins of equal length, of 0.32 s, 1.4 s and 6 s in all; `size` is the side to which a camera's pixels
        are put together. 1 is the 99th percentile of the counts that are not 0.
    size : int or None, default 15
        Side of the images in pixels, 2 to 512; None keeps the native size (15 for ``geometric``). Series are not
        resized: give None, or their length.
    train : int or None, default None
        Training images, stratified; None takes all that validation leaves (2000 for ``geometric``).
        At one seed a smaller choice is a subset of a larger one.
    val : int or None, default None
        Validation images, stratified; None is 0.
    test : int or None, default None
        Test images: a stratified subset that depends on nothing else, a smaller one contained in a
        larger one; None takes all (1000 for ``geometric``).
    seed : int, default 0
        Chooses the training and validation images and the order in which training shows them, 0 to
        2**32 - 1; for ``geometric`` it draws them. It never touches the test images.
    folder : path or None, default None
        Folder to search first. A warning is given if it lacks the set and another place has it.
    download : bool, default False
        Whether to fetch ``mnist`` or ``fashion`` from OpenML when no place holds it; the files are
        kept in the user's cache folder.
    colour : bool, default True
        Whether images in colour keep their three channels; else they become luminance.
    steps : int or None, default None
        Bins of time of ``events:``; None is 20. Other data have none.

    Returns
    -------
    Dataset
        Images flattened to ``(n, channels*height*width)``, float32 in [0, 1]; labels int64.

    Raises
    ------
    InputError
        If a parameter is out of range, more images are asked for than exist, the files are missing
        or damaged, the download fails, or a class is missing from the training images.

    Examples
    --------
    >>> load("digits", size=None, train=100, val=50)
    Dataset 'digits' from sklearn.datasets.load_digits
      images   8x8, float32 in [0, 1]
      classes  10: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
      splits   train 100, val 50, test 359
    """
    if isinstance(name, str) and name.startswith(PREFIX):
        return load_features(name, size, train, val, test)
    if isinstance(name, str) and name.startswith(SERIES):
        return load_series(name, size, train, val, test, seed, folder)
    if is_own(name):
        return load_own(name, size, train, val, test, seed, folder, colour, steps)
    name = check_name(name)
    seed = check_seed(seed)
    if name == "geometric":
        return _load_geometric(size, {"train": train, "val": val, "test": test}, seed)
    return chosen_images(read_raw(name, folder, download), name, size, train, val, test, seed)

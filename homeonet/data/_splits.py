"""Chooses which images train, validate and test. Sees labels only, never pixels."""

from __future__ import annotations

import numpy as np

from homeonet.errors import InputError

__all__ = ["SPLIT_SEED", "check_count", "held_out", "stratified_order", "stratified_subset", "train_val"]

_HELD_OUT_FRACTION = 0.2
# Changing this changes every test set, and so every published accuracy.
SPLIT_SEED = 20260108


def stratified_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """Random order whose every prefix and suffix holds the classes in proportion.

    Where classes are equally frequent each is within one image of its share.

    Parameters
    ----------
    labels : ndarray of int64
        Labels ``(n,)``.
    seed : int
        Chooses the order.

    Returns
    -------
    ndarray of int64
        ``(n,)``, a permutation of positions.
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    rank = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels[shuffled] == label)
        rank[members] = (np.arange(len(members)) + 0.5) / len(members)
    return shuffled[np.argsort(rank, kind="stable")]


def held_out(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the images that may train and of those that test, the same for every seed.

    Parameters
    ----------
    labels : ndarray of int64
        ``(n,)``, of a set without an official test set.

    Returns
    -------
    rest, test : ndarray of int64
        Sorted positions; `test` is a stratified fifth.
    """
    order = stratified_order(labels, SPLIT_SEED)
    n_test = round(_HELD_OUT_FRACTION * len(labels))
    return np.sort(order[n_test:]), np.sort(order[:n_test])


def check_count(parameter: str, value: int | None, available: int, what: str) -> int | None:
    """Validate a number of images.

    Raises
    ------
    InputError
        If it is no whole number, negative, or larger than what is available.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise InputError(f"{parameter} = {value!r}: must be None or a whole number from 0 to {available}")
    if value > available:
        raise InputError(f"{parameter} = {value}: only {available} {what} exist: ask for at most {available}")
    return int(value)


def train_val(
    labels: np.ndarray, train: int | None, val: int | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Disjoint stratified training and validation images.

    Parameters
    ----------
    labels : ndarray of int64
        ``(n,)``, of the images that may train.
    train : int or None
        Training images; None takes all that validation leaves.
    val : int or None
        Validation images; None is 0.
    seed : int
        Chooses both, and the order in which the training images are shown.

    Returns
    -------
    train, val : ndarray of int64
        Positions. At one seed a smaller training set is a subset of a larger one, whatever `val`.

    Raises
    ------
    InputError
        If the two together exceed what exists, or nothing is left to train on.
    """
    n = len(labels)
    n_val = check_count("val", val, n, "training images") or 0
    n_train = check_count("train", train, n, "training images")
    if n_train is None:
        n_train = n - n_val
    if n_train == 0:
        raise InputError(
            f"train = {train}, val = {n_val}: no training image left of {n}: train must be at least 1"
        )
    if n_train + n_val > n:
        raise InputError(
            f"train = {n_train}, val = {n_val}: together {n_train + n_val}, only {n} training images exist: "
            f"lower one of them by {n_train + n_val - n}"
        )
    order = stratified_order(labels, seed)
    shuffle = np.random.default_rng([seed, 1])
    # Taken from the two ends, so neither choice moves the other.
    return shuffle.permutation(order[:n_train]), np.sort(order[n - n_val :])


def stratified_subset(labels: np.ndarray, test: int | None) -> np.ndarray:
    """A fixed stratified subset of the test images, the same for every seed.

    Parameters
    ----------
    labels : ndarray of int64
        ``(n,)``, of the whole test set.
    test : int or None
        Images wanted; None takes all. A smaller subset is contained in a larger one.

    Returns
    -------
    ndarray of int64
        Sorted positions.
    """
    n_test = check_count("test", test, len(labels), "test images")
    if n_test is None:
        return np.arange(len(labels))
    return np.sort(stratified_order(labels, SPLIT_SEED)[:n_test])

"""What data sets are called in figures."""

from __future__ import annotations

__all__ = ["data_title"]

_TITLES = {"mnist": "MNIST", "fashion": "Fashion-MNIST", "notmnist": "NotMNIST", "mnist5k": "MNIST (5000)"}
_TITLES |= {"CIFAR10": "CIFAR-10", "images:CIFAR10": "CIFAR-10"}


def data_title(name: object) -> str:
    """The usual name of a data set, of which `name` is the short one; of any other, `name` itself."""
    return _TITLES.get(str(name), str(name))

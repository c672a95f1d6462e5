"""Packages that only parts of homeonet need: a missing one is a line with a remedy."""

from __future__ import annotations

from importlib.util import find_spec

from homeonet.errors import InputError

__all__ = ["require_gradient"]


def require_gradient(what: str) -> None:
    """Raise InputError if training by gradients, which `what` needs, is not installed."""
    for name in ("torch", "lightning_fabric", "safetensors"):
        if find_spec(name) is None:
            raise InputError(f"{what} needs {name}, which is not installed; pip install 'homeonet[gradient]'")

"""Packages that only parts of homeonet need: a missing one is a line with a remedy."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from homeonet.errors import InputError

__all__ = ["install_command", "require_extra", "require_gradient"]


def install_command(extra: str) -> str:
    """The command that installs an optional part of this package from where the package itself came.

    The name alone is not enough: the package is on no index, and whoever registered its name there would be run.

    Parameters
    ----------
    extra : str
        One of the extras: "gradient", "cuda", …
    """
    source = Path(__file__).resolve().parents[2]
    if (source / "setup.cfg").is_file():
        return f"pip install -e '{source}[{extra}]'"
    try:
        origin = json.loads(distribution("homeonet").read_text("direct_url.json") or "{}").get("url")
    except (PackageNotFoundError, OSError, ValueError, AttributeError):
        origin = None
    if origin:
        return f"pip install 'homeonet[{extra}] @ {origin}'"
    return f"pip install '.[{extra}]' in a clone of homeonet"


def require_extra(extra: str, package: str, what: str) -> None:
    """Raise InputError if `package`, which the extra brings and `what` needs, is not installed."""
    if find_spec(package) is None:
        raise InputError(f"{what} needs {package}, which is not installed; {install_command(extra)}")


def require_gradient(what: str) -> None:
    """Raise InputError if training by gradients, which `what` needs, is not installed."""
    for name in ("torch", "lightning_fabric", "safetensors"):
        require_extra("gradient", name, what)

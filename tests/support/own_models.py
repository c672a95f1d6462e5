"""The examples of mechanisms written as text, in a network that is small enough to be followed by a loop."""

from __future__ import annotations

from pathlib import Path

from homeonet import load_config
from tests.conftest import SMALL, Bench

__all__ = ["DT", "EXAMPLES", "example"]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DT = 1e-3


def example(name: str, **overrides: object) -> Bench:
    dotted = {key.replace("__", "."): value for key, value in overrides.items()}
    sizes = {key: value for key, value in SMALL.items() if key != "sleep.ratio"}
    return Bench([load_config(EXAMPLES / f"{name}.toml", sizes | dotted)])

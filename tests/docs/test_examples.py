"""Printed examples of docstrings print what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest

import homeonet

PACKAGE = Path(homeonet.__file__).parent
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_printed_examples_are_true(name: str) -> None:
    if name.startswith("homeonet.gradient"):
        pytest.importorskip("torch")
    found = doctest.testmod(importlib.import_module(name), extraglobs={"np": np})
    assert found.failed == 0

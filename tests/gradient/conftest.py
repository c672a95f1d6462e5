"""Every test of the gradient module starts from the same torch seed, so that a failure can be repeated."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(20)

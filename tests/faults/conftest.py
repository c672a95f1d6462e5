"""A finished run that the tests of faults share."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeonet import run
from tests.support.short_runs import short


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults") / "sound"
    run(short(), folder)
    return folder

"""What messages advise to install: never a name that anyone could register on a package index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import homeonet
from homeonet.machine import optional as _optional

PACKAGE = Path(homeonet.__file__).parent


def test_no_message_names_an_unpublished_package() -> None:
    bare = re.compile(r"""pip install ["'\\]*homeonet(?!\[\{extra\}\] @)""")
    found = [path for path in PACKAGE.rglob("*.py") if bare.search(path.read_text(encoding="utf-8"))]
    assert not found


def test_a_clone_is_named_by_its_path() -> None:
    source = PACKAGE.parent
    if not (source / "setup.cfg").is_file():
        pytest.skip("the package is not in its source tree")
    assert _optional.install_command("cuda") == f"pip install -e '{source}[cuda]'"


@pytest.mark.parametrize(
    ("origin", "advice"),
    [
        (
            '{"url": "file:///tmp/homeonet-1-py3-none-any.whl"}',
            "pip install 'homeonet[cuda] @ file:///tmp/homeonet-1-py3-none-any.whl'",
        ),
        (None, "pip install '.[cuda]' in a clone of homeonet"),
        ("damaged", "pip install '.[cuda]' in a clone of homeonet"),
        ("[]", "pip install '.[cuda]' in a clone of homeonet"),
    ],
)
def test_an_installed_package_is_named_by_its_origin(
    origin: str | None, advice: str, monkeypatch, tmp_path
) -> None:
    class Installed:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return origin

    monkeypatch.setattr(_optional, "__file__", str(tmp_path / "homeonet" / "machine" / "optional.py"))
    monkeypatch.setattr(_optional, "distribution", lambda name: Installed())
    assert _optional.install_command("cuda") == advice

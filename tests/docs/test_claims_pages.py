"""The pages of claims say what the committed results say: their tables are written, and not typed."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from homeonet.claims import claim_rows, load_registry
from homeonet.cli.main import main

STUDIES = Path(__file__).parents[2] / "studies"


def test_the_page_of_claims_is_that_of_the_command(capsys: pytest.CaptureFixture) -> None:
    assert main(["claims", "--markdown"]) == 0
    page = (STUDIES / "claims.md").read_text(encoding="utf-8")
    assert page == capsys.readouterr().out, "homeonet claims --markdown > studies/claims.md"


def test_the_table_of_changes_is_current_and_whole() -> None:
    script = runpy.run_path(str(STUDIES / "changes.py"))
    before = json.loads((STUDIES / "verdicts_before.json").read_text(encoding="utf-8"))["verdicts"]
    text = script["changes"](claim_rows(), before)
    page = (STUDIES / "README.md").read_text(encoding="utf-8")
    assert text in page, "python studies/changes.py --write"
    for row in claim_rows():
        old, new = before.get(row.id), row.verdict.verdict
        told = f"| `{row.id}` |" in text
        assert told == (old != new and (old, new) != ("partly (undecided)", "undecided")), row.id
    assert all(name in load_registry().claims or f"| `{name}` |" in text for name in before)


def test_every_change_says_why() -> None:
    script = runpy.run_path(str(STUDIES / "changes.py"))
    (first, *_) = (row for row in claim_rows() if row.cases and not row.claim.changed)
    assert "cases: " in script["why"](first, "partly")
    assert script["why"](first, "holds").count(";") <= 1

"""The studies behind the claims, quick, by the one command that runs them; what they measured is judged.

One of them by default; HOMEONET_TEST_STUDIES=1 asks for all, which takes a quarter of an hour.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from homeonet.claims import VERDICTS, load_registry
from homeonet.cli.main import main

ALL = Path(__file__).parents[2] / "studies" / "claims_all.py"


@pytest.mark.slow
def test_quick_studies_measure_their_claims(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    only = [] if os.environ.get("HOMEONET_TEST_STUDIES") else ["--only", "sleep_similarity"]
    command = [sys.executable, str(ALL), "--quick", *only, "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0 and "failed: none" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
    assert main(["claims", "--from", str(tmp_path), "--json"]) == 0
    claims = load_registry().claims
    for row in json.loads(capsys.readouterr().out):
        of_run = not only or claims[row["id"]].study in only
        measured = claims[row["id"]].untestable is None and of_run
        assert (row["measured"] is not None) == measured, row["id"]
        if measured:
            assert row["verdict"] in VERDICTS[:5] and "--quick" in row["command"]

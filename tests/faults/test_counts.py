"""Counts on the command line that are no plain numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeonet.cli.main import main


@pytest.mark.parametrize("given", ["1_000", "1e3", "٣", "", "1,000", "9" * 5000])
@pytest.mark.parametrize("command", [["run", "massey2026"], ["train", "lif"]])
def test_a_count_is_digits_alone(command: list[str], given: str, tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--train", given, "--out", str(tmp_path / "r")])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and "no whole number" in said.splitlines()[-1] and len(said) < 3000
    assert not list(tmp_path.iterdir())

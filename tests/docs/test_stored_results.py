"""The committed tables and claims are what their studies make of the committed data: none is typed, none is old."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

import homeonet.cli.study
from homeonet.claims import load_measured, write_measured
from homeonet.study.figure_data import commands_of
from homeonet.study.tables import markdown_table

ROOT = Path(__file__).parents[2]


def stored() -> list[str]:
    """Studies whose committed data say how they were run."""
    found = []
    for path in sorted((ROOT / "figures" / "data").glob("*.nc")):
        with xr.open_dataset(path, engine="h5netcdf") as data:
            if "settings" in data.attrs:
                found.append(path.stem)
    return found


@pytest.mark.parametrize("name", stored())
def test_table_and_claims_are_those_of_the_stored_data(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, Any] = {}

    def finish(options: Any, rows: Any, note: str, data: Any, _: Any, measured: Any, scale: str) -> None:
        kept.update(rows=rows, note=note, data=data, measured=measured, scale=scale)

    folder, modules = ROOT / "studies" / name, set(sys.modules)
    monkeypatch.setattr(homeonet.cli.study, "finish", finish)
    monkeypatch.syspath_prepend(str(folder))
    data = str(ROOT / "figures" / "data" / f"{name}.nc")
    monkeypatch.setattr(
        sys, "argv", [str(folder / "study.py"), "--stored", data, "--out", str(tmp_path / "out")]
    )
    try:
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(folder / "study.py"), run_name="__main__")
    finally:
        for module in set(sys.modules) - modules:
            if str(folder) in str(getattr(sys.modules[module], "__file__", "")):
                del sys.modules[module]
    assert ended.value.code == 0
    assert not (tmp_path / "out").exists(), "something was run"

    table = (folder / "table.md").read_text(encoding="utf-8")
    assert table.startswith(f"{markdown_table(kept['rows'])}\n{kept['scale']}; {kept['note']}\n")
    assert all(f"    {command}\n" in table for command in commands_of(kept["data"]))
    committed = load_measured(ROOT / "homeonet" / "claims" / "measured" / f"{name}.json")
    path = write_measured(
        tmp_path, study=name, scale=kept["scale"], measured=kept["measured"], command=committed.command
    )
    assert load_measured(path) == committed

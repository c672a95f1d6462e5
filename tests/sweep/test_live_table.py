"""The live table of a sweep: in a kernel as a notebook runs one, updated in place, and interrupted."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client import KernelManager
from jupyter_client.manager import start_new_kernel

from homeonet import InputError
from homeonet.machine import html
from homeonet.sweep import Grid, live_table
from homeonet.sweep._live import _Cells
from homeonet.sweep._state import write_grid

FIXED = {"preset": "massey2026", "data": "geometric", "train": 40, "test": 20}
FIXED |= {"input.presentation": "0.5 s", "evaluation.presentation": "0.2 s"}
GRID = Grid(FIXED, {"seed": [1, 2, 3, 4]})
CODE = f"""
from homeonet.sweep import Grid, live_table, sweep
result = sweep(Grid({FIXED!r}, {{"seed": [1, 2, 3, 4]}}), "out", workers=1, baselines=False, progress=live_table("out"))
result.failed
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[tuple[KernelManager, Any]]:
    manager, client = start_new_kernel(cwd=str(tmp_path))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def messages(client: Any, code: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the kernel says to the notebook while it runs a cell."""
    asked = client.execute(code)
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["parent_header"].get("msg_id") != asked:
            continue
        kind, content = message["msg_type"], message["content"]
        yield kind, content
        if kind == "status" and content["execution_state"] == "idle":
            return


def rows(page: str) -> list[list[str]]:
    return [re.findall(r"<t[hd]>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", page)]


def test_an_interrupted_kernel_leaves_a_sweep_that_the_same_call_continues(kernel, tmp_path: Path) -> None:
    manager, client = kernel
    seen, shown, error = [], set(), None
    for kind, content in messages(client, CODE):
        if kind in ("display_data", "update_display_data"):
            shown.add(content["transient"]["display_id"])
            seen.append(content["data"]["text/html"])
            if "1 of 4 cells done" in seen[-1] and error is None:
                manager.interrupt_kernel()
                error = {}
        elif kind == "error":
            error = content
    assert len(shown) == 1  # one table, in place
    assert [row[1] for row in rows(seen[0])] == ["state", *["to do"] * 4]
    assert any("running" in [row[1] for row in rows(page)] for page in seen)
    assert error["ename"] == "KeyboardInterrupt"
    assert "the same call continues" in seen[-1] and "the same call continues" in "".join(error["traceback"])
    assert "running" not in seen[-1]
    done = [row for row in rows(seen[-1]) if row[1] == "done"]
    cells = {cell.values["seed"]: tmp_path / "out" / "cells" / cell.id for cell in GRID.cells()}
    assert done and all(cells[int(row[0])].exists() for row in done)
    # the cell that ran may have been done before its worker ended
    times = {path: path.stat().st_mtime_ns for path in cells.values() if path.exists()}

    pages = [data for kind, data in messages(client, CODE) if "display" in kind]
    assert {path: path.stat().st_mtime_ns for path in times} == times
    head, *body = rows(pages[-1]["data"]["text/html"])
    assert "4 of 4 cells done" in pages[-1]["data"]["text/html"] and len(body) == 4
    for row in body:
        metrics = json.loads((cells[int(row[0])] / "metrics.json").read_text())
        found = dict(zip(head[2:], row[2:], strict=True))
        assert "accuracy.logistic" in found
        assert found == {name: f"{metrics[name]:.3f}" for name in found}


def test_failed_cells_say_why_and_come_first_where_there_are_many(tmp_path: Path) -> None:
    grid = Grid(FIXED, {"seed": list(range(30))})
    write_grid(tmp_path, grid)
    last = grid.cells()[-1]
    (tmp_path / "failed" / "cells").mkdir(parents=True)
    log = tmp_path / "failed" / "cells" / f"{last.id}.log"
    log.write_text("rates <above> max_rate\n\nhost here\n", encoding="utf-8")
    cells = _Cells(tmp_path, 5)
    head, *body = rows(cells.html("words", at_work=True))
    assert head == ["seed", "state", "reason"] and len(body) == 5
    assert body[0] == ["29", "failed", html.escape("rates <above> max_rate")]
    assert "and 25 more cells" in cells.html("words", at_work=True)
    first = grid.cells()[0]
    (tmp_path / "cells" / first.id).mkdir(parents=True)
    (tmp_path / "cells" / first.id / "metrics.json").write_text("{", encoding="utf-8")  # damaged
    assert ["0", "done", ""] in rows(_Cells(tmp_path, 30).html("", at_work=True))
    (tmp_path / "cells" / f".{grid.cells()[1].id}.lock").touch()
    (tmp_path / "cells" / f".{grid.cells()[1].id}.partial").mkdir()
    for at_work, state in ((True, "running"), (False, "begun")):
        assert ["1", state, ""] in rows(_Cells(tmp_path, 30).html("", at_work=at_work))


def test_elsewhere_it_is_a_bar(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    with live_table(tmp_path)(3, "") as watch:
        watch(ended=0, running=1, failed=0)
        watch(ended=2, running=1, failed=1)
    said = capsys.readouterr()
    assert "2/3 cells and baselines" in said.err and "1 running, 1 failed" in said.err and said.out == ""


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="most = 0: must be at least 1"):
        live_table(tmp_path, most=0)

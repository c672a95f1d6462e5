"""Commands whose standard streams are closed do what they do with them open, and their files hold only data."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import pytest

CLOSED = [" ".join(closed) for n in (1, 2, 3) for closed in itertools.combinations(("<&-", ">&-", "2>&-"), n)]


def shell(command: str, closed: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["sh", "-c", f'exec "$0" -m homeonet {command} {closed}', sys.executable],
        capture_output=True,
        timeout=240,
        text=True,
        check=False,
        **options,
    )


@pytest.mark.parametrize("closed", CLOSED)
def test_a_command_works_with_closed_streams(closed: str) -> None:
    found = shell("presets", closed)
    assert found.returncode == 0 and "Traceback" not in found.stderr
    assert ("massey2026" in found.stdout) == (">&-" not in closed.split())


@pytest.mark.parametrize("closed", CLOSED)
def test_an_error_keeps_its_exit_code_and_its_stream(closed: str) -> None:
    found = shell("run nothing --out nowhere", closed)
    assert found.returncode == 2 and found.stdout == ""
    assert found.stderr.count("\n") == (0 if "2>&-" in closed.split() else 1)


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_a_run_with_closed_streams_is_whole(closed: str, tmp_path) -> None:
    from homeonet import load_run

    sizes = (
        "--train 20 --test 20 --set input.side=8 --set exc.n=30 --set inh.n=10 --no-baselines --no-figures"
    )
    found = shell(f"run massey2026 --data digits {sizes} --out run", closed, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert load_run(tmp_path / "run").metrics["run_id"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "cp1252"])
@pytest.mark.parametrize("command", ["claims", "claims --markdown", "claims --json", "data"])
def test_what_the_locale_cannot_write_is_replaced(command: str, encoding: str) -> None:
    locale = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding}
    found = shell(command, "2>&1", env=os.environ | locale, encoding=encoding)
    assert found.returncode == 0 and "Traceback" not in found.stdout


def test_streams_that_are_none_are_replaced(monkeypatch) -> None:
    from homeonet.cli.main import main

    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    assert main(["presets"]) == 0
    assert main(["run", "nothing", "--out", "nowhere"]) == 2


def test_the_gallery_outside_a_clone_says_what_it_needs(tmp_path, monkeypatch, capsys) -> None:
    from homeonet.cli.main import main

    for folder, words in ((tmp_path / "none", "is not there"), (tmp_path, "holds no script")):
        monkeypatch.setenv("HOMEONET_FIGURES", str(folder))
        assert main(["figure", "all"]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and words in error and "HOMEONET_FIGURES" in error

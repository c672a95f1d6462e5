"""The command ``homeonet``, called as a user would, and what it says when it refuses."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from homeonet.cli.main import main

__all__ = ["command", "one_line", "refused"]


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "homeonet", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str], code: int = 2) -> str:
    """The one line that the command prints before it exits with `code`."""
    try:
        found = main(arguments)
    except SystemExit as stopped:
        found = stopped.code
    printed = capsys.readouterr()
    assert found == code and printed.out == ""
    one_line(printed.err)
    return printed.err


def one_line(text: str, *words: str) -> None:
    """Fail unless `text` is one line of an error that holds `words`."""
    assert text.startswith("homeonet: error: ") and text.count("\n") == 1, text
    assert all(word in text for word in words), text

"""The command line of a study: what it compares can be chosen by name, and what it does not know is an error."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import pytest

from homeonet.study.options import Scale, some_of, study_options


@dataclass(frozen=True)
class Wide(Scale):
    networks: tuple[str, ...] = some_of(("paper", "released, noisy"))
    shares: tuple[float, ...] = some_of((0.0, 0.15))
    readers: tuple[str, ...] = some_of(("DSN",), empty=True)
    depth: int = field(default=2, metadata={"help": "layers"})


def parsed(monkeypatch: pytest.MonkeyPatch, *words: str):
    monkeypatch.setattr(sys, "argv", ["study.py", *words])
    return study_options("A question?", "wide", Wide(), Wide(seeds=(1,)), earlier=True)


def test_everything_is_compared_unless_some_is_named(monkeypatch) -> None:
    options = parsed(monkeypatch)
    assert (options.networks, options.shares) == (["paper", "released, noisy"], [0.0, 0.15])
    options = parsed(
        monkeypatch, "--networks", "released, noisy", "--shares", "0.15", "--readers", "--seeds", "4"
    )
    assert (options.networks, options.shares, options.readers) == (["released, noisy"], [0.15], [])
    assert (options.seeds, options.depth, options.earlier, options.stored) == ([4], 2, None, None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--networks", "papr"], "'papr' (choose from"),
        (["--shares", "0.2"], "0.2 (choose from"),
        (["--networks"], "--networks: expected at least one argument"),
    ],
)
def test_what_a_study_does_not_compare_is_an_error(words, said, monkeypatch, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(monkeypatch, *words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_help_lists_what_is_compared(monkeypatch, capsys) -> None:
    with pytest.raises(SystemExit):
        parsed(monkeypatch, "--help")
    told = " ".join(capsys.readouterr().out.split())
    assert "some of paper; released, noisy; default: all" in told
    assert "some of 0.0; 0.15; default: all" in told
    assert "layers; default: 2" in told

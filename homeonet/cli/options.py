"""Options that several commands have, and how their values are read; imports neither Brian2 nor torch."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from typing import Any

from homeonet.errors import InputError
from homeonet.machine.cuda import CUDA_ARCH_VARIABLE
from homeonet.machine.text import shown

__all__ = ["add_cuda_arch", "add_machine", "parse_assignments", "whole_number"]


class _Set(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, *_: Any) -> None:
        os.environ[CUDA_ARCH_VARIABLE] = values
        setattr(namespace, self.dest, values)


def add_cuda_arch(parser: argparse.ArgumentParser) -> None:
    """Add ``--cuda-arch`` to a command."""
    parser.add_argument(
        "--cuda-arch",
        action=_Set,
        metavar="X.Y",
        help="compute capability to build for with --device cuda, such as 9.0; default: "
        f"${CUDA_ARCH_VARIABLE}, else that of the first GPU",
    )


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Add the options that say on what a network runs."""
    parser.add_argument(
        "--data-folder", metavar="DIR", help="look for images here first (then $HOMEONET_DATA)"
    )
    parser.add_argument(
        "--device",
        default="auto",
        help="cpp (compiled C++), cuda (an NVIDIA GPU: pays for sweeps with many replicas), brian2cuda (the same by "
        "brian2cuda's program, for comparison), runtime (Brian2 in Python: no compiler needed, very slow) or auto "
        "(cpp where there is a compiler); default auto",
    )
    add_cuda_arch(parser)
    parser.add_argument(
        "--workers",
        type=whole_number,
        metavar="N",
        help="processes that evaluate at a time; training is one process on one core, beside which the baselines are "
        "measured if N > 1; changes no result; default: all usable cores",
    )


def whole_number(text: str) -> int:
    """A whole number of an option: ASCII digits with a sign at most, no separators."""
    if len(text) > 20 or not re.fullmatch(r"[+-]?[0-9]+", text):
        raise argparse.ArgumentTypeError(f"{shown(text)} is no whole number; give digits alone, such as 1000")
    return int(text)


def parse_assignments(assignments: Sequence[str]) -> dict[str, str]:
    """What ``--set NAME=VALUE`` was given, by name."""
    values = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise InputError(f'--set {assignment!r} has no "="; write for example --set sleep.ratio=0.15')
        values[name.strip()] = value.strip()
    return values

"""The C++ compiler of this machine.

Both the plastic engine's programs and the gradient side's kernels are built on first use.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

from homeonet.errors import InputError

__all__ = ["COMPILER_FLAGS", "compiler", "compiler_version", "processor"]

# No -ffast-math: results must not depend on how the compiler groups operations, and NaN must stay visible.
# Without errno, traps and contraction the loops still vectorise.
COMPILER_FLAGS = (
    "-O3",
    "-march=native",
    "-std=c++17",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=off",
    "-w",
)


def compiler() -> tuple[str, ...] | None:
    """The C++ compiler as a command with its arguments: ``$CXX``, else g++ or clang++ on the path, else None.

    Raises
    ------
    InputError
        If ``$CXX`` names a program that is not there: another compiler in its place would be a surprise.
    """
    return _compiler(os.environ.get("CXX", ""), os.environ.get("PATH"))


@lru_cache(maxsize=4)
def _compiler(wanted: str, _path: str | None) -> tuple[str, ...] | None:
    try:
        command = tuple(shlex.split(wanted))
    except ValueError:
        command = (wanted,)
    if command:
        if shutil.which(command[0]) is None:
            raise InputError(
                f"CXX = {wanted!r}: there is no program {command[0]!r}; name a C++ compiler that is installed, or "
                "unset CXX"
            )
        return command
    return next(((name,) for name in ("g++", "clang++") if shutil.which(name)), None)


@lru_cache(maxsize=4)
def compiler_version(command: tuple[str, ...]) -> str:
    """The first line of what the compiler says of itself."""
    text = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False).stdout
    return text.partition("\n")[0]


@lru_cache(maxsize=1)
def processor() -> str:
    """Model and instruction sets of this machine's processor: code is built for it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))

"""The C++ compiler of this machine, and where what it built is kept.

Both the plastic engine's programs and the gradient side's kernels are built on first use.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import platformdirs

__all__ = ["COMPILER_FLAGS", "cache_root", "compiler", "compiler_version", "processor"]

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


def cache_root() -> Path:
    """``$HOMEONET_CACHE``, or the user's cache folder."""
    return Path(os.environ.get("HOMEONET_CACHE") or platformdirs.user_cache_dir("homeonet"))


@lru_cache(maxsize=1)
def compiler() -> str | None:
    """The C++ compiler: ``$CXX``, else g++ or clang++ on the path, else None."""
    for candidate in (os.environ.get("CXX"), "g++", "clang++"):
        if candidate and shutil.which(candidate):
            return candidate
    return None


@lru_cache(maxsize=4)
def compiler_version(command: str) -> str:
    """The first line of what the compiler says of itself."""
    text = subprocess.run([command, "--version"], capture_output=True, text=True, check=False).stdout
    return text.partition("\n")[0]


@lru_cache(maxsize=1)
def processor() -> str:
    """Model and instruction sets of this machine's processor: code is built for it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))

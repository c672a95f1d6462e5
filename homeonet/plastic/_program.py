"""Compiled programs: built once a structure, kept in a cache that any number of processes may share.

The key of a program is a hash of everything it is made from: the structure, the sources of this package that
write it, Brian2's version, the compiler with its version and flags, and the processor or the GPU's architecture (the
code is built for the machine it is on). A program is built in a private folder and moved into place when it is
complete.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from homeonet._compiler import cache_root
from homeonet.errors import HomeonetError, InputError
from homeonet.plastic._structure import Structure
from homeonet.plastic._toolchain import Toolchain, toolchain_for
from homeonet.store import locked

__all__ = ["Program", "cache_folder", "program_for"]

_PACKAGE = Path(__file__).parent
#: The modules that write a program, "_" and ".py" left out; a change of one makes new programs.
_SOURCES = [
    "adaptation",
    "ahsar",
    "codegen",
    "codegen_cuda",
    "codegen_single",
    "equations",
    "istdp",
    "network",
    "neuron",
    "noise",
    "poisson",
    "random",
    "random_functions",
    "renormalisation",
    "rules",
    "sleep",
    "stdp",
    "structure",
    "traces",
]


@dataclass(frozen=True)
class Program:
    """A compiled structure.

    Attributes
    ----------
    folder : Path
        Holds ``main`` and ``manifest.json``.
    compile_seconds : float
        Wall time of this call's build; 0 if the program was in the cache.
    """

    folder: Path
    compile_seconds: float


def cache_folder() -> Path:
    """Where programs are kept: a folder of ``$HOMEONET_CACHE``, or of the user's cache folder."""
    return cache_root() / "programs"


def program_for(structure: Structure, device: str = "cpp") -> Program:
    """The compiled program of a structure, from the cache or built now.

    Parameters
    ----------
    device : {"cpp", "cuda", "emulated"}

    Raises
    ------
    InputError
        Without a compiler, or a GPU, or if the cache folder cannot be written.
    HomeonetError
        If the compiler rejects the program.
    """
    toolchain = toolchain_for(device)
    folder = cache_folder() / f"{structure.key}-{_build_key(toolchain)}"
    if (folder / "main").exists():
        return Program(folder, 0.0)
    with _disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    # one thread of one process builds it, all others wait for that
    with _BUILDING, locked(folder.parent / f".{folder.name}.lock", wait=True):
        if (folder / "main").exists():
            return Program(folder, 0.0)
        start = time.perf_counter()
        _build(structure, folder, toolchain)
        return Program(folder, time.perf_counter() - start)


_BUILDING = threading.Lock()
_ABANDONED_SECONDS = 3600.0


@contextlib.contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"the cache folder {folder.parent} cannot be written ({error.strerror or error}); set HOMEONET_CACHE "
            "to one that can"
        ) from None


def _build(structure: Structure, folder: Path, toolchain: Toolchain) -> None:
    with _disk_errors(folder):
        for left in folder.parent.glob(f".building-{folder.name}-*"):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:  # its process was killed
                shutil.rmtree(left, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".building-{folder.name}-", dir=folder.parent))
        try:
            _generate(structure, scratch, toolchain.target)
            toolchain.compile(scratch)
            product = scratch / "product"
            product.mkdir()
            for name in ("main", "manifest.json", "program.cpp", "static_arrays"):
                shutil.move(scratch / name, product / name)
            try:
                product.rename(folder)
            except (
                OSError
            ):  # where locks do not work, another process may have been faster: its program is as good
                if not (folder / "main").exists():
                    raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _generate(structure: Structure, folder: Path, target: str) -> None:
    """Write the program, in a process of its own: Brian2's device is global to a process."""
    description = folder / "structure.json"
    description.write_text(structure.to_json())
    search_path = os.pathsep.join([str(_PACKAGE.parents[1]), os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        [sys.executable, "-m", "homeonet.plastic._codegen", str(description), str(folder), target],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": search_path},
    )
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["no message"]
        reason = next((line for line in reversed(lines) if "Error: " in line), lines[-1])
        if reason.startswith("OSError: "):
            raise OSError(reason.removeprefix("OSError: "))
        raise HomeonetError(f"Brian2 could not generate the network: {reason}; run `homeonet doctor`")


def _build_key(toolchain: Toolchain) -> str:
    parts = [version("brian2"), platform.machine(), toolchain.name, toolchain.command, *toolchain.flags]
    digest = hashlib.sha256("\n".join([*parts, *toolchain.identity]).encode())
    for source in sorted(_PACKAGE / f"_{name}.py" for name in _SOURCES) + toolchain.sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]

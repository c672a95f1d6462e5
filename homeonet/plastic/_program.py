"""Compiled programs: built once a structure, kept in a cache that any number of processes may share.

The key of a program is a hash of everything it is made from: the structure, the sources of this package that
write it, Brian2's version, the compiler with its version and flags, and the processor (the code is built for
the machine it is on). A program is built in a private folder and moved into place when it is complete.
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

from homeonet._compiler import COMPILER_FLAGS, cache_root, compiler, compiler_version, processor
from homeonet.errors import HomeonetError, InputError
from homeonet.plastic._structure import Structure
from homeonet.store import locked

__all__ = ["COMPILER_FLAGS", "Program", "cache_folder", "compiler", "program_for"]

_PACKAGE = Path(__file__).parent
#: The modules that write a program, "_" and ".py" left out; a change of one makes new programs.
_SOURCES = [
    "adaptation",
    "ahsar",
    "codegen",
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
# the limit on alias checks makes GCC vectorise the long loops too
_GCC_FLAGS = ("--param", "vect-max-version-for-alias-checks=200")


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


def program_for(structure: Structure) -> Program:
    """The compiled program of a structure, from the cache or built now.

    Raises
    ------
    InputError
        Without a C++ compiler, or if the cache folder cannot be written.
    HomeonetError
        If the compiler rejects the program.
    """
    found = compiler()
    if found is None:
        raise InputError(
            "device = 'cpp' needs a C++ compiler and none was found; install one (Debian: apt install g++, conda: "
            "conda install gxx) or use --device runtime, which is far slower"
        )
    folder = cache_folder() / f"{structure.key}-{_build_key(found)}"
    if (folder / "main").exists():
        return Program(folder, 0.0)
    with _disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    # one thread of one process builds it, all others wait for that
    with _BUILDING, locked(folder.parent / f".{folder.name}.lock", wait=True):
        if (folder / "main").exists():
            return Program(folder, 0.0)
        start = time.perf_counter()
        _build(structure, folder, found)
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


def _build(structure: Structure, folder: Path, command: str) -> None:
    with _disk_errors(folder):
        for left in folder.parent.glob(f".building-{folder.name}-*"):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:  # its process was killed
                shutil.rmtree(left, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".building-{folder.name}-", dir=folder.parent))
        try:
            _generate(structure, scratch)
            _compile(command, scratch)
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


def _generate(structure: Structure, folder: Path) -> None:
    """Write the C++ program, in a process of its own: Brian2's device is global to a process."""
    description = folder / "structure.json"
    description.write_text(structure.to_json())
    search_path = os.pathsep.join([str(_PACKAGE.parents[1]), os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        [sys.executable, "-m", "homeonet.plastic._codegen", str(description), str(folder)],
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


def _compile(command: str, folder: Path) -> None:
    extra = () if "clang" in compiler_version(command) else _GCC_FLAGS
    result = subprocess.run(
        [
            command,
            *COMPILER_FLAGS,
            *extra,
            f"-I{folder}",
            f"-I{_PACKAGE / 'cpp'}",
            "program.cpp",
            "-o",
            "main",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode or not (folder / "main").exists():
        lines = result.stderr.splitlines() or [f"exit status {result.returncode} without a message"]
        reason = next((line for line in lines if "error" in line), lines[0])
        raise HomeonetError(f"{command} could not compile the network: {reason}; run `homeonet doctor`")


def _build_key(command: str) -> str:
    parts = [
        version("brian2"),
        platform.machine(),
        processor(),
        command,
        compiler_version(command),
        *COMPILER_FLAGS,
    ]
    parts += list(_GCC_FLAGS)
    digest = hashlib.sha256("\n".join(parts).encode())
    sources = [_PACKAGE / f"_{name}.py" for name in _SOURCES]
    for source in sorted([*sources, *(_PACKAGE / "cpp").iterdir(), *(_PACKAGE / "templates").iterdir()]):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]

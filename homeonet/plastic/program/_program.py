"""Compiled programs: built once per structure, kept in a cache that any number of processes may share.

The key of a program is a hash of everything it is made from: the structure, the sources of this package that
write it, Brian2's version, the compiler with its version and flags, and the processor or the GPU's architecture (the
code is built for the machine it is on). A program is built in a private folder and moved into place when it is
complete; one that is not as it was then, or another user's, is built anew.
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

from homeonet.errors import HomeonetError, InputError
from homeonet.machine.cache import cache_root, is_sound, private_folder, remove, seal
from homeonet.plastic.network._structure import Structure
from homeonet.plastic.program._toolchain import Toolchain
from homeonet.plastic.program._toolchains import toolchain_for
from homeonet.store import locked

__all__ = ["Program", "cache_folder", "program_for"]

_PACKAGE = Path(__file__).parents[2]
#: Packages whose versions decide what code is written.
_WRITERS = ("brian2", "sympy", "jinja2")
#: What a program's folder holds and is checked; beside it the source that it was compiled from.
_PARTS = ("main", "manifest.json")
_BUILDING = threading.Lock()
_ABANDONED_SECONDS = 3600.0
#: The code generator runs on this very copy of the package, whatever lies in the current folder.
_GENERATE = """
import importlib.util, sys
package, elsewhere, *arguments = sys.argv[1:]
spec = importlib.util.spec_from_file_location(
    "homeonet", package + "/__init__.py", submodule_search_locations=[package]
)
sys.modules["homeonet"] = importlib.util.module_from_spec(spec)
sys.path += elsewhere.split("\\0") if elsewhere else []
spec.loader.exec_module(sys.modules["homeonet"])
from homeonet.plastic.program._writer import main
main(*arguments)
"""


@dataclass(frozen=True)
class Program:
    """A program compiled for one structure.

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
    device : {"cpp", "cuda", "emulated", "brian2cuda", "brian2"}

    Raises
    ------
    InputError
        Without a compiler, or a GPU, or if the cache folder cannot be written.
    HomeonetError
        If the compiler rejects the program.
    """
    toolchain = toolchain_for(device)
    folder = cache_folder() / f"{structure.key}-{_build_key(toolchain)}"
    with _disk_errors(folder):
        private_folder(folder.parent)
    if is_sound(folder, _PARTS):
        return Program(folder, 0.0)
    # one thread of one process builds it, all others wait for that
    with _BUILDING, locked(folder.parent / f".{folder.name}.lock", wait=True):
        if is_sound(folder, _PARTS):
            return Program(folder, 0.0)
        start = time.perf_counter()
        _build(structure, folder, toolchain)
        return Program(folder, time.perf_counter() - start)


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
            for name in (*_PARTS, "program.cpp"):
                shutil.move(scratch / name, product / name)
            seal(product, _PARTS)
            try:
                if os.path.lexists(folder):  # damaged, or another user's
                    remove(folder)
                product.rename(folder)
            except OSError:
                # where locks do not work, another process may have been faster: its program is as good
                if not is_sound(folder, _PARTS):
                    raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _generate(structure: Structure, folder: Path, target: str) -> None:
    """Write the program, in a process of its own: Brian2's device is global to a process.

    The process finds modules where Python is installed and in absolute folders of ``$PYTHONPATH``, then where this
    process does, but for the current folder.
    """
    description = folder / "structure.json"
    description.write_text(structure.to_json(), encoding="utf-8")
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    here = os.getcwd()
    elsewhere = [path for path in sys.path if os.path.isabs(path) and os.path.realpath(path) != here]
    package = str(_PACKAGE)
    result = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            _GENERATE,
            package,
            "\\0".join(elsewhere),
            str(description),
            str(folder),
            target,
        ],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in given if os.path.isabs(path))},
    )
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["no message"]
        reason = next((line for line in reversed(lines) if "Error: " in line), lines[-1])
        if reason.startswith("OSError: "):
            raise OSError(reason.removeprefix("OSError: "))
        own = _own_texts(structure)
        if own and not reason.startswith(("ImportError", "ModuleNotFoundError", "MemoryError")):
            which = own[0] if len(own) == 1 else f"one of {', '.join(own)}"
            raise InputError(f"Brian2 does not take {which}: {reason}; correct its text")
        raise HomeonetError(f"Brian2 could not generate the network: {reason}; run `homeonet doctor`")


def _own_texts(structure: Structure) -> list[str]:
    """What the user has written of a network, by its tables."""
    kinds = {
        "neuron": structure.own_neurons,
        "rule": structure.own_rules,
        "homeostasis": structure.own_homeostasis,
    }
    named = [f"{kind}.{name}" for kind, texts in kinds.items() for name, _ in texts]
    return [*named, *(["the controller of sleep.trigger"] if structure.own_controller else [])]


def _build_key(toolchain: Toolchain) -> str:
    parts = [
        *map(version, _WRITERS),
        platform.machine(),
        toolchain.name,
        *toolchain.command,
        *toolchain.flags,
    ]
    digest = hashlib.sha256("\n".join([*parts, *toolchain.identity]).encode())
    writers = [path for room in ("config", "plastic") for path in sorted((_PACKAGE / room).rglob("*.py"))]
    for source in writers + toolchain.sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]

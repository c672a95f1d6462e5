"""Compilers for the plastic engine's programs, and how each is called.

==========  =====================  ==========================================================================
name        generated code         compiler
==========  =====================  ==========================================================================
cpp         C++                    the C++ compiler, for this machine's processor
cuda        a GPU's                nvcc, for this machine's GPU
emulated    a GPU's                the C++ compiler: a check of that code without a GPU, not for use
brian2cuda  brian2cuda's           nvcc with cuRAND (``_toolchain_standalone.py``)
brian2      Brian2's C++           the C++ compiler: a check of that route without a GPU, not for use
==========  =====================  ==========================================================================

None groups or contracts floating-point operations, so that all compute the same numbers, but for the
last bit of ``exp``, ``log`` and ``pow``, which on a GPU come from another library.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from homeonet.errors import HomeonetError, InputError
from homeonet.machine.compiler import COMPILER_FLAGS, compiler, compiler_version, processor
from homeonet.machine.cuda import architecture, find_nvcc, nvcc_folders, nvcc_version

__all__ = ["Toolchain", "cpp_toolchain", "cuda_toolchain", "emulated_toolchain"]

_SOURCES = Path(__file__).parent
# the limit on alias checks makes GCC vectorise the long loops too
_GCC_FLAGS = ("--param", "vect-max-version-for-alias-checks=200")
_NVCC_FLAGS = ("-x", "cu", "-O3", "-std=c++17", "--fmad=false", "--ftz=true", "-w")


@dataclass(frozen=True)
class Toolchain:
    """A compiler with its options.

    Attributes
    ----------
    name : str
    target : {"cpp", "cuda"}
        The code that is generated for it.
    command : tuple of str
    flags : tuple of str
    identity : tuple of str
        All that a program depends on beside its source: version, processor or architecture.
    """

    name: str
    target: str
    command: tuple[str, ...]
    flags: tuple[str, ...]
    identity: tuple[str, ...]

    @property
    def sources(self) -> list[Path]:
        """Files of this package that go into a program as they are."""
        folders = {"cpp": ["cpp", "templates"], "cuda": ["cpp", "cuda", "templates_cuda"]}.get(
            self.target, ["cpp"]
        )
        return sorted(path for folder in folders for path in (_SOURCES / folder).iterdir())

    def compile(self, folder: Path) -> None:
        """Make ``main`` of ``program.cpp``; HomeonetError if the compiler rejects it."""
        folders = [folder, _SOURCES / "cuda", _SOURCES / "cpp", folder / "brianlib"]
        result = subprocess.run(
            [*self.command, *self.flags, *(f"-I{path}" for path in folders), "program.cpp", "-o", "main"],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if result.returncode or not (folder / "main").exists():
            lines = (result.stderr + result.stdout).splitlines()
            lines = lines or [f"exit status {result.returncode} without a message"]
            reason = next((line for line in lines if "error" in line.lower()), lines[0])
            remedy = "run `homeonet doctor`"
            if "arch" in reason and self.name == "cuda":
                remedy = "give --cuda-arch one that `nvcc --list-gpu-arch` names, or update CUDA"
            raise HomeonetError(f"{' '.join(self.command)} could not compile the network: {reason}; {remedy}")


def cpp_toolchain() -> Toolchain:
    """The C++ compiler; InputError where there is none."""
    found = _cpp_compiler("cpp")
    extra = () if "clang" in compiler_version(found) else _GCC_FLAGS
    return Toolchain("cpp", "cpp", found, (*COMPILER_FLAGS, *extra), _cpp_identity(found))


def cuda_toolchain() -> Toolchain:
    """Nvcc for this machine's GPU; InputError where either is missing."""
    command, wanted = find_nvcc(), architecture()
    flags = (*_NVCC_FLAGS, f"-arch={wanted}", *nvcc_folders(command))
    return Toolchain("cuda", "cuda", (command,), flags, (nvcc_version(command),))


def emulated_toolchain() -> Toolchain:
    """The C++ compiler, for a GPU's program: blocks and threads take turns."""
    found = _cpp_compiler("emulated")
    flags = tuple("-O0" if flag == "-O3" else flag for flag in COMPILER_FLAGS)  # built often, run briefly
    return Toolchain("emulated", "cuda", found, flags, _cpp_identity(found))


def _cpp_compiler(device: str) -> tuple[str, ...]:
    found = compiler()
    if found is None:
        raise InputError(
            f"device = {device!r} needs a C++ compiler and none was found; install one (Debian: apt install g++, "
            "conda: conda install gxx) or use --device runtime, which is far slower"
        )
    return found


def _cpp_identity(command: tuple[str, ...]) -> tuple[str, ...]:
    return (processor(), compiler_version(command))

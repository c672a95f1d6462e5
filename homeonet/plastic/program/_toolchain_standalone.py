"""Compilers for programs of Brian2's own making; both compile C++17 and without fast math, which hides NaN.

``brian2cuda`` needs nvcc and cuRAND (headers and library; the package ``nvidia-curand`` where the toolkit has none).
"""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path

from homeonet.errors import InputError
from homeonet.machine.compiler import COMPILER_FLAGS
from homeonet.machine.cuda import architecture, find_nvcc, nvcc_folders, nvcc_version
from homeonet.machine.optional import install_command
from homeonet.plastic.program._toolchain import Toolchain, cpp_toolchain

__all__ = ["brian2_toolchain", "brian2cuda_toolchain", "find_curand"]

_NVCC_FLAGS = ("-x", "cu", "-rdc=true", "-O3", "-std=c++17", "--fmad=false", "-w")


def brian2cuda_toolchain() -> Toolchain:
    """Nvcc with cuRAND for this machine's GPU; InputError where brian2cuda or one of them is missing."""
    if importlib.util.find_spec("brian2cuda") is None:
        raise InputError(
            "device = 'brian2cuda' needs the package brian2cuda, which exists for Python 3.12: "
            f"{install_command('brian2cuda')}; or use --device cuda, this project's own program"
        )
    command, wanted = find_nvcc(), architecture()
    folders = [*nvcc_folders(command), *find_curand(command)]
    flags = (*_NVCC_FLAGS, f"-arch={wanted}", *folders)
    return Toolchain("brian2cuda", "brian2cuda", (command,), flags, (nvcc_version(command),))


def brian2_toolchain() -> Toolchain:
    """The C++ compiler, for Brian2's C++ program: a check of the route without a GPU, not for use."""
    own = cpp_toolchain()
    flags = tuple("-O0" if flag == "-O3" else flag for flag in COMPILER_FLAGS)  # built often, run briefly
    return Toolchain("brian2", "brian2", own.command, flags, own.identity)


def find_curand(nvcc: str) -> list[str]:
    """Options that tell nvcc of cuRAND's headers and library; InputError where there is none."""
    if (Path(nvcc).resolve().parents[1] / "include" / "curand_kernel.h").exists():
        return ["-lcurand"]
    packages = Path(sysconfig.get_paths()["purelib"], "nvidia")
    for header in sorted(packages.glob("*/include/curand_kernel.h"), reverse=True):
        folder = header.parents[1] / "lib"
        library = next(iter(sorted(folder.glob("libcurand.so*"))), None)
        if library is not None:
            link = [f"-L{folder}", f"-l:{library.name}", "-Xlinker", f"-rpath={folder}"]
            return [f"-I{header.parent}", *link]
    raise InputError(
        "device = 'brian2cuda' needs cuRAND, and neither the CUDA toolkit nor a package has it: "
        f"{install_command('brian2cuda')}, which brings nvidia-curand"
    )

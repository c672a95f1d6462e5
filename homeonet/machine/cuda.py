"""What the devices "cuda" and "brian2cuda" need of a machine: a GPU, its driver, and nvcc.

nvcc is looked for in ``$CUDACXX``, ``$CUDA_HOME`` and ``$CUDA_PATH``, on the path, in ``/usr/local/cuda``, and among
Python's packages, where the extra `cuda` puts it. Code is built for the architecture of the first
GPU, or for ``$HOMEONET_CUDA_ARCH``; with that set, programs can be built on a machine that has no GPU.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from homeonet.errors import InputError
from homeonet.machine.optional import install_command

__all__ = ["CUDA_ARCH_VARIABLE", "GPU", "architecture", "find_nvcc", "gpus", "require_gpu"]

#: The architecture to build for; the processes that work inherit it.
CUDA_ARCH_VARIABLE = "HOMEONET_CUDA_ARCH"
_NO_NVCC = (
    "a GPU's program needs nvcc, the CUDA compiler, and none was found; install the CUDA toolkit, or "
    f"{install_command('cuda')}, or point CUDA_HOME at a toolkit"
)


@dataclass(frozen=True)
class GPU:
    """A graphics card that is here.

    Attributes
    ----------
    name : str
    capability : str
        Compute capability, such as "9.0".
    memory : int or None
        In MiB; None where the driver does not say, for it shares the processor's.
    driver : str
        The driver's version.
    """

    name: str
    capability: str
    memory: int | None
    driver: str

    def __str__(self) -> str:
        memory = "" if self.memory is None else f", {self.memory:,} MiB"
        return f"{self.name}{memory}, driver {self.driver}"


@lru_cache(maxsize=1)
def gpus() -> tuple[GPU, ...]:
    """The GPUs that the driver shows a program, in its order; none where there is no driver."""
    command = shutil.which("nvidia-smi") or shutil.which("nvidia-smi", path="/usr/local/nvidia/bin")
    if command is None:
        return ()
    query = "--query-gpu=name,compute_cap,memory.total,driver_version,index,uuid"
    try:
        found = subprocess.run(
            [command, query, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    rows = [[part.strip() for part in line.split(",")] for line in found.stdout.splitlines()]
    rows = _visible([row for row in rows if len(row) == 6])
    return tuple(
        GPU(name, capability, int(memory) if memory.isdecimal() else None, driver)
        for name, capability, memory, driver, _, _ in rows
    )


def _visible(rows: list[list[str]]) -> list[list[str]]:
    """The cards that ``$CUDA_VISIBLE_DEVICES`` leaves, in its order; it names them by index or identifier."""
    wanted = os.environ.get("CUDA_VISIBLE_DEVICES")
    if wanted is None:
        return rows
    found = []
    for name in (part.strip() for part in wanted.split(",")):
        match = [row for row in rows if name and (row[4] == name or row[5].startswith(name))]
        if not match:  # as the driver has it: what follows an unknown name is not seen either
            break
        found.append(match[0])
    return found


def require_gpu(device: str = "cuda") -> GPU:
    """The first GPU, for a device; InputError where there is none."""
    found = gpus()
    if not found:
        raise InputError(
            f"device = {device!r} needs an NVIDIA GPU and its driver, and nvidia-smi shows none"
            + (" among CUDA_VISIBLE_DEVICES" if "CUDA_VISIBLE_DEVICES" in os.environ else "")
            + "; use --device cpp"
        )
    return found[0]


def architecture() -> str:
    """What to build for, as nvcc names it: "sm_90". From ``--cuda-arch``, ``$HOMEONET_CUDA_ARCH`` or the first GPU."""
    wanted = os.environ.get(CUDA_ARCH_VARIABLE) or require_gpu().capability
    digits = re.fullmatch(r"(?:sm_)?(\d+)\.?(\d)([a-z]?)", wanted.strip())
    if digits is None:
        raise InputError(
            f"{CUDA_ARCH_VARIABLE} (--cuda-arch) = {wanted!r} is no compute capability; give for example 9.0 or sm_90"
        )
    return f"sm_{''.join(digits.groups())}"


def find_nvcc() -> str:
    """The CUDA compiler; InputError where there is none."""
    candidates = [os.environ.get("CUDACXX")]
    candidates += [
        str(Path(os.environ[name], "bin", "nvcc"))
        for name in ("CUDA_HOME", "CUDA_PATH")
        if name in os.environ
    ]
    candidates += ["nvcc", "/usr/local/cuda/bin/nvcc"]
    packages = Path(sysconfig.get_paths()["purelib"], "nvidia")
    candidates += [str(path) for path in sorted(packages.glob("*/bin/nvcc"), reverse=True)]
    for candidate in candidates:
        if candidate and (found := shutil.which(candidate)):
            return found
    raise InputError(_NO_NVCC)


@lru_cache(maxsize=4)
def nvcc_version(command: str) -> str:
    """The release that nvcc says it is."""
    text = subprocess.run([command, "--version"], capture_output=True, text=True, check=False).stdout
    return next((line.strip() for line in text.splitlines() if "release" in line), "version unknown")


def nvcc_folders(command: str) -> list[str]:
    """Options that tell nvcc of its own headers and libraries where it is one of Python's packages."""
    root = Path(command).resolve().parents[1]
    if not root.is_relative_to(Path(sysconfig.get_paths()["purelib"]).resolve()):
        return []
    libraries = [path for path in (root / "lib", root / "lib64") if path.is_dir()]
    return [f"-I{root / 'include'}", *(f"-L{path}" for path in libraries)]

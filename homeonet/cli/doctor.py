"""``homeonet doctor``: what this installation has, what is missing and how to get it, and a short self-test."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import time
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from typing import Any

from homeonet._version import __version__
from homeonet.errors import InputError
from homeonet.machine.compiler import compiler_version
from homeonet.machine.optional import install_command

__all__ = ["add_doctor", "examine"]

#: The Python of the one Brian2 that brian2cuda takes.
_BRIAN2CUDA_PYTHON = (3, 12)
_PACKAGES = ("brian2", "numpy", "scipy", "scikit-learn", "xarray", "h5netcdf", "matplotlib", "mlxtend")


_EPILOG = """examples:
  homeonet doctor
  CXX=clang++ homeonet doctor               (another compiler)
"""


def add_doctor(commands: Any) -> None:
    """Add ``doctor`` to the subcommands."""
    doctor = commands.add_parser(
        "doctor", help="versions, compiler, devices, and a self-test of a few seconds", epilog=_EPILOG
    )
    doctor.set_defaults(call=_doctor)


def _doctor(_: argparse.Namespace) -> int:
    return 0 if examine() else 1


def examine() -> bool:
    """Print the report; returns whether the self-test passed."""
    print(f"homeonet {__version__} on Python {platform.python_version()}, {platform.platform()}")
    for package in _PACKAGES:
        print(f"  {package:14s} {_version(package)}")
    from homeonet.plastic import cache_folder, compiler

    found = compiler()
    print("devices")
    print(f"  cpp            {_compiler_line(found)}")
    print("  runtime        Brian2 on NumPy: always there, very slow")
    print(f"  cuda           {_cuda_line()}")
    print(f"  brian2cuda     {_brian2cuda_line()}")
    print(f"  gradient       {_gradient_line()}")
    print(f"program cache    {cache_folder()}")
    print(
        f"data             HOMEONET_DATA={os.environ.get('HOMEONET_DATA', '(not set)')}; see `homeonet data`"
    )
    passed = _self_test("cpp" if found else "runtime")
    return passed and (not _cuda_ready() or _self_test("cuda"))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing; install homeonet again, which brings it"


def _compiler_line(found: tuple[str, ...] | None) -> str:
    if found is None:
        return "no C++ compiler: apt install g++ (Debian, Ubuntu) or conda install gxx"
    command = " ".join([shutil.which(found[0]) or found[0], *found[1:]])
    return f"{command}: {compiler_version(found) or 'version unknown'}"


def _cuda_ready() -> bool:
    from homeonet.machine.cuda import find_nvcc, gpus

    try:
        return bool(gpus()) and bool(find_nvcc())
    except InputError:
        return False


def _cuda_line() -> str:
    """The GPU and nvcc, or what is missing and how to get it."""
    from homeonet.machine.cuda import architecture, find_nvcc, gpus, nvcc_version

    try:
        command = find_nvcc()
        compiler = f"{command}: {nvcc_version(command)}"
    except InputError:
        compiler = f"no nvcc: install the CUDA toolkit, or {install_command('cuda')}"
    if not gpus():
        return f"no GPU: nvidia-smi shows none (driver missing?); {compiler}"
    card = gpus()[0]
    try:
        target = architecture()
    except InputError as error:
        target = str(error)
    return f"{card}, built for {target}; {compiler}"


def _gradient_line() -> str:
    """What the gradient module runs on."""
    try:
        import torch
    except ImportError:
        return f"no torch: {install_command('gradient')}"
    if not torch.cuda.is_available():
        return f"torch {torch.__version__} on the CPU; it sees no GPU"
    kernels = (
        "with Triton" if find_spec("triton") else "without Triton, many times slower: pip install triton"
    )
    return f"torch {torch.__version__} on {torch.cuda.get_device_name()}, {kernels}"


def _brian2cuda_line() -> str:
    """brian2cuda, the reference of the Brian2 world on a GPU, or what it lacks."""
    try:
        found, needs = version("brian2cuda"), requires("brian2cuda") or []
    except PackageNotFoundError:
        fits = sys.version_info[:2] == _BRIAN2CUDA_PYTHON
        return (
            f"not installed; {install_command('brian2cuda')}"
            if fits
            else "not for this Python: 3.12 has its Brian2"
        )
    pins = [need.partition("==")[2] for need in needs if need.startswith("brian2==")]
    if pins and pins[0] != version("brian2"):
        return f"{found} needs Brian2 {pins[0]}, here is {version('brian2')}; pip install brian2=={pins[0]}"
    missing = _missing_for_brian2cuda()
    return f"{found}, {'; '.join(missing) if missing else 'ready, for comparison with cuda'}"


def _missing_for_brian2cuda() -> list[str]:
    from homeonet.machine.cuda import find_nvcc, gpus
    from homeonet.plastic.program._toolchain_standalone import find_curand

    missing = []
    if not gpus():
        missing.append("no GPU")
    try:
        find_curand(find_nvcc())
    except InputError as error:
        without_curand = "cuRAND" in str(error)
        missing.append(
            f"no cuRAND: {install_command('brian2cuda')}"
            if without_curand
            else "no nvcc: install the CUDA toolkit"
        )
    return missing


def _self_test(device: str) -> bool:
    """Does a stimulated network fire and a silent one not? On a generated image."""
    import numpy as np

    from homeonet.config import load_config
    from homeonet.plastic import Training

    images = np.zeros((5, 225))
    images[:, 60:150] = 1.0
    if device == "runtime":
        images = images[:1]
    config = load_config("massey2026")
    start = time.perf_counter()
    rates = []
    for shown in (images, 0 * images):
        training = Training([config], shown, device)
        segment = training.advance()
        seconds = segment.n_steps * training.dt
        rates.append(len(segment.result.spikes["exc"][0]) / (config.size("exc") * seconds))
    passed = rates[0] > 0.1 and rates[1] == 0
    print(
        f"self-test        {'passed' if passed else 'FAILED'} in {time.perf_counter() - start:.1f} s on {device} "
        f"(excitatory rate {rates[0]:.1f} Hz with an image, {rates[1]:.1f} Hz without; first run compiles)"
    )
    return passed

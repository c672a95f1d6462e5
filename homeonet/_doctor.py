"""``homeonet doctor``: what this installation has, what is missing and how to get it, and a short self-test."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from homeonet._version import __version__

__all__ = ["examine"]

_PACKAGES = ("brian2", "numpy", "scipy", "scikit-learn", "xarray", "h5netcdf", "matplotlib", "mlxtend")


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
    print("  cuda           not in this version")
    print(f"program cache    {cache_folder()}")
    print(
        f"data             HOMEONET_DATA={os.environ.get('HOMEONET_DATA', '(not set)')}; see `homeonet data`"
    )
    return _self_test("cpp" if found else "runtime")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing; pip install homeonet installs it"


def _compiler_line(found: str | None) -> str:
    if found is None:
        return "no C++ compiler: apt install g++ (Debian, Ubuntu) or conda install gxx"
    text = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    return f"{shutil.which(found)}: {text.splitlines()[0] if text else 'version unknown'}"


def _self_test(device: str) -> bool:
    """Does a stimulated network fire and a silent one not? On a generated image."""
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
        rates.append(len(segment.result.spikes["exc"][0]) / (config.exc.n * seconds))
    passed = rates[0] > 0.1 and rates[1] == 0
    print(
        f"self-test        {'passed' if passed else 'FAILED'} in {time.perf_counter() - start:.1f} s on {device} "
        f"(excitatory rate {rates[0]:.1f} Hz with an image, {rates[1]:.1f} Hz without; first run compiles)"
    )
    return passed

"""The toolchains by name."""

from __future__ import annotations

from homeonet.plastic.program._toolchain import (
    Toolchain,
    cpp_toolchain,
    cuda_toolchain,
    emulated_toolchain,
)
from homeonet.plastic.program._toolchain_standalone import brian2_toolchain, brian2cuda_toolchain

__all__ = ["toolchain_for"]

_BY_NAME = {
    "cpp": cpp_toolchain,
    "cuda": cuda_toolchain,
    "emulated": emulated_toolchain,
    "brian2cuda": brian2cuda_toolchain,
    "brian2": brian2_toolchain,
}


def toolchain_for(device: str) -> Toolchain:
    """The toolchain called `device`."""
    return _BY_NAME[device]()

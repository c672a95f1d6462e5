"""The devices by name, and the engine of each."""

from __future__ import annotations

import warnings

from homeonet.errors import InputError
from homeonet.machine.compiler import compiler
from homeonet.machine.cuda import require_gpu
from homeonet.plastic.engine._compiled import CompiledEngine
from homeonet.plastic.engine._segment import Engine
from homeonet.plastic.network._connectivity import Connections
from homeonet.plastic.network._structure import Structure

__all__ = ["DEVICES", "GPU_DEVICES", "engine_for", "known_device", "require_precision", "settled_device"]

DEVICES = ("auto", "cpp", "cuda", "brian2cuda", "runtime")
#: Those that need a GPU.
GPU_DEVICES = ("cuda", "brian2cuda")
#: A GPU's program built by the C++ compiler, and Brian2's own C++ program: for tests, not for users to choose.
_EMULATED, _BRIAN2 = "emulated", "brian2"


def engine_for(structure: Structure, connections: Connections, device: str = "auto") -> Engine:
    """The engine for a device name.

    Parameters
    ----------
    device : {"auto", "cpp", "cuda", "brian2cuda", "runtime"}
        "auto" is "cpp" where a C++ compiler is found, else "runtime" (Brian2's NumPy target, with a warning). "cuda"
        is a GPU with this package's program, and never anything else instead; "brian2cuda" a GPU with brian2cuda's,
        which is slower, the reference of the Brian2 world.

    Raises
    ------
    InputError
        For an unknown device, or one that this installation cannot provide.
    """
    device = settled_device(device)
    require_precision(structure.precision, device)
    if structure.records and device not in ("cpp", "runtime"):
        raise InputError(
            f"record.{structure.records[0].name}: device = {device!r} records spikes and weights alone; use device = "
            "'cpp', or leave the variables out"
        )
    if device == "runtime":
        from homeonet.plastic.engine._runtime import RuntimeEngine

        return RuntimeEngine(structure, connections)
    if device in GPU_DEVICES:
        require_gpu(device)
    if device in ("brian2cuda", _BRIAN2):
        from homeonet.plastic.engine._standalone import StandaloneEngine

        return StandaloneEngine(structure, connections, device)
    return CompiledEngine(structure, connections, device)


def require_precision(precision: str, device: str) -> None:
    """Raise InputError if a device does not compute in a precision."""
    if precision == "float32" and device not in ("cuda", _EMULATED):
        raise InputError(
            f"simulation.precision = 'float32': device = {device!r} computes in float64; use device = 'cuda', or "
            "precision = 'float64'"
        )


def settled_device(device: str) -> str:
    """What "auto" means here; any other known device as it is."""
    if known_device(device) != "auto":
        return device
    if compiler() is not None:
        return "cpp"
    warnings.warn(
        "no C++ compiler was found: running on Brian2's NumPy target, which is about a hundred times slower; "
        "install g++ (Debian: apt install g++, conda: conda install gxx)",
        stacklevel=3,
    )
    return "runtime"


def known_device(device: str) -> str:
    """The name of a device; raises InputError for one that is not known."""
    if device not in (*DEVICES, _EMULATED, _BRIAN2):
        raise InputError(f"device = {device!r} is not known; choose one of {', '.join(DEVICES)}")
    return device

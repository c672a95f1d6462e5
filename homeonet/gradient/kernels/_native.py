"""The compiled kernels of ``cpp/``: built on first use, kept in the cache, called on raw memory.

They serve float32 on a CPU, the neurons' usual case there. Without a C++ compiler, on a GPU, in other precisions
and for surrogates of a user's own, the neurons use the same formulas in torch operations, which are slower.
``HOMEONET_KERNELS=0`` switches the kernels off.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from homeonet.errors import InputError
from homeonet.gradient.kernels._surrogate import Arctan, Rectangle, Sigmoid, Surrogate, Triangle
from homeonet.machine.cache import cache_root, is_sound, private_folder, remove, seal
from homeonet.machine.compiler import COMPILER_FLAGS, compiler, compiler_version, processor

__all__ = [
    "LANE_GROUP",
    "STRAIGHT_THROUGH",
    "kernels",
    "launch",
    "numbers",
    "surrogate_kind",
    "total",
    "usable",
]

_SOURCES = Path(__file__).parent / "cpp"
_LIBRARY = "kernels.so"
_KINDS: dict[type, int] = {Rectangle: 0, Triangle: 1, Arctan: 2, Sigmoid: 3}
STRAIGHT_THROUGH = 4
#: Below this many values a second thread costs more than it brings.
_VALUES_A_THREAD = 1 << 17
#: Threads share the lanes in multiples of a cache line.
LANE_GROUP = 16
#: Arguments of each kernel before T, M and the lanes: a pointer, an integer or a float.
_SIGNATURES = {
    "scan": "pppip",
    "membrane_forward": "ppppppiippppp",
    "membrane_backward": "ipppppppppfpppppp",
    "charge_forward": "ppppiffppp",
    "charge_backward": "ppppppfipppp",
    "dsn_forward": "pppppppfipppp",
    "dsn_backward": "ippppppppppffippppp",
}
_C_TYPES = {"p": ctypes.c_void_p, "i": ctypes.c_int32, "f": ctypes.c_float}


@lru_cache(maxsize=1)
def kernels() -> ctypes.CDLL | None:
    """The loaded kernels; None, after a warning, where they cannot be built."""
    if os.environ.get("HOMEONET_KERNELS") == "0":
        return None
    command = compiler()
    if command is None:
        warnings.warn(
            "no C++ compiler was found, so spiking layers run as torch operations, several times slower; install one "
            "(Debian: apt install g++, conda: conda install gxx)",
            stacklevel=2,
        )
        return None
    try:
        return ctypes.CDLL(str(_built(command)))
    except (OSError, InputError, subprocess.CalledProcessError) as error:
        warnings.warn(
            f"the kernels of the spiking layers could not be built or loaded ({error}), so they run as torch "
            "operations, several times slower; `homeonet doctor` checks the compiler",
            stacklevel=2,
        )
        return None


def _built(command: tuple[str, ...]) -> Path:
    texts = [path.read_text(encoding="utf-8") for path in sorted(_SOURCES.iterdir())]
    parts = [processor(), *command, compiler_version(command), *COMPILER_FLAGS, *texts]
    folder = cache_root() / "kernels" / hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    private_folder(folder.parent)
    if not is_sound(folder, [_LIBRARY]):
        scratch = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
        try:
            units = {path: str(scratch / f"{path.stem}.o") for path in sorted(_SOURCES.glob("*.cpp"))}

            def compiled(unit: Path) -> None:
                given = [*COMPILER_FLAGS, "-fPIC", "-c", str(unit), "-o", units[unit]]
                subprocess.run([*command, *given], check=True, capture_output=True)

            with ThreadPoolExecutor(min(len(units), os.cpu_count() or 1)) as pool:
                list(pool.map(compiled, units))
            linked = [*COMPILER_FLAGS, "-shared", *units.values(), "-o", str(scratch / _LIBRARY)]
            subprocess.run([*command, *linked], check=True, capture_output=True)
            for made in units.values():
                os.remove(made)
            seal(scratch, [_LIBRARY])
            if os.path.lexists(folder):  # damaged, or another user's
                remove(folder)
            scratch.rename(folder)
        except OSError:
            # other processes may build the same: the first one's is as good
            if not is_sound(folder, [_LIBRARY]):
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return folder / _LIBRARY


def surrogate_kind(surrogate: Surrogate) -> int | None:
    """The kernels' number of a surrogate; None if they do not know it."""
    return _KINDS.get(type(surrogate))


def usable(*tensors: Tensor) -> bool:
    """Whether the kernels can serve these tensors."""
    for t in tensors:
        if t.dtype is not torch.float32 or not t.is_cpu:
            return False
    return kernels() is not None


def launch(name: str, arguments: list, n_steps: int, n_lanes: int) -> None:
    """Call a kernel for all lanes, shared among torch's number of threads where that pays.

    Parameters
    ----------
    name : str
        The kernel's name without its prefix.
    arguments : list
        Contiguous tensors or addresses, arrays of ctypes, None for a null pointer, and numbers; the sizes and lanes
        are added.
    n_steps, n_lanes : int
        Time steps T, and lanes M that are computed beside one another.
    """
    if n_steps * n_lanes == 0:
        return
    function = getattr(kernels(), f"homeonet_{name}")
    if function.argtypes is None:  # said once, so that a call converts its arguments in C
        function.argtypes = [*(_C_TYPES[kind] for kind in _SIGNATURES[name]), *[ctypes.c_int64] * 4]
    given = [a.data_ptr() if isinstance(a, Tensor) else a for a in arguments]
    if n_steps * n_lanes < _VALUES_A_THREAD:
        function(*given, n_steps, n_lanes, 0, n_lanes)
        return

    def call(start: int, stop: int) -> None:
        function(*given, n_steps, n_lanes, start, stop)

    threads = min(torch.get_num_threads(), max(1, n_steps * n_lanes // _VALUES_A_THREAD))
    share = -(-n_lanes // threads // LANE_GROUP) * LANE_GROUP
    starts = range(0, n_lanes, max(share, LANE_GROUP))
    bounds = [(start, min(start + starts.step, n_lanes)) for start in starts]
    others = [_pool(len(bounds)).submit(call, *bound) for bound in bounds[1:]]
    call(*bounds[0])
    for other in others:
        other.result()


def total(values: Tensor, out: Tensor) -> Tensor:
    """`out`, of one element, which becomes the sum of contiguous `values`: torch's takes longer to call."""
    function = kernels().homeonet_total
    if function.argtypes is None:
        function.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p]
    function(values.data_ptr(), values.numel(), out.data_ptr())
    return out


@lru_cache(maxsize=256)
def numbers(*values: int) -> ctypes.Array:
    """`values` as 64-bit integers that a kernel reads."""
    return (ctypes.c_int64 * len(values))(*values)


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="homeonet")


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child process has no thread of its parent's

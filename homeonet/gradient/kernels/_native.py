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

__all__ = ["LANE_GROUP", "STRAIGHT_THROUGH", "kernels", "launch", "surrogate_kind", "usable"]

_SOURCES = Path(__file__).parent / "cpp"
_LIBRARY = "kernels.so"
_KINDS: dict[type, int] = {Rectangle: 0, Triangle: 1, Arctan: 2, Sigmoid: 3}
STRAIGHT_THROUGH = 4
#: Below this many values a second thread costs more than it brings.
_VALUES_A_THREAD = 1 << 17
#: Threads share the lanes in multiples of a cache line.
LANE_GROUP = 16


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
            flags = [*COMPILER_FLAGS, "-shared", "-fPIC"]
            units = sorted(str(path) for path in _SOURCES.glob("*.cpp"))
            built = ["-o", str(scratch / _LIBRARY)]
            subprocess.run([*command, *flags, *units, *built], check=True, capture_output=True)
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
    return all(t.dtype == torch.float32 and t.device.type == "cpu" for t in tensors) and kernels() is not None


def launch(name: str, arguments: list, n_steps: int, n_lanes: int) -> None:
    """Call a kernel for all lanes, shared among torch's number of threads where that pays.

    Parameters
    ----------
    name : str
        Of the kernel, without its prefix.
    arguments : list
        Contiguous tensors, None for a null pointer, and ctypes numbers; the sizes and lanes are added.
    n_steps, n_lanes : int
        T and M.
    """
    if n_steps * n_lanes == 0:
        return
    function = getattr(kernels(), f"homeonet_{name}")
    given = [_as_argument(a) for a in arguments]

    def call(start: int, stop: int) -> None:
        function(*given, *_sizes(n_steps, n_lanes, start, stop))

    if n_steps * n_lanes < _VALUES_A_THREAD:
        call(0, n_lanes)
        return
    threads = min(torch.get_num_threads(), max(1, n_steps * n_lanes // _VALUES_A_THREAD))
    share = -(-n_lanes // threads // LANE_GROUP) * LANE_GROUP
    starts = range(0, n_lanes, max(share, LANE_GROUP))
    bounds = [(start, min(start + starts.step, n_lanes)) for start in starts]
    others = [_pool(len(bounds)).submit(call, *bound) for bound in bounds[1:]]
    call(*bounds[0])
    for other in others:
        other.result()


def _sizes(*values: int) -> tuple[ctypes.c_int64, ...]:
    return tuple(ctypes.c_int64(v) for v in values)


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="homeonet")


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child process has no thread of its parent's


def _as_argument(value: object) -> object:
    if isinstance(value, Tensor):
        return ctypes.c_void_p(value.data_ptr())
    return ctypes.c_void_p(None) if value is None else value

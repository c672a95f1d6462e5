"""Runs a segment: arrays in, arrays and records out. The same interface for C++, a GPU, and Brian2's runtime.

A segment is a number of steps from a given step on. k segments and then N - k segments give the same bits as N
at once, because nothing lives outside the arrays. Files between the two processes have no name: a killed run
leaves none behind.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from typing import IO, Protocol

import numpy as np

from homeonet.errors import HomeonetError, InputError
from homeonet.machine.compiler import compiler
from homeonet.machine.cuda import require_gpu
from homeonet.plastic.network._arrays import Arrays
from homeonet.plastic.network._connectivity import Connections, sums_over_replicas
from homeonet.plastic.network._structure import Structure
from homeonet.plastic.program._program import program_for

__all__ = [
    "DEVICES",
    "GPU_DEVICES",
    "CompiledEngine",
    "Engine",
    "SegmentResult",
    "engine_for",
    "known_device",
    "require_precision",
    "settled_device",
]

DEVICES = ("auto", "cpp", "cuda", "brian2cuda", "runtime")
#: Those that need a GPU.
GPU_DEVICES = ("cuda", "brian2cuda")
#: A GPU's program built by the C++ compiler, and Brian2's own C++ program: for tests, not for users to choose.
_EMULATED, _BRIAN2 = "emulated", "brian2"


@dataclass(frozen=True)
class SegmentResult:
    """What a segment leaves.

    Attributes
    ----------
    arrays : dict of str to ndarray
        All arrays after the last step; the input of the next segment.
    spikes : dict of str to (ndarray, ndarray)
        For each population of neurons: index of the neuron (over all replicas) and step of each spike, in order.
    sample_step : ndarray, shape (n_samples,)
        Steps at which samples were taken, every 0.2 s.
    samples : dict of str to ndarray, shape (n_samples, replicas)
        "asleep", "wake_step" and "total_<pathway>"; with AHSAR "mean_rate_<population>" and "state_<population>".
    n_steps : int
        Steps run: fewer than asked for if a replica reached its last wake step.
    seconds : float
        Wall time spent in the time loop.
    """

    arrays: Arrays
    spikes: dict[str, tuple[np.ndarray, np.ndarray]]
    sample_step: np.ndarray
    samples: dict[str, np.ndarray]
    n_steps: int
    seconds: float


class Engine(Protocol):
    """Advances one structure with one connectivity."""

    device: str
    compile_seconds: float
    stimulus_rows: int
    array_names: tuple[str, ...]

    def run(
        self, arrays: Arrays, stimulus: np.ndarray, *, first_step: int, n_steps: int, dt: float
    ) -> SegmentResult:
        """Run `n_steps` steps of `dt` seconds, or up to the step in which a replica's wake steps reach
        "controller.last_wake_step".

        Parameters
        ----------
        arrays : dict of str to ndarray
            Every array of the network; lengths are checked.
        stimulus : ndarray, shape (stimulus_rows, replicas * n_input)
            As from ``log_silence``.
        first_step : int
            Number of the first step, counted over the whole run.
        """
        ...


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
    import warnings

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


class CompiledEngine:
    """Runs the compiled program of a structure, one process a segment.

    Parameters
    ----------
    structure : Structure
    connections : dict
        As from ``connect``.
    device : {"cpp", "cuda", "emulated"}
    """

    program_name = "main"

    def __init__(self, structure: Structure, connections: Connections, device: str = "cpp") -> None:
        self.device = device
        program = program_for(structure, device)
        self.compile_seconds = program.compile_seconds
        self._structure, self._folder = structure, program.folder
        self._manifest = json.loads((program.folder / "manifest.json").read_text(encoding="utf-8"))
        self.stimulus_rows: int = self._manifest["stimulus"]["shape"][0]
        self.array_names = tuple(item["name"] for item in self._manifest["arrays"])
        self._connections = {
            f"{pathway}.{end}": index
            for pathway, pair in {**connections, **sums_over_replicas(structure)}.items()
            for end, index in zip(("sources", "targets"), pair, strict=True)
        }
        for item in self._manifest["connections"]:
            if len(self._connections[item["name"]]) != item["size"]:
                raise ValueError(
                    f"{item['name']} has {len(self._connections[item['name']])} entries, not {item['size']}"
                )

    def run(
        self, arrays: Arrays, stimulus: np.ndarray, *, first_step: int, n_steps: int, dt: float
    ) -> SegmentResult:
        """See :class:`Engine`."""
        with _nameless_file() as source, _nameless_file() as result:
            try:
                self._write(source, arrays, stimulus, first_step, n_steps, dt)
            except OSError as error:
                reason = error.strerror or error  # NumPy's own says how much it could not write
                raise HomeonetError(
                    f"the temporary folder {tempfile.gettempdir()} cannot be written ({reason}); free space or set "
                    "TMPDIR"
                ) from None
            done = self._call(source, result)
            if done.returncode:
                raise _failure(done.stderr, done.returncode)
            return self._read(result, dt)

    def _call(self, source: IO[bytes], result: IO[bytes]) -> subprocess.CompletedProcess[str]:
        def call() -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [
                    str(self._folder / self.program_name),
                    *(f"/dev/fd/{file.fileno()}" for file in (source, result)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                check=False,
                pass_fds=(source.fileno(), result.fileno()),
                start_new_session=True,  # Ctrl-C is for us: a segment ends by itself
            )

        try:
            return call()
        except OSError:  # somebody has emptied or damaged the cache meanwhile
            self._folder = program_for(self._structure, self.device).folder
        try:
            return call()
        except OSError as error:
            raise InputError(
                f"the program {self._folder / self.program_name} cannot be run ({error.strerror}): its file system "
                "may be mounted noexec; set HOMEONET_CACHE to a folder on another one"
            ) from None

    def _write(
        self,
        file: IO[bytes],
        arrays: Arrays,
        stimulus: np.ndarray,
        first_step: int,
        n_steps: int,
        dt: float,
    ) -> None:
        np.array([first_step, n_steps], dtype=np.int64).tofile(file)
        np.array([dt]).tofile(file)
        for item in self._manifest["connections"]:
            self._connections[item["name"]].tofile(file)
        shape = self._manifest["stimulus"]["shape"]
        np.ascontiguousarray(_checked("stimulus", stimulus, shape)).tofile(file)
        for item in self._manifest["arrays"]:
            values = np.asarray(arrays[item["name"]], dtype=item["dtype"])
            _checked(item["name"], values, [item["size"]]).tofile(file)
        file.seek(0)

    def _read(self, file: IO[bytes], dt: float) -> SegmentResult:
        file.seek(0)
        arrays = {
            item["name"]: np.fromfile(file, item["dtype"], item["size"]) for item in self._manifest["arrays"]
        }

        def counted(dtype: str) -> np.ndarray:
            return np.fromfile(file, dtype, int(np.fromfile(file, np.int64, 1)[0]))

        spikes, samples, sample_step = {}, {}, np.array([], dtype=np.int64)
        for monitor, names in self._manifest["monitors"].items():
            if monitor.startswith("spikes"):
                unit, when = counted("int32"), counted("float64")
                spikes[monitor.removeprefix("spikes_")] = (unit, np.rint(when / dt).astype(np.int64))
                continue
            sample_step = np.rint(counted("float64") / dt).astype(np.int64)
            replicas = self._manifest["arrays"][0]["size"]
            for name in names:
                flat = np.fromfile(file, np.float64, len(sample_step) * replicas)
                samples[name] = flat.reshape(len(sample_step), replicas)
        n_steps = int(np.fromfile(file, np.int64, 1)[0])
        seconds = float(np.fromfile(file, np.float64, 1)[0])
        return SegmentResult(arrays, spikes, sample_step, samples, n_steps, seconds)


def _failure(message: str, code: int) -> HomeonetError:
    reason = (message.strip().splitlines() or [f"exit status {code}"])[-1]
    remedy = "run `homeonet doctor`"
    if "file" in reason:
        remedy = f"free space in {tempfile.gettempdir()} or set TMPDIR"
    elif "GPU memory" in reason:
        remedy = "run fewer replicas at once (--replicas)"
    elif "driver version is insufficient" in reason:
        remedy = "update the GPU's driver, or point CUDA_HOME at an older CUDA toolkit"
    elif "no kernel image" in reason or "device kernel image is invalid" in reason:
        remedy = "give --cuda-arch the card's compute capability (`homeonet doctor` shows it)"
    return HomeonetError(f"the compiled network stopped: {reason}; {remedy}")


def _nameless_file() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile(buffering=0)
    except OSError as error:
        raise HomeonetError(
            f"no temporary folder can be written ({error.strerror}); free space or set TMPDIR to another one"
        ) from None


def _checked(name: str, values: np.ndarray, shape: list[int]) -> np.ndarray:
    if list(values.shape) != list(shape):
        raise ValueError(f"{name} has shape {values.shape}, but the network needs {tuple(shape)}")
    return values
